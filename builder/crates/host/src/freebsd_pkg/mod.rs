//! A repository of pkg(8) with guests as packages: what `pkg install wifibox-guest-iwlwifi` takes.
//!
//! | file | what it is |
//! | --- | --- |
//! | `All/NAME-VERSION.pkg` | a package: a manifest and the files that the port `net/wifibox-guest` would install |
//! | `data.pkg`, `packagesite.pkg` | the catalogue in pkg 2's form and in the one before, each with its signatures |
//! | `meta.conf` | what pkg reads first: the form of the rest |
//! | `wifibox.pub`, `fingerprint` | the public key, and its hash as pkg wants it in a folder of fingerprints |
//! | `wifibox.conf` | the repository's configuration, if its address is known |
//! | `SHA256SUMS` | by which a later export knows that it may replace the folder |
//!
//! Formats: pkg-repository(5), pkg.conf(5), and pkg's sources (`pkg_manifest.c`, `pkg_repo.c`, `pkg_repo_create.c`,
//! `pkgsign_ossl.c`), which decide where these are silent. Nothing depends on a clock: the same guests and the same key
//! give the same bytes.

mod archive;
mod catalogue;
mod contents;
mod error;
mod manifest;
mod words;

use std::collections::BTreeMap;
use std::io::{BufWriter, Seek as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use archive::Archive;
use contents::Contents;
use manifest::{Listed, Manifest};
use wifibox_formats::signing_key::SigningKey;
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_ground::progress::{Progress, Stage};
use wifibox_report::artifact;

use crate::install::Layout;
pub use catalogue::configuration;
pub use error::PackageError;

/// What is to be packed.
pub struct Request<'a> {
    /// Outputs, releases, or folders of several outputs.
    pub folders: &'a [PathBuf],
    /// The repository's folder.
    pub out: &'a Path,
    /// The folders of a FreeBSD host.
    pub layout: &'a Layout,
    /// The key that the catalogue is signed with.
    pub key: &'a SigningKey,
    /// What is counted up where a guest changed and its packages did not, as PORTREVISION is.
    pub revision: u32,
    /// The address that the repository will have.
    pub url: Option<&'a str>,
    /// The guest's man page.
    pub man_page: &'a str,
}

/// A package of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Packed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its file, below the repository's folder.
    pub path: String,
    /// How many bytes that has.
    pub size: u64,
    /// The folder of its guest.
    pub guest: PathBuf,
}

/// A repository that was written.
#[derive(Debug)]
pub struct Repository {
    /// Its packages, by name.
    pub packages: Vec<Packed>,
    /// By which pkg knows its key: the hash of the public key's file.
    pub fingerprint: Sha256,
}

/// Writes a repository; an older one of this program makes way.
///
/// # Errors
/// [`PackageError`]; what was in the folder is then still there.
pub fn export(request: &Request<'_>, progress: &dyn Progress) -> Result<Repository, PackageError> {
    let guests = guests(request)?;
    let folder = OutputFolder::begin_repository(request.out)?;
    let bytes = guests.values().map(|(_, contents)| contents.size()).sum();
    let count = guests.len() as u64;
    progress.stage(&Stage { count, bytes, ..Stage::new("Packing", "guests") });
    let (mut packages, mut listed) = (Vec::new(), Vec::new());
    for (name, (guest, contents)) in guests {
        let manifest = Manifest::of(&name, &contents, request)?;
        let path = format!("All/{name}-{}.pkg", manifest.version);
        let task = progress.begin(&name, Some(contents.size()));
        let written = folder.write(&path, 0o644, |file| -> Result<(), PackageError> {
            let mut archive = Archive::begin(BufWriter::new(&mut *file), contents.time)?;
            archive.bytes("+COMPACT_MANIFEST", &manifest.compact()?)?;
            archive.bytes("+MANIFEST", &manifest.whole()?)?;
            contents.pack(&mut archive, &*task)?;
            archive.finish()?;
            file.rewind().map_err(OutputError::io("cannot write")).map_err(PackageError::from)
        })?;
        let (version, size) = (manifest.version.clone(), written.size);
        packages.push(Packed { name, version, path: path.clone(), size, guest });
        listed.push(Listed { manifest, path, size, sum: written.sha256 });
    }
    let fingerprint = catalogue::write(&folder, &listed, request)?;
    folder.finish()?;
    Ok(Repository { packages, fingerprint })
}

/// The guests by the names of their packages, each with its folder.
fn guests(request: &Request<'_>) -> Result<BTreeMap<String, (PathBuf, Contents)>, PackageError> {
    let mut guests: BTreeMap<String, (PathBuf, Contents)> = BTreeMap::new();
    for folder in request.folders {
        for output in artifact::outputs(folder)? {
            let contents = Contents::of(&output, request.layout, request.man_page)?;
            let name = contents.name();
            let mut others = guests.values();
            if let Some((other, one)) = others.find(|(_, one)| one.machine != contents.machine) {
                let machines = [one.machine.clone(), contents.machine];
                return Err(PackageError::OtherMachine {
                    outputs: [other.clone(), output],
                    machines,
                });
            }
            if let Some((other, _)) = guests.get(&name) {
                let outputs = [other.clone(), output];
                return Err(PackageError::SameName { name, outputs });
            }
            guests.insert(name, (output, contents));
        }
    }
    Ok(guests)
}
