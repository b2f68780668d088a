//! Why a guest is not put into a host's folders, taken away, or rolled back.

use std::io;
use std::path::{Path, PathBuf};

use crate::HostError;
use wifibox_ground::failure::Kind;
use wifibox_report::output::LoadError;

/// Why nothing was installed, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The output has no description of a guest.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file or folder cannot be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// A file of the output is not the one that its build wrote.
    #[error("{path} is not as the build wrote it: {why}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// The fault, for the message.
        why: String,
    },
    /// Somebody else's files are where the guest's should go.
    #[error(
        "{} there already, and not by this program: {}",
        if files.len() == 1 { "a file is" } else { "files are" },
        first_names(files)
    )]
    InTheWay {
        /// The files, as the host sees them.
        files: Vec<String>,
    },
    /// Nothing was installed here.
    #[error("no guest was installed by this program below {folder}: {record} is not there")]
    NotInstalled {
        /// The folder that was looked at.
        folder: PathBuf,
        /// The record that would be there.
        record: String,
    },
    /// There is no earlier guest.
    #[error("no earlier guest is kept in {folder}: an upgrade keeps the one before it")]
    NoPrevious {
        /// The folder of the earlier images.
        folder: String,
    },
    /// The record of what was installed cannot be read.
    #[error("{path} is damaged: {why}")]
    Record {
        /// The file.
        path: PathBuf,
        /// The reason, for the message.
        why: String,
    },
}

/// Names for a person to read: of many the first ones, and how many more there are.
fn first_names(files: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = files.get(..SHOWN).unwrap_or(files).join(", ");
    match files.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl InstallError {
    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Host(error) => error.kind(),
            Self::Changed { .. } => Kind::Verification,
            Self::NotInstalled { .. } | Self::NoPrevious { .. } => Kind::Usage,
            Self::Io { .. } | Self::InTheWay { .. } | Self::Record { .. } => Kind::Failed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root (doas or sudo), or name another folder with --root".to_owned()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space: both the guest and the one before it are kept".to_owned()
            }
            Self::Changed { .. } => {
                "'wifibox-build verify' with this folder says all that was changed; build it again, or \
                 write the host's files with 'wifibox-build host'"
                    .to_owned()
            }
            Self::InTheWay { files } => {
                let file = files.first().map_or("FILE", String::as_str);
                format!(
                    "'pkg which {file}' names the package that they are of, if there is one \
                     ('pkg delete wifibox-alpine' removes the usual one); --force replaces them, and keeps \
                     their images for --rollback"
                )
            }
            _ => return None,
        })
    }
}

impl From<LoadError> for InstallError {
    fn from(error: LoadError) -> Self {
        Self::Host(error.into())
    }
}

/// An error of an operation on a file.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |source| InstallError::Io { doing, path, source }
}
