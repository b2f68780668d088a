//! Guests for other people's package systems: what those need to build a guest themselves.
//!
//! Made from a lock, never from a network; the texts are the same for the same lock and recipes.

pub mod freebsd_port;
mod write;

pub use write::{WriteError, write};
