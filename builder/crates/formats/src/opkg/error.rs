//! Why a package of opkg cannot be read.

use crate::IndexError;
use crate::deb::ArError;
use crate::fault::Fault;
use crate::tarball::TarError;

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IpkError {
    /// The outer tar archive is truncated, damaged, or not a tar archive.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Outer {
        /// The package.
        package: String,
        /// The error of the tar reader.
        source: TarError,
    },
    /// The outer ar archive is truncated, damaged, or not an ar archive.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Ar {
        /// The package.
        package: String,
        /// The error of the ar reader.
        source: ArError,
    },
    /// It is not a package of this format.
    #[error("{package} is not an OpenWrt package that can be read: {why}")]
    Foreign {
        /// The package.
        package: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is a variant of the format that is not supported.
    #[error("{package} is not an OpenWrt package that can be read: {why}")]
    Unsupported {
        /// The package.
        package: String,
        /// Which form.
        why: String,
    },
    /// The outer archive has the wrong members.
    #[error("{package} is not an OpenWrt package that can be read: {why}")]
    Format {
        /// The package.
        package: String,
        /// The reason, for the message.
        why: String,
    },
    /// A member of the outer archive cannot be unpacked.
    #[error("{package}, {member}: {source}")]
    Tar {
        /// The package.
        package: String,
        /// `control.tar.gz` or `data.tar.gz`.
        member: String,
        /// The error of the tar reader.
        source: TarError,
    },
    /// The control fields cannot be read.
    #[error("{package}, control: {source}")]
    Control {
        /// The package.
        package: String,
        /// The parser's error.
        source: IndexError,
    },
}

impl IpkError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            IpkError::Outer { source, .. } | IpkError::Tar { source, .. } => source.kind(),
            IpkError::Ar { source, .. } => source.kind(),
            IpkError::Foreign { .. } => Fault::Foreign,
            IpkError::Unsupported { .. } => Fault::Unsupported,
            IpkError::Format { .. } => Fault::Damaged,
            IpkError::Control { source, .. } => source.kind(),
        }
    }
}
