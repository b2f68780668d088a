//! Where the bytes of a file come from: the older output in the same place, the store, or the registry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use wifibox_fetch::Store;
use wifibox_fetch::registry::{Came, Registry};
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_ground::regular;
use wifibox_ground::sums::{SUMS, SUMS_LIMIT, Sums};
use wifibox_report::artifact::Planned;

use super::TransferError;
use crate::Amount;

/// The places that files come from, and how much came from where.
pub(super) struct Sources<'a> {
    registry: &'a Registry<'a>,
    store: &'a Store,
    /// Files of the older output, by their hashes.
    old: BTreeMap<Sha256, PathBuf>,
    /// What was fetched now.
    pub(super) fetched: Amount,
    /// What was here.
    pub(super) here: Amount,
}

impl<'a> Sources<'a> {
    /// With the files of the output in `old`, if there is one.
    pub(super) fn new(registry: &'a Registry<'a>, store: &'a Store, old: &Path) -> Self {
        let bytes = regular::read(&old.join(SUMS), SUMS_LIMIT).unwrap_or_default();
        let hashes = Sums::parse(&bytes).map(|sums| sums.hashes).unwrap_or_default();
        let old = hashes.into_iter().map(|(path, hash)| (hash, old.join(path))).collect();
        let (fetched, here) = (Amount::default(), Amount::default());
        Sources { registry, store, old, fetched, here }
    }

    /// All bytes of a small file.
    pub(super) fn read(&mut self, file: &Planned) -> Result<Vec<u8>, TransferError> {
        let (fetched, came) = self.registry.blob(self.store, &file.blob, &file.path)?;
        self.count(came, file.blob.size);
        Ok(fetched.read()?)
    }

    /// Writes a file into `folder`.
    pub(super) fn write(
        &mut self,
        folder: &OutputFolder,
        file: &Planned,
    ) -> Result<(), TransferError> {
        if let Some(old) = self.old.get(&file.blob.digest).and_then(|path| same(path, file)) {
            self.count(Came::Here, file.blob.size);
            return copy(folder, file, old);
        }
        let (fetched, came) = self.registry.blob(self.store, &file.blob, &file.path)?;
        self.count(came, file.blob.size);
        copy(folder, file, fetched.open()?)
    }

    /// What was read before counts once.
    fn count(&mut self, came: Came, size: u64) {
        let moved = match came {
            Came::Here => 0,
            Came::Fetched(moved) => moved,
        };
        let amount = if moved == 0 { &mut self.here } else { &mut self.fetched };
        amount.count += 1;
        self.fetched.bytes += moved;
        self.here.bytes += size.saturating_sub(moved);
    }
}

/// The file of the older output, if it still has these bytes.
fn same(path: &Path, file: &Planned) -> Option<File> {
    let data = path.symlink_metadata().ok()?;
    if data.len() != file.blob.size || !data.is_file() {
        return None;
    }
    let (hash, _) = regular::hash(path).ok()?;
    (hash == file.blob.digest).then(|| regular::open(path).ok()).flatten()
}

fn copy(folder: &OutputFolder, file: &Planned, from: File) -> Result<(), TransferError> {
    let written = folder.write(&file.path, file.mode, |to| {
        io::copy(&mut from.take(file.blob.size), to)
            .map(drop)
            .map_err(OutputError::io("cannot write"))
    })?;
    // The whole folder is checked before it gets its place; here the file that changed meanwhile is named.
    if written.sha256 == file.blob.digest {
        return Ok(());
    }
    let why = format!("{} changed while it was copied", file.path);
    Err(TransferError::Hostile { what: folder.work_folder().display().to_string(), why })
}
