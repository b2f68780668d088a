//! The tree itself: nodes by path, and the walk through links.

use std::collections::BTreeMap;
use std::fmt;

use wifibox_ground::content::Content;

use wifibox_ground::path::{GuestPath, PathError};

/// Links followed on the way to one path, as in Linux (`MAXSYMLINKS`).
const LINK_LIMIT: usize = 40;

/// Permissions, owner, time and extended attributes of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// Permission bits with setuid, setgid and sticky: `0o7777` at most, never file-type bits.
    pub mode: u16,
    /// Numeric owner, in the guest's own accounts.
    pub uid: u32,
    /// Numeric group, in the guest's own accounts.
    pub gid: u32,
    /// Modification time in seconds since 1970-01-01 UTC.
    pub mtime: u32,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Meta {
    /// Root's, with these permission bits, at time 0.
    pub fn with_mode(mode: u16) -> Self {
        Meta { mode: mode & 0o7777, ..Meta::default() }
    }
}

/// The type of a node, with the data of that type.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Content),
    /// A symbolic link: its target, as written.
    Symlink(Vec<u8>),
    /// A character device: major and minor number.
    CharDevice(u32, u32),
    /// A block device: major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
}

impl Kind {
    /// The kind in words, for errors.
    pub fn describe(&self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::File(_) => "file",
            Kind::Symlink(_) => "symbolic link",
            Kind::CharDevice(..) => "character device",
            Kind::BlockDevice(..) => "block device",
            Kind::Fifo => "named pipe",
        }
    }
}

/// Who put a node where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A package, by name.
    Package(String),
    /// An overlay folder or a rule of a recipe, by name.
    Recipe(String),
    /// The builder itself: depmod indexes, the build id.
    Builder,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Package(name) => write!(f, "package {name}"),
            Origin::Recipe(name) => write!(f, "recipe {name}"),
            Origin::Builder => f.write_str("the builder"),
        }
    }
}

/// One file, directory, link or device of the guest.
#[derive(Debug, Clone)]
pub struct Node {
    /// Permissions, owner, time.
    pub meta: Meta,
    /// Its type.
    pub kind: Kind,
    /// Who put it there.
    pub origin: Origin,
}

/// Why a node cannot be put where it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Two owners of one path.
    #[error("{path} is a {old_kind} of {old}, and {new} wants a {new_kind} there")]
    Clash {
        /// The path that both want.
        path: GuestPath,
        /// The type of the node that is there.
        old_kind: &'static str,
        /// Who put it there.
        old: Origin,
        /// The type of the node that was to come.
        new_kind: &'static str,
        /// Who wanted to put it there.
        new: Origin,
    },
    /// A component on the way is neither a directory nor a link to one.
    #[error("{path}: {blocker} is a {kind}, not a directory")]
    NotADirectory {
        /// The path that was asked for.
        path: GuestPath,
        /// The component in the way.
        blocker: GuestPath,
        /// The type of the node there.
        kind: &'static str,
    },
    /// Links lead in a circle, or climb out of the root.
    #[error("{path}: the links on the way go round in a circle or lead out of the guest")]
    BadLink {
        /// The path that was asked for.
        path: GuestPath,
    },
    /// A malformed path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Nothing is there.
    #[error("{0} does not exist in the guest")]
    Missing(GuestPath),
}

/// The guest's root file system. Every node's parent is a directory of the tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<GuestPath, Node>,
}

impl Tree {
    /// An empty tree: only a root directory of mode 0755.
    pub fn new() -> Self {
        let root =
            Node { meta: Meta::with_mode(0o755), kind: Kind::Directory, origin: Origin::Builder };
        Tree { nodes: BTreeMap::from([(GuestPath::root(), root)]) }
    }

    /// The node at exactly this path; links are not followed.
    pub fn get(&self, path: &GuestPath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// The node at exactly this path, to change; links are not followed.
    pub fn get_mut(&mut self, path: &GuestPath) -> Option<&mut Node> {
        self.nodes.get_mut(path)
    }

    /// All nodes in path order, parents first; the root comes first.
    pub fn iter(&self) -> impl Iterator<Item = (&GuestPath, &Node)> {
        self.nodes.iter()
    }

    /// How many nodes there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing but the root is there.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// The nodes below `path`, itself included, in path order.
    pub fn below<'a>(
        &'a self,
        path: &'a GuestPath,
    ) -> impl Iterator<Item = (&'a GuestPath, &'a Node)> {
        self.nodes.range(path..).take_while(move |(candidate, _)| candidate.starts_with(path))
    }

    /// Where `path` really is: every link on the way, and the last one too when `follow_last`, is
    /// followed. What does not exist stays as written.
    ///
    /// # Errors
    /// [`TreeError::BadLink`] for a circle or a link that leads out, [`TreeError::NotADirectory`].
    pub fn resolve(&self, path: &GuestPath, follow_last: bool) -> Result<GuestPath, TreeError> {
        if self.is_real(path, follow_last) {
            return Ok(path.clone());
        }
        self.walk(path, GuestPath::root(), path.as_bytes(), follow_last)
    }

    /// Whether no link is on the way to `path`, as far as that can be told without going it: only
    /// real directories have nodes below them.
    fn is_real(&self, path: &GuestPath, follow_last: bool) -> bool {
        match self.nodes.get(path).map(|node| &node.kind) {
            Some(Kind::Symlink(_)) => !follow_last,
            Some(_) => true,
            None => {
                let parent = path.parent().and_then(|parent| self.nodes.get(&parent));
                parent.is_some_and(|parent| matches!(parent.kind, Kind::Directory))
            }
        }
    }

