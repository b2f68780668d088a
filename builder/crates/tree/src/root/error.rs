//! Why the root of a guest cannot be made.

use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::ReadBack;
use wifibox_ground::failure::Kind;
use wifibox_recipe::RecipeError;

use super::CallsError;
use crate::accounts::AccountError;
use crate::applets::AppletError;
use crate::libraries::LibraryError;
use crate::openwrt::OpenWrtError;
use crate::packages::licences::CollectError;
use crate::scripts::UnknownScripts;
use crate::unpack::UnpackError;
use crate::{FileError, PlaceError, packages};

/// Why the root of a guest cannot be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant says what it is by its message")]
pub enum Error {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Packages(#[from] packages::Error),
    #[error(transparent)]
    Licences(#[from] CollectError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error(transparent)]
    Scripts(#[from] UnknownScripts),
    #[error(transparent)]
    Accounts(#[from] AccountError),
    #[error(transparent)]
    Applets(#[from] AppletError),
    #[error(transparent)]
    Calls(#[from] CallsError),
    #[error(transparent)]
    Libraries(#[from] LibraryError),
    #[error(transparent)]
    OpenWrt(#[from] OpenWrtError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("package {package}, what it replaces: {why}")]
    Replaces { package: String, why: String },
    #[error("{origin}: {why}")]
    Pattern { origin: String, why: String },
    #[error(
        "the recipe's accounts come from packages, but no package of this guest has etc/passwd and \
         etc/group: add the one that does, or take 'accounts_from: recipes'"
    )]
    NoAccounts,
    #[error(
        "{origin} puts the service {service} into the runlevel {level}, but no package of this guest \
         has etc/init.d/{service}: add the package, or remove the service with \"-{service}\""
    )]
    NoInitScript { service: String, level: String, origin: String },
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Place(error) => error.into(),
            FileError::ReadBack(error) => error.into(),
        }
    }
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(error) => error.kind(),
            Error::Packages(error) => error.kind(),
            Error::Interrupted(_) => Kind::Interrupted,
            Error::Licences(_)
            | Error::Unpack(_)
            | Error::Scripts(_)
            | Error::Accounts(_)
            | Error::Applets(_)
            | Error::Calls(_)
            | Error::Libraries(_)
            | Error::OpenWrt(_)
            | Error::Place(_)
            | Error::ReadBack(_)
            | Error::Replaces { .. }
            | Error::Pattern { .. }
            | Error::NoAccounts
            | Error::NoInitScript { .. } => Kind::Failed,
        }
    }
}
