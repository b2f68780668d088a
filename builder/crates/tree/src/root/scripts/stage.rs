//! The root that scripts see: all files of the packages, also those that stay out of the guest, as a
//! package manager would unpack them on a fresh root.
//!
//! Changes that scripts make are recorded, and carried over to the guest afterwards (`super::carry`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_ground::content::Content;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

/// The files of accounts: scripts change those of the guest, whatever packages bring.
pub(crate) const ACCOUNTS: [&str; 3] = ["etc/passwd", "etc/group", "etc/shadow"];
/// Larger files are kept without their content, unless a cache holds it.
const SIZE_LIMIT: u64 = 1 << 20;
/// Directories that exist before the first package is unpacked.
const DIRECTORIES: [&str; 6] = ["dev", "etc", "proc", "sys", "tmp", "var"];

/// A root under construction.
#[derive(Debug)]
pub struct Stage {
    pub(super) tree: Tree,
    /// The sizes of files whose content is not here.
    pub(super) unread: BTreeMap<GuestPath, u64>,
    /// The paths that scripts changed, each with the last script to do so.
    pub(super) touched: BTreeMap<GuestPath, Touch>,
    /// The script that runs.
    pub(super) running: Touch,
}

/// Who changed a path last: the place of the package, and the script's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touch {
    /// The package's place among the guest's packages.
    pub package: usize,
    /// The script, in words: `postinst of radvd`.
    pub script: String,
}

impl Stage {
    /// A root with the directories that exist before the first package is unpacked.
    pub fn new() -> Self {
        let mut stage = Stage {
            tree: Tree::new(),
            unread: BTreeMap::new(),
            touched: BTreeMap::new(),
            running: Touch::default(),
        };
        for directory in DIRECTORIES {
            stage.seed(directory, Kind::Directory, 0o755, Origin::Builder);
        }
        stage
    }

    /// Adds an entry before the first package is unpacked; one that cannot be added is skipped.
    pub fn seed(&mut self, path: &str, kind: Kind, mode: u16, origin: Origin) {
        if let Ok(path) = GuestPath::new(path) {
            let _ = self.tree.replace(&path, Node { meta: Meta::with_mode(mode), kind, origin });
        }
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<String> {
        let path = GuestPath::new(path).ok()?;
        match self.tree.lookup(&path)? {
            (_, Node { kind: Kind::File(content), .. }) => {
                Some(String::from_utf8_lossy(&content.read().ok()?).into_owned())
            }
            _ => None,
        }
    }

    /// Unpacks one member of a package. Where the guest's own tree would find a clash, the later
    /// package has its way here: whether it may is decided there.
    ///
    /// # Errors
    /// The member cannot be read.
    pub fn unpack(&mut self, package: &str, entry: Entry<'_>) -> io::Result<()> {
        let path = entry.path;
        if path.is_root() || path.as_str().is_some_and(|path| ACCOUNTS.contains(&path)) {
            return Ok(());
        }
        let is_directory = matches!(entry.kind, EntryKind::Directory);
        let Ok(real) = self.tree.resolve(&path, is_directory) else { return Ok(()) };
        if is_recipes(&self.tree, &real) {
            return Ok(());
        }
        let uid = self.owner("etc/passwd", &entry.uname, entry.uid);
        let gid = self.owner("etc/group", &entry.gname, entry.gid);
        let meta = Meta { mode: entry.mode, uid, gid, mtime: entry.mtime, xattrs: entry.xattrs };
        let mut unread = None;
        let kind = match entry.kind {
            EntryKind::Directory => Kind::Directory,
            EntryKind::File { size, content } => Kind::File(match entry.held {
                Some(held) => held,
                None if size > SIZE_LIMIT => {
                    unread = Some(size);
                    Content::from_bytes([])
                }
                None => {
                    let mut bytes = Vec::new();
                    content.take(SIZE_LIMIT).read_to_end(&mut bytes)?;
                    Content::from_bytes(bytes)
                }
            }),
            EntryKind::Symlink(target) => Kind::Symlink(target),
            EntryKind::HardLink(target) => match self.tree.lookup(&target) {
                Some((target, Node { kind: Kind::File(content), .. })) => {
                    unread = self.unread.get(&target).copied();
                    Kind::File(content.clone())
                }
                _ => return Ok(()),
            },
            EntryKind::CharDevice(major, minor) => Kind::CharDevice(major, minor),
            EntryKind::BlockDevice(major, minor) => Kind::BlockDevice(major, minor),
            EntryKind::Fifo => Kind::Fifo,
        };
        let node = Node { meta, kind, origin: Origin::Package(package.to_owned()) };
        if self.tree.replace(&real, node).is_ok() {
            self.unread.remove(&real);
            self.unread.extend(unread.map(|size| (real, size)));
        }
        Ok(())
    }

    /// The number of a name in a file of accounts as it is now; the archive's own where it has none.
    fn owner(&self, file: &str, name: &[u8], number: u32) -> u32 {
        if name.is_empty() || name == b"root" {
            return number;
        }
        let name = String::from_utf8_lossy(name);
        let text = self.text(file).unwrap_or_default();
        let line = text.lines().find(|line| line.split(':').next() == Some(&name));
        let id = line.and_then(|line| line.split(':').nth(2)?.parse().ok());
        id.unwrap_or(number)
    }

    /// The directories that any of `patterns` matches, as apk gives them to a trigger.
    pub fn directories(&self, patterns: &[String]) -> Vec<String> {
        let globs = patterns.iter().filter_map(|pattern| {
            let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
            glob.ok().map(|glob| glob.compile_matcher())
        });
        let globs: Vec<_> = globs.collect();
        let directories = self.tree.iter().filter(|(_, node)| matches!(node.kind, Kind::Directory));
        let names: BTreeSet<String> = directories.map(|(path, _)| absolute(path)).collect();
        names.into_iter().filter(|path| globs.iter().any(|glob| glob.is_match(path))).collect()
    }

    /// The files of accounts, where a script changed one.
    pub fn accounts(&self) -> Option<[String; 3]> {
        let changed =
            |path: &&str| GuestPath::new(path).is_ok_and(|path| self.touched.contains_key(&path));
        ACCOUNTS
            .iter()
            .any(changed)
            .then(|| ACCOUNTS.map(|path| self.text(path).unwrap_or_default()))
    }
}

/// Whether the recipe put it there, which takes precedence.
pub(crate) fn is_recipes(tree: &Tree, path: &GuestPath) -> bool {
    let node = tree.get(path);
    node.is_some_and(|node| {
        matches!(node.origin, Origin::Recipe(_)) && !matches!(node.kind, Kind::Directory)
    })
}

/// A path as scripts write it.
pub fn absolute(path: &GuestPath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}
