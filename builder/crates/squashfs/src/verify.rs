//! Reads a SquashFS image back and compares every node with the archive it was made from.
//!
//! It reads through backhand's reader, which shares no code with the writer, and our own decoders.
//! That finds an image that was damaged on its way to the disk, a block that decompresses to
//! something else, and any disagreement between writer and reader; mounting the image is what tells
//! whether Linux agrees too.
//!
//! [`verify`] decompresses every block. [`verify_written`] need not: each block was decompressed and
//! compared when it was compressed ([`crate::press`]), so what is left is that the image holds those very
//! bytes, and that its inodes say where they are.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read as _, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;

use backhand::{BackhandError, FilesystemReader, InnerNode, Node, SquashfsFileReader};

use crate::archive::Name;
use crate::inode::FileData;
use crate::plan::Fragment;
use crate::watched::{LastError, Watched};
use crate::{Archive, Content, Entry, ImagePath, Kind, Options, Written, bridge, check, digest};

/// How much of fragments the reader may keep decompressed before it starts afresh, in bytes.
const FRAGMENTS_KEPT: u64 = 32 << 20;

/// In a block's length: it is stored without compression.
const STORED: u32 = 1 << 24;

/// The first difference that [`verify`] found, or the reason why it could not compare.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The image cannot be read at all.
    #[error("the image cannot be read back: {0}")]
    Unreadable(String),
    /// The image has another time, block size or number of nodes than it should.
    #[error("the image's {what} is {found}, expected {expected}")]
    Image {
        /// The field that differs.
        what: &'static str,
        /// The expected value.
        expected: u64,
        /// The value in the image.
        found: u64,
    },
    /// The file contents are not those that were written.
    #[error(
        "the image's file contents hash to {found}, what was written to {expected}",
        found = digest::hex(found), expected = digest::hex(expected)
    )]
    Data {
        /// The SHA-256 of the contents that were written.
        expected: [u8; 32],
        /// That of the contents in the image.
        found: [u8; 32],
    },
    /// The image lacks a path, or has another one in its place.
    #[error("expected {expected} in the image, found {found}")]
    Path {
        /// The path that comes next in the archive.
        expected: ImagePath,
        /// The path that comes next in the image.
        found: String,
    },
    /// A node differs from the archive's.
    #[error("{path}: the image has {what} {found}, expected {expected}")]
    Node {
        /// The node.
        path: ImagePath,
        /// The property that differs.
        what: &'static str,
        /// The archive's value.
        expected: String,
        /// The image's value.
        found: String,
    },
    /// A file cannot be read, from the image or from the archive.
    #[error("{path}: cannot read its content from the {from}")]
    Content {
        /// The file.
        path: ImagePath,
        /// Where the reading failed.
        from: &'static str,
        /// The underlying I/O error.
        source: io::Error,
    },
}

/// Compares the image with the archive: paths, kinds, modes, owners, times, link targets, device
/// numbers and contents, and that nothing else is there.
///
/// # Errors
/// [`VerifyError`]: the first difference, or that something cannot be read.
pub fn verify<R: BufRead + Seek + Send>(
    archive: &Archive,
    options: &Options,
    image: &mut R,
) -> Result<(), VerifyError> {
    let mut nodes = archive.iter().enumerate().peekable();
    while nodes.peek().is_some() {
        // The reader keeps every fragment block it met; a new one forgets them.
        image.rewind().map_err(|error| VerifyError::Unreadable(error.to_string()))?;
        let last = LastError::default();
        let mut image = Watched::new(image, &last);
        let reader = open(&mut image).map_err(unreadable(&last))?;
        let block_size = options.block_size.bytes();
        expect("block size", block_size.into(), reader.block_size.into())?;
        expect("time", options.source_date_epoch.into(), reader.mod_time.into())?;
        expect("number of nodes", archive.len() as u64, reader.root.nodes.len() as u64)?;
        let mut kept = BTreeSet::new();
        while kept.len() as u64 * u64::from(block_size) < FRAGMENTS_KEPT {
            let Some((index, (path, entry))) = nodes.next() else { break };
            let Some(found) = reader.root.nodes.get(index) else { break };
            let wanted = Wanted { path, entry, epoch: options.source_date_epoch };
            wanted.compare(found)?;
            if let (Kind::File(content), InnerNode::File(file)) = (&entry.kind, &found.inner) {
                wanted.compare_content(&**content, &reader, file)?;
                kept.insert(file.frag_index());
            }
        }
    }
    Ok(())
}

/// As [`verify`], for an image that was just `written`, and without decompressing contents.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_written<R: BufRead + Seek + Send>(
    archive: &Archive,
    options: &Options,
    written: &Written,
    image: &mut R,
) -> Result<(), VerifyError> {
    let io = |error: io::Error| VerifyError::Unreadable(error.to_string());
    let (begin, end) = written.data;
    image.seek(SeekFrom::Start(begin)).map_err(io)?;
    let sha256 = digest::of_reader(image.by_ref().take(end - begin)).map_err(io)?;
    if sha256 != written.sha256 {
        let (expected, found) = (written.sha256, sha256);
        return Err(VerifyError::Data { expected, found });
    }
    image.rewind().map_err(io)?;
    let last = LastError::default();
    let mut image = Watched::new(image, &last);
    let reader = open(&mut image).map_err(unreadable(&last))?;
    expect("block size", options.block_size.bytes().into(), reader.block_size.into())?;
    expect("time", options.source_date_epoch.into(), reader.mod_time.into())?;
    expect("number of nodes", archive.len() as u64, reader.root.nodes.len() as u64)?;
    let fragments = reader.fragments.iter().flatten();
    let fragments: Vec<(u64, u32)> =
        fragments.map(|at| (at.start, word(at.size.size(), at.size.uncompressed()))).collect();
    if fragments != written.fragments {
        let (expected, found) = (written.fragments.len() as u64, fragments.len() as u64);
        return Err(VerifyError::Image { what: "table of fragments", expected, found });
    }
    for (Name { path, entry, file: number, .. }, found) in
        archive.names().into_iter().zip(&reader.root.nodes)
    {
        let wanted = Wanted { path, entry, epoch: options.source_date_epoch };
        wanted.compare(found)?;
        if let (Kind::File(content), InnerNode::File(file)) = (&entry.kind, &found.inner) {
            wanted.same("length", content.len().to_string(), file.file_len().to_string())?;
            let place = number.and_then(|number| written.files.get(number));
            let place = place.cloned().unwrap_or_default();
            let at = data_of(file);
            if at != place {
                wanted.same("place", format!("{place:?}"), format!("{at:?}"))?;
            }
        }
    }
    Ok(())
}

