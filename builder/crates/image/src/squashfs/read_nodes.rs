//! Reads a SquashFS image from begin to end: every node in path order, with its content.

use std::collections::BTreeSet;
use std::io::{BufRead, Read, Seek};
use std::os::unix::ffi::OsStrExt;

use backhand::{BackhandError, FilesystemReader, InnerNode};

use super::bridge;
use super::usage::UnreadableImage;

/// How much of fragments the reader may keep decompressed before it starts afresh, in bytes.
const FRAGMENTS_KEPT: u64 = 32 << 20;

/// A node of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadNode {
    /// Path, relative to the root.
    pub path: String,
    /// The kind in the words of [`wifibox_tree::Kind::describe`].
    pub kind: &'static str,
    /// Permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Target, of a link.
    pub target: Option<String>,
}

/// Calls `visit` with every node of `image`, the root first, and with the content of regular files,
/// which it need not read.
///
/// # Errors
/// [`UnreadableImage`], or what `visit` reports.
pub fn read_nodes<R: BufRead + Seek + Send, E: From<UnreadableImage>>(
    image: &mut R,
    mut visit: impl FnMut(ReadNode, Option<&mut dyn Read>) -> Result<(), E>,
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
            let Some(node) = reader.root.nodes.get(next) else { return Ok(()) };
            next += 1;
            let path = node.fullpath.as_os_str().as_bytes();
            let path = path.strip_prefix(b"/").unwrap_or(path);
            let mut read = ReadNode {
                path: String::from_utf8_lossy(path).into_owned(),
                kind: kind(&node.inner),
                mode: node.header.permissions & 0o7777,
                uid: node.header.uid,
                gid: node.header.gid,
                target: None,
            };
            match &node.inner {
                InnerNode::File(file) => {
                    kept.insert(file.frag_index());
                    let mut content = reader.file(file).reader_checked().map_err(bad)?;
                    visit(read, Some(&mut content))?;
                }
                InnerNode::Symlink(link) => {
                    let target = link.link.as_os_str().as_bytes();
                    read.target = Some(String::from_utf8_lossy(target).into_owned());
                    visit(read, None)?;
                }
                _ => visit(read, None)?,
            }
        }
    }
}

fn kind<T>(inner: &InnerNode<T>) -> &'static str {
    match inner {
        InnerNode::File(_) => "file",
        InnerNode::Symlink(_) => "symbolic link",
        InnerNode::Dir(_) => "directory",
        InnerNode::CharacterDevice(_) => "character device",
        InnerNode::BlockDevice(_) => "block device",
        InnerNode::NamedPipe => "named pipe",
        InnerNode::Socket => "socket",
    }
}
