//! The file tree that scripts work on, as a trait: this crate depends on no tree of its own.

use std::io;

/// Permissions, owner and time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

impl Meta {
    /// Metadata of a file owned by root, with these permission bits.
    pub fn with_mode(mode: u16) -> Self {
        Meta { mode, uid: 0, gid: 0 }
    }
}

/// The type of a tree entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, with its size in bytes.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link: its target, as written.
    Link(String),
    /// A device, a pipe or a socket.
    Special,
}

/// An entry of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The type of the entry.
    pub kind: Kind,
    /// Permissions and owner.
    pub meta: Meta,
}

/// The guest's files, in memory.
///
/// Paths are absolute, without `.`, `..`, double or trailing slashes (`/` is the root), and no link is
/// on the way: the evaluator follows links itself, with [`Files::lookup`]. The parent of what it makes
/// is there. A name that is no UTF-8 cannot be named by a script and need not be listed.
pub trait Files {
    /// The entry at `path` itself: a link is not followed.
    fn lookup(&self, path: &str) -> Option<Entry>;

    /// The content of the file at `path`.
    ///
    /// # Errors
    /// The tree's own error when the file cannot be read.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Makes a file, or replaces the content and metadata of one.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn write(&mut self, path: &str, content: Vec<u8>, meta: Meta) -> io::Result<()>;

    /// Makes a directory where nothing exists yet.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn make_directory(&mut self, path: &str, meta: Meta) -> io::Result<()>;

    /// Makes a symbolic link where nothing exists yet.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn make_link(&mut self, path: &str, target: &str) -> io::Result<()>;

    /// Copies the file at `from` to `to`, with this metadata, replacing any file there.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn copy(&mut self, from: &str, to: &str, meta: Meta) -> io::Result<()>;

    /// Moves the entry at `from`, with everything below it, to `to`, where nothing exists yet.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the entry at `path`; a directory must be empty.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn remove(&mut self, path: &str) -> io::Result<()>;

    /// Changes permissions and owner of a file or directory.
    ///
    /// # Errors
    /// As for [`Files::read`].
    fn set_meta(&mut self, path: &str, meta: Meta) -> io::Result<()>;

    /// The names in the directory at `path`, sorted by bytes.
    fn list(&self, path: &str) -> Vec<String>;
}
