//! The readers of indexes and signatures, each against files that are made for the test: whole, damaged, and forged.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod adb_trust;
mod apk_keys;
mod apk_trust;
mod deb_rules;
mod deb_trust;
mod indexes;
mod opkg_trust;
