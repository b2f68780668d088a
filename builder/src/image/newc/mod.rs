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

mod lz4;

use std::io::{self, Write};

use flate2::{Compression as GzipLevel, GzBuilder, write::GzEncoder};
use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
use liblzma::write::XzEncoder;

use crate::path::GuestPath;
use crate::tree::{Content, Kind, Node, Tree};
use lz4::Lz4Legacy;

/// The window of XZ and Zstandard: 1 MiB, as a power of two.
const WINDOW_LOG: u32 = 20;

/// Linux's `PATH_MAX`, less the NUL that ends a path.
const PATH_LIMIT: usize = 4095;

/// The archive is padded to a multiple of this.
const ARCHIVE_ALIGNMENT: u64 = 512;

/// How an initramfs is compressed. The guest's kernel must have the same decompressor (`RD_GZIP`,
/// `RD_XZ`, `RD_ZSTD`, `RD_LZ4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
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
    compression: Compression,
    source_date_epoch: u32,
    out: W,
) -> Result<(), Error> {
    let epoch = source_date_epoch;
    match compression {
        Compression::None => archive(tree, epoch, out)?.flush().map_err(Error::Write),
        Compression::Gzip => {
            // No name, time 0, "unknown" operating system.
            let header = GzBuilder::new().mtime(0).operating_system(255);
            let encoder: GzEncoder<W> = header.write(out, GzipLevel::best());
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        Compression::Xz => {
            let stream = xz_stream().map_err(io::Error::from)?;
            let encoder = XzEncoder::new_stream(out, stream);
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(out, 19)?;
            encoder.window_log(WINDOW_LOG)?;
            archive(tree, epoch, encoder)?.finish()?.flush().map_err(Error::Write)
        }
        Compression::Lz4 => {
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

/// Writes the archive itself, and gives `out` back.
fn archive<W: Write>(tree: &Tree, epoch: u32, out: W) -> Result<W, Error> {
    let mut out = Counted { inner: out, length: 0 };
    for (inode, (path, node)) in (1..).zip(tree.iter()) {
        entry(&mut out, inode, path, node, epoch)?;
    }
    let last = Header { links: 1, ..Header::default() };
    last.write(b"TRAILER!!!", &mut out)?;
    out.pad(ARCHIVE_ALIGNMENT)?;
    Ok(out.inner)
}

fn entry<W: Write>(
    out: &mut Counted<W>,
    inode: u32,
    path: &GuestPath,
    node: &Node,
    epoch: u32,
) -> Result<(), Error> {
    let meta = &node.meta;
    if let Some(name) = meta.xattrs.keys().next() {
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(Error::Xattr { path: path.clone(), name });
    }
    if meta.mode > 0o7777 {
        return Err(Error::Mode { path: path.clone(), mode: meta.mode });
    }
    if path.as_bytes() == b"TRAILER!!!" {
        return Err(Error::Reserved { path: path.clone() });
    }
    let target = if let Kind::Symlink(target) = &node.kind { target.len() } else { 0 };
    if path.as_bytes().len().max(target) > PATH_LIMIT {
        return Err(Error::TooLong { path: path.clone() });
    }
    let (kind, length, device) = match &node.kind {
        Kind::Fifo => (0o010_000, 0, (0, 0)),
        Kind::CharDevice(major, minor) => (0o020_000, 0, (*major, *minor)),
        Kind::Directory => (0o040_000, 0, (0, 0)),
        Kind::BlockDevice(major, minor) => (0o060_000, 0, (*major, *minor)),
        Kind::File(content) => (0o100_000, content.len(), (0, 0)),
        Kind::Symlink(target) => (0o120_000, target.len() as u64, (0, 0)),
    };
    let size = u32::try_from(length).map_err(|_| Error::TooLarge { path: path.clone(), length })?;
    let header = Header {
        inode,
        mode: kind | u32::from(meta.mode),
        uid: meta.uid,
        gid: meta.gid,
        links: if matches!(node.kind, Kind::Directory) { 2 } else { 1 },
        mtime: meta.mtime.min(epoch),
        size,
        device,
    };
    let name = if path.is_root() { b"." } else { path.as_bytes() };
    header.write(name, out)?;
    match &node.kind {
        Kind::File(content) => copy(path, content, out)?,
        Kind::Symlink(target) => out.write_all(target)?,
        _ => {}
    }
    out.pad(4)?;
    Ok(())
}

/// Copies a content, telling apart which side failed.
fn copy<W: Write>(path: &GuestPath, content: &Content, out: &mut W) -> Result<(), Error> {
    let failed = |source| Error::Content { path: path.clone(), source };
    let mut reader = content.open();
    let mut buffer = [0; 16 * 1024];
    let mut left = content.len();
    while left > 0 {
        let length = match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result.map_err(failed)?,
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        left = match left.checked_sub(length as u64) {
            Some(left) if length > 0 => left,
            // The header has promised another length.
            _ => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
        };
        out.write_all(bytes)?;
    }
    Ok(())
}

/// The fields of an entry that are not always 0.
#[derive(Default)]
struct Header {
    inode: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
    mtime: u32,
    size: u32,
    device: (u32, u32),
}

impl Header {
    /// The magic and 13 fields of 8 hexadecimal digits, then the name with a NUL.
    fn write<W: Write>(&self, name: &[u8], out: &mut Counted<W>) -> io::Result<()> {
        let Header { inode, mode, uid, gid, links, mtime, size, device } = *self;
        let name_size =
            u32::try_from(name.len() + 1).map_err(|_| io::ErrorKind::InvalidFilename)?;
        let fields =
            [inode, mode, uid, gid, links, mtime, size, 0, 0, device.0, device.1, name_size, 0];
        let mut bytes = b"070701".to_vec();
        for field in fields {
            write!(bytes, "{field:08X}")?;
        }
        bytes.extend_from_slice(name);
        bytes.push(0);
        out.write_all(&bytes)?;
        out.pad(4)
    }
}

/// A writer that knows how much went through it.
struct Counted<W> {
    inner: W,
    length: u64,
}

impl<W: Write> Counted<W> {
    /// Writes zeros up to the next multiple of `alignment`.
    fn pad(&mut self, alignment: u64) -> io::Result<()> {
        let missing = self.length.next_multiple_of(alignment) - self.length;
        for _ in 0..missing {
            self.write_all(&[0])?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buf)?;
        self.length += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Meta, Origin};

    fn tree(path: &str, mode: u16, kind: Kind) -> Tree {
        let mut tree = Tree::new();
        let meta = Meta { mode, uid: 1, gid: 2, mtime: 77, ..Meta::default() };
        let node = Node { meta, kind, origin: Origin::Builder };
        tree.insert(&GuestPath::new(path).expect("a path"), node).expect("inserted");
        tree
    }

    fn written(tree: &Tree) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        write(tree, Compression::None, 50, &mut out).map(|()| out)
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
        let long = written(&tree(&"d/".repeat(2048), 0o755, Kind::Directory));
        assert!(long.is_ok(), "4095 bytes");
        for (path, target) in [("d/".repeat(2049), 1), ("l".to_owned(), PATH_LIMIT + 1)] {
            let long = written(&tree(&path, 0o644, Kind::Symlink(vec![b'x'; target])));
            assert!(matches!(long, Err(Error::TooLong { .. })));
        }
        let last = written(&tree("TRAILER!!!", 0o644, Kind::Fifo));
        assert!(matches!(last, Err(Error::Reserved { .. })));
    }
}
