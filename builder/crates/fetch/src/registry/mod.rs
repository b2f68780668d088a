//! Guests in a registry: the OCI distribution protocol (version 1.1), by which registries keep manifests and blobs.
//!
//! [`Registry`] is one repository of one registry. Blobs and login are `oci-client`'s work. Manifests and referrers are
//! asked for here: `oci-client` reads an answer to its end however long it is, ends the program where a registry gives a
//! manifest that was put by its digest no address, and does not write the tag by which referrers are found where the
//! registry has no API for them.
//!
//! Nothing here decides whether a guest is to be trusted. Manifests and blobs are what their digests say; who made them
//! is the business of whoever asks.

mod answer;
mod blobs;
mod connection;
mod document;
mod error;
mod login;
mod manifests;
mod reference;
mod referrers;
mod session;
mod upload;

pub use blobs::Came;
pub use connection::{Purpose, Registry, Settings};
pub use document::{
    Descriptor, Document, EMPTY, EMPTY_TYPE, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest,
};
pub use error::RegistryError;
pub use login::{Login, LoginError, stored_login};
pub use manifests::At;
pub use reference::{Reference, ReferenceError};
pub use upload::Sent;
