//! The contents of an image to be written: entries by path, held in memory but for the contents of files.

use std::collections::BTreeMap;
use std::fmt;

use crate::content::Content;
use crate::{Error, ImagePath};

/// Permissions, owner and time of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// Permission bits with setuid, setgid and sticky: `0o7777` at most, without the bits of the kind.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of modification, in seconds since 1970-01-01 UTC.
    pub mtime: u32,
    /// Extended attributes by full name (`security.capability`). They cannot be stored: the writer refuses an entry
    /// that has any, rather than to leave it without a capability or a label.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Meta {
    /// Root's, with these permission bits, at time 0.
    pub fn with_mode(mode: u16) -> Self {
        Meta { mode, ..Meta::default() }
    }
}

/// The type of an entry, with the data of that type.
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Box<dyn Content>),
    /// A symbolic link: its target, as written. The writer takes 1 to 255 bytes.
    Symlink(Vec<u8>),
    /// A character device: major and minor number.
    CharDevice(u32, u32),
    /// A block device: major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl Kind {
    /// A regular file with this content.
    pub fn file(content: impl Content + 'static) -> Self {
        Kind::File(Box::new(content))
    }

    /// The kind in words: `directory`, `file`, `symbolic link`, ...
    pub fn describe(&self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::File(_) => "file",
            Kind::Symlink(_) => "symbolic link",
            Kind::CharDevice(..) => "character device",
            Kind::BlockDevice(..) => "block device",
            Kind::Fifo => "named pipe",
            Kind::Socket => "socket",
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::File(content) => write!(f, "file of {} bytes", content.len()),
            Kind::Symlink(target) => write!(f, "link to {}", target.escape_ascii()),
            Kind::CharDevice(major, minor) => write!(f, "character device {major}:{minor}"),
            Kind::BlockDevice(major, minor) => write!(f, "block device {major}:{minor}"),
            Kind::Directory | Kind::Fifo | Kind::Socket => f.write_str(self.describe()),
        }
    }
}

/// A directory, file, link, device, pipe or socket.
#[derive(Debug)]
pub struct Entry {
    /// Permissions, owner, time.
    pub meta: Meta,
    /// Its type.
    pub kind: Kind,
    /// Which part of the image a file is in: those of a lower layer come first, and no block holds files of two. So a
    /// change in a higher layer leaves the blocks of lower ones as they were, to be taken from a cache. 0 unless
    /// something else is wanted.
    pub layer: u8,
}

impl Entry {
    /// An entry of the lowest layer.
    pub fn new(meta: Meta, kind: Kind) -> Self {
        Entry { meta, kind, layer: 0 }
    }
}

#[derive(Debug)]
enum Slot {
    Entry(Entry),
    /// Another name of the entry at this path.
    Link(ImagePath),
}

/// The entries of an image to be written. Every entry's parent is a directory of the archive.
///
/// ```
/// use wifibox_squashfs::{Archive, Entry, Kind, Meta};
///
/// # fn main() -> Result<(), wifibox_squashfs::Error> {
/// let mut archive = Archive::new();
/// let text = Kind::file("Welcome.\n");
/// archive.insert("etc/motd", Entry::new(Meta::with_mode(0o644), text))?;
/// archive.insert("etc/issue", Entry::new(Meta::with_mode(0o777), Kind::Symlink(b"motd".to_vec())))?;
/// archive.hard_link("etc/issue.net", "etc/motd")?;
/// assert_eq!(archive.len(), 5); // with the root and etc
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Archive {
    slots: BTreeMap<ImagePath, Slot>,
}

impl Default for Archive {
    fn default() -> Self {
        Archive::new()
    }
}

impl Archive {
    /// An archive with nothing but a root directory of mode 0755.
    pub fn new() -> Self {
        let root = Slot::Entry(Entry::new(Meta::with_mode(0o755), Kind::Directory));
        Archive { slots: BTreeMap::from([(ImagePath::default(), root)]) }
    }

    /// Puts `entry` at `path`. Parents that are not there become directories of mode 0755. A directory over a
    /// directory, the root among them, gives it new metadata.
    ///
    /// # Errors
    /// [`Error::Path`]; [`Error::Occupied`] where something else is already; [`Error::NotADirectory`] where a
    /// parent is none, or the root is to become something else.
    pub fn insert(&mut self, path: impl AsRef<[u8]>, entry: Entry) -> Result<(), Error> {
        let path = ImagePath::new(path)?;
        let directory = matches!(entry.kind, Kind::Directory);
        match self.slots.get_mut(&path) {
            Some(Slot::Entry(old)) if directory && matches!(old.kind, Kind::Directory) => {
                old.meta = entry.meta;
                Ok(())
            }
            Some(_) if path.is_root() => Err(Error::NotADirectory { path }),
            Some(_) => Err(Error::Occupied { path }),
            None => {
                self.make_parents(&path)?;
                self.slots.insert(path, Slot::Entry(entry));
                Ok(())
            }
        }
    }

