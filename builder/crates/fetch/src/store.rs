//! The content-addressed store: `<cache>/store/sha256/ab/abcdef…`, one file per artefact.
//!
//! Several builders of one machine may share a store, and any of them may be killed at any time:
//! an entry appears by rename, after its bytes were hashed and written through to the disk. What
//! arrived of an unfinished download waits in `<cache>/partial/<sha256>`; who works on it, or on a
//! bad entry, holds a lock of `<cache>/lock`. Entries are never changed once they are there.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::fetched::Fetched;
use super::partial::{Partial, Target};
use super::stoppable::{self, Stoppable};
use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::cancel::{Cancel, LOOK_EVERY};
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Progress;
use wifibox_ground::regular;

/// Files by SHA-256. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    entries: PathBuf,
    partial: PathBuf,
    locks: PathBuf,
}

/// The right to write one artefact; ends when dropped, and when the process ends in any way.
#[derive(Debug)]
pub(super) struct Lock {
    /// Closing the file gives the lock back.
    _file: File,
}

impl Store {
    /// The store in the folder `cache`, which is made if need be.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when a folder cannot be made.
    pub fn open(cache: &Path) -> Result<Self, FetchError> {
        let store = Store {
            entries: cache.join("store").join("sha256"),
            partial: cache.join("partial"),
            locks: cache.join("lock"),
        };
        for folder in [&store.entries, &store.partial, &store.locks] {
            fs::create_dir_all(folder).map_err(FetchError::disk("make the folder", folder))?;
        }
        Ok(store)
    }

    /// Where the entry of this digest is, or would be.
    pub fn path_of(&self, sha256: &Sha256) -> PathBuf {
        let name = sha256.to_string();
        let (shard, _) = name.split_at(2);
        self.entries.join(shard).join(&name)
    }

    /// The entry of this digest, if there is one. Its bytes are not looked at; use
    /// `Store::open_verified` before trusting them.
    pub fn get(&self, sha256: &Sha256) -> Option<PathBuf> {
        let path = self.path_of(sha256);
        path.is_file().then_some(path)
    }

