//! An output as it is: its manifest where that is true, and what its files and root.img really hold where it is not.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{Link, Output};
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS};
use wifibox_squashfs::{NodeKind, UnreadableImage, read_nodes};

use crate::Manifest;
use crate::findings::{Findings, Options, VerifyError};
use crate::folder::{Found, walk};
use crate::manifest::File;
use crate::output::{LoadError, MANIFEST, SIZE_LIMIT, load};
use crate::verify::{IMAGE, UNANNOUNCED, verify};

/// An output whose files were read.
#[derive(Debug, Clone)]
pub struct Actual {
    /// Its manifest, with its files, its links and the contents of its root.img as they are.
    pub manifest: Manifest,
    /// Where it is not what its own manifest says.
    pub findings: Findings,
    /// The hashes of the manifest and of the list of hashes, which that list cannot hold.
    pub(crate) lists: [Option<Sha256>; 2],
}

impl Actual {
    /// Reads the output in `folder`, all of it.
    ///
    /// # Errors
    /// [`LoadError`]: it is none, or cannot be read.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let read = |VerifyError { path, source }| LoadError::Read { path, source };
        let mut manifest = load(folder)?;
        let findings = verify(folder, &Options::default()).map_err(read)?;
        let lists = [(MANIFEST, SIZE_LIMIT), (SUMS, wifibox_ground::sums::SUMS_LIMIT)];
        let lists = lists
            .map(|(name, limit)| Some(Sha256::of(&regular::read(&folder.join(name), limit).ok()?)));
        if !findings.is_sound() {
            let listed = manifest.outputs.iter().find(|output| output.path == IMAGE).cloned();
            let mut found = Found::default();
            walk(folder, "", &mut found, &mut Findings::default()).map_err(read)?;
            manifest.outputs = outputs(folder, &found, &manifest)?;
            let links = found.links.into_iter();
            manifest.links = links.map(|(path, target)| Link { path, target }).collect();
            // Of an image that cannot be read the files stay as listed: the problem is told, and its hash differs.
            let image = listed.map_or(0, |output| output.size);
            if let Some(files) = files(&folder.join(IMAGE), image, &manifest) {
                manifest.files = files;
            }
        }
        Ok(Actual { manifest, findings, lists })
    }
}

/// The files of the folder that a manifest lists, as they are. What is longer than it may be is not read.
fn outputs(folder: &Path, found: &Found, manifest: &Manifest) -> Result<Vec<Output>, LoadError> {
    let known: BTreeMap<&str, u64> =
        manifest.outputs.iter().map(|output| (output.path.as_str(), output.size)).collect();
    let listed = |path: &&String| {
        ![MANIFEST, SUMS].contains(&path.as_str()) && !SIGNATURES.contains(&path.as_str())
    };
    let hashed = found.files.iter().filter(listed).map(|path| {
        let full = folder.join(path);
        let size = full.symlink_metadata().map_or(0, |data| data.len());
        let (sha256, size) = if size > known.get(path.as_str()).copied().unwrap_or(UNANNOUNCED) {
            // A hash of its own, which no file's contents have: its length says enough.
            (Sha256::of(format!("{path}: {size} bytes, not read").as_bytes()), size)
        } else {
            regular::hash(&full).map_err(|source| LoadError::Read { path: full, source })?
        };
        Ok(Output { path: path.clone(), size, sha256 })
    });
    hashed.collect()
}

/// Everything in an image of at most `length` bytes, as a manifest lists it; `None` where it cannot be read.
fn files(image: &Path, length: u64, manifest: &Manifest) -> Option<Vec<File>> {
    let known: BTreeMap<&str, &File> =
        manifest.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut files = Vec::new();
    let image = regular::open(image).ok()?;
    if image.metadata().ok()?.len() > length {
        return None;
    }
    let listed = read_nodes(&mut BufReader::new(image), |node, content| {
        let path = String::from_utf8_lossy(&node.path).into_owned();
        let known = known.get(path.as_str());
        let hash = content.map(Sha256::of_reader).transpose();
        // What cannot be read differs from everything.
        let (sha256, size) = hash.ok().flatten().unzip();
        files.push(File {
            kind: node.kind.describe().to_owned(),
            mode: format!("{:04o}", node.mode),
            owner: format!("{}:{}", node.uid, node.gid),
            origin: known.map(|file| file.origin.clone()).unwrap_or_default(),
            size,
            sha256,
            target: match &node.kind {
                NodeKind::Symlink(target) => Some(String::from_utf8_lossy(target).into_owned()),
                _ => None,
            },
            path,
        });
        Ok::<(), UnreadableImage>(())
    });
    listed.ok().map(|()| files)
}
