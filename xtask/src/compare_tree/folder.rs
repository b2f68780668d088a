//! A root file system that is installed in a folder. Owners are those of the files, so that the tool
//! that installed it must have been run as root.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use wifibox_ground::digest::Sha256;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use super::listing::hex;
use super::listing::{Kind, Listing, Node};

/// The longest extended attribute or list of them that Linux allows (`XATTR_SIZE_MAX`).
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
const XATTR_LIMIT: usize = 65536;

/// Reads the tree below `root`.
pub fn read(root: &Path) -> Result<Listing, String> {
    let mut listing = Listing::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path).map_err(failed)? {
                waiting.push(entry.map_err(failed)?.path());
            }
        }
        let below = path.strip_prefix(root).unwrap_or(&path);
        let node = Node {
            kind: kind(&path, &metadata).map_err(failed)?,
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
            xattrs: xattrs(&path).map_err(failed)?,
        };
        listing.insert(below.as_os_str().as_bytes().to_vec(), node);
    }
    Ok(listing)
}

fn kind(path: &Path, metadata: &Metadata) -> std::io::Result<Kind> {
    // Its type differs by system.
    let number = metadata.rdev() as rustix::fs::Dev;
    let device = || (rustix::fs::major(number), rustix::fs::minor(number));
    let what = metadata.file_type();
    Ok(if what.is_dir() {
        Kind::Directory
    } else if what.is_symlink() {
        Kind::Link(fs::read_link(path)?.into_os_string().as_bytes().to_vec())
    } else if what.is_file() {
        let (sha256, size) = Sha256::of_reader(File::open(path)?)?;
        Kind::File { size, sha256 }
    } else if what.is_char_device() {
        let (major, minor) = device();
        Kind::Character(major, minor)
    } else if what.is_block_device() {
        let (major, minor) = device();
        Kind::Block(major, minor)
    } else if what.is_fifo() {
        Kind::Fifo
    } else {
        Kind::Socket
    })
}

/// The extended attributes of a node; `None` where the host's file system has none at all.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn xattrs(path: &Path) -> std::io::Result<Option<BTreeMap<String, String>>> {
    let mut buffer = vec![0; XATTR_LIMIT];
    let length = match rustix::fs::llistxattr(path, &mut buffer[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut all = BTreeMap::new();
    let names = buffer[..length].to_vec();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let length = rustix::fs::lgetxattr(path, name, &mut buffer[..])?;
        all.insert(String::from_utf8_lossy(name).into_owned(), hex(&buffer[..length]));
    }
    Ok(Some(all))
}

/// Other systems have other calls for them.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn xattrs(_: &Path) -> std::io::Result<Option<BTreeMap<String, String>>> {
    Ok(None)
}