    /// Opens an entry after hashing all of it; `None` when there is none. An entry whose bytes
    /// are not what its name says is removed, with a warning, and there is none.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when the entry cannot be read or removed,
    /// [`FetchError::Interrupted`] when cancelled.
    pub(crate) fn open_verified(
        &self,
        sha256: &Sha256,
        size: Option<u64>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Option<File>, FetchError> {
        let expected = Identity { size, sha256: Some(*sha256) };
        let path = self.path_of(sha256);
        if path.symlink_metadata().is_ok_and(|data| regular::check(&data).is_err()) {
            // A link, a pipe or a device: no builder put it there.
            let _lock = self.lock(sha256, cancel)?;
            progress.warn(&format!("{} is no file; it is removed", path.display()));
            remove(&path)?;
            return Ok(None);
        }
        let Some((file, found)) = open_and_hash(&path, cancel)? else { return Ok(None) };
        if expected.accepts(&found) {
            return Ok(Some(file));
        }
        if found.sha256 == Some(*sha256) {
            // The entry is sound; it is the size that was asked for which contradicts the digest.
            return Err(FetchError::Verification {
                name: sha256.to_string(),
                expected: Box::new(expected),
                found: Box::new(found),
                location: path.display().to_string(),
                tried: Vec::new(),
            });
        }
        // Another builder may have put the right file there meanwhile: look again under the lock.
        let _lock = self.lock(sha256, cancel)?;
        let Some((file, found)) = open_and_hash(&path, cancel)? else { return Ok(None) };
        if expected.accepts(&found) {
            return Ok(Some(file));
        }
        progress.warn(&format!(
            "{} was damaged ({found}); it is removed and fetched again",
            path.display()
        ));
        remove(&path)?;
        Ok(None)
    }

    /// Takes in the bytes of `reader`, which must be those of `expected`; returns the entry.
    /// For files that come from elsewhere than a download: bundles.
    ///
    /// # Errors
    /// [`FetchError::Verification`] when they are not, [`FetchError::Disk`],
    /// [`FetchError::Interrupted`], [`FetchError::Unrecognisable`] without a digest.
    pub fn insert(
        &self,
        name: &str,
        expected: &Identity,
        reader: &mut dyn Read,
        cancel: &Cancel,
    ) -> Result<PathBuf, FetchError> {
        let Some(sha256) = expected.sha256 else {
            return Err(FetchError::Unrecognisable { name: name.to_owned() });
        };
        let lock = self.lock(&sha256, cancel)?;
        let mut partial = self.partial(&sha256, cancel)?;
        partial.restart()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            if cancel.is_cancelled() {
                return Err(FetchError::Interrupted { name: name.to_owned() });
            }
            let got = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(FetchError::disk("read", Path::new(name))(error)),
            };
            partial.write(buffer.get(..got).unwrap_or_default())?;
            if expected.size.is_some_and(|size| partial.length() > size) {
                break;
            }
        }
        let found = partial.found();
        if !expected.accepts(&found) {
            partial.discard()?;
            return Err(FetchError::Verification {
                name: name.to_owned(),
                expected: Box::new(*expected),
                found: Box::new(found),
                location: name.to_owned(),
                tried: Vec::new(),
            });
        }
        Ok(self.keep(partial, &sha256, &lock)?.path)
    }

    /// All entries by digest, with their sizes in bytes, in the order of the digests.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when a folder cannot be read.
    pub fn entries(&self) -> Result<Vec<(Sha256, u64)>, FetchError> {
        let mut found = Vec::new();
        let list = |folder: &Path| -> Result<Vec<fs::DirEntry>, FetchError> {
            fs::read_dir(folder)
                .and_then(Iterator::collect)
                .map_err(FetchError::disk("list the folder", folder))
        };
        for shard in list(&self.entries)? {
            if !shard.path().is_dir() {
                continue;
            }
            for entry in list(&shard.path())? {
                let name = entry.file_name();
                let digest = name.to_str().and_then(|text| text.parse::<Sha256>().ok());
                // An entry that another builder removes meanwhile is not an entry any more.
                if let (Some(digest), Ok(metadata)) = (digest, entry.metadata()) {
                    found.push((digest, metadata.len()));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Removes an entry; a missing one is not an error.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when it cannot be removed.
    pub fn remove(&self, sha256: &Sha256) -> Result<(), FetchError> {
        remove(&self.path_of(sha256))
    }

    /// Waits for the right to write the artefact `sha256`. There is one lock for each first byte of
    /// a digest: lock files are never removed, which would let two builders hold "the" lock.
    pub(super) fn lock(&self, sha256: &Sha256, cancel: &Cancel) -> Result<Lock, FetchError> {
        let [first, ..] = sha256.as_bytes();
        let path = self.locks.join(format!("{first:02x}"));
        let file = regular::open_own(&path).map_err(FetchError::disk("open the lock", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) if cancel.sleep(LOOK_EVERY) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(FetchError::Interrupted { name: sha256.to_string() });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(FetchError::disk("lock", &path)(error));
                }
            }
        }
    }

    /// The unfinished download of the artefact `sha256`. The caller holds its lock.
    pub(super) fn partial(&self, sha256: &Sha256, cancel: &Cancel) -> Result<Partial, FetchError> {
        Partial::open(self.partial.join(sha256.to_string()), cancel)
    }

    /// Whether an earlier run, or another one that runs now, has some of an entry's bytes.
    pub(super) fn has_begun(&self, sha256: &Sha256) -> bool {
        fs::metadata(self.partial.join(sha256.to_string())).is_ok_and(|data| data.len() > 0)
    }

    /// A file of nobody else's, on the file system of the store; it goes when dropped.
    pub(super) fn temporary(&self) -> Result<tempfile::TempPath, FetchError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("unknown-");
        // It may become an entry, and entries are for all users of the store.
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o644))
        };
        builder
            .tempfile_in(&self.partial)
            .map(tempfile::NamedTempFile::into_temp_path)
            .map_err(FetchError::disk("make a file in", &self.partial))
    }

    /// Makes an entry of `partial`, whose bytes are known to be right.
    pub(super) fn keep(
        &self,
        partial: Partial,
        sha256: &Sha256,
        _lock: &Lock,
    ) -> Result<Fetched, FetchError> {
        let path = self.path_of(sha256);
        let folder = path.parent().unwrap_or(&self.entries);
        fs::create_dir_all(folder).map_err(FetchError::disk("make the folder", folder))?;
        let size = partial.length();
        let file = partial.move_to(&path)?;
        Fetched::of(path, size, *sha256, &file)
    }
}

fn remove(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FetchError::disk("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Opens a file, hashes all of it and goes back to its beginning; `None` when there is no such file.
pub(super) fn open_and_hash(
    path: &Path,
    cancel: &Cancel,
) -> Result<Option<(File, Found)>, FetchError> {
    let mut file = match regular::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FetchError::disk("open", path)(error)),
    };
    let mut stop = Stoppable { inner: &mut file, cancel };
    let (sha256, size) =
        Sha256::of_reader(&mut stop).map_err(|error| stoppable::failed(error, path, cancel))?;
    file.rewind().map_err(FetchError::disk("read", path))?;
    Ok(Some((file, Found { size, sha256: Some(sha256) })))
}
