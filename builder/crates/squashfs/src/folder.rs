//! An archive of a folder on disk.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::{Archive, Entry, Error, Kind, Meta, OnDisk};

/// Why a folder cannot become an archive.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something in it cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Its path on disk.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// Something that an image cannot hold.
    #[error(transparent)]
    Archive(#[from] Error),
}

impl Archive {
    /// All that is below `folder`, and its own metadata as those of the root. Links are not followed; files are
    /// opened when the image is written. Extended attributes are not looked at.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, FolderError> {
        let folder = folder.as_ref();
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| FolderError::Read { path, source }
        };
        let mut archive = Archive::new();
        let mut inodes: BTreeMap<(u64, u64), Vec<u8>> = BTreeMap::new();
        // The folder itself may be reached by a link.
        let root = fs::metadata(folder).map_err(failed(folder))?;
        archive.insert("", Entry::new(meta(&root), Kind::Directory))?;
        let mut waiting = vec![folder.to_owned()];
        while let Some(at) = waiting.pop() {
            for name in fs::read_dir(&at).map_err(failed(&at))? {
                let path = name.map_err(failed(&at))?.path();
                let found = fs::symlink_metadata(&path).map_err(failed(&path))?;
                // Every path begins with the folder's.
                let inside = path.strip_prefix(folder).unwrap_or(&path).as_os_str().as_bytes();
                if found.is_dir() {
                    waiting.push(path.clone());
                } else if found.nlink() > 1 {
                    let inode = (found.dev(), found.ino());
                    if let Some(first) = inodes.get(&inode) {
                        archive.hard_link(inside, first)?;
                        continue;
                    }
                    inodes.insert(inode, inside.to_vec());
                }
                let kind = kind(&path, &found).map_err(failed(&path))?;
                archive.insert(inside, Entry::new(meta(&found), kind))?;
            }
        }
        Ok(archive)
    }
}

fn meta(found: &Metadata) -> Meta {
    Meta {
        // Twelve bits.
        mode: u16::try_from(found.mode() & 0o7777).unwrap_or_default(),
        uid: found.uid(),
        gid: found.gid(),
        // Before 1970 is 1970, beyond 2106 is 2106.
        mtime: u32::try_from(found.mtime().max(0)).unwrap_or(u32::MAX),
        xattrs: BTreeMap::new(),
    }
}

fn kind(path: &Path, found: &Metadata) -> io::Result<Kind> {
    let kind = found.file_type();
    Ok(if kind.is_dir() {
        Kind::Directory
    } else if kind.is_file() {
        Kind::file(OnDisk::of_length(path.to_owned(), found.len()))
    } else if kind.is_symlink() {
        Kind::Symlink(fs::read_link(path)?.into_os_string().into_vec())
    } else if kind.is_fifo() {
        Kind::Fifo
    } else if kind.is_socket() {
        Kind::Socket
    } else {
        let (major, minor) = device(found.rdev())?;
        if kind.is_char_device() {
            Kind::CharDevice(major, minor)
        } else {
            Kind::BlockDevice(major, minor)
        }
    })
}

/// Major and minor number, as Linux packs them for programs.
#[cfg(target_os = "linux")]
fn device(number: u64) -> io::Result<(u32, u32)> {
    let part = |number: u64| u32::try_from(number).map_err(io::Error::other);
    let major = ((number >> 32) & 0xffff_f000) | ((number >> 8) & 0xfff);
    let minor = ((number >> 12) & 0xffff_ff00) | (number & 0xff);
    Ok((part(major)?, part(minor)?))
}

/// Other systems' numbers mean nothing to Linux.
#[cfg(not(target_os = "linux"))]
fn device(_: u64) -> io::Result<(u32, u32)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "devices are taken from Linux only"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_folder_is_taken_with_links_and_sockets() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).expect("made");
        fs::write(at("a/file"), "text").expect("written");
        fs::set_permissions(at("a/file"), fs::Permissions::from_mode(0o4711)).expect("set");
        fs::hard_link(at("a/file"), at("z")).expect("linked");
        symlink("../a", at("a/b/up")).expect("linked");
        let _socket = UnixListener::bind(at("socket")).expect("bound");
        let archive = Archive::from_folder(folder.path()).expect("read");
        let found: Vec<String> = archive
            .iter()
            .map(|(path, entry)| format!("{path} {:?} {:o}", entry.kind, entry.meta.mode & 0o7000))
            .collect();
        let expected = [
            "/ directory 0",
            "/a directory 0",
            "/a/b directory 0",
            "/a/b/up link to ../a 0",
            "/a/file file of 4 bytes 4000",
            "/socket socket 0",
            "/z file of 4 bytes 4000",
        ];
        assert_eq!(found, expected);
        let links: Vec<u32> = archive.names().iter().map(|name| name.links).collect();
        assert_eq!(links, [1, 1, 1, 1, 2, 1, 2]);
        let error = Archive::from_folder(at("none")).expect_err("nothing there");
        assert!(error.to_string().contains("none"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn device_numbers_are_taken_apart() {
        let found = fs::metadata("/dev/null").expect("there");
        assert!(matches!(kind(Path::new("/dev/null"), &found), Ok(Kind::CharDevice(1, 3))));
        assert_eq!(device(0x1234_5006_789a_bcde).expect("small"), (0x1234_5abc, 0x0067_89de));
    }
}
