//! A member of an unpacked package.

use std::collections::BTreeMap;

use wifibox_ground::digests::Digests;
use wifibox_ground::path::GuestPath;

/// A member of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it belongs.
    pub path: GuestPath,
    /// As in [`wifibox_ground::entry::Entry::dotted`].
    pub dotted: bool,
    /// Permission bits.
    pub mode: u16,
    /// Owner by number.
    pub uid: u32,
    /// Group by number.
    pub gid: u32,
    /// Owner by name.
    pub uname: Vec<u8>,
    /// Group by name.
    pub gname: Vec<u8>,
    /// Modification time in seconds since 1970-01-01 UTC.
    pub mtime: u32,
    /// Extended attributes by full name.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Its type.
    pub kind: MemberKind,
}

/// The type of a [`Member`], with the data of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Where its bytes begin in the pack.
        offset: u64,
        /// How many there are.
        length: u64,
        /// Their hashes.
        digests: Digests,
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
