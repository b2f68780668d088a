//! Reads a SquashFS image from beginning to end: every node in path order, with its content.

use std::collections::BTreeSet;
use std::io::{BufRead, Read, Seek};
use std::os::unix::ffi::OsStrExt;

use backhand::{BackhandError, FilesystemReader, InnerNode, SquashfsFileReader};

use crate::bridge;

/// How much of fragments the reader may keep decompressed before it starts afresh, in bytes.
const FRAGMENTS_KEPT: u64 = 32 << 20;

/// An image that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not a readable SquashFS image: {0}")]
pub struct UnreadableImage(pub(crate) String);

/// A node of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Path from the root, without a slash in front; the root's own is empty.
    pub path: Vec<u8>,
    /// Its type.
    pub kind: NodeKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of modification, in seconds since 1970-01-01 UTC.
    pub mtime: u32,
}

/// The type of a node, with the data of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A directory.
    Directory,
    /// A regular file of so many bytes.
    File(u64),
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

impl NodeKind {
    /// The kind in the words of [`crate::Kind::describe`].
    pub fn describe(&self) -> &'static str {
        match self {
            NodeKind::Directory => "directory",
            NodeKind::File(_) => "file",
            NodeKind::Symlink(_) => "symbolic link",
            NodeKind::CharDevice(_) => "character device",
            NodeKind::BlockDevice(_) => "block device",
            NodeKind::Fifo => "named pipe",
            NodeKind::Socket => "socket",
        }
    }

    fn of(inner: &InnerNode<SquashfsFileReader>) -> Self {
        match inner {
            InnerNode::Dir(_) => NodeKind::Directory,
            InnerNode::File(file) => NodeKind::File(file.file_len() as u64),
            InnerNode::Symlink(link) => {
                NodeKind::Symlink(link.link.as_os_str().as_bytes().to_vec())
            }
            InnerNode::CharacterDevice(device) => NodeKind::CharDevice(device.device_number),
            InnerNode::BlockDevice(device) => NodeKind::BlockDevice(device.device_number),
            InnerNode::NamedPipe => NodeKind::Fifo,
            InnerNode::Socket => NodeKind::Socket,
        }
    }
}

/// Calls `visit` with every node of `image`, the root first, and with the content of regular files,
/// which it need not read. Any SquashFS 4.0 image will do that is compressed by a codec that this crate is built with;
/// hard links come as separate files, extended attributes are not read.
///
/// # Errors
/// [`UnreadableImage`], or what `visit` reports.
pub fn read_nodes<R: BufRead + Seek + Send, E: From<UnreadableImage>>(
    image: &mut R,
    mut visit: impl FnMut(Node, Option<&mut dyn Read>) -> Result<(), E>,
) -> Result<(), E> {
    let bad = |error: BackhandError| UnreadableImage(error.to_string());
    let mut next = 0;
    loop {
        // The reader keeps every fragment block it met; a new one forgets them.
        image.rewind().map_err(|error| UnreadableImage(error.to_string()))?;
        let reader =
            FilesystemReader::from_reader_with_offset_and_kind(&mut *image, 0, bridge::kind())
                .map_err(bad)?;
        let mut kept = BTreeSet::new();
        while kept.len() as u64 * u64::from(reader.block_size) < FRAGMENTS_KEPT {
            let Some(found) = reader.root.nodes.get(next) else { return Ok(()) };
            next += 1;
            let path = found.fullpath.as_os_str().as_bytes();
            let header = &found.header;
            let node = Node {
                path: path.strip_prefix(b"/").unwrap_or(path).to_vec(),
                kind: NodeKind::of(&found.inner),
                mode: header.permissions & 0o7777,
                uid: header.uid,
                gid: header.gid,
                mtime: header.mtime,
            };
            if let InnerNode::File(file) = &found.inner {
                kept.insert(file.frag_index());
                let mut content = reader.file(file).reader_checked().map_err(bad)?;
                visit(node, Some(&mut content))?;
            } else {
                visit(node, None)?;
            }
        }
    }
}
