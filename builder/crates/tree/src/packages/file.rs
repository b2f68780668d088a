//! The file of a package, as far as a build needs it.

use std::fs::File;

use super::Error;
use wifibox_fetch::Fetched;
use wifibox_ground::content::ReadBack;
use wifibox_ground::digest::Sha256;

/// The file of a package: fetched and checked, or known to be of no use, because the caches hold what
/// was made of it when it was.
#[derive(Debug, Clone)]
pub struct PackageFile {
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its size in bytes; 0 where that is not known.
    pub size: u64,
    fetched: Option<Fetched>,
}

impl PackageFile {
    /// A file that is not needed.
    pub(crate) fn unneeded(sha256: Sha256, size: u64) -> Self {
        PackageFile { sha256, size, fetched: None }
    }

    /// Whether it was fetched.
    pub fn is_here(&self) -> bool {
        self.fetched.is_some()
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Fetch`] when it went away meanwhile, [`Error::ReadBack`] when it is not here.
    pub fn open(&self) -> Result<File, Error> {
        match &self.fetched {
            Some(fetched) => Ok(fetched.open()?),
            None => Err(ReadBack {
                what: format!("the package file {}", self.sha256),
                source: std::io::Error::other(
                    "what was made of it earlier went from the cache; build again",
                ),
            }
            .into()),
        }
    }
}

impl From<Fetched> for PackageFile {
    fn from(fetched: Fetched) -> Self {
        let Fetched { sha256, size, .. } = fetched;
        PackageFile { sha256, size, fetched: Some(fetched) }
    }
}
