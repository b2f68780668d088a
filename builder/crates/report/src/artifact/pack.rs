//! An output folder, or a folder of several, as what a registry gets: manifests, an index, and the files of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use wifibox_fetch::registry::{Descriptor, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest};
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};

use super::{
    BUILD_ID, FLAVOR, FOLDERS, GUEST, INDEX, MODE, NAME, RELEASE, SIGNATURE, TITLE, media_type,
};
use crate::output::{self, LoadError, MANIFEST};
use crate::release::{self, GUESTS};
use crate::signature;

/// Bills of materials, each with the artifact type by which it is found.
const BILLS: [(&str, &str); 2] = [
    ("sbom.spdx.json", "application/spdx+json"),
    ("sbom.cdx.json", "application/vnd.cyclonedx+json"),
];

/// A file that a manifest lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its blob.
    pub blob: Descriptor,
}

/// A manifest that is about another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The manifest's bytes.
    pub bytes: Vec<u8>,
    /// The manifest, as a list of referrers has it.
    pub descriptor: Descriptor,
    /// Its file.
    pub file: File,
}

/// A guest, or a release without its guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its folder, relative to the one that was packed; empty for that one itself.
    pub folder: String,
    /// The manifest's bytes.
    pub bytes: Vec<u8>,
    /// The manifest, as an index has it.
    pub descriptor: Descriptor,
    /// Its files.
    pub files: Vec<File>,
    /// What is about it.
    pub referrers: Vec<Referrer>,
}

impl Artifact {
    /// Whether minisign's signature comes with it.
    pub fn is_signed(&self) -> bool {
        let is_signature =
            |one: &Referrer| one.descriptor.artifact_type.as_deref() == Some(SIGNATURE);
        self.referrers.iter().any(is_signature)
    }
}

/// What a registry gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The guests, and the release that they are of.
    pub artifacts: Vec<Artifact>,
    /// The index of them; a single guest has none.
    pub index: Option<(Vec<u8>, Descriptor)>,
}

/// Why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// A guest's manifest cannot be read.
    #[error(transparent)]
    Guest(#[from] LoadError),
    /// It is no output, no release, and has none in it.
    #[error(
        "{path} holds no guest: {why}; name the folder of an output, of a release, or of several outputs"
    )]
    NoGuest {
        /// The folder.
        path: PathBuf,
        /// The reason.
        why: String,
    },
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> PackError {
    let path = path.to_owned();
    move |source| PackError::Io { path, source }
}

/// Reads the list of a folder; `None` where it has none.
fn sums(folder: &Path) -> Result<Option<Sums>, PackError> {
    let path = folder.join(SUMS);
    let bytes = match regular::read(&path, SUMS_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if regular::is_missing(&error) => return Ok(None),
        Err(error) => return Err(unreadable(&path)(error)),
    };
    let parsed = Sums::parse(&bytes);
    parsed.map(Some).map_err(|why| PackError::NoGuest { path, why })
}