/// Where the image says that a file is.
fn data_of(file: &SquashfsFileReader) -> FileData {
    let index = u32::try_from(file.frag_index()).ok().filter(|index| *index != u32::MAX);
    let sizes = file.block_sizes().iter();
    FileData {
        start: file.blocks_start(),
        blocks: sizes.map(|size| word(size.size(), size.uncompressed())).collect(),
        sparse: file.sparse(),
        fragment: index.map(|index| Fragment { index, offset: file.block_offset() }),
    }
}

/// A block's length as it is stored: with a flag for those that are not compressed.
fn word(size: u32, uncompressed: bool) -> u32 {
    if uncompressed { size | STORED } else { size }
}

fn open<R: BufRead + Seek + Send>(image: &mut R) -> Result<FilesystemReader<'_>, BackhandError> {
    FilesystemReader::from_reader_with_offset_and_kind(image, 0, bridge::kind())
}

fn unreadable(last: &LastError) -> impl FnOnce(BackhandError) -> VerifyError {
    |error| VerifyError::Unreadable(last.or(&error))
}

fn expect(what: &'static str, expected: u64, found: u64) -> Result<(), VerifyError> {
    if expected == found { Ok(()) } else { Err(VerifyError::Image { what, expected, found }) }
}

/// An entry, as the image should have it.
struct Wanted<'t> {
    path: &'t ImagePath,
    entry: &'t Entry,
    epoch: u32,
}

impl Wanted<'_> {
    fn compare(&self, found: &Node<SquashfsFileReader>) -> Result<(), VerifyError> {
        let at = found.fullpath.as_os_str().as_bytes();
        if at.strip_prefix(b"/") != Some(self.path.as_bytes()) {
            return Err(VerifyError::Path {
                expected: self.path.clone(),
                found: String::from_utf8_lossy(at).into_owned(),
            });
        }
        let meta = &self.entry.meta;
        let mtime = meta.mtime.min(self.epoch);
        let header = &found.header;
        self.same("kind", describe_wanted(&self.entry.kind), describe(&found.inner))?;
        self.same("mode", format!("{:o}", meta.mode), format!("{:o}", header.permissions))?;
        self.same("user", meta.uid.to_string(), header.uid.to_string())?;
        self.same("group", meta.gid.to_string(), header.gid.to_string())?;
        self.same("time", mtime.to_string(), header.mtime.to_string())
    }

    fn compare_content(
        &self,
        content: &dyn Content,
        reader: &FilesystemReader<'_>,
        file: &SquashfsFileReader,
    ) -> Result<(), VerifyError> {
        let failed =
            |from| move |source| VerifyError::Content { path: self.path.clone(), from, source };
        self.same("length", content.len().to_string(), file.file_len().to_string())?;
        let opened = reader.file(file).reader_checked();
        let stored = opened.map_err(|error| failed("image")(error.into()))?;
        let found = digest::of_reader(stored).map_err(failed("image"))?;
        let expected = content.open().and_then(digest::of_reader);
        let expected = expected.map_err(failed("archive"))?;
        self.same("content", digest::hex(&expected), digest::hex(&found))
    }

    fn same(&self, what: &'static str, wanted: String, found: String) -> Result<(), VerifyError> {
        if wanted == found {
            return Ok(());
        }
        Err(VerifyError::Node { path: self.path.clone(), what, expected: wanted, found })
    }
}

/// Kind, and all that a node is beside its metadata and content.
fn describe_wanted(kind: &Kind) -> String {
    let number = |major, minor| check::device_number(major, minor).unwrap_or_default();
    match kind {
        Kind::Symlink(target) => format!("link to {}", target.escape_ascii()),
        Kind::CharDevice(major, minor) => format!("character device {:#x}", number(*major, *minor)),
        Kind::BlockDevice(major, minor) => format!("block device {:#x}", number(*major, *minor)),
        Kind::Directory | Kind::File(_) | Kind::Fifo | Kind::Socket => kind.describe().to_owned(),
    }
}

fn describe(inner: &InnerNode<SquashfsFileReader>) -> String {
    match inner {
        InnerNode::File(_) => "file".to_owned(),
        InnerNode::Dir(_) => "directory".to_owned(),
        InnerNode::NamedPipe => "named pipe".to_owned(),
        InnerNode::Socket => "socket".to_owned(),
        InnerNode::Symlink(link) => {
            format!("link to {}", link.link.as_os_str().as_bytes().escape_ascii())
        }
        InnerNode::CharacterDevice(device) => {
            format!("character device {:#x}", device.device_number)
        }
        InnerNode::BlockDevice(device) => format!("block device {:#x}", device.device_number),
    }
}
