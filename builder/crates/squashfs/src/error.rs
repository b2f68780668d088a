//! Errors of making an archive and of writing an image.

use std::io;

use crate::limits;
use crate::path::{BadPath, ImagePath};

/// Why an archive cannot be made, or an image not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bytes that are not a path in an image.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// Two entries at one path.
    #[error("{path}: there is an entry already")]
    Occupied {
        /// The path.
        path: ImagePath,
    },
    /// Something else stands where a directory must be.
    #[error("{path}: it is not a directory, and must be one")]
    NotADirectory {
        /// The path.
        path: ImagePath,
    },
    /// A hard link to a missing path, or to a directory.
    #[error("{path}: a hard link leads to a file that is there already; {existing} is none")]
    LinkToNothing {
        /// The link.
        path: ImagePath,
        /// The path that it should be another name of.
        existing: ImagePath,
    },
    /// Not a block size that SquashFS knows.
    #[error(
        "a SquashFS block of {0} bytes is not possible: choose a power of two from 4096 to 1048576"
    )]
    BlockSize(u32),
    /// A level that the codec does not have.
    #[error("{codec} has no compression level {level}: choose one from 1 to {highest}")]
    Level {
        /// The codec's name.
        codec: &'static str,
        /// The level that was asked for.
        level: i64,
        /// The highest level that there is.
        highest: i64,
    },
    /// A symbolic link that leads nowhere, or whose target is too long to be read back.
    #[error(
        "{path}: the link's target is {length} bytes long; a SquashFS image takes 1 to {limit}",
        limit = limits::LINK_LIMIT
    )]
    LinkTarget {
        /// The link.
        path: ImagePath,
        /// How long its target is, in bytes.
        length: usize,
    },
    /// A mode with more than permission bits makes an entry that cannot be read.
    #[error("{path}: mode {mode:o} has bits beyond the permissions (7777)")]
    Mode {
        /// The node.
        path: ImagePath,
        /// Its mode.
        mode: u16,
    },
    /// Extended attributes cannot be stored, and dropping them would change what programs may do.
    #[error(
        "{path}: the extended attribute {name:?} cannot be stored in the image; remove it from the node, \
         or give the program what it needs in another way"
    )]
    Xattr {
        /// The node.
        path: ImagePath,
        /// The attribute's full name.
        name: String,
    },
    /// A device number beyond 12 bits of major and 20 bits of minor number.
    #[error("{path}: Linux knows no device number {major}:{minor}")]
    DeviceNumber {
        /// The device.
        path: ImagePath,
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A path with too many components.
    #[error("{path}: the path has more than {limit} components", limit = limits::DEPTH_LIMIT)]
    TooDeep {
        /// The path.
        path: ImagePath,
    },
    /// More users and groups than one image takes.
    #[error("the archive has {count} different owners; an image takes {limit}", limit = limits::OWNER_LIMIT)]
    TooManyOwners {
        /// How many there are.
        count: usize,
    },
    /// A file's content cannot be read.
    #[error("{path}: cannot read its content for the image")]
    Content {
        /// The file.
        path: ImagePath,
        /// Why.
        source: io::Error,
    },
    /// A codec failed.
    #[error("cannot compress a block of the image")]
    Compress(#[source] io::Error),
    /// A compressed block does not give back what went in.
    #[error(
        "a block of the image is not the same after {codec} compression and decompression: the \
         machine's memory, or the library, is faulty"
    )]
    RoundTrip {
        /// The codec, as it is displayed.
        codec: String,
    },
    /// The image file cannot be written.
    #[error("cannot write the image")]
    Write(#[source] io::Error),
    /// Something is beyond what the format can number.
    #[error("{0} is too large for a SquashFS image")]
    TooLarge(&'static str),
    /// A thread that compressed is gone.
    #[error("compression ended early")]
    Stopped,
}
