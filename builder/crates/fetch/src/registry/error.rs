//! Why a registry did not do what it was asked for.

use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::failure::Kind;

use crate::FetchError;

/// Why a registry did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The network may not be used.
    #[error("{what} is in a registry, and the network may not be used")]
    Offline {
        /// The address.
        what: String,
    },
    /// There is nothing of that name.
    #[error("{what}: the registry has nothing of that name")]
    NotFound {
        /// The address, or the blob.
        what: String,
    },
    /// The registry wants to know who asks.
    #[error("{host} asks for a login")]
    NoLogin {
        /// The registry.
        host: String,
    },
    /// The registry does not know this name, or the password is another one.
    #[error("{host} refused the login of {username}")]
    WrongLogin {
        /// The registry.
        host: String,
        /// The name that was given.
        username: String,
    },
    /// Whoever asks may not do this.
    #[error("{host} does not allow this: {what}: {why}")]
    NotAllowed {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// The answer, in words.
        why: String,
    },
    /// Another answer than the protocol's.
    #[error("{what}: {why}")]
    Answer {
        /// What was asked for.
        what: String,
        /// The answer, in words.
        why: String,
    },
    /// It cannot be reached, or broke off.
    #[error("{what}: {why}")]
    Network {
        /// What was asked for.
        what: String,
        /// The reason.
        why: String,
    },
    /// It sent something else than what its digest, or its size, says.
    #[error("{what} is not what was expected: the registry sent {found}; expected {expected}")]
    Changed {
        /// The blob or manifest.
        what: String,
        /// Size and digest that were expected.
        expected: Box<Identity>,
        /// Those that were found.
        found: Box<Found>,
    },
    /// It sent a manifest that cannot be read.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// The manifest.
        what: String,
        /// The reason.
        why: String,
    },
    /// It sent more than may come.
    #[error("{what} is larger than the {limit} bytes allowed for it")]
    TooLarge {
        /// The manifest.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// This program cannot speak to a registry here.
    #[error("a registry cannot be asked on this machine: {0}")]
    Unable(String),
    /// The store, or a file of this machine, cannot be read or written.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The user ended it.
    #[error("interrupted: {what}; what arrived is kept and will be resumed")]
    Interrupted {
        /// What was being done.
        what: String,
    },
}

impl RegistryError {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            RegistryError::Changed { .. } | RegistryError::Malformed { .. } => Kind::Verification,
            RegistryError::Interrupted { .. } => Kind::Interrupted,
            RegistryError::Fetch(error) => error.kind(),
            RegistryError::Offline { .. }
            | RegistryError::NotFound { .. }
            | RegistryError::NoLogin { .. }
            | RegistryError::WrongLogin { .. }
            | RegistryError::NotAllowed { .. }
            | RegistryError::Answer { .. }
            | RegistryError::Network { .. }
            | RegistryError::TooLarge { .. }
            | RegistryError::Unable(_) => Kind::Failed,
        }
    }
}
