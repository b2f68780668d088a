//! The modules of one crate as a tree, and which module a path means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::facts::{Child, Module};
use super::files::Files;

/// A crate: the first module is its root.
#[derive(Debug)]
pub struct Modules<'a> {
    pub nodes: Vec<Node<'a>>,
    /// Modules that are declared but have no file: where, and the name.
    pub lost: Vec<(PathBuf, usize, String)>,
}

/// A module in its place.
#[derive(Debug)]
pub struct Node<'a> {
    pub name: String,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    pub module: &'a Module,
    /// The file that it is, or stands in.
    pub file: PathBuf,
    /// Only tests have it.
    pub test: bool,
}

impl<'a> Node<'a> {
    fn new(name: &str, module: &'a Module, file: &Path, test: bool) -> Self {
        let (name, file) = (name.to_owned(), file.to_owned());
        Node { name, parent: None, children: BTreeMap::new(), module, file, test }
    }
}

/// Where the files of a module's children are.
struct Place {
    /// Beside which `#[path]` looks.
    path: PathBuf,
    /// Beside which names look.
    names: PathBuf,
}

impl<'a> Modules<'a> {
    /// The crate `name` that begins with `file`.
    pub fn of(name: &str, file: &Path, files: &'a Files) -> Option<Self> {
        let module = &files.get(file)?.facts.module;
        let mut modules = Modules { nodes: Vec::new(), lost: Vec::new() };
        let folder = file.parent()?.to_owned();
        let place = Place { path: folder.clone(), names: folder };
        modules.add(None, Node::new(name, module, file, false), &place, files);
        Some(modules)
    }

    /// Puts a module into the tree, with all that it declares.
    fn add(&mut self, parent: Option<usize>, mut node: Node<'a>, place: &Place, files: &'a Files) {
        let (id, module, test) = (self.nodes.len(), node.module, node.test);
        let file = node.file.clone();
        if let Some(parent) = parent {
            self.nodes[parent].children.insert(node.name.clone(), id);
        }
        node.parent = parent;
        self.nodes.push(node);
        for child in &module.children {
            let test = test || child.test;
            if let Some(inside) = &child.inline {
                let names = place.names.join(&child.name);
                let place = Place { path: names.clone(), names };
                self.add(Some(id), Node::new(&child.name, inside, &file, test), &place, files);
            } else if let Some((path, place)) = find(child, place, files)
                && let Some(source) = files.get(&path)
            {
                if !self.is_within(id, &path) {
                    let node = Node::new(&child.name, &source.facts.module, &path, test);
                    self.add(Some(id), node, &place, files);
                }
            } else {
                self.lost.push((file.clone(), child.line, child.name.clone()));
            }
        }
    }

    /// Whether `file` is the module `id` or one above it: `#[path]` could go round.
    fn is_within(&self, id: usize, file: &Path) -> bool {
        self.ancestors(id).any(|above| self.nodes[above].file == file)
    }

    /// The module and those above it, up to the root.
    pub fn ancestors(&self, id: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(id), |id| self.nodes[*id].parent)
    }

    /// `crate::a::b`, with the crate's name in front.
    pub fn title(&self, id: usize) -> String {
        let mut names: Vec<&str> =
            self.ancestors(id).map(|above| self.nodes[above].name.as_str()).collect();
        names.reverse();
        names.join("::")
    }

    /// The modules that `path` names on its way when written in `from`, and last the one that defines the item;
    /// none where it leads out of the crate. Each comes with the name of the path that it is there for.
    pub fn resolve<'p>(&self, from: usize, path: &'p [String]) -> Vec<(usize, &'p str)> {
        let mut way = Vec::new();
        self.walk(from, path, &mut BTreeSet::new(), &mut way);
        way
    }

    fn walk<'p>(
        &self,
        from: usize,
        path: &'p [String],
        seen: &mut Seen,
        way: &mut Vec<(usize, &'p str)>,
    ) -> Option<Meaning> {
        let (first, rest) = path.split_first()?;
        let mut here = match self.step(from, first) {
            Some(module) => Meaning::Module(module),
            None => self.look_up(from, first, true, seen)?,
        };
        let mut last = first;
        for name in rest {
            let Meaning::Module(module) = here else { break };
            way.push((module, name));
            last = name;
            here = match self.step(module, name) {
                Some(module) => Meaning::Module(module),
                // Made by a macro, or brought in from another crate.
                None => self.look_up(module, name, false, seen).unwrap_or(Meaning::Item(module)),
            };
        }
        let (Meaning::Module(module) | Meaning::Item(module)) = here;
        way.push((module, last));
        Some(here)
    }

    fn step(&self, from: usize, name: &str) -> Option<usize> {
        match name {
            "crate" => Some(0),
            "self" => Some(from),
            "super" => self.nodes[from].parent,
            _ => None,
        }
    }

    /// The meaning of `name` in a module, seen from within or from elsewhere.
    fn look_up(&self, id: usize, name: &str, within: bool, seen: &mut Seen) -> Option<Meaning> {
        if !seen.insert((id, name.to_owned())) {
            return None;
        }
        let node = &self.nodes[id];
        let visible = || node.module.imports.iter().filter(|import| within || !import.local);
        if let Some(child) = node.children.get(name) {
            return Some(Meaning::Module(*child));
        }
        if node.module.names.contains(name) {
            return Some(Meaning::Item(id));
        }
        for import in visible().filter(|import| import.name.as_deref() == Some(name)) {
            if let Some(meaning) = self.walk(id, &import.path, seen, &mut Vec::new()) {
                return Some(meaning);
            }
        }
        visible().filter(|import| import.name.is_none()).find_map(|import| {
            match self.walk(id, &import.path, seen, &mut Vec::new())? {
                Meaning::Module(module) => self.look_up(module, name, false, seen),
                Meaning::Item(_) => None,
            }
        })
    }
}

/// Names that were looked up already: `use tar;` asks for itself.
type Seen = BTreeSet<(usize, String)>;

/// The thing that a path leads to.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Module(usize),
    /// An item that the module defines.
    Item(usize),
}

/// The file of a module that is no part of its parent's, and where its own children are.
fn find(child: &Child, place: &Place, files: &Files) -> Option<(PathBuf, Place)> {
    if let Some(path) = &child.path {
        let path = normal(&place.path.join(path));
        let folder = path.parent()?.to_owned();
        return Some((path, Place { path: folder.clone(), names: folder }));
    }
    let folder = normal(&place.names.join(&child.name));
    let (plain, own) = (folder.with_extension("rs"), folder.join("mod.rs"));
    if files.contains_key(&plain) {
        let path = plain.parent()?.to_owned();
        return Some((plain, Place { path, names: folder }));
    }
    files.contains_key(&own).then(|| (own, Place { path: folder.clone(), names: folder }))
}

/// The path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}
