//! Package content into the tree: what comes in, who owns it, who wins where two packages meet.
//!
//! The members of a package stream past once, into the tree, their bytes into the spool. Owners are names, looked up in the guest's own
//! accounts: numbers in an archive are another system's.

use std::collections::BTreeMap;

use super::accounts::{AccountError, Accounts};
use super::{Kind, Meta, Node, Origin, Tree, TreeError};
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

/// The largest file that a package may hold, in bytes.
const FILE_LIMIT: u64 = 512 << 20;

/// Why a package's content cannot be unpacked into the tree.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The member cannot be put into the tree.
    #[error("package {package}: {source}")]
    Tree {
        /// The package's name.
        package: String,
        /// Why.
        source: TreeError,
    },
    /// The member's owner is not one of the guest's accounts.
    #[error("package {package}: {path} belongs to somebody unknown: {source}")]
    Owner {
        /// The package's name.
        package: String,
        /// The member.
        path: GuestPath,
        /// Who.
        source: AccountError,
    },
    /// The member's bytes cannot be spooled.
    #[error("package {package}: {path} cannot be taken in: {source}")]
    Spool {
        /// The package's name.
        package: String,
        /// The member.
        path: GuestPath,
        /// The underlying I/O error.
        source: std::io::Error,
    },
    /// A hard link to a file that the package did not bring before.
    #[error(
        "package {package}: {path} is a hard link to {target}, which the package does not hold"
    )]
    DanglingHardLink {
        /// The package's name.
        package: String,
        /// The link.
        path: GuestPath,
        /// The path that it names.
        target: GuestPath,
    },
}

/// Whose files a package may take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replaces {
    /// Names of packages.
    pub names: Vec<String>,
    /// Of two packages that replace each other the one with the higher priority wins (apk); at equal
    /// priorities the later one.
    pub priority: u32,
    /// Names of packages that overlap with it by right, because they were built together (apk): of
    /// these the later one wins.
    pub same_origin: Vec<String>,
}

/// Takes the content of one package after another into a tree.
#[derive(Debug)]
pub struct Unpacker<'a> {
    tree: &'a mut Tree,
    spool: &'a Spool,
    accounts: &'a Accounts,
    replaces: &'a BTreeMap<String, Replaces>,
    /// Directories that packages brought, until [`Unpacker::finish`].
    directories: Vec<Directory>,
    /// Whether those come too in which nothing is left.
    keep_empty: bool,
    /// The package that brings the accounts themselves.
    numeric: Option<String>,
}

/// A directory that a package brought, with the owner's names as written.
#[derive(Debug, Clone)]
struct Directory {
    package: String,
    path: GuestPath,
    mode: u16,
    mtime: u32,
    user: (String, u32),
    group: (String, u32),
}

impl<'a> Unpacker<'a> {
    /// An unpacker into `tree`; file bytes go to `spool`, owners are looked up in `accounts`, and
    /// `replaces` says which packages each package may take files from (`Replaces`).
    pub fn new(
        tree: &'a mut Tree,
        spool: &'a Spool,
        accounts: &'a Accounts,
        replaces: &'a BTreeMap<String, Replaces>,
    ) -> Self {
        let directories = Vec::new();
        Unpacker { tree, spool, accounts, replaces, directories, keep_empty: false, numeric: None }
    }

    /// Directories come in although nothing is in them: package managers leave them, too.
    pub fn keep_empty_directories(mut self, keep: bool) -> Self {
        self.keep_empty = keep;
        self
    }

    /// Owners in `package` are the numbers in its archive: apk looks names up in the root as it was
    /// before, and this is the package that brings etc/passwd and etc/group.
    pub(crate) fn owners_by_number(mut self, package: Option<String>) -> Self {
        self.numeric = package;
        self
    }

    /// Takes one member of `package` in.
    ///
    /// # Errors
    /// [`UnpackError`].
    pub fn take(&mut self, package: &str, entry: Entry<'_>) -> Result<(), UnpackError> {
        let path = entry.path;
        if path.is_root() {
            return Ok(());
        }
        let name = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (user, group) = ((name(entry.uname), entry.uid), (name(entry.gname), entry.gid));
        if matches!(entry.kind, EntryKind::Directory) {
            let (package, mode, mtime) = (package.to_owned(), entry.mode, entry.mtime);
            self.directories.push(Directory { package, path, mode, mtime, user, group });
            return Ok(());
        }
        let (uid, gid) = self.owner(package, &path, &user, &group)?;
        let meta = Meta { mode: entry.mode, uid, gid, mtime: entry.mtime, xattrs: entry.xattrs };
        let kind = match entry.kind {
            EntryKind::Directory => Kind::Directory,
            EntryKind::File { size, .. } if entry.held.is_some() && size <= FILE_LIMIT => {
                Kind::File(entry.held.unwrap_or_else(|| Content::from_bytes([])))
            }
            EntryKind::File { content, .. } => {
                let content = self.spool.store(content, FILE_LIMIT).map_err(|source| {
                    UnpackError::Spool { package: package.to_owned(), path: path.clone(), source }
                })?;
                Kind::File(content)
            }
            EntryKind::Symlink(target) => Kind::Symlink(target),
            EntryKind::HardLink(target) => Kind::File(self.linked(package, &path, &target)?),
            EntryKind::CharDevice(major, minor) => Kind::CharDevice(major, minor),
            EntryKind::BlockDevice(major, minor) => Kind::BlockDevice(major, minor),
            EntryKind::Fifo => Kind::Fifo,
        };
        let node = Node { meta, kind, origin: Origin::Package(package.to_owned()) };
        self.put(package, &path, node)
            .map_err(|source| UnpackError::Tree { package: package.to_owned(), source })
    }

