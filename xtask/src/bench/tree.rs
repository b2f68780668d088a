//! The input of image benchmarks: a folder, made of a kernel package or an image where need be, and the
//! same folder as a tree.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use wifibox_formats::PackageLimits;
use wifibox_ground::codec;
use wifibox_ground::content::Spool;
use wifibox_ground::entry::EntryKind;
use wifibox_ground::path::GuestPath;
use wifibox_packages::Deb;
use wifibox_squashfs::{NodeKind, read_nodes};
use wifibox_tree::{Kind, Meta, Node, Origin, Tree};

/// The largest module that is unpacked, in bytes.
const MODULE_LIMIT: u64 = 256 << 20;

/// A folder to measure on.
pub struct Input {
    /// Where it is.
    pub folder: PathBuf,
    /// Its name in tables.
    pub name: String,
    /// How many files are in it, and their bytes.
    pub files: u64,
    /// See `files`.
    pub bytes: u64,
}

impl Input {
    /// The folder `from`; or, in `work`, what the Debian package or the SquashFS image `from` holds.
    /// Modules are unpacked, as they are in a guest.
    pub fn new(from: &Path, work: &Path) -> Result<Self, Box<dyn Error>> {
        let name = from.file_name().unwrap_or(from.as_os_str()).to_string_lossy().into_owned();
        let folder = if from.is_dir() {
            from.to_owned()
        } else {
            let folder = work.join("unpacked");
            fs::create_dir_all(&folder)?;
            let mut magic = [0; 4];
            File::open(from)
                .and_then(|mut file| file.read_exact(&mut magic))
                .map_err(|error| format!("{}: {error}", from.display()))?;
            if &magic == b"hsqs" {
                extract(from, &folder)?
            } else {
                unpack(from, &folder)?
            }
            folder
        };
        let (mut files, mut bytes) = (0, 0);
        for path in walk(&folder)? {
            let meta = fs::symlink_metadata(&path)?;
            if meta.is_file() {
                files += 1;
                bytes += meta.len();
            }
        }
        Ok(Input { folder, name, files, bytes })
    }
}

impl Input {
    /// Name and size, for people.
    pub fn describe(&self) -> String {
        #[allow(clippy::cast_precision_loss)] // megabytes with one digit
        let megabytes = self.bytes as f64 / 1e6;
        format!("{}: {} files, {megabytes:.1} MB", self.name, self.files)
    }
}

/// Unpacks the modules of a Debian package.
fn unpack(package: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let name = package.display().to_string();
    let deb = Deb::open(&name, BufReader::new(File::open(package)?), PackageLimits::default())?;
    deb.read_data::<Box<dyn Error>>(&mut |entry| {
        let EntryKind::File { content, .. } = entry.kind else { return Ok(()) };
        let (stem, _) = codec::Compression::split_name(entry.path.as_bytes());
        if !stem.ends_with(b".ko") && !entry.path.as_bytes().windows(8).any(|w| w == b"/modules") {
            return Ok(());
        }
        let to = folder.join(OsStr::from_bytes(stem));
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(to, codec::read_unpacked(content, MODULE_LIMIT)?)?;
        Ok(())
    })?;
    Ok(())
}

/// Extracts files, directories and links of an image; devices need root.
fn extract(image: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = BufReader::new(File::open(image)?);
    read_nodes::<_, Box<dyn Error>>(&mut file, |node, content| {
        let to = folder.join(OsStr::from_bytes(&node.path));
        match (node.kind, content) {
            (NodeKind::Directory, _) => fs::create_dir_all(&to)?,
            (NodeKind::File(_), Some(content)) => drop(io::copy(content, &mut File::create(&to)?)?),
            (NodeKind::Symlink(target), _) => symlink(OsStr::from_bytes(&target), &to)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(())
}

/// All that is below `folder`, directories before what they hold.
pub fn walk(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let mut names: Vec<PathBuf> = fs::read_dir(&folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        names.sort();
        for path in names {
            if fs::symlink_metadata(&path)?.is_dir() {
                waiting.push(path.clone());
            }
            found.push(path);
        }
    }
    Ok(found)
}

/// The folder as a tree; contents go to a spool in `work`, as in a build.
pub fn load(folder: &Path, work: &Path) -> Result<Tree, Box<dyn Error>> {
    let spool = Spool::new_in(work)?;
    let mut tree = Tree::new();
    for path in walk(folder)? {
        let at = GuestPath::new(path.strip_prefix(folder)?.as_os_str().as_bytes())?;
        let found = fs::symlink_metadata(&path)?;
        let kind = if found.is_dir() {
            Kind::Directory
        } else if found.is_symlink() {
            Kind::Symlink(fs::read_link(&path)?.as_os_str().as_bytes().to_vec())
        } else if found.is_file() {
            Kind::File(spool.store(File::open(&path)?, u64::MAX - 1)?)
        } else {
            continue;
        };
        // Twelve bits of permissions.
        let mut meta = Meta::with_mode(u16::try_from(found.mode() & 0o7777).unwrap_or_default());
        meta.mtime = u32::try_from(found.mtime()).unwrap_or_default();
        tree.insert(&at, Node { meta, kind, origin: Origin::Builder })?;
    }
    Ok(tree)
}
