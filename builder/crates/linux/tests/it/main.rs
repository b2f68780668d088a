//! Modules and firmware against the programs of Linux, and the traps that drivers set.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod kernel_closure;
mod traps;
