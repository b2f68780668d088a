//! How an image is written.

use std::num::NonZeroUsize;
use std::thread;

use crate::{Codec, Error};

/// How an image is written. All but the number of threads decides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How blocks are compressed.
    pub codec: Codec,
    /// How much data is compressed together.
    pub block_size: BlockSize,
    /// The time of the image itself, in seconds since 1970-01-01 UTC. No entry has a newer one: later times become
    /// this (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub source_date_epoch: u32,
    /// How many threads compress.
    pub jobs: NonZeroUsize,
}

impl Options {
    /// Blocks of 128 KiB, compressed by one thread for each processor.
    pub fn new(codec: Codec, source_date_epoch: u32) -> Self {
        let jobs = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Options { codec, block_size: BlockSize::DEFAULT, source_date_epoch, jobs }
    }
}

/// The size of a data block: a power of two from 4 KiB to 1 MiB. Larger blocks compress better, and cost memory and
/// time when single files are read.
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
