//! A release: guests built by one version of the builder, with what they were built from, signed.
//!
//! ```text
//! index.html               which guest is for my card, for people
//! index.json               what there is, for programs (docs/schema/release.json)
//! provenance.json          what it was made from: an in-toto statement with SLSA's provenance
//! SHA256SUMS               hashes of everything but itself and its signature
//! SHA256SUMS.minisig       the signature over them, by minisign
//! guests/NAME/             output folders, each with its own signature beside its SHA256SUMS
//! locks/NAME.lock          the locks that they were built from
//! freebsd/NAME/            the guests of a base for bhyve once more, as a repository of pkg(8) with a key of its own
//! tools/TARGET/            the builder as static programs
//! ```
//!
//! `ci/release.sh` makes the folder, [`seal()`] writes the first three files, [`check()`] holds all of it
//! against the signature.

mod check;
mod cyclonedx;
mod index;
mod provenance;
mod seal;

pub use check::check;
pub use index::{Artefact, Guest, Index, Kind, Omitted, Source, Tool};
pub use provenance::{Made, Statement};
pub use seal::{Description, SealError, seal};

/// The name in a release folder of the page for people.
pub const PAGE: &str = "index.html";
/// The index's name in a release folder.
pub const INDEX: &str = "index.json";
/// The provenance's name in a release folder.
pub(crate) const PROVENANCE: &str = "provenance.json";
/// The folder of guests.
pub(crate) const GUESTS: &str = "guests";
/// The folder of repositories for FreeBSD.
pub(crate) const FREEBSD: &str = "freebsd";
/// The folder of locks.
pub(crate) const LOCKS: &str = "locks";
/// The folder of programs.
pub const TOOLS: &str = "tools";
