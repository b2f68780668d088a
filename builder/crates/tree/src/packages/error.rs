//! Why the packages of a guest cannot be had or read.

use wifibox_fetch::FetchError;
use wifibox_formats::{adb, apk, deb, opkg};
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::ReadBack;
use wifibox_ground::failure::Kind;

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
    /// A package of Debian's is damaged.
    #[error(transparent)]
    Deb(#[from] deb::DebError),
    /// A package of apk's format v2 is damaged.
    #[error(transparent)]
    Apk(#[from] apk::ApkError),
    /// A package of apk's format v3 is damaged.
    #[error(transparent)]
    Adb(#[from] adb::AdbError),
    /// A package of opkg's is damaged.
    #[error(transparent)]
    Ipk(#[from] opkg::IpkError),
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
            Error::Deb(_) | Error::Apk(_) | Error::Adb(_) | Error::Ipk(_) => Kind::Verification,
            Error::ReadBack(_) | Error::Place(_) => Kind::Failed,
            Error::Interrupted(_) => Kind::Interrupted,
        }
    }
}
