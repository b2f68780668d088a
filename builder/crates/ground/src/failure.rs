//! The kinds of failure, from which the program's exit code follows.

/// The kind of failure that an error is. Every stage's error tells its own, so that the same fault has the same kind
/// whichever format or stage met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something failed.
    Failed,
    /// The request names something that does not exist, or makes no sense.
    Usage,
    /// The lock is out of date.
    LockOutdated,
    /// A signature or hash is wrong, or a file is not what it was signed as.
    Verification,
    /// The user ended it.
    Interrupted,
}
