//! A root file system as a list of paths: what all forms of trees are read into.

use std::collections::BTreeMap;
use std::fmt;

use wifibox_ground::digest::Sha256;

/// Nodes by path from the root, without a slash in front; the root's own path is empty.
pub type Listing = BTreeMap<Vec<u8>, Node>;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its type.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner and group, by number.
    pub owner: (u32, u32),
    /// Extended attributes, as hexadecimal text; `None` where the form cannot show them.
    pub xattrs: Option<BTreeMap<String, String>>,
}

/// The type of a node, with the data of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// Length in bytes.
        size: u64,
        /// Hash of its content.
        sha256: Sha256,
    },
    /// A symbolic link.
    Link(Vec<u8>),
    /// A character device: major and minor number.
    Character(u32, u32),
    /// A block device: major and minor number.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl Kind {
    /// The type alone.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::File { .. } => "file",
            Kind::Link(_) => "link",
            Kind::Character(..) => "character device",
            Kind::Block(..) => "block device",
            Kind::Fifo => "named pipe",
            Kind::Socket => "socket",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::File { size, sha256 } => write!(f, "{size} bytes, SHA-256 {sha256}"),
            Kind::Link(target) => write!(f, "{}", target.escape_ascii()),
            Kind::Character(major, minor) | Kind::Block(major, minor) => {
                write!(f, "{} {major}:{minor}", self.name())
            }
            _ => f.write_str(self.name()),
        }
    }
}

/// The numbers in a device number of Linux, as SquashFS stores it (`new_encode_dev`).
pub fn device(number: u32) -> (u32, u32) {
    ((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xf_ff00))
}

/// Bytes as hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