    /// Makes `path` another name of what is at `existing`, which must not be a directory: both are one inode.
    ///
    /// # Errors
    /// As for [`Archive::insert`]; [`Error::LinkToNothing`] where `existing` is not there or a directory.
    pub fn hard_link(
        &mut self,
        path: impl AsRef<[u8]>,
        existing: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        let path = ImagePath::new(path)?;
        let existing = ImagePath::new(existing)?;
        let target = match self.slots.get(&existing) {
            Some(Slot::Link(target)) => target.clone(),
            Some(Slot::Entry(entry)) if !matches!(entry.kind, Kind::Directory) => existing,
            _ => return Err(Error::LinkToNothing { path, existing }),
        };
        if self.slots.contains_key(&path) {
            return Err(Error::Occupied { path });
        }
        self.make_parents(&path)?;
        self.slots.insert(path, Slot::Link(target));
        Ok(())
    }

    /// How many paths there are, the root among them.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing but the root is there.
    pub fn is_empty(&self) -> bool {
        self.slots.len() <= 1
    }

    /// All paths in order, the root first, with what is there; hard links have the entry of their first name.
    pub fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Entry)> {
        self.slots.iter().filter_map(|(path, slot)| match slot {
            Slot::Entry(entry) => Some((path, entry)),
            Slot::Link(target) => match self.slots.get(target) {
                Some(Slot::Entry(entry)) => Some((path, entry)),
                // Links lead to entries, and nothing is ever removed.
                _ => None,
            },
        })
    }

    /// As [`Archive::iter`], with what inodes need to know.
    pub(crate) fn names(&self) -> Vec<Name<'_>> {
        let mut owners: BTreeMap<&ImagePath, Name<'_>> = BTreeMap::new();
        let (mut inode, mut files) = (0, 0);
        for (path, slot) in &self.slots {
            let Slot::Entry(entry) = slot else { continue };
            inode += 1;
            let mut file = None;
            if matches!(entry.kind, Kind::File(_)) {
                file = Some(files);
                files += 1;
            }
            owners.insert(path, Name { path, entry, inode, file, links: 1 });
        }
        for slot in self.slots.values() {
            if let Slot::Link(target) = slot
                && let Some(owner) = owners.get_mut(target)
            {
                owner.links += 1;
            }
        }
        let name = |(path, slot)| match slot {
            &Slot::Entry(_) => owners.get(path).copied(),
            Slot::Link(target) => owners.get(target).map(|owner| Name { path, ..*owner }),
        };
        self.slots.iter().filter_map(name).collect()
    }

    fn make_parents(&mut self, path: &ImagePath) -> Result<(), Error> {
        let mut missing = Vec::new();
        let mut at = path.parent();
        while let Some(parent) = at {
            match self.slots.get(&parent) {
                Some(Slot::Entry(Entry { kind: Kind::Directory, .. })) => break,
                Some(_) => return Err(Error::NotADirectory { path: parent }),
                None => at = parent.parent(),
            }
            missing.push(parent);
        }
        for parent in missing {
            let entry = Entry::new(Meta::with_mode(0o755), Kind::Directory);
            self.slots.insert(parent, Slot::Entry(entry));
        }
        Ok(())
    }
}

/// A path and its inode.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) path: &'a ImagePath,
    pub(crate) entry: &'a Entry,
    /// The number of its inode, from 1 on; names of one inode share it.
    pub(crate) inode: u32,
    /// The number of its file, among all regular files by their first names.
    pub(crate) file: Option<usize>,
    /// How many names the inode has.
    pub(crate) links: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Entry {
        Entry::new(Meta::with_mode(0o644), Kind::file("text"))
    }

    fn directory(mode: u16) -> Entry {
        Entry::new(Meta::with_mode(mode), Kind::Directory)
    }

    #[test]
    fn parents_are_made_and_directories_take_new_metadata() {
        let mut archive = Archive::new();
        archive.insert("a/b/c", file()).expect("inserted");
        archive.insert("a", directory(0o700)).expect("merged");
        archive.insert("/", directory(0o711)).expect("merged");
        let modes: Vec<u16> = archive.iter().map(|(_, entry)| entry.meta.mode).collect();
        assert_eq!(modes, [0o711, 0o700, 0o755, 0o644]);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let mut archive = Archive::new();
        archive.insert("a", file()).expect("inserted");
        let is_path = |error: &Error, text: &str| error.to_string().starts_with(text);
        let error = archive.insert("a/b", file()).expect_err("below a file");
        assert!(matches!(error, Error::NotADirectory { .. }) && is_path(&error, "/a:"), "{error}");
        for entry in [file(), directory(0o755)] {
            assert!(matches!(archive.insert("a", entry), Err(Error::Occupied { .. })));
        }
        assert!(matches!(archive.insert("/", file()), Err(Error::NotADirectory { .. })));
        for existing in ["none", "/"] {
            let error = archive.hard_link("b", existing).expect_err("no file");
            assert!(matches!(error, Error::LinkToNothing { .. }), "{error}");
        }
        assert!(matches!(archive.hard_link("a", "a"), Err(Error::Occupied { .. })));
        assert_eq!(archive.len(), 2);
    }

    #[test]
    fn names_of_one_file_share_its_inode() {
        let mut archive = Archive::new();
        archive.insert("m", file()).expect("inserted");
        archive.insert("n", file()).expect("inserted");
        archive.hard_link("a", "m").expect("linked");
        archive.hard_link("z", "a").expect("linked");
        let names = archive.names();
        let found: Vec<_> = names.iter().map(|name| (name.inode, name.file, name.links)).collect();
        let owner = (2, Some(0), 3);
        assert_eq!(found, [(1, None, 1), owner, owner, (3, Some(1), 1), owner]);
    }
}