    /// Where the link at exactly `link` leads, one step on: links on the way are followed, what is
    /// there is not. `None` where there is no link.
    ///
    /// # Errors
    /// As for [`Tree::resolve`].
    pub fn follow(&self, link: &GuestPath) -> Result<Option<GuestPath>, TreeError> {
        match self.nodes.get(link).map(|node| &node.kind) {
            Some(Kind::Symlink(target)) => {
                let from = link.parent().unwrap_or_default();
                self.walk(link, from, target, false).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Goes from the directory `done` along `way`; `path` is what errors name.
    pub(crate) fn walk(
        &self,
        path: &GuestPath,
        mut done: GuestPath,
        way: &[u8],
        follow_last: bool,
    ) -> Result<GuestPath, TreeError> {
        let bad = || TreeError::BadLink { path: path.clone() };
        let parts = |way: &[u8]| -> Vec<Vec<u8>> {
            let parts = way.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".");
            parts.map(<[u8]>::to_vec).rev().collect()
        };
        if way.first() == Some(&b'/') {
            done = GuestPath::root();
        }
        let mut rest = parts(way);
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            if part == b".." {
                done = done.parent().ok_or_else(bad)?;
                continue;
            }
            let next = done.join(&part)?;
            match self.nodes.get(&next).map(|node| &node.kind) {
                Some(Kind::Symlink(target)) if follow_last || !rest.is_empty() => {
                    followed += 1;
                    if followed > LINK_LIMIT {
                        return Err(bad());
                    }
                    if target.first() == Some(&b'/') {
                        done = GuestPath::root();
                    }
                    rest.extend(parts(target));
                }
                Some(Kind::Directory | Kind::Symlink(_)) | None => done = next,
                Some(_) if rest.is_empty() => done = next,
                Some(other) => {
                    let kind = other.describe();
                    return Err(TreeError::NotADirectory {
                        path: path.clone(),
                        blocker: next,
                        kind,
                    });
                }
            }
        }
        Ok(done)
    }

    /// The node that `path` leads to through any links.
    pub fn lookup(&self, path: &GuestPath) -> Option<(GuestPath, &Node)> {
        let real = self.resolve(path, true).ok()?;
        self.nodes.get(&real).map(|node| (real.clone(), node))
    }

    /// Puts `node` at `path`, following links on the way, and makes missing parent directories.
    /// A directory over a directory (or over a link to one) merges: the newer metadata win unless
    /// the path is reached through a link.
    ///
    /// # Errors
    /// [`TreeError::Clash`] where something else is already; see also [`Tree::resolve`].
    pub fn insert(&mut self, path: &GuestPath, node: Node) -> Result<GuestPath, TreeError> {
        let real = self.resolve(path, false)?;
        if let Some(old) = self.nodes.get(&real) {
            let is_directory = matches!(node.kind, Kind::Directory);
            if is_directory && matches!(old.kind, Kind::Directory) {
                if let Some(slot) = self.nodes.get_mut(&real) {
                    slot.meta = node.meta;
                }
                return Ok(real);
            }
            let leads_to_directory = matches!(old.kind, Kind::Symlink(_))
                && matches!(self.lookup(&real), Some((_, Node { kind: Kind::Directory, .. })));
            if is_directory && leads_to_directory {
                return Ok(real);
            }
            return Err(TreeError::Clash {
                old_kind: old.kind.describe(),
                old: old.origin.clone(),
                new_kind: node.kind.describe(),
                new: node.origin,
                path: real,
            });
        }
        self.make_parents(&real, &node.origin)?;
        self.nodes.insert(real.clone(), node);
        Ok(real)
    }

    /// Like [`Tree::insert`], but takes the place of a file, link or device that is there already.
    ///
    /// # Errors
    /// [`TreeError::Clash`] where a directory stands and something else is to come, or the reverse.
    pub fn replace(&mut self, path: &GuestPath, node: Node) -> Result<GuestPath, TreeError> {
        let real = self.resolve(path, false)?;
        let old_is_directory =
            self.nodes.get(&real).is_some_and(|old| matches!(old.kind, Kind::Directory));
        if !old_is_directory && !matches!(node.kind, Kind::Directory) {
            self.nodes.remove(&real);
        }
        self.insert(path, node)
    }

    /// Makes a directory with its parents; one that exists is left as it is.
    ///
    /// # Errors
    /// As for [`Tree::insert`].
    pub fn make_directory(
        &mut self,
        path: &GuestPath,
        meta: Meta,
        origin: Origin,
    ) -> Result<GuestPath, TreeError> {
        let real = self.resolve(path, true)?;
        if matches!(self.nodes.get(&real), Some(Node { kind: Kind::Directory, .. })) {
            return Ok(real);
        }
        self.insert(&real, Node { meta, kind: Kind::Directory, origin })
    }

    /// Takes away the node at exactly this path and everything below it.
    pub fn remove(&mut self, path: &GuestPath) {
        if path.is_root() {
            return;
        }
        let gone: Vec<GuestPath> = self.below(path).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.nodes.remove(&path);
        }
    }

    fn make_parents(&mut self, path: &GuestPath, origin: &Origin) -> Result<(), TreeError> {
        let mut missing = Vec::new();
        let mut at = path.parent();
        while let Some(parent) = at {
            if self.nodes.contains_key(&parent) {
                break;
            }
            at = parent.parent();
            missing.push(parent);
        }
        for parent in missing.into_iter().rev() {
            let meta = Meta::with_mode(0o755);
            self.nodes.insert(parent, Node { meta, kind: Kind::Directory, origin: origin.clone() });
        }
        Ok(())
    }
}
