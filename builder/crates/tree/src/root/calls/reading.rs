//! Scripts with the files that they read in, each read once.

use std::collections::{BTreeMap, BTreeSet};

use wifibox_ground::content::ReadBack;
use wifibox_ground::path::GuestPath;
use wifibox_script::calls::{Calls, Source};

use super::interpreter::Interpreter;
use super::is_own;
use crate::{Kind, Tree};

/// Larger files are no scripts.
const SIZE_LIMIT: u64 = 1 << 20;

/// Reads scripts of a tree.
pub(super) struct Reader<'a> {
    tree: &'a Tree,
    read: BTreeMap<GuestPath, Result<Calls, String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        Reader { tree, read: BTreeMap::new() }
    }

    /// The interpreter of a file, by its first line; `None` where it is no script.
    pub(super) fn interpreter(&self, path: &GuestPath) -> Result<Option<Interpreter>, ReadBack> {
        Ok(self.text(path)?.and_then(|text| Interpreter::of(&text)))
    }

    fn text(&self, path: &GuestPath) -> Result<Option<Vec<u8>>, ReadBack> {
        match self.tree.get(path).map(|node| &node.kind) {
            Some(Kind::File(content)) if content.len() <= SIZE_LIMIT => {
                content.read().map(Some).map_err(ReadBack::of(path.to_string()))
            }
            _ => Ok(None),
        }
    }

    /// A script and all files that are read in with it, as far as they can be read.
    pub(super) fn closure(
        &mut self,
        path: &GuestPath,
        interpreter: &Interpreter,
    ) -> Result<Vec<(GuestPath, &Calls)>, ReadBack> {
        let mut found = BTreeSet::from([path.clone()]);
        let mut open = vec![path.clone()];
        open.extend(interpreter.frame.iter().filter_map(|path| self.real(path)));
        found.extend(open.iter().cloned());
        while let Some(path) = open.pop() {
            for source in self.read(&path)? {
                if let Some(real) = self.real(&source)
                    && found.insert(real.clone())
                {
                    open.push(real);
                }
            }
        }
        let read: &Self = self;
        let known = |path: GuestPath| Some((path.clone(), read.calls(&path)?));
        Ok(found.into_iter().filter_map(known).collect())
    }

    /// Reads a file, if that was not done before; the files that it reads in itself.
    fn read(&mut self, path: &GuestPath) -> Result<Vec<String>, ReadBack> {
        if !self.read.contains_key(path) {
            let Some(text) = self.text(path)? else { return Ok(Vec::new()) };
            let mut calls = Calls::of(&String::from_utf8_lossy(&text)).map_err(|e| e.to_string());
            if let Ok(calls) = &mut calls {
                let unknown =
                    |source: &Source| !source.certain && self.real(&source.path).is_none();
                calls.open |= calls.sources.iter().any(unknown);
                // The frames of init systems read in the scripts themselves.
                calls.open &= is_own(self.tree, path);
            }
            self.read.insert(path.clone(), calls);
        }
        let sources = self.calls(path).map(|calls| &calls.sources);
        Ok(sources.into_iter().flatten().map(|source| source.path.clone()).collect())
    }

    fn real(&self, path: &str) -> Option<GuestPath> {
        let path = GuestPath::new(path.strip_prefix('/')?).ok()?;
        self.tree.lookup(&path).map(|(real, _)| real)
    }

    /// The calls of a file that was read.
    pub(super) fn calls(&self, path: &GuestPath) -> Option<&Calls> {
        self.read.get(path)?.as_ref().ok()
    }

    /// Own files that are no scripts of a kind that is known here.
    pub(super) fn unreadable(&self) -> Vec<(GuestPath, String)> {
        let own = self.read.iter().filter(|(path, _)| is_own(self.tree, path));
        let bad =
            own.filter_map(|(path, calls)| Some((path.clone(), calls.as_ref().err()?.clone())));
        bad.collect()
    }
}
