//! The readers of packages, indexes and signatures, each against packages that are made for the test: whole, damaged, and forged.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod adb_package;
mod adb_trust;
mod apk_archive;
mod apk_keys;
mod apk_trust;
mod deb_archive;
mod deb_trust;
mod faults;
mod indexes;
mod opkg_archive;
mod opkg_trust;
