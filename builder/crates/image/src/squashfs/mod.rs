//! The root file system: a [`Tree`] as a SquashFS 4.0 image, and the check of one by reading it back.
//!
//! Format: the kernel's `Documentation/filesystems/squashfs.rst` and the headers of squashfs-tools.
//! [`plan`] says which bytes go into which block, [`ahead`] has several threads compress the blocks by
//! our own pinned codecs ([`Codec`]), [`image`] lays all of it out. Images are read by backhand, which
//! shares no code with the writer. The bytes depend on the tree, the codec, the block size and
//! the time limit, never on the number of threads or on what a cache holds.
//!
//! Files of equal content are stored once; those smaller than a block are packed together into
//! fragment blocks, alike ones side by side. Every time is clamped to `source_date_epoch`.

mod ahead;
mod branch;
mod bridge;
mod check;
mod codec;
mod directory;
mod error;
mod image;
mod inode;
mod key;
mod list;
mod metadata;
mod plan;
mod press;
mod read_nodes;
mod usage;
mod verify;

use std::num::NonZeroUsize;

use super::ImageFile;
use super::block_cache::BlockStore;
use wifibox_ground::progress::Progress;
use wifibox_tree::Tree;

pub use codec::Codec;
pub use error::Error;
pub use image::Written;
pub use list::{Listed, ListedKind, contents, list};
pub use read_nodes::{ReadNode, read_nodes};
pub use usage::{NodeUsage, Tables, UnreadableImage, Usage, usage};
pub use verify::{VerifyError, verify, verify_written};

/// An image's length is a multiple of this many bytes, so that it can be a disk.
const PADDING: u64 = 4096;

/// How an image is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How blocks are compressed.
    pub codec: Codec,
    /// How much data is compressed together.
    pub block_size: BlockSize,
    /// The newest time that the image may hold, in seconds since 1970-01-01 UTC; also the time of
    /// the image itself.
    pub source_date_epoch: u32,
    /// How many threads compress. The bytes do not depend on it.
    pub jobs: NonZeroUsize,
}

/// The size of a data block: a power of two from 4 KiB to 1 MiB. Larger blocks compress better, and
/// cost the guest memory when it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize(u32);

impl BlockSize {
    /// 128 KiB, the default of squashfs-tools.
    pub const DEFAULT: BlockSize = BlockSize(128 * 1024);

    /// The size in bytes.
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for BlockSize {
    type Error = Error;
    fn try_from(bytes: u32) -> Result<Self, Error> {
        let allowed = bytes.is_power_of_two() && (4096..=1 << 20).contains(&bytes);
        allowed.then_some(BlockSize(bytes)).ok_or(Error::BlockSize(bytes))
    }
}

/// Writes `tree` as a SquashFS image to `out`, which it makes exactly as long as the image: a
/// multiple of 4096 bytes, which it returns.
///
/// # Errors
/// [`Error`]: a node that an image cannot hold (before anything is written), a content that cannot
/// be read, or `out` cannot be written.
pub fn write<F: ImageFile>(
    tree: &Tree,
    options: &Options,
    out: &mut F,
    progress: &dyn Progress,
) -> Result<u64, Error> {
    write_cached(tree, options, None, out, progress).map(|written| written.length)
}

/// As [`write`]; blocks that `cache` has are not compressed again, the others are put into it. What it
/// returns lets [`verify_written`] check the image without decompressing it.
///
/// # Errors
/// As for [`write`].
pub fn write_cached<F: ImageFile>(
    tree: &Tree,
    options: &Options,
    cache: Option<&dyn BlockStore>,
    out: &mut F,
    progress: &dyn Progress,
) -> Result<Written, Error> {
    options.codec.check_level()?;
    check::check(tree)?;
    image::write(tree, options, cache, out, progress)
}
