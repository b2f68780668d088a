//! A file that was fetched, and checked.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::digest::Sha256;
use wifibox_ground::regular;

use crate::FetchError;

/// A file whose bytes were checked against the digest it was asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is: in the store, or in the folder of downloaded files it was found in.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
    stamp: Stamp,
}

/// What changes with each change of a file or of its name. Nobody but the system sets the last of its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp([u64; 3], [i64; 4]);

impl Stamp {
    fn of(data: &Metadata) -> Self {
        Stamp(
            [data.dev(), data.ino(), data.size()],
            [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()],
        )
    }
}

impl Fetched {
    /// The file at `path`, which was hashed through `file`.
    pub(crate) fn of(
        path: PathBuf,
        size: u64,
        sha256: Sha256,
        file: &File,
    ) -> Result<Self, FetchError> {
        let data = file.metadata().map_err(FetchError::disk("look at", &path))?;
        Ok(Fetched { path, size, sha256, stamp: Stamp::of(&data) })
    }

    /// Opens it. Where another file has got its name since it was hashed, or it was changed, it is hashed again.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when it went away meanwhile, [`FetchError::Verification`] when it is another one.
    pub fn open(&self) -> Result<File, FetchError> {
        let disk = |doing| FetchError::disk(doing, &self.path);
        let mut file = regular::open(&self.path).map_err(disk("open"))?;
        let data = file.metadata().map_err(disk("look at"))?;
        if Stamp::of(&data) == self.stamp {
            return Ok(file);
        }
        let (sha256, size) =
            Sha256::of_reader((&file).take(self.size.saturating_add(1))).map_err(disk("read"))?;
        if sha256 != self.sha256 {
            return Err(FetchError::Verification {
                name: self.path.display().to_string(),
                expected: Box::new(Identity { size: Some(self.size), sha256: Some(self.sha256) }),
                found: Box::new(Found { size, sha256: Some(sha256) }),
                location: self.path.display().to_string(),
                tried: Vec::new(),
            });
        }
        file.rewind().map_err(disk("read"))?;
        Ok(file)
    }

    /// All its bytes.
    ///
    /// # Errors
    /// As [`Fetched::open`].
    pub fn read(&self) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        let read = self.open()?.take(self.size).read_to_end(&mut bytes);
        read.map_err(FetchError::disk("read", &self.path))?;
        Ok(bytes)
    }
}
