//! Why a build failed: the stage that failed says.

use std::path::PathBuf;

use wifibox_fetch::FetchError;
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::ReadBack;
use wifibox_ground::failure::Kind;
use wifibox_ground::output::OutputError;
use wifibox_recipe::RecipeError;

/// Why a build, or what else is made of its stages, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recipes, or what was asked of them.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The user does not agree to a licence.
    #[error(
        "the firmware of {manifest} has a licence that you must agree to: {}", .agreement.trim_end()
    )]
    NotAgreed {
        /// The chipset whose firmware it is.
        manifest: String,
        /// The terms that must be agreed to, as the manifest states them.
        agreement: String,
    },
    /// Packages cannot be chosen, or a lock cannot be made.
    #[error(transparent)]
    Resolve(#[from] wifibox_resolve::Error),
    /// Something cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A package cannot be had or read.
    #[error(transparent)]
    Packages(#[from] wifibox_tree::packages::Error),
    /// The root cannot be made.
    #[error(transparent)]
    Root(#[from] wifibox_tree::root::Error),
    /// Kernel, modules or firmware are not what the guest needs.
    #[error(transparent)]
    Drivers(#[from] wifibox_linux::drivers::Error),
    /// An image cannot be written.
    #[error(transparent)]
    Images(#[from] wifibox_image::stage::Error),
    /// A report cannot be written.
    #[error(transparent)]
    Reports(#[from] wifibox_report::stage::Error),
    /// The guest would drive no card, or nobody can say whether it does.
    #[error(transparent)]
    Cards(#[from] wifibox_host::detect::cards::CardError),
    /// The host's side cannot be written.
    #[error(transparent)]
    Host(#[from] wifibox_host::output::Error),
    /// The output folder cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// There is no place for temporary files.
    #[error("cannot use a temporary file in {path}: {source}")]
    Spool {
        /// The folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: std::io::Error,
    },
    /// The user ended it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Error {
    /// Which kind of failure this is: the exit code says it.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(error) => error.kind(),
            Error::NotAgreed { .. } => Kind::Usage,
            Error::Resolve(error) => error.kind(),
            Error::Fetch(error) => error.kind(),
            Error::Packages(error) => error.kind(),
            Error::Root(error) => error.kind(),
            Error::Drivers(error) => error.kind(),
            Error::Images(error) => error.kind(),
            Error::Reports(error) => error.kind(),
            Error::Host(error) => error.kind(),
            Error::Output(
                OutputError::NotAFolder { .. }
                | OutputError::Foreign { .. }
                | OutputError::InTheWay { .. },
            ) => Kind::Usage,
            Error::Cards(_) | Error::Output(_) | Error::Spool { .. } => Kind::Failed,
            Error::Interrupted(_) => Kind::Interrupted,
        }
    }

    /// The failure of choosing packages behind this, if that is what it was.
    pub fn resolve(&self) -> Option<&wifibox_resolve::Error> {
        use wifibox_tree::{packages, root};
        match self {
            Error::Resolve(error)
            | Error::Packages(packages::Error::Resolve(error))
            | Error::Root(root::Error::Packages(packages::Error::Resolve(error))) => Some(error),
            _ => None,
        }
    }

    /// The failure of fetching behind this, if that is what it was.
    pub fn fetch(&self) -> Option<&FetchError> {
        use wifibox_tree::{packages, root};
        match self {
            Error::Fetch(error)
            | Error::Resolve(wifibox_resolve::Error::Fetch(error))
            | Error::Packages(packages::Error::Fetch(error))
            | Error::Root(root::Error::Packages(packages::Error::Fetch(error)))
            | Error::Drivers(wifibox_linux::drivers::Error::Fetch(error)) => Some(error),
            _ => None,
        }
    }
}

impl From<ReadBack> for Error {
    fn from(error: ReadBack) -> Self {
        Error::Reports(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Reports(error.into())
    }
}
