//! The orders of versions against the programs whose orders they are.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod dpkg_order;
