//! All that decides an output byte, gathered once: the build id is a hash of it, and so is what a later build
//! compares to see that there is nothing to do.

use std::fs;

use wifibox_ground::digest::Sha256;
use wifibox_ground::regular;
use wifibox_linux::drivers::{ArchiveChoice, FirmwareArchive, LOCAL, OwnFile};
use wifibox_recipe::{Catalog, Composed};
use wifibox_tree::packages::ChosenPackage;

use crate::state::State;
use crate::{BuildRequest, Environment, Error};

/// All that decides an output byte, as far as it is known before anything is fetched.
pub struct Inputs {
    /// Recipe, overlays and request, a line each.
    deciding: Vec<String>,
    /// The user's own firmware, as far as it may come in.
    candidates: Vec<String>,
}

/// The other inputs, known once packages and firmware are chosen.
pub struct Made<'a> {
    /// The packages.
    pub packages: &'a [ChosenPackage],
    /// The user's own firmware that came in.
    pub own: &'a [OwnFile],
    /// The archive of firmware.
    pub archive: Option<&'a FirmwareArchive>,
    /// The time that all others are clamped to, in seconds since 1970.
    pub source_date_epoch: u32,
}

impl Inputs {
    /// Reads recipe, overlays and the user's own files.
    ///
    /// # Errors
    /// [`Error`]: one cannot be read.
    pub(crate) fn gather(composed: &Composed<'_>, request: &BuildRequest) -> Result<Self, Error> {
        let recipe = &composed.recipe;
        let BuildRequest {
            // It decides where, not what.
            out: _,
            // Without it there is no build.
            accepted_licences: _,
            force: _,
            firmware_files,
            firmware_adds,
            firmware_archive,
            device,
            block_size,
        } = request;
        let mut deciding = vec![
            format!("builder {}", env!("CARGO_PKG_VERSION")),
            format!("block size {block_size}"),
            format!("firmware {}", serde_json::to_string(firmware_files)?),
        ];
        deciding.extend(device.map(|device| format!("device {device}")));
        for row in &recipe.show().rows {
            // Where a value stands in its file does not matter, what it is does.
            deciding.push(serde_json::to_string(&(row.key, &row.name, &row.value))?);
        }
        let initramfs = recipe.initramfs.iter().map(|plan| &plan.value.overlay);
        for overlay in recipe.overlays.iter().map(|overlay| &overlay.value).chain(initramfs) {
            deciding.extend(files(composed, &format!("overlays/{overlay}"))?);
        }
        let mut candidates = files(composed, LOCAL)?;
        for add in firmware_adds {
            let hash = regular::hash(&add.file);
            let (sha256, _) = hash.map_err(|error| add.unreadable(&error))?;
            candidates.push(format!("firmware {:?} {:?} {sha256}", add.file, add.name));
        }
        candidates.extend(match firmware_archive {
            None => None,
            Some(ArchiveChoice::Upstream) => Some("upstream archive".to_owned()),
            // Half a gigabyte: not read. A change makes it another state.
            Some(ArchiveChoice::File(path)) => Some(match fs::metadata(path) {
                Ok(metadata) => {
                    let state = serde_json::to_string(&State::of(&metadata))?;
                    format!("archive {path:?} {state}")
                }
                // Whoever reads it says what is wrong.
                Err(error) => format!("archive {path:?} {error}"),
            }),
        });
        Ok(Inputs { deciding, candidates })
    }

    /// The hash of everything that decides the outputs, but for the locks.
    pub fn fingerprint(&self, catalog: &Catalog, environment: &Environment<'_>) -> Sha256 {
        let head = [
            format!("tool {}", environment.caches.contents.tool()),
            format!("recipes {}", catalog.fingerprint()),
            format!("epoch {:?}", environment.source_date_epoch),
        ];
        hash(head.iter().chain(&self.deciding).chain(&self.candidates))
    }

    /// The hash of everything that decides an output byte: the builder's version, the merged recipe, the
    /// overlays, the packages, the request.
    pub fn build_id(&self, made: &Made<'_>) -> Sha256 {
        let mut lines = vec![format!("epoch {}", made.source_date_epoch)];
        lines.extend(made.archive.map(|archive| format!("firmware archive {}", archive.sha256)));
        let own = made.own.iter();
        lines.extend(own.map(|file| format!("own firmware {} {}", file.name, file.sha256)));
        let packages = made.packages.iter();
        lines.extend(
            packages.map(|package| format!("package {} {}", package.name, package.file.sha256)),
        );
        hash(self.deciding.iter().chain(&lines))
    }
}

fn hash<'a>(lines: impl Iterator<Item = &'a String>) -> Sha256 {
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    Sha256::of(lines.join("\n").as_bytes())
}

/// The files of a folder of the recipes, a line each.
fn files(composed: &Composed<'_>, folder: &str) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for file in composed.sources.files_below(folder)? {
        let path = format!("{folder}/{file}");
        lines.push(format!("file {path} {}", Sha256::of(&composed.sources.read(&path)?)));
    }
    Ok(lines)
}
