//! Why the packages of a guest cannot be had or read.

use wifibox_fetch::FetchError;
use wifibox_formats::PackageError;
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::ReadBack;
use wifibox_ground::failure::Kind;
use wifibox_ground::path::shown;

use crate::PlaceError;

/// Why the packages of a guest cannot be had or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They cannot be chosen from the lock.
    #[error(transparent)]
    Resolve(#[from] wifibox_resolve::Error),
    /// One cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A package is damaged, or another one.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A package says that it is another one than the index says.
    #[error(
        "the file that the index lists as {package} {version} says that it is {} {}",
        shown(name.as_bytes()),
        shown(found.as_bytes())
    )]
    Another {
        /// The package, in the index.
        package: String,
        /// Its version, there.
        version: String,
        /// The name that the file gives itself.
        name: String,
        /// The version that the file gives itself.
        found: String,
    },
    /// A file of this machine cannot be read again.
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
    /// Its name cannot be a path of the guest.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The user ended it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Error {
    /// Which kind of failure this is: a damaged package is the same fault in every format.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Resolve(error) => error.kind(),
            Error::Fetch(error) => error.kind(),
            Error::Package(error) => error.kind().into(),
            Error::Another { .. } => Kind::Verification,
            Error::ReadBack(_) | Error::Place(_) => Kind::Failed,
            Error::Interrupted(_) => Kind::Interrupted,
        }
    }
}
