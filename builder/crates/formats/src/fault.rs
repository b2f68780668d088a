//! The kinds of faults of package files, indexes and keys: the same fault has the same kind in every
//! format, so that a program that meets it can say and do the same.

use std::io;

use wifibox_ground::failure::Kind;

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The file is truncated, changed, or malformed.
    Damaged,
    /// The file is of another format.
    Foreign,
    /// The file is of the format, but of a version or with a feature that is not supported.
    Unsupported,
    /// A path or link in the file leads out of the guest, or is not a valid path.
    Unsafe,
    /// The file, or something in it, is larger than allowed.
    TooLarge,
    /// No trusted key and no trusted index vouches for the file.
    Forged,
    /// The system could not read the file.
    Io,
}

impl Fault {
    /// The kind of an error of a reader. Decoders tell damage by errors of many kinds; what the
    /// operating system reports has a number, or a kind that no decoder uses.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            _ if error.raw_os_error().is_some() => Fault::Io,
            io::ErrorKind::FileTooLarge => Fault::TooLarge,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other => Fault::Damaged,
            _ => Fault::Io,
        }
    }
}

/// A file that is not what its repository should hold fails a verification, whatever its format.
impl From<Fault> for Kind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged | Fault::Foreign | Fault::Unsafe | Fault::TooLarge | Fault::Forged => {
                Kind::Verification
            }
            Fault::Unsupported | Fault::Io => Kind::Failed,
        }
    }
}

/// A copy of an error, for somebody who has to hand the original on.
pub(crate) fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_system_are_not_damage() {
        assert_eq!(Fault::of_io(&io::Error::from_raw_os_error(5)), Fault::Io);
        assert_eq!(Fault::of_io(&copy_of(&io::Error::from_raw_os_error(22))), Fault::Io);
        assert_eq!(Fault::of_io(&io::ErrorKind::PermissionDenied.into()), Fault::Io);
        assert_eq!(Fault::of_io(&io::Error::other("checksum")), Fault::Damaged);
        assert_eq!(Fault::of_io(&io::ErrorKind::FileTooLarge.into()), Fault::TooLarge);
    }
}
