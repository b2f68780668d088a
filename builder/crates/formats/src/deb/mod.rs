//! Debian archives: the signed Release file, the Packages indexes it lists, and `.deb` packages.
//!
//! Formats: deb-control(5), deb(5), the repository format of the Debian wiki, RFC 9580 (OpenPGP).

pub mod apt_sources;
pub mod ar;
pub mod archive;
mod armor;
mod certificate;
mod cleartext;
pub mod index;
mod keyring;
pub mod release;
mod release_fields;
mod signature;

pub use archive::{Control, Deb, DebError};
pub use keyring::{Certificate, Fingerprint, Keyring, KeyringError};
pub use release::{Release, ReleaseError};
pub use signature::SignatureError;
