//! Errors of reading ADB files: the indexes and packages of apk v3.

use std::io;

use super::value::ValueError;
use crate::fault::Fault;
use wifibox_ground::path::PathError;

/// Why an index or a package of apk v3 cannot be read. `file` is its name, as it was given.
#[derive(Debug, thiserror::Error)]
pub enum AdbError {
    /// It cannot be read or unpacked; this includes a truncated file.
    #[error(
        "{file} cannot be read: {source}; fetch it anew, and if that does not help, the mirror is broken"
    )]
    Read {
        /// The file.
        file: String,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// It is not an ADB file, or holds something other than expected.
    #[error("{file} is not an apk v3 file that can be read: {why}")]
    Foreign {
        /// The file.
        file: String,
        /// The format that was found instead, or the reason.
        why: String,
    },
    /// It is an ADB file of a version, or with contents, that is not supported.
    #[error("{file} is not an apk v3 file that can be read: {why}")]
    Unsupported {
        /// The file.
        file: String,
        /// The unsupported version, compression or contents.
        why: String,
    },
    /// It, or something in it, is larger than allowed.
    #[error("{file}, {place}: {why}")]
    TooLarge {
        /// The file.
        file: String,
        /// The part that is too large.
        place: String,
        /// How large it is, and how large it may be.
        why: String,
    },
    /// Its blocks are malformed.
    #[error("{file} is not an apk v3 file that can be read: {why}")]
    Format {
        /// The file.
        file: String,
        /// The reason, for the message.
        why: String,
    },
    /// Its metadata can be parsed but makes no sense.
    #[error("{file}, {place}: {why}")]
    Schema {
        /// The file.
        file: String,
        /// The package, path or list concerned.
        place: String,
        /// The reason, for the message.
        why: String,
    },
    /// A path leads out of the guest, or is not a valid path.
    #[error("{file}: {source}")]
    Path {
        /// The file.
        file: String,
        /// The error of the path's parser.
        source: PathError,
    },
    /// It is not the package that the index lists.
    #[error(
        "{file} is not the package that the index lists: its metadata has SHA-256 {found}, \
         the index says {expected}; fetch the index and the package anew"
    )]
    WrongPackage {
        /// The file.
        file: String,
        /// In hexadecimal digits, as the index has it.
        expected: String,
        /// In hexadecimal digits.
        found: String,
    },
    /// The bytes of a file in it are not those that its metadata lists.
    #[error(
        "{file}: the contents of {path} are damaged: their hash is not the one that the package lists"
    )]
    Damaged {
        /// The file.
        file: String,
        /// The file inside it.
        path: String,
    },
}

impl AdbError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            AdbError::Read { source, .. } => Fault::of_io(source),
            AdbError::Foreign { .. } => Fault::Foreign,
            AdbError::Unsupported { .. } => Fault::Unsupported,
            AdbError::TooLarge { .. } => Fault::TooLarge,
            AdbError::Path { .. } => Fault::Unsafe,
            AdbError::WrongPackage { .. } => Fault::Forged,
            AdbError::Format { .. } | AdbError::Schema { .. } | AdbError::Damaged { .. } => {
                Fault::Damaged
            }
        }
    }

    /// It is something else.
    pub fn foreign(file: &str, why: impl Into<String>) -> Self {
        AdbError::Foreign { file: file.to_owned(), why: why.into() }
    }

    /// It is of a form that is not read.
    pub fn unsupported(file: &str, why: impl Into<String>) -> Self {
        AdbError::Unsupported { file: file.to_owned(), why: why.into() }
    }

    /// More than is allowed, at `place`.
    pub fn too_large(file: &str, place: impl Into<String>, why: impl Into<String>) -> Self {
        AdbError::TooLarge { file: file.to_owned(), place: place.into(), why: why.into() }
    }

    /// The container is damaged.
    pub fn format(file: &str, why: impl Into<String>) -> Self {
        AdbError::Format { file: file.to_owned(), why: why.into() }
    }

    /// What stands at `place` does not follow the schema.
    pub fn schema(file: &str, place: impl Into<String>, why: impl Into<String>) -> Self {
        AdbError::Schema { file: file.to_owned(), place: place.into(), why: why.into() }
    }

    /// A value of `place` cannot be read.
    pub fn value(file: &str, place: impl Into<String>) -> impl FnOnce(ValueError) -> Self {
        move |error| match error {
            ValueError::Version(_) => AdbError::unsupported(file, error.to_string()),
            ValueError::TooMuch => AdbError::too_large(file, place, error.to_string()),
            ValueError::Outside(_) | ValueError::Type { .. } => {
                AdbError::schema(file, place, error.to_string())
            }
        }
    }
}