    /// Gives directories that the guest has got the mode and owner of the last package that brought
    /// them. Directories come only with what is in them, so that exclusions leave no empty ones.
    ///
    /// # Errors
    /// [`UnpackError::Owner`].
    pub fn finish(mut self) -> Result<(), UnpackError> {
        for directory in std::mem::take(&mut self.directories) {
            let Directory { package, path, mode, mtime, user, group } = directory;
            let Ok(real) = self.tree.resolve(&path, true) else { continue };
            match self.tree.get(&real) {
                Some(Node { kind: Kind::Directory, .. }) => {}
                // Where a link leads nowhere yet, nothing is made: apk leaves the link alone.
                None if self.keep_empty && !self.is_link(&path) => {
                    let origin = Origin::Package(package.clone());
                    let made = self.tree.make_directory(&real, Meta::with_mode(mode), origin);
                    made.map_err(|source| UnpackError::Tree { package: package.clone(), source })?;
                }
                _ => continue,
            }
            let (uid, gid) = self.owner(&package, &path, &user, &group)?;
            if let Some(node) = self.tree.get_mut(&real) {
                node.meta = Meta { uid, gid, mtime, ..Meta::with_mode(mode) };
            }
        }
        Ok(())
    }

    fn is_link(&self, path: &GuestPath) -> bool {
        let at = self.tree.resolve(path, false).ok();
        let node = at.and_then(|at| self.tree.get(&at));
        matches!(node, Some(Node { kind: Kind::Symlink(_), .. }))
    }

    fn owner(
        &self,
        package: &str,
        path: &GuestPath,
        user: &(String, u32),
        group: &(String, u32),
    ) -> Result<(u32, u32), UnpackError> {
        let id = |(name, number): &(String, u32), find: &dyn Fn(&str) -> _| match (&**name, number)
        {
            ("", 0) => Ok(0),
            (_, number) if self.numeric.as_deref() == Some(package) => Ok(*number),
            ("", number) => find(&number.to_string()),
            (name, _) => find(name),
        };
        let uid = id(user, &|name| self.accounts.uid(name));
        let gid = id(group, &|name| self.accounts.gid(name));
        uid.and_then(|uid| Ok((uid, gid?))).map_err(|source| UnpackError::Owner {
            package: package.to_owned(),
            path: path.clone(),
            source,
        })
    }

    fn linked(
        &self,
        package: &str,
        path: &GuestPath,
        target: &GuestPath,
    ) -> Result<Content, UnpackError> {
        match self.tree.lookup(target) {
            Some((_, Node { kind: Kind::File(content), .. })) => Ok(content.clone()),
            _ => Err(UnpackError::DanglingHardLink {
                package: package.to_owned(),
                path: path.clone(),
                target: target.clone(),
            }),
        }
    }

    /// Puts a node; one that the recipe put there before stays. A file goes to the package that replaces the other,
    /// either way round (Debian Policy 7.6; apk's `apk_pkg_replaces_file`).
    fn put(&mut self, package: &str, path: &GuestPath, node: Node) -> Result<(), TreeError> {
        let priority = |of: &str, other: &str| {
            let replaces = self.replaces.get(of)?;
            replaces.names.iter().any(|name| name == other).then_some(replaces.priority)
        };
        let together = |of: &str, other: &str| {
            let replaces = self.replaces.get(of);
            replaces.is_some_and(|replaces| replaces.same_origin.iter().any(|name| name == other))
        };
        match self.tree.insert(path, node.clone()).map(drop) {
            Err(TreeError::Clash { old: Origin::Recipe(_), .. }) => Ok(()),
            Err(TreeError::Clash {
                old: Origin::Package(old),
                new,
                path: at,
                old_kind,
                new_kind,
            }) => match (priority(&old, package), priority(package, &old)) {
                (None, None) if !together(package, &old) => {
                    let old = Origin::Package(old);
                    Err(TreeError::Clash { old, new, path: at, old_kind, new_kind })
                }
                (kept, taken) if kept > taken => Ok(()),
                _ => self.tree.replace(path, node).map(drop),
            },
            other => other,
        }
    }
}