/// The folders, relative to `folder`, that are packed by themselves: the folder itself, if it is an output or a release,
/// and its guests.
///
/// # Errors
/// [`PackError`].
fn parts(folder: &Path) -> Result<Vec<(String, Sums)>, PackError> {
    let none = |why: &str| PackError::NoGuest { path: folder.to_owned(), why: why.to_owned() };
    let own = sums(folder)?;
    let (below, mut found) = match own {
        Some(sums) if sums.hashes.contains_key(MANIFEST) => return Ok(vec![(String::new(), sums)]),
        Some(sums) if sums.hashes.contains_key(release::INDEX) => {
            (format!("{GUESTS}/"), vec![(String::new(), sums)])
        }
        Some(_) => return Err(none("SHA256SUMS lists neither manifest.json nor index.json")),
        None => (String::new(), Vec::new()),
    };
    let inside = folder.join(&below);
    let mut names = Vec::new();
    for entry in fs::read_dir(&inside).map_err(unreadable(&inside))? {
        let entry = entry.map_err(unreadable(&inside))?;
        // What has another name than those of guests is none.
        if let (true, Ok(name)) = (entry.path().is_dir(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    for name in names.into_iter().filter(|name| !name.starts_with('.')) {
        let relative = format!("{below}{name}");
        if let Some(sums) = sums(&folder.join(&relative))?
            && sums.hashes.contains_key(MANIFEST)
        {
            found.push((relative, sums));
        }
    }
    match found.iter().any(|(relative, _)| !relative.is_empty()) {
        true => Ok(found),
        false => Err(none("neither it nor a folder in it has a SHA256SUMS of an output")),
    }
}

/// The outputs in `folder`: itself, or those of a release or of a folder of several outputs, by name.
///
/// # Errors
/// [`PackError`].
pub fn outputs(folder: &Path) -> Result<Vec<PathBuf>, PackError> {
    let parts = parts(folder)?.into_iter();
    let outputs = parts.filter(|(_, sums)| sums.hashes.contains_key(MANIFEST));
    // Joining nothing would leave a slash at the end.
    let place = |relative: String| match relative.as_str() {
        "" => folder.to_owned(),
        relative => folder.join(relative),
    };
    Ok(outputs.map(|(relative, _)| place(relative)).collect())
}

/// Packs an output, a release, or a folder of outputs. Whether the files are as they were built is not looked at.
///
/// # Errors
/// [`PackError`].
pub fn pack(folder: &Path) -> Result<Packed, PackError> {
    let parts = parts(folder)?;
    let single = matches!(&parts[..], [(relative, _)] if relative.is_empty());
    let mut artifacts = Vec::new();
    for (relative, sums) in parts {
        let own = folder.join(&relative);
        artifacts.push(if sums.hashes.contains_key(MANIFEST) {
            guest(&own, relative, &sums)?
        } else {
            of_release(&own, &sums)?
        });
    }
    let index = if single {
        None
    } else {
        let manifests = artifacts.iter().map(|artifact| artifact.descriptor.clone()).collect();
        let bytes = json(&Index::new(Some(INDEX), manifests));
        let descriptor = Descriptor::of(INDEX_TYPE, &bytes);
        Some((bytes, descriptor))
    };
    Ok(Packed { artifacts, index })
}

/// A guest, from its output folder.
fn guest(folder: &Path, relative: String, sums: &Sums) -> Result<Artifact, PackError> {
    let manifest = output::load(folder)?;
    let mut files = Vec::new();
    for path in sums.hashes.keys().map(String::as_str).chain([SUMS]) {
        files.push(file(folder, path, sums)?);
    }
    let name = relative.rsplit('/').next().unwrap_or_default();
    let recipe = &manifest.recipe;
    let mut about: BTreeMap<String, String> = [
        (NAME, name),
        (FLAVOR, &recipe.flavor),
        (BUILD_ID, &manifest.build_id),
        ("io.github.wifibox-build.base", &recipe.base),
        ("io.github.wifibox-build.release", &recipe.release),
        ("io.github.wifibox-build.architecture", &recipe.architecture),
        ("io.github.wifibox-build.role", &recipe.role),
        ("io.github.wifibox-build.hypervisor", &recipe.hypervisor),
        ("io.github.wifibox-build.kernel", &recipe.kernel),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    let descriptions = about.clone();
    // What the folder says, not what it is called: the same guest has the same manifest.
    about.remove(NAME);
    let folders = empty_folders(folder)?;
    if !folders.is_empty() {
        about.insert(FOLDERS.to_owned(), folders.join("\n"));
    }
    let mut artifact = artifact(folder, relative, GUEST, files, about, descriptions)?;
    for (path, artifact_type) in BILLS {
        if let Some(bill) = artifact.files.iter().find(|file| title_of(file) == path) {
            let bill = bill.clone();
            artifact.referrers.push(referrer(&artifact.descriptor, artifact_type, bill));
        }
    }
    Ok(artifact)
}

/// A release, without its guests.
fn of_release(folder: &Path, sums: &Sums) -> Result<Artifact, PackError> {
    let of_guest = format!("{GUESTS}/");
    let own = sums.hashes.keys().map(String::as_str).filter(|path| !path.starts_with(&of_guest));
    let mut files = Vec::new();
    for path in own.chain([SUMS]) {
        files.push(file(folder, path, sums)?);
    }
    artifact(folder, String::new(), RELEASE, files, BTreeMap::new(), BTreeMap::new())
}

/// The manifest of these files, and the signature that lies beside them.
fn artifact(
    folder: &Path,
    relative: String,
    artifact_type: &str,
    files: Vec<File>,
    annotations: BTreeMap<String, String>,
    descriptions: BTreeMap<String, String>,
) -> Result<Artifact, PackError> {
    let layers = files.iter().map(|file| file.blob.clone()).collect();
    let bytes = json(&Manifest { annotations, ..Manifest::new(artifact_type, layers) });
    let descriptor = Descriptor {
        artifact_type: Some(artifact_type.to_owned()),
        annotations: descriptions,
        ..Descriptor::of(MANIFEST_TYPE, &bytes)
    };
    let [name, _] = SIGNATURES;
    let path = folder.join(name);
    let referrers = match regular::read(&path, signature::SIZE_LIMIT) {
        Ok(signature) => {
            let blob = titled(Descriptor::of(SIGNATURE, &signature), name);
            vec![referrer(&descriptor, SIGNATURE, File { path, blob })]
        }
        Err(error) if regular::is_missing(&error) => Vec::new(),
        Err(error) => return Err(unreadable(&path)(error)),
    };
    Ok(Artifact { folder: relative, bytes, descriptor, files, referrers })
}

/// A manifest of one file that is about another manifest.
fn referrer(subject: &Descriptor, artifact_type: &str, file: File) -> Referrer {
    let subject =
        Descriptor { artifact_type: None, annotations: BTreeMap::new(), ..subject.clone() };
    let manifest = Manifest {
        subject: Some(subject),
        ..Manifest::new(artifact_type, vec![file.blob.clone()])
    };
    let bytes = json(&manifest);
    let descriptor = Descriptor {
        artifact_type: Some(artifact_type.to_owned()),
        ..Descriptor::of(MANIFEST_TYPE, &bytes)
    };
    Referrer { bytes, descriptor, file }
}

/// A file of the folder. Its hash is that of the list, but for the list's own.
fn file(folder: &Path, path: &str, sums: &Sums) -> Result<File, PackError> {
    let full = folder.join(path);
    let data = full.symlink_metadata().map_err(unreadable(&full))?;
    let mut blob = match sums.hashes.get(path) {
        Some(hash) => Descriptor {
            media_type: media_type(path).to_owned(),
            digest: *hash,
            size: data.len(),
            artifact_type: None,
            annotations: BTreeMap::new(),
        },
        None => Descriptor::of(media_type(path), &sums.bytes),
    };
    let mode = data.permissions().mode() & 0o777;
    if mode != 0o644 {
        blob.annotations.insert(MODE.to_owned(), format!("{mode:04o}"));
    }
    Ok(File { path: full, blob: titled(blob, path) })
}

fn titled(mut blob: Descriptor, title: &str) -> Descriptor {
    blob.annotations.insert(TITLE.to_owned(), title.to_owned());
    blob
}

fn title_of(file: &File) -> &str {
    file.blob.annotation(TITLE).unwrap_or_default()
}

/// The folders below this one that hold nothing, by path.
fn empty_folders(folder: &Path) -> Result<Vec<String>, PackError> {
    fn walk(folder: &Path, path: &str, found: &mut BTreeSet<String>) -> Result<(), PackError> {
        let mut empty = true;
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            let entry = entry.map_err(unreadable(folder))?;
            empty = false;
            if entry.file_type().map_err(unreadable(folder))?.is_dir() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let below =
                    if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
                walk(&entry.path(), &below, found)?;
            }
        }
        if empty && !path.is_empty() {
            found.insert(path.to_owned());
        }
        Ok(())
    }
    let mut found = BTreeSet::new();
    walk(folder, "", &mut found)?;
    Ok(found.into_iter().collect())
}

/// The JSON of a document: the same for the same document.
fn json(document: &impl serde::Serialize) -> Vec<u8> {
    // Strings, numbers and maps by strings: that cannot fail.
    serde_json::to_vec(document).unwrap_or_default()
}
