//! Alpine's packages and indexes, format v2: what apk-tools 2 writes, and 3 still reads.
//!
//! Formats: apk-package(5), apk-v2(5), and the reader of apk-tools (`extract_v2.c`), which decides
//! where the documents are silent. Files of format v3 (ADB) are told apart and refused here.

pub mod archive;
mod data;
mod der;
mod error;
pub mod index;
mod key_package;
pub mod keys;
mod member;
pub mod pkginfo;
pub mod signature;

pub use archive::{Apk, Control};
pub use error::ApkError;
pub use index::{ApkIndexError, SignedIndex, UnverifiedIndex};
pub use key_package::keys_of_package;
pub use keys::{Fingerprint, KeyError, Keyring, PublicKey};
pub use pkginfo::PkgInfo;
pub use signature::{Signature, SignatureError, Trust};
