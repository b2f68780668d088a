//! The guest that lends its programs: an output of the base `debian`, read from its `root.img`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use wifibox_squashfs::{NodeKind, read_nodes};
use wifibox_tree::libraries;

type Failure = Box<dyn std::error::Error>;

/// Where Debian has programs and libraries; its other folders of them are links to these.
const PROGRAMS: [&str; 2] = ["usr/bin/", "usr/sbin/"];
pub const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu/";
/// What else is lent.
const FIRMWARE: &str = "usr/lib/firmware/";

/// The files of an image that can be lent.
pub struct Lender {
    /// Contents by path from the root.
    files: BTreeMap<String, Vec<u8>>,
    /// Links by path from the root.
    links: BTreeMap<String, String>,
}

impl Lender {
    /// Reads the image of the output folder `output`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(output: &Path) -> Result<Self, Failure> {
        let image = output.join("root.img");
        let file = File::open(&image).map_err(|error| format!("{}: {error}", image.display()))?;
        let wanted = |path: &[u8]| {
            let begins = |folder: &&str| path.starts_with(folder.as_bytes());
            PROGRAMS.iter().chain(&[LIBRARIES, FIRMWARE]).any(begins)
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
        read_nodes(&mut BufReader::new(file), |node, content| {
            match (content, node.kind) {
                _ if !wanted(&node.path) => {}
                (Some(content), _) => {
                    let mut bytes = Vec::new();
                    content.read_to_end(&mut bytes)?;
                    files.insert(text(node.path), bytes);
                }
                (None, NodeKind::Symlink(target)) => {
                    links.insert(text(node.path), text(target));
                }
                _ => {}
            }
            Ok::<(), Failure>(())
        })?;
        Ok(Lender { files, links })
    }

    /// The file at `path`, or that to which a link there leads in the same folder.
    fn file(&self, path: &str) -> Option<&[u8]> {
        let folder = path.rfind('/').map_or("", |at| path.get(..=at).unwrap_or_default());
        let target = self.links.get(path).map(|target| format!("{folder}{target}"));
        self.files.get(target.as_deref().unwrap_or(path)).map(Vec::as_slice)
    }

    /// The files whose paths begin with `prefix`, by path.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let files = self.files.range(prefix.to_owned()..);
        let files = files.take_while(move |(path, _)| path.starts_with(prefix));
        files.map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// The links whose paths begin with `prefix`, by path, with their targets.
    pub fn links_below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let links = self.links.range(prefix.to_owned()..);
        let links = links.take_while(move |(path, _)| path.starts_with(prefix));
        links.map(|(path, target)| (path.as_str(), target.as_str()))
    }

    /// The program `name`.
    ///
    /// # Errors
    /// The image has none.
    pub fn program(&self, name: &str) -> Result<&[u8], Failure> {
        let mut places = PROGRAMS.iter().map(|folder| format!("{folder}{name}"));
        let found = places.find_map(|path| self.file(&path));
        found.ok_or_else(|| format!("the guest that lends its programs has no {name}").into())
    }

    /// The firmware file `name`.
    ///
    /// # Errors
    /// The image has none.
    pub fn firmware(&self, name: &str) -> Result<&[u8], Failure> {
        let found = self.file(&format!("{FIRMWARE}{name}"));
        found.ok_or_else(|| format!("the guest that lends its programs has no {name}").into())
    }

    /// The names by which the image calls its busybox.
    pub fn applets(&self) -> BTreeSet<&str> {
        let own = self.links.iter().filter(|(_, target)| *target == "busybox");
        own.filter_map(|(path, _)| path.rsplit('/').next()).collect()
    }

    /// The libraries that these programs need, and those that the libraries need, by the names under
    /// which they are looked for.
    ///
    /// # Errors
    /// The image lacks one.
    pub fn libraries(&self, programs: &[&[u8]]) -> Result<BTreeMap<String, &[u8]>, Failure> {
        let mut found = BTreeMap::new();
        let mut todo: Vec<&[u8]> = programs.to_vec();
        while let Some(program) = todo.pop() {
            let needs = libraries::needs(program).unwrap_or_default();
            let linker = needs.interpreter.iter().filter_map(|path| path.rsplit('/').next());
            for name in linker.chain(needs.libraries.iter().map(String::as_str)) {
                if found.contains_key(name) {
                    continue;
                }
                let library = self
                    .file(&format!("{LIBRARIES}{name}"))
                    .ok_or_else(|| format!("the guest that lends its programs has no {name}"))?;
                found.insert(name.to_owned(), library);
                todo.push(library);
            }
        }
        Ok(found)
    }
}
