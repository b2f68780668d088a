//! The readers of packages, each against packages that are made for the test: whole, damaged, and hostile.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod adb_package;
mod apk_archive;
mod deb_archive;
mod faults;
mod metadata;
mod opkg_archive;
