//! Where the bytes of a file come from: the older output in the same place, the store, or the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use wifibox_fetch::Store;
use wifibox_fetch::registry::{Came, Descriptor, Registry};
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};
use wifibox_report::artifact::Planned;

use super::TransferError;
use crate::Amount;

/// The places that files come from, and how much came from where.
pub(super) struct Sources<'a> {
    registry: &'a Registry<'a>,
    store: &'a Store,
    /// Files of the older output, by their hashes.
    old: BTreeMap<Sha256, PathBuf>,
    /// Blobs that are counted.
    known: BTreeSet<Sha256>,
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
        let listed = hashes.into_iter().map(|(path, hash)| (hash, old.join(path)));
        // No list has itself, nor its signature.
        let own = [SUMS, SIGNATURES[0]].map(|name| old.join(name));
        let own = own.into_iter().filter_map(|path| Some((regular::hash(&path).ok()?.0, path)));
        let old = listed.chain(own).collect();
        let (fetched, here) = (Amount::default(), Amount::default());
        Sources { registry, store, old, known: BTreeSet::new(), fetched, here }
    }

    /// All bytes of a small blob.
    pub(super) fn read(&mut self, blob: &Descriptor, name: &str) -> Result<Vec<u8>, TransferError> {
        if let Some(old) = self.old.get(&blob.digest).and_then(|path| same(path, blob)) {
            let mut bytes = Vec::new();
            let read = old.take(blob.size).read_to_end(&mut bytes);
            if read.is_ok() && Sha256::of(&bytes) == blob.digest {
                self.count(Came::Here, blob);
                return Ok(bytes);
            }
        }
        let (fetched, came) = self.registry.blob(self.store, blob, name)?;
        self.count(came, blob);
        Ok(fetched.read()?)
    }

    /// Writes a file into `folder`.
    pub(super) fn write(
        &mut self,
        folder: &OutputFolder,
        file: &Planned,
    ) -> Result<(), TransferError> {
        if let Some(old) = self.old.get(&file.blob.digest).and_then(|path| same(path, &file.blob)) {
            self.count(Came::Here, &file.blob);
            return copy(folder, file, old);
        }
        let (fetched, came) = self.registry.blob(self.store, &file.blob, &file.path)?;
        self.count(came, &file.blob);
        copy(folder, file, fetched.open()?)
    }

    /// What is of the same content counts once.
    fn count(&mut self, came: Came, blob: &Descriptor) {
        if !self.known.insert(blob.digest) {
            return;
        }
        let moved = match came {
            Came::Here => 0,
            Came::Fetched(moved) => moved,
        };
        let amount = if moved == 0 { &mut self.here } else { &mut self.fetched };
        amount.count += 1;
        self.fetched.bytes += moved;
        self.here.bytes += blob.size.saturating_sub(moved);
    }
}

/// The file of the older output, if it still has these bytes.
fn same(path: &Path, blob: &Descriptor) -> Option<File> {
    let data = path.symlink_metadata().ok()?;
    if data.len() != blob.size || !data.is_file() {
        return None;
    }
    let (hash, _) = regular::hash(path).ok()?;
    (hash == blob.digest).then(|| regular::open(path).ok()).flatten()
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
