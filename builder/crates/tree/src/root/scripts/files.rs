//! The stage as the tree that scripts work on.

use std::io;

use wifibox_script as script;

use super::stage::Stage;
use crate::{Kind, Meta, Node, Origin, TreeError};
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;

/// Files larger than this are not read by scripts.
const READ_LIMIT: u64 = 64 << 20;

fn guest(path: &str) -> io::Result<GuestPath> {
    GuestPath::new(path).map_err(|error| io::Error::other(error.to_string()))
}

fn missing(path: &GuestPath) -> io::Error {
    io::Error::other(TreeError::Missing(path.clone()).to_string())
}

fn refused(error: TreeError) -> io::Error {
    io::Error::other(error.to_string())
}

fn meta(script::Meta { mode, uid, gid }: script::Meta) -> Meta {
    Meta { uid, gid, ..Meta::with_mode(mode) }
}

impl Stage {
    fn touch(&mut self, path: GuestPath) {
        self.unread.remove(&path);
        self.touched.insert(path, self.running.clone());
    }

    fn put(&mut self, path: &str, meta: Meta, kind: Kind) -> io::Result<()> {
        let path = guest(path)?;
        let origin = match self.tree.get(&path) {
            Some(node) => node.origin.clone(),
            None => Origin::Recipe(self.running.script.clone()),
        };
        self.tree.replace(&path, Node { meta, kind, origin }).map_err(refused)?;
        self.touch(path);
        Ok(())
    }

    fn content(&self, path: &GuestPath) -> io::Result<&Content> {
        match self.tree.get(path) {
            Some(_) if self.unread.contains_key(path) => {
                Err(io::Error::other(format!("the content of {path} is too large to be read here")))
            }
            Some(Node { kind: Kind::File(content), .. }) => Ok(content),
            _ => Err(missing(path)),
        }
    }
}

impl script::Files for Stage {
    fn lookup(&self, path: &str) -> Option<script::Entry> {
        let path = guest(path).ok()?;
        let node = self.tree.get(&path)?;
        let kind = match &node.kind {
            Kind::File(content) => {
                let size = self.unread.get(&path).copied();
                script::Kind::File(size.unwrap_or_else(|| content.len()))
            }
            Kind::Directory => script::Kind::Directory,
            Kind::Symlink(target) => {
                script::Kind::Link(String::from_utf8_lossy(target).into_owned())
            }
            Kind::CharDevice(..) | Kind::BlockDevice(..) | Kind::Fifo => script::Kind::Special,
        };
        let Meta { mode, uid, gid, .. } = node.meta;
        Some(script::Entry { kind, meta: script::Meta { mode, uid, gid } })
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let path = guest(path)?;
        let content = self.content(&path)?;
        if content.len() > READ_LIMIT {
            return Err(io::Error::other(format!("{path} is too large to be read here")));
        }
        content.read()
    }

    fn write(&mut self, path: &str, content: Vec<u8>, owner: script::Meta) -> io::Result<()> {
        self.put(path, meta(owner), Kind::File(Content::from_bytes(content)))
    }

    fn make_directory(&mut self, path: &str, owner: script::Meta) -> io::Result<()> {
        self.put(path, meta(owner), Kind::Directory)
    }

    fn make_link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.put(path, Meta::with_mode(0o777), Kind::Symlink(target.as_bytes().to_vec()))
    }

    fn copy(&mut self, from: &str, to: &str, owner: script::Meta) -> io::Result<()> {
        let content = self.content(&guest(from)?)?.clone();
        self.put(to, meta(owner), Kind::File(content))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (guest(from)?, guest(to)?);
        let moved: Vec<(GuestPath, Node)> =
            self.tree.below(&from).map(|(path, node)| (path.clone(), node.clone())).collect();
        if moved.is_empty() {
            return Err(missing(&from));
        }
        self.tree.remove(&from);
        for (path, node) in moved {
            let rest = path.as_bytes().get(from.as_bytes().len()..).unwrap_or_default();
            let joined = [to.as_bytes(), rest].concat();
            let target =
                GuestPath::new(joined).map_err(|error| io::Error::other(error.to_string()))?;
            let size = self.unread.get(&path).copied();
            self.tree.insert(&target, node).map_err(refused)?;
            self.touch(path);
            self.touch(target.clone());
            self.unread.extend(size.map(|size| (target, size)));
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        let path = guest(path)?;
        if self.tree.get(&path).is_none() {
            return Err(missing(&path));
        }
        self.tree.remove(&path);
        self.touch(path);
        Ok(())
    }

    fn set_meta(&mut self, path: &str, owner: script::Meta) -> io::Result<()> {
        let path = guest(path)?;
        let size = self.unread.get(&path).copied();
        let node = self.tree.get_mut(&path).ok_or_else(|| missing(&path))?;
        (node.meta.mode, node.meta.uid, node.meta.gid) =
            (owner.mode & 0o7777, owner.uid, owner.gid);
        self.touch(path.clone());
        self.unread.extend(size.map(|size| (path, size)));
        Ok(())
    }

    fn list(&self, path: &str) -> Vec<String> {
        let Ok(path) = guest(path) else { return Vec::new() };
        let children = self.tree.below(&path).filter(|(below, _)| {
            below.parent().is_some_and(|parent| parent == path) && **below != path
        });
        children
            .filter_map(|(below, _)| std::str::from_utf8(below.name()).ok().map(str::to_owned))
            .collect()
    }
}
