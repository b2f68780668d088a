//! A file tree in a map: for tests, examples and trials of scripts.

use std::collections::BTreeMap;
use std::io;

use crate::files::{Entry, Files, Kind, Meta};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(Vec<u8>),
    Directory,
    Link(String),
    Special,
}

/// Files in memory, by absolute path. A new one holds nothing but the root directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryFiles {
    nodes: BTreeMap<String, (Node, Meta)>,
}

impl Default for MemoryFiles {
    fn default() -> Self {
        let root = (Node::Directory, Meta::with_mode(0o755));
        MemoryFiles { nodes: BTreeMap::from([("/".to_owned(), root)]) }
    }
}

impl MemoryFiles {
    /// Only the root directory.
    pub fn new() -> Self {
        MemoryFiles::default()
    }

    /// Adds a file with the directories above it.
    #[must_use]
    pub fn with_file(mut self, path: &str, content: &str, mode: u16) -> Self {
        self.put(path, Node::File(content.as_bytes().to_vec()), Meta::with_mode(mode));
        self
    }

    /// Adds a directory with those above it.
    #[must_use]
    pub fn with_directory(mut self, path: &str) -> Self {
        self.put(path, Node::Directory, Meta::with_mode(0o755));
        self
    }

    /// Adds a symbolic link with the directories above it.
    #[must_use]
    pub fn with_link(mut self, path: &str, target: &str) -> Self {
        self.put(path, Node::Link(target.to_owned()), Meta::with_mode(0o777));
        self
    }

    /// Adds an entry without content, of any kind, with the directories above it: a file is empty.
    pub fn insert(&mut self, path: &str, entry: Entry) {
        let node = match entry.kind {
            Kind::File(_) => Node::File(Vec::new()),
            Kind::Directory => Node::Directory,
            Kind::Link(target) => Node::Link(target),
            Kind::Special => Node::Special,
        };
        self.put(path, node, entry.meta);
    }

    /// All paths with what is there, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Entry)> {
        self.nodes.iter().map(|(path, (node, meta))| (path.as_str(), entry(node, *meta)))
    }

    /// The text of the file at exactly `path`.
    pub fn text(&self, path: &str) -> Option<String> {
        match self.nodes.get(path) {
            Some((Node::File(content), _)) => Some(String::from_utf8_lossy(content).into_owned()),
            _ => None,
        }
    }

    fn put(&mut self, path: &str, node: Node, meta: Meta) {
        for (at, _) in path.match_indices('/').skip(1) {
            let parent = path[..at].to_owned();
            self.nodes.entry(parent).or_insert((Node::Directory, Meta::with_mode(0o755)));
        }
        self.nodes.insert(path.to_owned(), (node, meta));
    }

    fn below(&self, path: &str) -> Vec<String> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let range = self.nodes.range(prefix.clone()..);
        let below = range.map(|(path, _)| path).take_while(|path| path.starts_with(&prefix));
        below.filter(|path| *path != "/").cloned().collect()
    }
}

fn entry(node: &Node, meta: Meta) -> Entry {
    let kind = match node {
        Node::File(content) => Kind::File(content.len() as u64),
        Node::Directory => Kind::Directory,
        Node::Link(target) => Kind::Link(target.clone()),
        Node::Special => Kind::Special,
    };
    Entry { kind, meta }
}

fn missing(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{path}: no such file"))
}

impl Files for MemoryFiles {
    fn lookup(&self, path: &str) -> Option<Entry> {
        self.nodes.get(path).map(|(node, meta)| entry(node, *meta))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.nodes.get(path) {
            Some((Node::File(content), _)) => Ok(content.clone()),
            _ => Err(missing(path)),
        }
    }

    fn write(&mut self, path: &str, content: Vec<u8>, meta: Meta) -> io::Result<()> {
        self.nodes.insert(path.to_owned(), (Node::File(content), meta));
        Ok(())
    }

    fn make_directory(&mut self, path: &str, meta: Meta) -> io::Result<()> {
        self.nodes.insert(path.to_owned(), (Node::Directory, meta));
        Ok(())
    }

    fn make_link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let node = Node::Link(target.to_owned());
        self.nodes.insert(path.to_owned(), (node, Meta::with_mode(0o777)));
        Ok(())
    }

    fn copy(&mut self, from: &str, to: &str, meta: Meta) -> io::Result<()> {
        let (node, _) = self.nodes.get(from).ok_or_else(|| missing(from))?;
        self.nodes.insert(to.to_owned(), (node.clone(), meta));
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let node = self.nodes.remove(from).ok_or_else(|| missing(from))?;
        self.nodes.insert(to.to_owned(), node);
        for path in self.below(from) {
            if let Some(node) = self.nodes.remove(&path) {
                self.nodes.insert(format!("{to}{}", &path[from.len()..]), node);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.nodes.remove(path).map(drop).ok_or_else(|| missing(path))
    }

    fn set_meta(&mut self, path: &str, meta: Meta) -> io::Result<()> {
        let slot = self.nodes.get_mut(path).ok_or_else(|| missing(path))?;
        slot.1 = meta;
        Ok(())
    }

    fn list(&self, path: &str) -> Vec<String> {
        let prefix = if path == "/" { "/".to_owned() } else { format!("{path}/") };
        let mut names = Vec::new();
        let mut from = prefix.clone();
        while let Some(below) = self.nodes.range(from.clone()..).next().map(|(path, _)| path) {
            let Some(rest) = below.strip_prefix(&prefix) else { break };
            match rest.find('/') {
                // Nothing else in this directory matters: `0` comes after `/`.
                Some(end) => from = format!("{prefix}{}0", &rest[..end]),
                None => {
                    names.extend((!rest.is_empty()).then(|| rest.to_owned()));
                    from = format!("{below}\0");
                }
            }
        }
        names
    }
}
