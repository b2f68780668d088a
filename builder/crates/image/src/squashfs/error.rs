//! What can go wrong when an image is written.

use std::io;

use super::{Codec, check};
use wifibox_ground::path::GuestPath;

/// Why an image cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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
        /// What was asked for.
        level: i64,
        /// The highest level that there is.
        highest: i64,
    },
    /// A symbolic link that leads nowhere, or whose target is too long to be read back.
    #[error(
        "{path}: the link's target is {length} bytes long; a SquashFS image takes 1 to {limit}",
        limit = check::LINK_LIMIT
    )]
    LinkTarget {
        /// The link.
        path: GuestPath,
        /// How long its target is, in bytes.
        length: usize,
    },
    /// A mode with more than permission bits makes an entry that cannot be read.
    #[error("{path}: mode {mode:o} has bits beyond the permissions (7777)")]
    Mode {
        /// The node.
        path: GuestPath,
        /// Its mode.
        mode: u16,
    },
    /// Extended attributes cannot be stored, and dropping them would change what the guest does.
    #[error(
        "{path}: the extended attribute {name:?} cannot be stored in the image; remove it from the node, \
         or give the program what it needs in another way"
    )]
    Xattr {
        /// The node.
        path: GuestPath,
        /// The attribute's full name.
        name: String,
    },
    /// A device number beyond 12 bits of major and 20 bits of minor number.
    #[error("{path}: Linux knows no device number {major}:{minor}")]
    DeviceNumber {
        /// The device.
        path: GuestPath,
        /// Its major number.
        major: u32,
        /// Its minor number.
        minor: u32,
    },
    /// A path with too many components.
    #[error("{path}: the path has more than {limit} components", limit = check::DEPTH_LIMIT)]
    TooDeep {
        /// The path.
        path: GuestPath,
    },
    /// More users and groups than one image takes.
    #[error("the tree has {count} different owners; the image takes {limit}", limit = check::OWNER_LIMIT)]
    TooManyOwners {
        /// How many there are.
        count: usize,
    },
    /// The root is something else than a directory.
    #[error("the root of the tree is not a directory")]
    RootNotADirectory,
    /// A file's content cannot be read.
    #[error("{path}: cannot read its content for the image")]
    Content {
        /// The file.
        path: GuestPath,
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
        /// The codec.
        codec: Codec,
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
