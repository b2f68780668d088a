//! Debian archives: the signed Release file and the Packages indexes it lists.
//!
//! Formats: deb-control(5), deb(5), the repository format of the Debian wiki, RFC 9580 (OpenPGP).

pub mod apt_sources;
mod armor;
mod certificate;
mod cleartext;
mod error;
pub mod index;
mod keyring;
pub mod release;
mod release_fields;
mod signature;

pub use error::{ArError, DebError};
pub use keyring::{Certificate, Fingerprint, Keyring, KeyringError};
pub use release::{Release, ReleaseError};
pub use signature::SignatureError;
