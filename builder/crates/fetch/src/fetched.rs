//! A file that was fetched, and checked.

use std::fs::File;
use std::path::PathBuf;

use wifibox_ground::digest::Sha256;

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
}

impl Fetched {
    /// Opens it.
    ///
    /// # Errors
    /// [`FetchError::Disk`] when it went away meanwhile.
    pub fn open(&self) -> Result<File, FetchError> {
        File::open(&self.path).map_err(FetchError::disk("open", &self.path))
    }
}
