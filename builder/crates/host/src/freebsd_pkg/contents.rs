//! What is in a package: what `install --staging` puts into the staging folder of the port.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::Path;

use wifibox_ground::digest::Hasher;
use wifibox_ground::guest::Purpose;
use wifibox_ground::progress::Task;
use wifibox_ground::regular;
use wifibox_report::output;

use super::archive::Archive;
use super::error::PackageError;
use super::words::{DEFAULT, NAME};
use crate::install::{InstallError, Layout, Purposes, Source, Wanted, brought, changed, failed};
use crate::{HostError, Hypervisor};

/// The permissions of folders and links.
const FOLDER: u32 = 0o755;

/// A file of a package.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) wanted: Wanted,
    pub(super) size: u64,
}

/// A guest's files, links and folders, as a FreeBSD host sees them.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) flavor: String,
    pub(super) features: Vec<String>,
    /// As `uname -m` of Linux says.
    pub(super) machine: String,
    pub(super) build_id: String,
    pub(super) builder: String,
    /// The time of all files, in seconds since 1970: that of the newest package in the guest's lock.
    pub(super) time: u64,
    pub(super) files: Vec<Item>,
    pub(super) links: Vec<(String, String)>,
    /// Folders that no other package makes, each before those in it.
    pub(super) folders: BTreeSet<String>,
}

impl Contents {
    /// What the output in `folder` brings.
    pub(super) fn of(folder: &Path, layout: &Layout, man_page: &str) -> Result<Self, PackageError> {
        let manifest = output::load(folder).map_err(InstallError::from)?;
        let brought = brought(folder, &manifest, layout, man_page, true, Purposes::Package)?;
        let unfit = |source| PackageError::Unfit { path: folder.to_owned(), source };
        Hypervisor::Bhyve.files(&brought.guest).map_err(unfit)?;
        if brought.guest.disks.iter().any(|disk| disk.purpose == Purpose::Persistent) {
            let why = "an upgrade of the package would replace the disk on which the guest keeps its data; put it \
                       there with 'wifibox-build install'";
            let hypervisor = Hypervisor::Bhyve;
            return Err(unfit(HostError::Unfit { hypervisor, why: why.to_owned() }));
        }
        let prefix = format!("{}/", layout.prefix);
        // Every FreeBSD system has it.
        let top = layout.above_shares();
        let mut folders = BTreeSet::new();
        for name in brought.folders.iter().filter(|name| !name.starts_with(&prefix)) {
            let above = Path::new(name).ancestors().take_while(|path| *path != top);
            folders.extend(above.filter_map(Path::to_str).map(str::to_owned));
        }
        let mut files = Vec::new();
        for wanted in brought.files {
            plain(&wanted.path)?;
            let size = match &wanted.source {
                Source::File(path) => {
                    let data = regular::open(path).and_then(|file| file.metadata());
                    data.map_err(failed("read", path))?.len()
                }
                Source::Bytes(bytes) => bytes.len() as u64,
            };
            files.push(Item { wanted, size });
        }
        files.sort_by(|a, b| a.wanted.path.cmp(&b.wanted.path));
        for path in brought.links.iter().flat_map(|(path, target)| [path, target]).chain(&folders) {
            plain(path)?;
        }
        Ok(Contents {
            flavor: manifest.recipe.flavor,
            features: manifest.recipe.features,
            machine: brought.guest.architecture,
            build_id: manifest.build_id,
            builder: manifest.builder,
            time: manifest.source_date_epoch.into(),
            files,
            links: brought.links,
            folders,
        })
    }

    /// The package's name.
    pub(super) fn name(&self) -> String {
        match self.flavor.as_str() {
            DEFAULT => NAME.to_owned(),
            flavor => format!("{NAME}-{flavor}"),
        }
    }

    /// How many bytes the files have.
    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The files that are samples, without the suffix.
    pub(super) fn samples(&self) -> Vec<&str> {
        self.files.iter().filter_map(|file| file.wanted.path.strip_suffix(".sample")).collect()
    }

    /// Puts all of it into an archive; each file must be the one that the build wrote.
    pub(super) fn pack<W: Write>(
        &self,
        archive: &mut Archive<W>,
        task: &dyn Task,
    ) -> Result<(), PackageError> {
        for Item { wanted, size } in &self.files {
            match &wanted.source {
                Source::Bytes(bytes) => {
                    archive.file(&wanted.path, wanted.mode, *size, &bytes[..])?
                }
                Source::File(path) => {
                    let file = regular::open(path).map_err(failed("read", path))?;
                    let mut hashed =
                        Hashed { from: file.take(*size), hasher: Hasher::default(), task };
                    archive.file(&wanted.path, wanted.mode, *size, &mut hashed)?;
                    let found = hashed.hasher.finish();
                    if found != wanted.sha256 {
                        return Err(changed(path, wanted.sha256, found).into());
                    }
                }
            }
        }
        for (path, target) in &self.links {
            archive.link(path, FOLDER, target)?;
        }
        for path in &self.folders {
            archive.folder(path, FOLDER)?;
        }
        Ok(())
    }
}

/// Manifest and scripts give some characters a meaning.
fn plain(path: &str) -> Result<(), PackageError> {
    if path.chars().all(|c| c.is_ascii_alphanumeric() || "._/+@-".contains(c)) {
        return Ok(());
    }
    Err(PackageError::Name {
        path: path.to_owned(),
        why: "letters, digits and ._/+@- are expected",
    })
}

struct Hashed<'a, R> {
    from: R,
    hasher: Hasher,
    task: &'a dyn Task,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.hasher.update(into.get(..count).unwrap_or_default());
        self.task.advance(count as u64);
        Ok(count)
    }
}
