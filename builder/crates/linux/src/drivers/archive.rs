//! Firmware from the archive of linux-firmware instead of from packages.

use std::io::BufReader;
use std::path::PathBuf;
use std::str::FromStr;

use super::Error;
use crate::firmware::archive::{self, Archive, NameFilter};
use crate::firmware::select::Wanted;
use crate::firmware::{Rules, Selection};
use wifibox_fetch::Access;
use wifibox_fetch::Fetcher;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::content::ReadBack;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_ground::output::OutputFolder;
use wifibox_ground::path::GuestPath;
use wifibox_ground::regular;
use wifibox_recipe::Composed;
use wifibox_tree::{Context, PlaceError, put};
use wifibox_tree::{Kind, Origin, Tree};

/// Which archive is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveChoice {
    /// The one that the recipes pin, from its publisher, the store or a distdir.
    Upstream,
    /// This file, whatever it is: it is the user's own.
    File(PathBuf),
}

impl FromStr for ArchiveChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "upstream" => ArchiveChoice::Upstream,
            path => ArchiveChoice::File(path.into()),
        })
    }
}

/// An archive that is there.
#[derive(Debug, Clone)]
pub struct FirmwareArchive {
    /// Its file name, whose ending says how it is compressed.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The hash of its bytes.
    pub sha256: Sha256,
}

impl FirmwareArchive {
    /// Gets hold of the archive that is asked for.
    ///
    /// # Errors
    /// [`Error`]: the recipes pin none, it cannot be had, or the file cannot be read.
    pub fn find(
        choice: &ArchiveChoice,
        composed: &Composed<'_>,
        access: &Access,
        fetcher: &Fetcher<'_>,
    ) -> Result<Self, Error> {
        match choice {
            ArchiveChoice::File(path) => {
                let read = |source| ReadBack { what: path.display().to_string(), source };
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let (sha256, _) = regular::hash(path).map_err(read)?;
                Ok(FirmwareArchive { name, path: path.clone(), sha256 })
            }
            ArchiveChoice::Upstream => {
                let Some(pinned) = composed.catalog.firmware_archive() else {
                    return Err(Error::Unsupported(
                        "these recipes pin no firmware archive; name a file: \
                         --firmware-archive FILE"
                            .to_owned(),
                    ));
                };
                let named = access.mirrors.iter().filter(|(name, _)| name == "linux-firmware");
                let mut mirrors: Vec<Location> = named.map(|(_, at)| at.clone()).collect();
                if mirrors.is_empty() {
                    let parse = |text: &String| {
                        Location::parse(text)
                            .map_err(|error| Error::Mirror("linux-firmware".to_owned(), error))
                    };
                    mirrors = pinned.mirrors.iter().map(parse).collect::<Result<_, _>>()?;
                }
                let name = pinned.file.clone();
                let artefact = Artefact::on_mirrors(name.clone(), &mirrors, &name)
                    .map_err(|error| Error::Mirror(name.clone(), error))?
                    .expecting(Some(pinned.size), pinned.sha256);
                let fetched = fetcher.fetch(&artefact)?;
                Ok(FirmwareArchive { name, path: fetched.path, sha256: fetched.sha256 })
            }
        }
    }

    /// Lays what the guest may want of the archive into the tree, where packages put firmware. Gives
    /// back what was read, for its licences.
    ///
    /// # Errors
    /// [`Error`]: it is not an archive of firmware, or damaged.
    pub fn lay(
        &self,
        wanted: &[Wanted],
        rules: &Rules,
        tree: &mut Tree,
        folder: &GuestPath,
        spool: &Spool,
        context: &Context<'_>,
    ) -> Result<Archive, Error> {
        context.work.check()?;
        let filter = NameFilter::new(wanted, rules)?;
        let mut open = || Ok(BufReader::with_capacity(1 << 16, regular::open(&self.path)?));
        let task = context.work.progress.begin(&format!("reading {}", self.name), None);
        let kept = archive::read(&self.name, &mut open, &filter, spool)?;
        drop(task);
        let origin = Origin::Package(self.name.clone());
        let at = |name: &str| {
            folder.join(name).map_err(|error| PlaceError::of(format!("firmware {name}"))(error))
        };
        for (name, content) in &kept.files {
            put(tree, &at(name)?, Kind::File(content.clone()), 0o644, origin.clone())?;
        }
        let links = kept.links.iter().map(|(name, target)| (name.clone(), target.clone()));
        for (name, target) in links {
            put(tree, &at(&name)?, Kind::Symlink(target), 0o777, origin.clone())?;
        }
        let whence = Content::from_bytes(kept.whence_text.clone());
        put(tree, &at("WHENCE")?, Kind::File(whence), 0o644, origin)?;
        Ok(kept)
    }
}

/// Writes the licences of the firmware that came in to `licenses/` of the output.
///
/// # Errors
/// [`Error`]: the output cannot be written.
pub fn write_licences(
    archive: &Archive,
    selection: &Selection,
    folder: &OutputFolder,
) -> Result<(), Error> {
    let names = selection.files.keys().map(String::as_str);
    for name in archive.whence.licence_files(names) {
        let Some(content) = archive.licences.get(&name) else { continue };
        let what = name.clone();
        let bytes = content.read().map_err(|source| ReadBack { what, source })?;
        folder.write_bytes(&format!("licenses/linux-firmware/{name}"), 0o644, &bytes)?;
    }
    Ok(())
}
