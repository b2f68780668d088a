//! Roots as OpenWrt's own tools make them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod opkg_real;
mod opkg_root;
mod traps;
