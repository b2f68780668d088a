//! Package sources: indexes, signatures and package readers.

pub mod codec;
pub mod deb;
pub mod entry;
pub mod tarball;
mod verified;

pub use verified::Verified;
