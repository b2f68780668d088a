//! Alpine's indexes and keys, and what its packages say of themselves, format v2: what apk-tools 2 writes, and 3 still reads.
//!
//! Formats: apk-package(5), apk-v2(5), and the reader of apk-tools (`extract_v2.c`), which decides
//! where the documents are silent. Files of format v3 (ADB) are told apart and refused here.

mod error;
pub mod index;
pub mod keys;
pub mod member;
pub mod pkginfo;
pub mod signature;

pub use error::ApkError;
pub use index::{ApkIndexError, SignedIndex, UnverifiedIndex};
pub use keys::{Fingerprint, KeyError, Keyring, PublicKey};
pub use pkginfo::PkgInfo;
pub use signature::{Signature, SignatureError, Trust};
