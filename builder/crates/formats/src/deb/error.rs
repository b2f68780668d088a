//! Why a `.deb` cannot be read.

use std::io;

use crate::fault::Fault;
use crate::tarball::TarError;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArError {
    /// It does not begin like one.
    #[error("it is not an ar archive")]
    NotAr,
    /// It ends in the middle.
    #[error("it is cut off")]
    Cut,
    /// A member header is not one.
    #[error("the header of its member {0} is damaged")]
    Header(u32),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
}

impl ArError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            ArError::NotAr => Fault::Foreign,
            ArError::Cut | ArError::Header(_) => Fault::Damaged,
            ArError::Read(error) => Fault::of_io(error),
        }
    }
}

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The outer archive is truncated, damaged, or not an ar archive.
    #[error("{package} is not a Debian package: {source}")]
    Ar {
        /// The package.
        package: String,
        /// The error of the ar reader.
        source: ArError,
    },
    /// It is not a package of this format.
    #[error("{package} is not a Debian package that can be read: {why}")]
    Foreign {
        /// The package.
        package: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is a variant of the format that is not supported.
    #[error("{package} is not a Debian package that can be read: {why}")]
    Unsupported {
        /// The package.
        package: String,
        /// Which form.
        why: String,
    },
    /// The outer archive has the wrong members.
    #[error("{package} is not a Debian package that can be read: {why}")]
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
        /// `control.tar.xz` or `data.tar.xz`.
        member: String,
        /// The error of the tar reader.
        source: TarError,
    },
}

impl DebError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            DebError::Ar { source, .. } => source.kind(),
            DebError::Foreign { .. } => Fault::Foreign,
            DebError::Unsupported { .. } => Fault::Unsupported,
            DebError::Format { .. } => Fault::Damaged,
            DebError::Tar { source, .. } => source.kind(),
        }
    }
}
