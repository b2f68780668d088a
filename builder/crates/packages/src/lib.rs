//! Readers of package files: `.deb`, `.apk` of format v2 and v3, `.ipk`.
//!
//! Each format has a module with its own errors and control files; [`Readers`] opens all of them alike, as
//! [`wifibox_formats::reader`] describes it.

pub mod adb;
pub mod apk;
mod ar;
mod archive;
pub mod deb;
pub mod opkg;
mod readers;

pub use adb::Apk3;
pub use apk::Apk;
pub use deb::Deb;
pub use opkg::Ipk;
pub use readers::Readers;
