//! Everything that builds need of the network, in one folder: indexes and packages in the layout of
//! their mirrors, keys, locks. The folder serves as a mirror (`--mirror NAME=file://DIR`) and as a
//! folder of downloaded files (`--distdir DIR`).

use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_fetch::{Got, Ledger};
use wifibox_ground::output::{Output, OutputError, OutputFolder};
use wifibox_recipe::Composed;
use wifibox_resolve::artefact::artefact;
use wifibox_resolve::index::Before;
use wifibox_resolve::{self as resolve, Locked, ensure, index, pin_all};

use crate::{Environment, Error};

/// The number of the format of a bundle's `manifest.json`.
pub const FORMAT: u32 = 1;

/// The contents of a bundle, as its `manifest.json` lists them too.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BundleReport {
    /// `FORMAT`.
    pub format: u32,
    /// The bases, with release and architecture, whose packages it holds.
    pub targets: Vec<String>,
    /// The names by which its mirrors are called (`--mirror NAME=file://DIR`).
    pub mirrors: Vec<String>,
    /// Its files, with sizes and hashes.
    pub files: Vec<Output>,
}

/// Writes a bundle of all that the locks of a recipe hold into the folder `out`.
///
/// # Errors
/// [`Error`]; an older bundle in the same place is then untouched.
pub fn bundle(
    composed: &Composed<'_>,
    out: &Path,
    environment: &Environment<'_>,
) -> Result<BundleReport, Error> {
    let locking = environment.locking();
    let mut locks = ensure(composed.catalog, &composed.recipe, &locking)?;
    pin_all(&mut locks, &locking)?;
    let store = environment.access.store()?;
    let ledger = Ledger::default();
    let fetcher = environment.access.fetcher(&store, &environment.work).noting(&ledger);
    let mut artefacts = Vec::new();
    let mut keys = Vec::new();
    for Locked { source, lock, .. } in &locks {
        let (indexes, packages) = (&lock.indexes[..], &lock.packages[..]);
        let before = Before { indexes, packages, upgrade: false };
        index::load(source, &before, &locking, &fetcher)?;
        for locked in &lock.packages {
            artefacts.push(artefact(source, locked, &locking)?);
        }
        for repository in &source.repositories {
            keys.extend(index::key_files(source.format, repository, &locking));
        }
    }
    fetcher.fetch_all(&artefacts, environment.work.jobs.get())?;
    drop(fetcher);
    let folder = OutputFolder::begin(out)?;
    for (path, got) in ledger.into_files() {
        environment.work.check()?;
        match got {
            Got::Bytes(bytes) => drop(folder.write_bytes(&path, 0o644, &bytes)?),
            Got::File(from) => {
                folder.write(&path, 0o644, |file| {
                    let mut from = from.open()?;
                    io::copy(&mut from, file).map_err(OutputError::io("cannot write"))?;
                    Ok::<(), Error>(())
                })?;
            }
        }
    }
    keys.sort();
    keys.dedup();
    for key in keys {
        let bytes = std::fs::read(&key)
            .map_err(|source| resolve::Error::ReadKeyring { path: key.clone(), source })?;
        let name = key.file_name().unwrap_or_default().to_string_lossy().into_owned();
        folder.write_bytes(&format!("keys/{name}"), 0o644, &bytes)?;
    }
    for Locked { lock, source, .. } in &locks {
        let text = lock.to_text()?;
        let path = source.lock_name().display().to_string();
        folder.write_bytes(&path, 0o644, text.as_bytes())?;
    }
    let names = locks.iter().flat_map(|locked| &locked.source.repositories);
    let mut mirrors: Vec<String> = names.map(|repository| repository.name.clone()).collect();
    mirrors.dedup();
    let report = BundleReport {
        format: FORMAT,
        targets: locks.iter().map(|locked| locked.lock.target.to_string()).collect(),
        mirrors,
        files: folder.files(),
    };
    let text = serde_json::to_string_pretty(&report)?;
    folder.write_bytes("manifest.json", 0o644, format!("{text}\n").as_bytes())?;
    folder.finish()?;
    Ok(report)
}
