//! The JSON of `export`.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_ground::digest::Sha256;
use wifibox_host::freebsd_pkg::Packed;
use wifibox_resolve::lock::Target;

/// What `export` wrote.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Export<'a> {
    /// The files of a port.
    Port {
        /// The folder.
        out: &'a Path,
        /// Base, release and architecture.
        target: &'a Target,
        /// The files.
        files: Vec<&'a str>,
        /// Those of them that were not so before.
        changed: Vec<&'a str>,
        /// How many flavors they are for.
        flavors: usize,
        /// How many guests they are for.
        guests: usize,
        /// How many files these guests are made of.
        distfiles: usize,
        /// How many bytes these have.
        bytes: u64,
    },
    /// A repository of packages.
    Packages {
        /// The folder.
        out: &'a Path,
        /// The packages, by name.
        packages: &'a [Packed],
        /// The SHA-256 of the public key's file, by which pkg knows the key.
        fingerprint: Sha256,
    },
}
