//! An unfinished download: a file beside the store that is hashed while it grows.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::stoppable::{self, Stoppable};
use wifibox_ground::artefact::Found;
use wifibox_ground::cancel::Cancel;
use wifibox_ground::digest::Hasher;
use wifibox_ground::regular;

/// Where the bytes of a transfer go. They arrive in order; a transfer may begin anew.
pub(super) trait Target {
    /// Forgets all bytes.
    fn restart(&mut self) -> Result<(), FetchError>;
    /// How many bytes there are.
    fn length(&self) -> u64;
    /// Adds bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError>;
}

/// Opens the file at `path`, or begins one. What somebody else put there, a link or a pipe, goes: it is followed and
/// waited for by nobody.
fn own(path: &Path) -> Result<File, FetchError> {
    match regular::open_own(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            fs::remove_file(path).map_err(FetchError::disk("remove", path))?;
            regular::open_own(path)
        }
        opened => opened,
    }
    .map_err(FetchError::disk("open", path))
}

/// An unfinished file of the store. It stays on disk when dropped, to be resumed.
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
}

impl Partial {
    /// Opens the unfinished file at `path`, or begins one.
    pub(super) fn open(path: PathBuf, cancel: &Cancel) -> Result<Self, FetchError> {
        let mut file = own(&path)?;
        let length = file.metadata().map_err(FetchError::disk("look at", &path))?.len();
        let mut hasher = Hasher::default();
        // Reading to the end also leaves the file where the next byte belongs.
        let known = Stoppable { inner: (&mut file).take(length), cancel };
        match io::copy(&mut { known }, &mut hasher) {
            Ok(length) => Ok(Partial { path, file, hasher, length }),
            Err(error) => Err(stoppable::failed(error, &path, cancel)),
        }
    }

    /// Size and SHA-256 of the bytes so far.
    pub(super) fn found(&self) -> Found {
        Found { size: self.length, sha256: Some(self.hasher.clone().finish()) }
    }

    /// Writes all bytes through to the disk and gives the file its final place; it stays open.
    pub(super) fn move_to(self, to: &Path) -> Result<File, FetchError> {
        self.file.sync_all().map_err(FetchError::disk("write", &self.path))?;
        fs::rename(&self.path, to).map_err(FetchError::disk("rename into the store", to))?;
        // The rename itself reaches the disk with its folder. Not every system can write a folder
        // through; then a crash may lose the entry, but never leaves a wrong one.
        if let Some(folder) = to.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(self.file)
    }

    /// Removes the file.
    pub(super) fn discard(self) -> Result<(), FetchError> {
        fs::remove_file(&self.path).map_err(FetchError::disk("remove", &self.path))
    }
}

impl Target for Partial {
    fn restart(&mut self) -> Result<(), FetchError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(FetchError::disk("truncate", &self.path))?;
        self.hasher = Hasher::default();
        self.length = 0;
        Ok(())
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        if let Err(error) = self.file.write_all(bytes) {
            // Most likely the disk is full; what cannot grow only stands in the way.
            let _ = fs::remove_file(&self.path);
            return Err(FetchError::disk("write", &self.path)(error));
        }
        self.hasher.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// A small file in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(pub(super) Vec<u8>);

impl Target for Memory {
    fn restart(&mut self) -> Result<(), FetchError> {
        self.0.clear();
        Ok(())
    }
    fn length(&self) -> u64 {
        self.0.len() as u64
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
