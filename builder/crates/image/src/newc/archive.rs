//! The cpio archive itself: entries in path order, each a header, a name and data, then the trailer.

use std::io::{self, Read, Write};

use super::Error;
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;
use wifibox_tree::{Kind, Node, Tree};

/// Linux's `PATH_MAX`, less the NUL that ends a path.
pub(super) const PATH_LIMIT: usize = 4095;

/// The archive is padded to a multiple of this.
const ARCHIVE_ALIGNMENT: u64 = 512;

/// Writes the archive itself, and gives `out` back.
pub(super) fn archive<W: Write>(tree: &Tree, epoch: u32, out: W) -> Result<W, Error> {
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
