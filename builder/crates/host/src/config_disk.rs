//! The configuration disk: a small FAT volume that carries what the 9P shares `config`, `app_config` and
//! `var` do, for hosts that have no 9P for their guests (L4Re, Xen with old tools, plain QEMU).
//!
//! The volume's label is [`CONFIGURATION_LABEL`], by which the guest finds it (`overlays/common/root/etc/wifibox/disk`).
//! It holds one folder for each share, named by its tag. A guest that may write to the disk keeps its
//! `var`, and what it writes to `app_config`, there; otherwise they are as volatile as the guest.
//!
//! Files come from any of the folders that hold a guest's configuration: an output folder (`etc/wifibox`
//! and `var`), the host's own `etc/wifibox` (`appliance`, and the folder that the link `app_config` leads to), or one
//! whose folders are called as the shares are, such as that of `wifibox-build boot --state`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::shares::{self, application};
use wifibox_ground::digest::Hasher;
use wifibox_ground::guest::CONFIGURATION_LABEL;
use wifibox_ground::regular;
use wifibox_image::fat;

/// The volume is at least this long, in bytes, unless a size is asked for: room for the guest's logs.
pub const SMALLEST: u64 = 4 << 20;
/// Folders inside folders, at most.
const DEEPEST: usize = 32;

/// Why a configuration disk cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no configuration in the folder.
    #[error(
        "{folder} holds no configuration of a guest: name an output folder, the host's etc/wifibox, \
         or a folder with `config` and `app_config` in it"
    )]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// There are two configurations.
    #[error(
        "{folder} has both wpa_supplicant and hostapd, and nothing says which the guest shall have: \
         rename one to app_config, or make app_config a link to it"
    )]
    Both {
        /// The folder.
        folder: PathBuf,
    },
    /// The link to the daemon's folder is wrong or cannot be read.
    #[error(transparent)]
    Shares(#[from] shares::Error),
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// Folders are nested too deeply.
    #[error("{path} is more than {DEEPEST} folders deep")]
    TooDeep {
        /// The folder.
        path: PathBuf,
    },
    /// The volume cannot be written.
    #[error(transparent)]
    Volume(#[from] fat::Error),
}

/// The contents of the disk.
#[derive(Debug, Default)]
pub struct Content {
    root: Folder,
    /// How many files there are.
    pub files: usize,
    /// Sockets, links to folders and whatever else FAT has no form for.
    pub left_out: Vec<PathBuf>,
}

type Folder = BTreeMap<String, Node>;

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File { path: PathBuf, length: u64 },
}

impl Content {
    /// Finds the configuration in `folder`.
    ///
    /// # Errors
    /// [`Error`]: there is none, or it cannot be read.
    pub fn find(folder: &Path) -> Result<Content, Error> {
        let mut content = Content::default();
        for (tag, source) in sources(folder)? {
            let inside = content.read(&source, 0)?;
            content.root.insert(tag.to_owned(), Node::Folder(inside));
        }
        Ok(content)
    }

    fn read(&mut self, folder: &Path, depth: usize) -> Result<Folder, Error> {
        if depth > DEEPEST {
            return Err(Error::TooDeep { path: folder.to_owned() });
        }
        let mut inside = Folder::new();
        for path in list(folder)? {
            let name = path.file_name().and_then(OsStr::to_str).map(str::to_owned);
            let Some(mut name) = name else {
                self.left_out.push(path);
                continue;
            };
            // A sample stands in for the file that its user has not made.
            if let Some(own) = name.strip_suffix(".sample") {
                if path.with_file_name(own).exists() {
                    continue;
                }
                name = own.to_owned();
            }
            let is_link = path.is_symlink();
            let node = match fs::metadata(&path) {
                Ok(about) if about.is_file() => {
                    self.files += 1;
                    Node::File { path, length: about.len() }
                }
                Ok(about) if about.is_dir() && !is_link => {
                    Node::Folder(self.read(&path, depth + 1)?)
                }
                Err(source) if !is_link => return Err(Error::Read { path, source }),
                _ => {
                    self.left_out.push(path);
                    continue;
                }
            };
            inside.insert(name, node);
        }
        Ok(inside)
    }

