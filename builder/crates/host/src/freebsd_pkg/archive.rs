//! The archives of pkg(8): ustar (POSIX.1-1988) with names that begin at the root, in one zstd frame.
//!
//! Owners are names, by which pkg finds them: root and wheel.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

use super::error::PackageError;

/// What is large in a guest is compressed already: pkg's own 19 takes eighty times as long, for a quarter of a percent.
const LEVEL: i32 = 6;
/// The longest name without its folders, and the longest folders, that ustar has room for.
const NAME: usize = 100;
const PREFIX: usize = 155;

/// An archive under way.
pub(super) struct Archive<W: Write> {
    tar: tar::Builder<zstd::Encoder<'static, W>>,
    time: u64,
}

impl<W: Write> Archive<W> {
    /// One whose files all have the same `time`, in seconds since 1970.
    pub(super) fn begin(into: W, time: u64) -> Result<Self, PackageError> {
        let mut encoder = zstd::Encoder::new(into, LEVEL).map_err(PackageError::Pack)?;
        encoder.include_checksum(true).map_err(PackageError::Pack)?;
        Ok(Archive { tar: tar::Builder::new(encoder), time })
    }

    /// Adds a file of pkg's own.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), PackageError> {
        self.file(name, 0o644, bytes.len() as u64, bytes)
    }

    /// Adds a file of `size` bytes.
    pub(super) fn file(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        mut from: impl Read,
    ) -> Result<(), PackageError> {
        let header = self.header(path, EntryType::Regular, mode, size, "")?;
        self.tar.append(&header, &mut from).map_err(PackageError::Pack)
    }

    /// Adds a folder.
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<(), PackageError> {
        let header = self.header(path, EntryType::Directory, mode, 0, "")?;
        self.tar.append(&header, io::empty()).map_err(PackageError::Pack)
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, mode: u32, target: &str) -> Result<(), PackageError> {
        let header = self.header(path, EntryType::Symlink, mode, 0, target)?;
        self.tar.append(&header, io::empty()).map_err(PackageError::Pack)
    }

    /// Ends it.
    pub(super) fn finish(self) -> Result<(), PackageError> {
        let finish = || self.tar.into_inner()?.finish()?.flush();
        finish().map_err(PackageError::Pack)
    }

    fn header(
        &self,
        path: &str,
        kind: EntryType,
        mode: u32,
        size: u64,
        target: &str,
    ) -> Result<Header, PackageError> {
        let wrong = |why| PackageError::Name { path: path.to_owned(), why };
        let (prefix, name) = split(path).ok_or_else(|| wrong("it is too long for ustar"))?;
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time);
        header.set_size(size);
        let named = header.set_username("root").and_then(|()| header.set_groupname("wheel"));
        named.map_err(PackageError::Pack)?;
        // `Header::set_path` takes no path from the root.
        let ustar = header.as_ustar_mut().ok_or_else(|| wrong("there is no ustar header"))?;
        for (field, text) in [
            (&mut ustar.name[..], name),
            (&mut ustar.prefix[..], prefix),
            (&mut ustar.linkname[..], target),
        ] {
            let room =
                field.get_mut(..text.len()).ok_or_else(|| wrong("it is too long for ustar"))?;
            room.copy_from_slice(text.as_bytes());
        }
        header.set_cksum();
        Ok(header)
    }
}

/// Folders and name, as the two fields of ustar have them, the slash between them left out.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    // An empty prefix is none, so that the first slash cannot be the one between them.
    let mut slashes = path
        .match_indices('/')
        .map(|(at, _)| path.split_at(at))
        .filter(|(prefix, _)| !prefix.is_empty());
    let fits = |(prefix, rest): &(&str, &str)| {
        prefix.len() <= PREFIX && (2..=NAME + 1).contains(&rest.len())
    };
    slashes.find(fits).map(|(prefix, rest)| (prefix, rest.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_they_fit() {
        let long =
            |folder: usize, name: usize| format!("/{}/{}", "f".repeat(folder), "n".repeat(name));
        for path in [long(0, 10), long(10, 100), long(100, 90), long(154, 100)] {
            let (prefix, name) = split(&path).expect("it fits");
            let joined =
                if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            assert_eq!(joined, path);
            assert!(prefix.len() <= PREFIX && name.len() <= NAME && !name.is_empty());
        }
        for path in [long(10, 101), long(155, 60), long(0, 101)] {
            assert_eq!(split(&path), None, "{path}");
        }
    }

    #[test]
    fn an_archive_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        let mut archive = Archive::begin(&mut bytes, 1_700_000_000).expect("begun");
        archive.bytes("+MANIFEST", b"{}").expect("added");
        archive.file("/usr/local/a", 0o640, 3, &b"abc"[..]).expect("added");
        archive.link("/usr/local/l", 0o755, "a").expect("added");
        archive.folder("/var/f", 0o755).expect("added");
        archive.finish().expect("finished");
        let tar = zstd::decode_all(&bytes[..]).expect("a frame");
        let mut found = Vec::new();
        for entry in tar::Archive::new(&tar[..]).entries().expect("entries") {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!(header.username().expect("a name"), Some("root"));
            assert_eq!(header.groupname().expect("a name"), Some("wheel"));
            assert_eq!(
                (header.uid().expect("set"), header.mtime().expect("set")),
                (0, 1_700_000_000)
            );
            let target =
                header.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
            let path = String::from_utf8_lossy(&header.path_bytes()).into_owned();
            found.push((path, header.mode().expect("set"), header.size().expect("set"), target));
        }
        let row = |path: &str, mode, size, target: Option<&str>| {
            (path.to_owned(), mode, size, target.map(str::to_owned))
        };
        assert_eq!(
            found,
            [
                row("+MANIFEST", 0o644, 2, None),
                row("/usr/local/a", 0o640, 3, None),
                row("/usr/local/l", 0o755, 0, Some("a")),
                row("/var/f", 0o755, 0, None),
            ]
        );
    }
}
