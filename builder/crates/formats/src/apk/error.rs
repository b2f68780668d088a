//! Why a package of apk v2 cannot be read.

use super::signature::SignatureError;
use crate::Identity;
use crate::fault::Fault;
use crate::tarball::TarError;
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;

/// Why a package cannot be read, or is not what it should be. `package` is its name or its file.
#[derive(Debug, thiserror::Error)]
pub enum ApkError {
    /// It is a package of apk's format v3.
    #[error("{package} is a package of apk's format v3 (ADB), where one of format v2 is expected")]
    Version3 {
        /// The package.
        package: String,
    },
    /// It is not a package of this format.
    #[error("{package} is not an apk package that can be read: {why}")]
    Foreign {
        /// The package.
        package: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is of an older format that is not supported.
    #[error("{package}, control files: member {member:?}: a package of format v1 is not supported")]
    Version1 {
        /// The package.
        package: String,
        /// The control file that only format v1 has.
        member: String,
    },
    /// It is malformed.
    #[error("{package} is not an apk package that can be read: {why}")]
    Format {
        /// The package.
        package: String,
        /// The reason, for the message.
        why: String,
    },
    /// A part of it is truncated or damaged, or holds something forbidden.
    #[error("{package}, {member}: {source}")]
    Tar {
        /// The package.
        package: String,
        /// `control files` or `data`.
        member: &'static str,
        /// The error of the tar reader.
        source: TarError,
    },
    /// No pinned key vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is not the package that the index lists.
    #[error(
        "{package} is not the package that the index lists: its identity is {found}, {expected} is \
         expected; the mirror may be out of step, fetch the index and the package again"
    )]
    Identity {
        /// The package.
        package: String,
        /// As the index says.
        expected: Identity,
        /// As it is.
        found: Identity,
    },
    /// Its data are not those that its control files speak of.
    #[error("{package}: its data are damaged: their SHA-256 is {found}, {expected} is expected")]
    DataHash {
        /// The package.
        package: String,
        /// As `.PKGINFO` says.
        expected: Sha256,
        /// As it is.
        found: Sha256,
    },
    /// One of its files, or the target of a link, does not match its checksum.
    #[error("{package}: {path} does not fit its checksum")]
    Checksum {
        /// The package.
        package: String,
        /// The file.
        path: GuestPath,
    },
    /// One of its files leads out of the guest.
    #[error("{package}: {path} {why}")]
    Unsafe {
        /// The package.
        package: String,
        /// The file.
        path: GuestPath,
        /// Where it leads.
        why: String,
    },
    /// One of its entries is not allowed in a package.
    #[error("{package}: {path} {why}")]
    Entry {
        /// The package.
        package: String,
        /// The file.
        path: GuestPath,
        /// The reason, for the message.
        why: String,
    },
}

impl ApkError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            ApkError::Version3 { .. } | ApkError::Foreign { .. } => Fault::Foreign,
            ApkError::Version1 { .. } => Fault::Unsupported,
            ApkError::Tar { source, .. } => source.kind(),
            ApkError::Signature(_) | ApkError::Identity { .. } => Fault::Forged,
            ApkError::Unsafe { .. } => Fault::Unsafe,
            ApkError::Format { .. }
            | ApkError::DataHash { .. }
            | ApkError::Checksum { .. }
            | ApkError::Entry { .. } => Fault::Damaged,
        }
    }
}
