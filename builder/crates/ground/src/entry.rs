//! A member of a package, in the same form for every kind of package.

use std::collections::BTreeMap;
use std::io::Read;

use crate::content::Content;
use crate::path::GuestPath;

/// A file, directory, link or device of a package, while the package is read.
pub struct Entry<'a> {
    /// Where it belongs.
    pub path: GuestPath,
    /// Whether the path, as written, begins with a `.`: apk takes such members for metadata.
    pub dotted: bool,
    /// Permission bits with setuid, setgid and sticky: `0o7777` at most.
    pub mode: u16,
    /// Owner, by the numbers of the machine that built the package.
    pub uid: u32,
    /// Group, by the numbers of the machine that built the package.
    pub gid: u32,
    /// Owner by name; empty when the package does not say.
    pub uname: Vec<u8>,
    /// Group by name; empty when the package does not say.
    pub gname: Vec<u8>,
    /// Modification time in seconds since 1970-01-01 UTC.
    pub mtime: u32,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// apk: the SHA-1 that the package gives of the content, or of a link's target.
    pub checksum: Option<[u8; 20]>,
    /// The content, where it is held already: it need not be read from `kind` then.
    pub held: Option<Content>,
    /// Its type.
    pub kind: EntryKind<'a>,
}

impl<'a> Entry<'a> {
    /// A member of root's, with these permission bits, at time 0, and nothing else known of it.
    pub fn new(path: GuestPath, mode: u16, kind: EntryKind<'a>) -> Self {
        Entry {
            path,
            dotted: false,
            mode,
            uid: 0,
            gid: 0,
            uname: Vec::new(),
            gname: Vec::new(),
            mtime: 0,
            xattrs: BTreeMap::new(),
            checksum: None,
            held: None,
            kind,
        }
    }
}

/// The type of an [`Entry`], with the data of that type.
pub enum EntryKind<'a> {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its bytes: exactly `size`, or an error. They need not be read.
        content: &'a mut dyn Read,
    },
    /// A symbolic link: its target, as written.
    Symlink(Vec<u8>),
    /// Another name of an earlier file of the package.
    HardLink(GuestPath),
    /// A character device: major and minor number.
    CharDevice(u32, u32),
    /// A block device: major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
}

impl EntryKind<'_> {
    /// The kind in words, for errors.
    pub fn describe(&self) -> &'static str {
        match self {
            EntryKind::Directory => "directory",
            EntryKind::File { .. } => "file",
            EntryKind::Symlink(_) => "symbolic link",
            EntryKind::HardLink(_) => "hard link",
            EntryKind::CharDevice(..) => "character device",
            EntryKind::BlockDevice(..) => "block device",
            EntryKind::Fifo => "named pipe",
        }
    }
}
