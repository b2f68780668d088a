//! What a SquashFS image holds, node by node: for comparing images with other trees.
//!
//! Reads any SquashFS 4.0 image that is compressed by xz, zstd, gzip or lz4. Extended attributes are
//! not read: the reader that is used has no access to them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _, Seek};
use std::os::unix::ffi::OsStrExt;

use backhand::{FilesystemReader, InnerNode};

use super::{VerifyError, bridge};
use wifibox_ground::digest::Sha256;

/// A node of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path from the root, without a slash in front; the root's own is empty.
    pub path: Vec<u8>,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time in seconds since 1970-01-01 UTC.
    pub mtime: u32,
    /// What it is.
    pub kind: ListedKind,
}

/// What a node of an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedKind {
    /// A directory.
    Directory,
    /// A file of `size` bytes.
    File {
        /// Length in bytes.
        size: u64,
        /// Hash of its content.
        sha256: Sha256,
    },
    /// A symbolic link to this.
    Symlink(Vec<u8>),
    /// A character device, by Linux's device number.
    CharDevice(u32),
    /// A block device, by Linux's device number.
    BlockDevice(u32),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// All nodes of an image, in its own order; contents are read and hashed.
///
/// # Errors
/// [`VerifyError::Unreadable`]: no such image, or a block of it does not decompress.
pub fn list<R: BufRead + Seek + Send>(image: R) -> Result<Vec<Listed>, VerifyError> {
    let unreadable = |error: &dyn std::fmt::Display| VerifyError::Unreadable(error.to_string());
    let reader = FilesystemReader::from_reader_with_offset_and_kind(image, 0, bridge::kind())
        .map_err(|error| unreadable(&error))?;
    let mut listed = Vec::new();
    for node in &reader.root.nodes {
        let path = node.fullpath.as_os_str().as_bytes();
        let path = path.strip_prefix(b"/").unwrap_or(path).to_vec();
        let kind = match &node.inner {
            InnerNode::Dir(_) => ListedKind::Directory,
            InnerNode::File(file) => {
                let stored = reader.file(file).reader_checked();
                let hashed = stored.map_err(io::Error::from).and_then(Sha256::of_reader);
                let name = String::from_utf8_lossy(&path);
                let (sha256, size) =
                    hashed.map_err(|error| unreadable(&format_args!("{name}: {error}")))?;
                ListedKind::File { size, sha256 }
            }
            InnerNode::Symlink(link) => {
                ListedKind::Symlink(link.link.as_os_str().as_bytes().to_vec())
            }
            InnerNode::CharacterDevice(device) => ListedKind::CharDevice(device.device_number),
            InnerNode::BlockDevice(device) => ListedKind::BlockDevice(device.device_number),
            InnerNode::NamedPipe => ListedKind::Fifo,
            InnerNode::Socket => ListedKind::Socket,
        };
        let header = &node.header;
        listed.push(Listed {
            path,
            mode: header.permissions,
            uid: header.uid,
            gid: header.gid,
            mtime: header.mtime,
            kind,
        });
    }
    Ok(listed)
}

/// The regular files of an image that `wanted` names by path (as in [`Listed::path`]), with their contents.
///
/// # Errors
/// [`VerifyError::Unreadable`]: no such image, or a block of it does not decompress.
pub fn contents<R: BufRead + Seek + Send>(
    image: R,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, VerifyError> {
    let unreadable = |error: &dyn std::fmt::Display| VerifyError::Unreadable(error.to_string());
    let reader = FilesystemReader::from_reader_with_offset_and_kind(image, 0, bridge::kind())
        .map_err(|error| unreadable(&error))?;
    let mut found = BTreeMap::new();
    for node in &reader.root.nodes {
        let path = node.fullpath.as_os_str().as_bytes();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let InnerNode::File(file) = &node.inner else { continue };
        if !wanted(path) {
            continue;
        }
        let mut bytes = Vec::new();
        reader
            .file(file)
            .reader_checked()
            .map_err(io::Error::from)
            .and_then(|mut stored| stored.read_to_end(&mut bytes))
            .map_err(|error| {
                unreadable(&format_args!("{}: {error}", String::from_utf8_lossy(path)))
            })?;
        found.insert(path.to_vec(), bytes);
    }
    Ok(found)
}
