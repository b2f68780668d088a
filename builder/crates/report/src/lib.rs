//! The reports of a build: the manifest, licences, bills of materials, sizes; and the questions to an output that is
//! there already: where its bytes are, how it differs from another, whether it is whole. Also a release of several
//! outputs: its index, its provenance, its signature.

pub mod actual;
pub mod artifact;
pub mod describe;
pub mod diff;
pub mod export;
pub mod findings;
mod folder;
pub mod html;
pub mod inspect;
pub mod licences;
pub mod manifest;
pub mod output;
pub mod release;
pub(crate) mod released;
pub mod sbom;
pub mod signature;
pub mod sizes;
pub mod stage;
pub mod verify;

pub use manifest::Manifest;
pub use sizes::Sizes;
