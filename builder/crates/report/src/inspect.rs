//! The sizes in an image: by part, package, folder and file, before and after compression.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Manifest;
use super::output::{self, LoadError};
use super::sizes::Part;
use wifibox_ground::regular;
use wifibox_squashfs::{Tables, UnreadableImage, Usage, begins_at, usage};

/// Why an image cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The output cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The image cannot be read.
    #[error("{path}: {source}")]
    Image {
        /// The image.
        path: PathBuf,
        /// Why.
        source: UnreadableImage,
    },
}

/// An image, and what its build said about it.
#[derive(Debug)]
pub struct Subject {
    /// The image.
    pub image: PathBuf,
    /// The manifest of its build, if that is beside it and is its own.
    pub manifest: Option<Manifest>,
    /// There is a manifest beside the image, which describes another one.
    pub foreign_manifest: bool,
    /// Where in its file the image begins.
    offset: u64,
}

impl Subject {
    /// `path` is an output folder, or a SquashFS image, with or without its manifest beside it.
    ///
    /// # Errors
    /// [`InspectError`].
    pub fn open(path: &Path) -> Result<Self, InspectError> {
        if path.is_dir() {
            let manifest = output::load(path)?;
            return Self::with(path.join("root.img"), Some(manifest));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Self::with(path.to_owned(), output::load(folder).ok())
    }

    fn with(image: PathBuf, manifest: Option<Manifest>) -> Result<Self, InspectError> {
        let read = |source| LoadError::Read { path: image.clone(), source };
        let length = regular::open(&image).and_then(|file| file.metadata()).map_err(read)?.len();
        let listed = |manifest: &Manifest| {
            let mut outputs = manifest.outputs.iter();
            outputs.find(|output| output.path == "root.img" && output.size == length).cloned()
        };
        // An image of another length is another one: its bytes need not be read to know.
        let own = match manifest.as_ref().and_then(listed) {
            Some(output) => regular::hash(&image).map_err(read)?.0 == output.sha256,
            None => false,
        };
        let foreign_manifest = manifest.is_some() && !own;
        Ok(Subject { image, manifest: manifest.filter(|_| own), foreign_manifest, offset: 0 })
    }

    /// The image that begins at `offset` of a file: what is beside that file is not about it.
    pub fn within(file: &Path, offset: u64) -> Self {
        let image = file.to_owned();
        Subject { image, manifest: None, foreign_manifest: false, offset }
    }

    /// Where in the file an image seems to begin, if that is not where it was looked for.
    pub fn begins_elsewhere(&self) -> Option<usize> {
        let file = regular::open(&self.image).ok()?;
        let place = begins_at(BufReader::new(file)).ok()??;
        (place as u64 != self.offset).then_some(place)
    }

    /// Where the image's bytes are; folders are told apart down to `depth` names.
    ///
    /// # Errors
    /// [`InspectError`].
    pub fn sizes(&self, depth: usize) -> Result<ImageSizes, InspectError> {
        let read = |source| LoadError::Read { path: self.image.clone(), source };
        let file = regular::open(&self.image).map_err(read)?;
        let usage = usage(BufReader::new(file), self.offset)
            .map_err(|source| InspectError::Image { path: self.image.clone(), source })?;
        Ok(ImageSizes::new(&usage, self.manifest.as_ref(), depth))
    }
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// The part, package, folder or file.
    pub name: String,
    /// How many regular files.
    pub files: u64,
    /// Their bytes before compression.
    pub bytes: u64,
    /// Their bytes in the image.
    pub stored: u64,
}

/// Where an image's bytes are. Every table adds up to `contents`, and that with `tables` to `length`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImageSizes {
    /// The image's length in bytes.
    pub length: u64,
    /// How it is compressed.
    pub compression: String,
    /// How large a block is, in bytes.
    pub block_size: u32,
    /// All regular files.
    pub contents: Row,
    /// The bytes that are not contents of files.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub tables: Tables,
    /// By part, the largest first.
    pub parts: Vec<Row>,
    /// By who put it there, the largest first; empty without a manifest.
    pub origins: Vec<Row>,
    /// By folder, the largest first.
    pub folders: Vec<Row>,
    /// Every file, the largest first.
    pub files: Vec<Row>,
}

impl ImageSizes {
    fn new(usage: &Usage, manifest: Option<&Manifest>, depth: usize) -> Self {
        let origins: BTreeMap<&str, &str> = manifest
            .iter()
            .flat_map(|manifest| &manifest.files)
            .map(|file| (file.path.as_str(), file.origin.as_str()))
            .collect();
        let mut tables: [BTreeMap<String, Row>; 4] = Default::default();
        let mut contents = Row { name: "contents".to_owned(), files: 0, bytes: 0, stored: 0 };
        for node in usage.nodes.iter().filter(|node| node.is_file) {
            let absolute = format!("/{}", node.path);
            let origin = origins.get(node.path.as_str()).copied().unwrap_or("not in the manifest");
            let keys = [
                Part::of(&absolute, node.mode).to_string(),
                origin.to_owned(),
                folder(&node.path, depth),
                absolute,
            ];
            for (table, key) in tables.iter_mut().zip(keys) {
                let new = Row { name: key.clone(), files: 0, bytes: 0, stored: 0 };
                table.entry(key).or_insert(new).add(node.size, node.stored);
            }
            contents.add(node.size, node.stored);
        }
        let [parts, origins, folders, files] = tables.map(|table| {
            let mut rows: Vec<Row> = table.into_values().collect();
            rows.sort_by(|a, b| (b.stored, b.bytes, &a.name).cmp(&(a.stored, a.bytes, &b.name)));
            rows
        });
        ImageSizes {
            length: usage.length,
            compression: usage.compression.clone(),
            block_size: usage.block_size,
            contents,
            tables: usage.tables,
            parts,
            origins: if manifest.is_some() { origins } else { Vec::new() },
            folders,
            files,
        }
    }
}

impl Row {
    fn add(&mut self, bytes: u64, stored: u64) {
        self.files += 1;
        self.bytes += bytes;
        self.stored += stored;
    }
}

/// The folder of a file, down to `depth` names.
fn folder(path: &str, depth: usize) -> String {
    let Some((parent, _)) = path.rsplit_once('/') else { return "/".to_owned() };
    let names: Vec<&str> = parent.split('/').take(depth).collect();
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_cut_at_the_depth() {
        assert_eq!(folder("usr/lib/firmware/a/b.bin", 3), "/usr/lib/firmware");
        assert_eq!(folder("usr/bin/x", 3), "/usr/bin");
        assert_eq!(folder("init", 3), "/");
        assert_eq!(folder("usr/bin/x", 0), "/");
    }
}