    /// Writes the volume, which is `size` bytes long, or as long as it needs and at least [`SMALLEST`];
    /// gives its length. The same files in the same folders make the same bytes.
    ///
    /// # Errors
    /// [`Error`]: files cannot be read, do not fit, or have names that FAT cannot store.
    pub fn write(&self, size: Option<u64>, out: impl Write) -> Result<u64, Error> {
        let mut id = Hasher::default();
        identify(&self.root, &mut id)?;
        let id = id.finish();
        let size = size.unwrap_or_else(|| {
            // As much again for what the guest adds.
            let content = clusters(&self.root).saturating_mul(2);
            content.max(SMALLEST).next_multiple_of(1 << 20)
        });
        let options = fat::Options {
            label: CONFIGURATION_LABEL,
            id: &id,
            size: Some(size),
            partitioned: false,
        };
        Ok(fat::write(nodes(&self.root), &options, out)?)
    }
}

/// The folders of the three shares, by tag.
fn sources(folder: &Path) -> Result<Vec<(&'static str, PathBuf)>, Error> {
    let installed = folder.join("etc/wifibox");
    let host = [installed.as_path(), folder].into_iter().find(|at| at.join("appliance").is_dir());
    let (place, config) = host.map_or((folder, "config"), |host| (host, "appliance"));
    let mut found = vec![("config", place.join(config))];
    if let Some(application) = daemons_folder(place)? {
        found.push(("app_config", application));
    }
    found.push(("var", folder.join("var")));
    found.retain(|(_, at)| at.is_dir());
    if !found.iter().any(|(tag, _)| *tag != "var") {
        return Err(Error::Nothing { folder: folder.to_owned() });
    }
    Ok(found)
}

/// The folder of the share `app_config`: what is called so, or else the only one that has the name of a
/// daemon.
fn daemons_folder(place: &Path) -> Result<Option<PathBuf>, Error> {
    if let Some(application) = application(&place.join("app_config"))? {
        return Ok(Some(application));
    }
    let named = ["wpa_supplicant", "hostapd"].map(|name| place.join(name));
    let mut named = named.into_iter().filter(|at| at.is_dir());
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(Error::Both { folder: place.to_owned() }),
        (one, _) => Ok(one),
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut paths = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// Hashes names and bytes.
fn identify(folder: &Folder, id: &mut Hasher) -> Result<(), Error> {
    for (name, node) in folder {
        id.update(name.as_bytes());
        match node {
            Node::Folder(inside) => {
                id.update(b"/");
                identify(inside, id)?;
                id.update(b"/");
            }
            Node::File { path, .. } => {
                let (digest, _) = regular::hash(path)
                    .map_err(|source| Error::Read { path: path.clone(), source })?;
                id.update(b"\0");
                id.update(digest.as_bytes());
            }
        }
    }
    Ok(())
}

/// An upper bound of the space that the nodes take, in bytes.
fn clusters(folder: &Folder) -> u64 {
    let of = |node: &Node| match node {
        Node::Folder(inside) => {
            let entries = (inside.len() as u64).saturating_mul(1024);
            entries.next_multiple_of(4096).saturating_add(4096).saturating_add(clusters(inside))
        }
        Node::File { length, .. } => length.saturating_add(4095) & !4095,
    };
    folder.values().map(of).fold(0, u64::saturating_add)
}

fn nodes(folder: &Folder) -> fat::Folder<'static> {
    let mut made = fat::Folder::new();
    for (name, node) in folder {
        let node = match node {
            Node::Folder(inside) => fat::Node::Folder(nodes(inside)),
            Node::File { path, length } => fat::Node::File {
                length: *length,
                content: Box::new(Lazy { path: path.clone(), file: None }),
            },
        };
        made.insert(name.clone(), node);
    }
    made
}

/// A file that is opened when it is read.
struct Lazy {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.read(buffer),
            None => self.file.insert(regular::open(&self.path)?).read(buffer),
        }
    }
}

#[cfg(test)]
mod tests;
