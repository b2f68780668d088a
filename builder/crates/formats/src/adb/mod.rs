//! apk v3: ADB containers, the package index and packages in them, and their signatures.
//!
//! Used by OpenWrt 25.12 and later, and understood by Alpine's apk-tools 3. Format: `apk-v3(5)` and
//! `src/adb.h`, `src/apk_adb.h` of apk-tools 3.
//!
//! Trust runs from a pinned key to the signed index ([`Index::read`]), from there by hash to the
//! metadata of each package, and from there by hash to each file; the reader of packages, in the crate
//! `wifibox-packages`, goes these two steps.

pub mod container;
mod dependency;
mod error;
mod file_name;
mod index;
mod info;
mod key;
mod limits;
pub mod packing;
mod signature;
pub mod value;

/// Whether a file of apk v3 begins with these bytes, whatever its compression.
pub fn is_adb(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ADB")
}

pub use error::AdbError;
pub use index::{Index, IndexReadError};
pub use info::Info;
pub use key::{Fingerprint, Key, KeyId, Keyring, KeyringError};
pub use limits::AdbLimits;
pub use signature::{SignatureError, SignatureState};
