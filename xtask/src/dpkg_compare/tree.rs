//! A root as it is compared: of a folder, or of files in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use wifibox_script::{Entry, Files as _, Kind, MemoryFiles};

use super::contents::content;

/// Not compared: what dpkg keeps for itself, what is there only while a system runs, what indexes and
/// caches are made for (`ldconfig`, Python's compiled files), logs, and the backups and locks of shadow's programs.
const LEFT_OUT: [&str; 16] = [
    "/dev/",
    "/proc/",
    "/run/",
    "/sys/",
    "/tmp/",
    "/etc/.pwd.lock",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/ld.so.cache",
    "/etc/passwd-",
    "/etc/shadow-",
    "/var/cache/",
    "/var/lib/dpkg/",
    "/var/lib/systemd/deb-systemd-",
    "/var/lib/ucf/",
    "/var/log/",
];
/// Compared all the same: what scripts change there by programs of dpkg's.
const KEPT: [&str; 3] =
    ["/var/lib/dpkg/alternatives/", "/var/lib/dpkg/diversions", "/var/lib/dpkg/statoverride"];
/// dpkg keeps its lists in no order.
const DPKG: &str = "/var/lib/dpkg/";
/// Backups of these.
const OLD: &str = "-old";

/// What is at each path, in a form to be compared and printed.
#[derive(Debug, Default)]
pub struct Tree(BTreeMap<String, Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// Type, mode and owner; where a link leads.
    what: String,
    /// A file's content.
    content: Option<Vec<u8>>,
}

impl Tree {
    /// The tree in a folder of the disk.
    ///
    /// # Errors
    /// Something in it cannot be read.
    pub fn of_folder(root: &Path) -> io::Result<Self> {
        let mut tree = Tree::default();
        tree.read(root, root)?;
        Ok(tree)
    }

    fn read(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let data = fs::symlink_metadata(&path)?;
            let Ok(inside) = path.strip_prefix(root) else { continue };
            let inside = format!("/{}", inside.to_string_lossy());
            let meta =
                format!("{:04o} {}:{}", data.permissions().mode() & 0o7777, data.uid(), data.gid());
            if data.is_dir() {
                self.insert(&format!("{inside}/"), &inside, format!("directory {meta}"), None);
                // Left out whole, where nothing in it is compared.
                if is_compared(&format!("{inside}/x")) || inside == "/var/lib/dpkg" {
                    self.read(root, &path)?;
                }
            } else if data.is_symlink() {
                let target = fs::read_link(&path)?;
                let what = format!("link to {}", target.display());
                self.insert(&inside, &inside, what, None);
            } else if data.is_file() {
                if is_compared(&inside) {
                    let content = content(data.len(), || fs::read(&path))?;
                    self.insert(&inside, &inside, format!("file {meta}"), Some(content));
                }
            } else {
                self.insert(&inside, &inside, "special".to_owned(), None);
            }
        }
        Ok(())
    }

    /// The tree in memory.
    ///
    /// # Errors
    /// A file in it cannot be read.
    pub fn of_memory(files: &MemoryFiles) -> io::Result<Self> {
        let mut tree = Tree::default();
        for (path, Entry { kind, meta }) in files.iter().filter(|(path, _)| *path != "/") {
            let owner = format!("{:04o} {}:{}", meta.mode, meta.uid, meta.gid);
            match kind {
                Kind::Directory => {
                    tree.insert(&format!("{path}/"), path, format!("directory {owner}"), None);
                }
                Kind::Link(target) => tree.insert(path, path, format!("link to {target}"), None),
                Kind::File(_) if !is_compared(path) => {}
                Kind::File(_) => {
                    let content = files.read(path)?;
                    tree.insert(path, path, format!("file {owner}"), Some(content));
                }
                Kind::Special => tree.insert(path, path, "special".to_owned(), None),
            }
        }
        Ok(tree)
    }

    fn insert(&mut self, rule: &str, path: &str, what: String, content: Option<Vec<u8>>) {
        if is_compared(rule) {
            let content = content.map(|content| match path.starts_with(DPKG) {
                true => sorted(&content),
                false => content,
            });
            self.0.insert(path.to_owned(), Node { what, content });
        }
    }
}

fn sorted(content: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines.join(&b'\n')
}

fn is_compared(path: &str) -> bool {
    let begins = |prefix: &&str| path.starts_with(*prefix);
    let compiled = path.ends_with(".pyc") || path.contains("/__pycache__/");
    KEPT.iter().any(begins) && !path.ends_with(OLD) || !(compiled || LEFT_OUT.iter().any(begins))
}

/// The differences, a line each: the path first.
pub fn differences(real: &Tree, ours: &Tree) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, node) in &real.0 {
        match ours.0.get(path) {
            None => lines.push(format!("{path}: only dpkg has it ({})", node.what)),
            Some(own) if own.what != node.what => {
                lines.push(format!("{path}: {} with dpkg, {} here", node.what, own.what));
            }
            Some(own) if own.content != node.content => {
                lines.push(format!("{path}: {}", changed_lines(node, own)));
            }
            Some(_) => {}
        }
    }
    let only = ours.0.iter().filter(|(path, _)| !real.0.contains_key(*path));
    lines.extend(only.map(|(path, node)| format!("{path}: dpkg has it not ({})", node.what)));
    lines
}

/// The first line that differs.
fn changed_lines(real: &Node, ours: &Node) -> String {
    let text = |node: &Node| {
        String::from_utf8_lossy(node.content.as_deref().unwrap_or_default()).into_owned()
    };
    let (real, ours) = (text(real), text(ours));
    let first = |one: &str, other: &str| {
        let missing = one.lines().find(|line| !other.lines().any(|known| known == *line));
        let missing: String = missing.unwrap_or_default().chars().take(80).collect();
        missing
    };
    format!("{:?} with dpkg, {:?} here", first(&real, &ours), first(&ours, &real))
}
