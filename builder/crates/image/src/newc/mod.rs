//! The initramfs: a [`Tree`] as a cpio archive of the "newc" kind, compressed or not.
//!
//! Format: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`. Entries come
//! in path order, parents first, under the root as `.`; inode numbers count up from 1; owners,
//! modes and device numbers are the tree's, times are clamped; the device that "holds" the archive
//! is 0:0. The archive ends with `TRAILER!!!`, padded to 512 bytes as cpio does.
//!
//! Compression is what the kernel's decompressors take: gzip without name and time, XZ with a CRC32
//! check, Zstandard, and LZ4 in its legacy frame. Windows are 1 MiB at most: the guest has little
//! memory when it unpacks.

mod archive;
mod lz4;

use std::io::{self, Write};

use flate2::{Compression as GzipLevel, GzBuilder, write::GzEncoder};
use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
use liblzma::write::XzEncoder;

use archive::archive;
use lz4::Lz4Legacy;
use wifibox_ground::path::GuestPath;
use wifibox_tree::Tree;

/// The window of XZ and Zstandard: 1 MiB, as a power of two.
const WINDOW_LOG: u32 = 20;

/// How an initramfs is compressed. The guest's kernel must have the same decompressor (`RD_GZIP`,
/// `RD_XZ`, `RD_ZSTD`, `RD_LZ4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitramfsCompressor {
    /// Not at all.
    None,
    /// gzip, level 9.
    Gzip,
    /// XZ, preset 6 with a dictionary of 1 MiB and a CRC32 check.
    Xz,
    /// Zstandard, level 19 with a window of 1 MiB.
    Zstd,
    /// LZ4 in its legacy frame (`lz4 -l`).
    Lz4,
}

/// Why an initramfs cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// cpio has no place for extended attributes.
    #[error("{path}: the extended attribute {name:?} cannot be stored in an initramfs; remove it")]
    Xattr {
        /// The node.
        path: GuestPath,
        /// The attribute's full name.
        name: String,
    },
    /// A mode with more than permission bits.
    #[error("{path}: mode {mode:o} has bits beyond the permissions (7777)")]
    Mode {
        /// The node.
        path: GuestPath,
        /// Its mode.
        mode: u16,
    },
    /// A path or link target beyond Linux's `PATH_MAX`: the kernel would skip it in silence.
    #[error("{path}: the path or the link's target is longer than the kernel unpacks (4095 bytes)")]
    TooLong {
        /// The node.
        path: GuestPath,
    },
    /// A file of 4 GiB and more.
    #[error("{path}: {length} bytes are more than an initramfs entry can hold (4294967295)")]
    TooLarge {
        /// The node.
        path: GuestPath,
        /// How long it is, in bytes.
        length: u64,
    },
    /// A path that an entry cannot have: the name of the archive's own last entry.
    #[error("{path}: an initramfs cannot hold this path, it marks the archive's end")]
    Reserved {
        /// The node.
        path: GuestPath,
    },
    /// A file's content cannot be read.
    #[error("{path}: cannot read its content for the initramfs")]
    Content {
        /// The file.
        path: GuestPath,
        /// Why.
        source: io::Error,
    },
    /// The initramfs cannot be written, or its encoder failed.
    #[error("cannot write the initramfs")]
    Write(#[from] io::Error),
}

/// Writes `tree` as an initramfs to `out`. Times later than `source_date_epoch` become that. The
/// bytes depend on nothing else.
///
/// # Errors
/// [`Error`]: a node that the archive cannot hold, a content that cannot be read, or `out` cannot
/// be written.
pub fn write<W: Write>(
    tree: &Tree,
    compression: InitramfsCompressor,
    source_date_epoch: u32,
    out: W,
) -> Result<(), Error> {
    let epoch = source_date_epoch;
    match compression {
        InitramfsCompressor::None => archive(tree, epoch, out)?.flush().map_err(Error::Write),
        InitramfsCompressor::Gzip => {
            // No name, time 0, "unknown" operating system.
            let header = GzBuilder::new().mtime(0).operating_system(255);
            let encoder: GzEncoder<W> = header.write(out, GzipLevel::best());
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        InitramfsCompressor::Xz => {
            let stream = xz_stream().map_err(io::Error::from)?;
            let encoder = XzEncoder::new_stream(out, stream);
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        InitramfsCompressor::Zstd => {
            let mut encoder = zstd::Encoder::new(out, 19)?;
            encoder.window_log(WINDOW_LOG)?;
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        InitramfsCompressor::Lz4 => {
            let encoder = Lz4Legacy::new(out)?;
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
    }
}

fn xz_stream() -> Result<Stream, liblzma::stream::Error> {
    let mut options = LzmaOptions::new_preset(6)?;
    options.dict_size(1 << WINDOW_LOG);
    let mut filters = Filters::new();
    filters.lzma2(&options);
    Stream::new_stream_encoder(&filters, Check::Crc32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_ground::content::Content;
    use wifibox_tree::{Kind, Meta, Node, Origin};

    fn tree(path: &str, mode: u16, kind: Kind) -> Tree {
        let mut tree = Tree::new();
        let meta = Meta { mode, uid: 1, gid: 2, mtime: 77, ..Meta::default() };
        let node = Node { meta, kind, origin: Origin::Builder };
        tree.insert(&GuestPath::new(path).expect("a path"), node).expect("inserted");
        tree
    }

    fn written(tree: &Tree) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        write(tree, InitramfsCompressor::None, 50, &mut out).map(|()| out)
    }

    #[test]
    fn the_archive_is_byte_for_byte_what_the_format_says() {
        let out = written(&tree("init", 0o755, Kind::File(Content::from_bytes("hello"))));
        let field = |n: u32| format!("{n:08X}");
        let header = |fields: [u32; 13]| format!("070701{}", fields.map(field).concat());
        let expected = [
            &header([1, 0o040_755, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2, 0]),
            ".\0",
            &header([2, 0o100_755, 1, 2, 1, 50, 5, 0, 0, 0, 0, 5, 0]),
            "init\0\0hello\0\0\0",
            &header([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0]),
            "TRAILER!!!\0",
        ];
        let mut expected = expected.concat().into_bytes();
        expected.resize(512, 0);
        assert_eq!(out.expect("written"), expected);
    }

    #[test]
    fn what_an_entry_cannot_hold_is_an_error_that_names_the_path() {
        let mut capable = tree("bin/x", 0o755, Kind::Fifo);
        let node = capable.get_mut(&GuestPath::new("bin/x").expect("a path")).expect("there");
        node.meta.xattrs.insert(b"user.a".to_vec(), Vec::new());
        let error = written(&capable).expect_err("refused").to_string();
        assert!(error.contains("/bin/x") && error.contains("user.a"), "{error}");
        let typed = written(&tree("f", 0o10_644, Kind::Fifo));
        assert!(matches!(typed, Err(Error::Mode { .. })));
        let long = written(&tree(&vec!["d".repeat(255); 16].join("/"), 0o755, Kind::Directory));
        assert!(long.is_ok(), "4095 bytes");
        let far = Kind::Symlink(vec![b'x'; archive::PATH_LIMIT + 1]);
        assert!(matches!(written(&tree("l", 0o644, far)), Err(Error::TooLong { .. })));
        let last = written(&tree("TRAILER!!!", 0o644, Kind::Fifo));
        assert!(matches!(last, Err(Error::Reserved { .. })));
    }
}
