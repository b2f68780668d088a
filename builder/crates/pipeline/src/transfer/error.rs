//! Why a guest was not pushed, or not pulled.

use std::path::PathBuf;

use wifibox_fetch::FetchError;
use wifibox_fetch::registry::RegistryError;
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::failure::Kind;
use wifibox_ground::output::OutputError;
use wifibox_report::artifact::PackError;
use wifibox_report::findings::{Problem, VerifyError};

/// Why a guest was not pushed, or not pulled.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The registry did not do what it was asked for.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What is to be pushed cannot be read, or is no guest.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A folder cannot be looked at.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] FetchError),
    /// The folder cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A folder is not what a build wrote.
    #[error("{what} is not what a build wrote: {}", Problems(problems, *more))]
    Unsound {
        /// The folder, or the address.
        what: String,
        /// What is wrong with it.
        problems: Vec<Problem>,
        /// How many more there are.
        more: u64,
    },
    /// What a registry lists is no guest, or not the one that was signed.
    #[error("{what} is not a guest as a build wrote it: {why}")]
    Hostile {
        /// The address.
        what: String,
        /// The reason.
        why: String,
    },
    /// There is no signature.
    #[error("{what} is not signed: nothing says who made it")]
    Unsigned {
        /// The address.
        what: String,
    },
    /// No signature is by the key.
    #[error("{what}: no signature holds: SHA256SUMS.minisig {why}")]
    BadSignature {
        /// The address.
        what: String,
        /// What is wrong with the last one.
        why: String,
    },
    /// The address names no guest, or several.
    #[error("{0}")]
    Choice(String),
    /// A file of an older output cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: std::io::Error,
    },
    /// The user ended it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl TransferError {
    /// Which kind of failure this is: the exit code says it.
    pub fn kind(&self) -> Kind {
        match self {
            TransferError::Registry(error) => error.kind(),
            TransferError::Store(error) => error.kind(),
            TransferError::Unsound { .. }
            | TransferError::Hostile { .. }
            | TransferError::Unsigned { .. }
            | TransferError::BadSignature { .. } => Kind::Verification,
            TransferError::Choice(_)
            | TransferError::Pack(PackError::NoGuest { .. })
            | TransferError::Output(
                OutputError::NotAFolder { .. }
                | OutputError::Foreign { .. }
                | OutputError::InTheWay { .. },
            ) => Kind::Usage,
            TransferError::Pack(_)
            | TransferError::Verify(_)
            | TransferError::Output(_)
            | TransferError::Read { .. } => Kind::Failed,
            TransferError::Interrupted(_) => Kind::Interrupted,
        }
    }
}

struct Problems<'a>(&'a [Problem], u64);

impl std::fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 8;
        let shown = self.0.iter().take(SHOWN);
        shown.into_iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        match self.0.len().saturating_sub(SHOWN) as u64 + self.1 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
