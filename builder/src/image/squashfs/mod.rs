//! The root file system: a [`Tree`] as a SquashFS 4.0 image, and the check of one by reading it back.
//!
//! Format: the kernel's `Documentation/filesystems/squashfs.rst` and the headers of squashfs-tools.
//! The layout is backhand's; blocks are compressed by our own pinned codecs ([`Codec`]), ahead of
//! the writer and on several threads. The bytes depend on the tree, the codec, the block size and
//! the time limit, never on the number of threads.
//!
//! Files of a block or more that have equal contents are stored once; smaller ones are packed
//! together into fragment blocks. Every time is clamped to `source_date_epoch`. The root
//! directory's own time is 0.

mod ahead;
mod bridge;
mod check;
mod codec;
mod error;
mod list;
mod plan;
mod verify;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use backhand::compression::{CompressionOptions, Compressor, Gzip, Lz4, Xz, Zstd};
use backhand::v4::compressor::XzFilter;
use backhand::{BackhandError, FilesystemCompressor, FilesystemWriter, NodeHeader};

use super::ImageFile;
use crate::path::GuestPath;
use crate::progress::{Progress, Task};
use crate::tree::{Content, Kind, Meta, Tree};
use ahead::{Ahead, StopOnDrop};
use bridge::Writing;
use plan::Plan;

pub use codec::Codec;
pub use error::Error;
pub use list::{Listed, ListedKind, list};
pub use verify::{VerifyError, verify};

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
    options.codec.check_level()?;
    check::check(tree)?;
    let files: Vec<Content> = tree.iter().filter_map(|(_, node)| content(&node.kind)).collect();
    let task = progress.begin("root file system", Some(files.iter().map(Content::len).sum()));
    let mut writer = layout(tree, options, task.as_ref())?;
    let used = compress_and_write(&mut writer, files, options, out)?;
    // A duplicate at the very end leaves its discarded blocks behind what is in use.
    let length = used.next_multiple_of(PADDING);
    out.set_len(used).and_then(|()| out.set_len(length)).map_err(Error::Write)?;
    Ok(length)
}

fn content(kind: &Kind) -> Option<Content> {
    match kind {
        Kind::File(content) => Some(content.clone()),
        _ => None,
    }
}

/// Describes the tree to backhand. Contents are only opened here; they are read while it writes.
fn layout<'t>(
    tree: &'t Tree,
    options: &Options,
    task: &'t dyn Task,
) -> Result<FilesystemWriter<'t, 't, 't>, Error> {
    let mut writer = FilesystemWriter::default();
    writer.set_kind(bridge::kind());
    writer.set_block_size(options.block_size.bytes());
    writer.set_time(options.source_date_epoch);
    writer.set_compressor(compressor(options).map_err(from_backhand)?);
    writer.set_no_padding();
    for (path, node) in tree.iter() {
        let at = Path::new(OsStr::from_bytes(path.as_bytes()));
        let header = header(&node.meta, options.source_date_epoch);
        let number = |major, minor| check::device_number(major, minor).unwrap_or_default();
        let pushed = match &node.kind {
            Kind::Directory if path.is_root() => {
                writer.set_root_mode(header.permissions);
                writer.set_root_uid(header.uid);
                writer.set_root_gid(header.gid);
                Ok(())
            }
            Kind::Directory => writer.push_dir(at, header),
            Kind::File(content) => {
                let reader = NamedReader { path, inner: content.open(), task };
                writer.push_file(reader, at, header)
            }
            Kind::Symlink(target) => writer.push_symlink(OsStr::from_bytes(target), at, header),
            Kind::CharDevice(a, b) => writer.push_char_device(number(*a, *b), at, header),
            Kind::BlockDevice(a, b) => writer.push_block_device(number(*a, *b), at, header),
            Kind::Fifo => writer.push_fifo(at, header),
        };
        pushed.map_err(from_backhand)?;
    }
    Ok(writer)
}

fn header(meta: &Meta, source_date_epoch: u32) -> NodeHeader {
    NodeHeader::new(meta.mode, meta.uid, meta.gid, meta.mtime.min(source_date_epoch))
}

/// The codec by backhand's names. It needs options there for [`bridge`] to be asked for them.
fn compressor(options: &Options) -> Result<FilesystemCompressor, BackhandError> {
    let block = options.block_size.bytes();
    let (id, options) = match options.codec {
        Codec::Xz { x86 } => {
            let filters = XzFilter::new(u32::from(x86));
            let xz = Xz { dictionary_size: block, filters, bit_opts: None, fb: None };
            (Compressor::Xz, CompressionOptions::Xz(xz))
        }
        Codec::Zstd { level } => {
            let zstd = Zstd { compression_level: level.unsigned_abs() };
            (Compressor::Zstd, CompressionOptions::Zstd(zstd))
        }
        Codec::Gzip { level } => {
            let gzip = Gzip { compression_level: level, window_size: 15, strategies: 0 };
            (Compressor::Gzip, CompressionOptions::Gzip(gzip))
        }
        Codec::Lz4 => (Compressor::Lz4, CompressionOptions::Lz4(Lz4 { version: 1, flags: 0 })),
    };
    FilesystemCompressor::new(id, Some(options))
}

/// Runs the writer, with workers beside it where more than one thread may compress. Returns how
/// many bytes the image uses.
fn compress_and_write<F: ImageFile>(
    writer: &mut FilesystemWriter<'_, '_, '_>,
    files: Vec<Content>,
    options: &Options,
    out: &mut F,
) -> Result<u64, Error> {
    let Options { codec, block_size, jobs, .. } = *options;
    let block_size = block_size.bytes();
    let ahead = (jobs.get() > 1)
        .then(|| Arc::new(Ahead::new(Plan::new(files, block_size), codec, block_size, jobs.get())));
    out.rewind().map_err(Error::Write)?;
    let (written, failure) = thread::scope(|scope| {
        if let Some(ahead) = &ahead {
            let start =
                |_: &usize| thread::Builder::new().spawn_scoped(scope, || ahead.work()).is_ok();
            if (0..jobs.get()).filter(start).count() == 0 {
                ahead.stop();
            }
        }
        let _stop = ahead.as_deref().map(StopOnDrop);
        let writing = Writing { codec, block_size, ahead: ahead.clone(), failure: None };
        writing.run(|| writer.write(&mut *out))
    });
    match (written, failure) {
        (_, Some(failure)) => Err(Error::Compress(failure)),
        (Ok((_, used)), None) => Ok(used),
        (Err(error), None) => Err(from_backhand(error)),
    }
}

fn from_backhand(error: BackhandError) -> Error {
    match error {
        BackhandError::StdIo(error) => match error.downcast::<ContentError>() {
            Ok(ContentError { path, source }) => Error::Content { path, source },
            Err(error) => Error::Write(error),
        },
        other => Error::Layout(other.to_string()),
    }
}

/// A file's content on its way into the image: an error says whose it is.
struct NamedReader<'t> {
    path: &'t GuestPath,
    inner: Box<dyn Read + Send>,
    task: &'t dyn Task,
}

/// Carries a path through backhand's [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{path}")]
struct ContentError {
    path: GuestPath,
    source: io::Error,
}

impl Read for NamedReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buf) {
            Ok(length) => {
                self.task.advance(u64::try_from(length).unwrap_or_default());
                Ok(length)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(source) => Err(io::Error::other(ContentError { path: self.path.clone(), source })),
        }
    }
}
