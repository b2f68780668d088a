//! Why there is no repository.

use std::io;
use std::path::PathBuf;

use wifibox_formats::signing_key::SigningKeyError;
use wifibox_ground::failure::Kind;
use wifibox_ground::output::OutputError;
use wifibox_report::artifact::PackError;

use crate::HostError;
use crate::install::InstallError;

/// Why guests are not packed for FreeBSD.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A folder holds no guests.
    #[error(transparent)]
    Folder(#[from] PackError),
    /// A guest is not for bhyve.
    #[error("{path} cannot be a package for FreeBSD: {source}")]
    Unfit {
        /// The guest's folder.
        path: PathBuf,
        /// The reason.
        source: HostError,
    },
    /// A guest cannot be read, or is not as it was built.
    #[error(transparent)]
    Guest(#[from] InstallError),
    /// A repository has a package only once.
    #[error("{} and {} would both be the package {name}", outputs[0].display(), outputs[1].display())]
    SameName {
        /// The package's name.
        name: String,
        /// The folders of two guests.
        outputs: [PathBuf; 2],
    },
    /// pkg takes a repository only if all of it is for the host's processor.
    #[error("{} is for {}, and {} for {}", outputs[0].display(), machines[0], outputs[1].display(), machines[1])]
    OtherMachine {
        /// The folders of two guests.
        outputs: [PathBuf; 2],
        /// What each is for.
        machines: [String; 2],
    },
    /// A file has a name that no archive for pkg can hold.
    #[error("{path:?} cannot be a file of a package: {why}")]
    Name {
        /// The file, as the host would see it.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A package cannot be written.
    #[error("cannot write the package: {0}")]
    Pack(#[source] io::Error),
    /// The catalogue cannot be signed.
    #[error("cannot sign the catalogue: {0}")]
    Sign(#[from] SigningKeyError),
    /// The folder cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl PackageError {
    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Folder(PackError::NoGuest { .. })
            | Self::SameName { .. }
            | Self::OtherMachine { .. } => Kind::Usage,
            Self::Unfit { source, .. } => source.kind(),
            Self::Guest(error) => error.kind(),
            Self::Folder(PackError::Io { .. } | PackError::Guest(_))
            | Self::Name { .. }
            | Self::Pack(_)
            | Self::Sign(_)
            | Self::Output(_) => Kind::Failed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Guest(error) => error.hint(),
            Self::SameName { .. } => Some(
                "a package is named after its flavor, as the port's are: name the folders of guests one by one, and \
                 write a repository for each base and role"
                    .to_owned(),
            ),
            Self::OtherMachine { .. } => Some(
                "pkg refuses a repository of which anything is for another processor: write one for each".to_owned(),
            ),
            Self::Unfit { .. } => Some("name the folders of those that are for bhyve one by one".to_owned()),
            _ => None,
        }
    }
}
