//! Why a package of opkg cannot be read.

use crate::IndexError;
use crate::deb::ar::ArError;
use crate::fault::Fault;
use crate::tarball::TarError;

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IpkError {
    /// The outer tar archive is cut off, damaged, or not one.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Outer {
        /// The package.
        package: String,
        /// What is wrong.
        source: TarError,
    },
    /// The outer ar archive is cut off, damaged, or not one.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Ar {
        /// The package.
        package: String,
        /// What is wrong.
        source: ArError,
    },
    /// It is something else than a package of this format.
    #[error("{package} is not an OpenWrt package that can be read: {why}")]
    Foreign {
        /// The package.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// It is a package of a form that is not supported.
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
        /// What is wrong.
        why: String,
    },
    /// A member of the outer archive cannot be unpacked.
    #[error("{package}, {member}: {source}")]
    Tar {
        /// The package.
        package: String,
        /// `control.tar.gz` or `data.tar.gz`.
        member: String,
        /// What is wrong.
        source: TarError,
    },
    /// The control fields cannot be read.
    #[error("{package}, control: {source}")]
    Control {
        /// The package.
        package: String,
        /// What is wrong.
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
