//! The files that a package of apk v3 installs, from its metadata: schemas `dir`, `file` and `acl`
//! (`src/apk_adb.c`).

use std::collections::{BTreeMap, BTreeSet};

use super::hash::Hash;
use wifibox_formats::adb::value::{Field, List, ValueError};
use wifibox_formats::adb::{AdbError, AdbLimits};
use wifibox_formats::names::Names;
use wifibox_ground::path::GuestPath;

const DIR_NAME: Field = Field(1, "name");
const DIR_ACL: Field = Field(2, "acl");
const DIR_FILES: Field = Field(3, "files");
const FILE_NAME: Field = Field(1, "name");
const FILE_ACL: Field = Field(2, "acl");
const FILE_SIZE: Field = Field(3, "size");
const FILE_MTIME: Field = Field(4, "mtime");
const FILE_HASH: Field = Field(5, "hash");
const FILE_TARGET: Field = Field(6, "target");
const ACL_MODE: Field = Field(1, "mode");
const ACL_USER: Field = Field(2, "user");
const ACL_GROUP: Field = Field(3, "group");
const ACL_XATTRS: Field = Field(4, "xattrs");

/// Types of files in `target` (`S_IFMT` of POSIX systems).
const FIFO: u16 = 0o010_000;
const CHAR: u16 = 0o020_000;
const BLOCK: u16 = 0o060_000;
const REGULAR: u16 = 0o100_000;
const SYMLINK: u16 = 0o120_000;

/// The longest target of a link, in bytes.
const TARGET_LIMIT: usize = 4095;

/// Who may do what, and who owns it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Acl {
    pub(super) mode: u16,
    pub(super) user: Vec<u8>,
    pub(super) group: Vec<u8>,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A directory of a package and the files directly in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) path: GuestPath,
    pub(super) acl: Acl,
    pub(super) files: Vec<File>,
}

/// Anything but a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: GuestPath,
    pub(super) acl: Acl,
    pub(super) mtime: u32,
    pub(super) kind: FileKind,
}

/// The type of a [`File`], with the data of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileKind {
    Regular { size: u64, hash: Hash },
    HardLink(GuestPath),
    Symlink(Vec<u8>),
    Char(u32, u32),
    Block(u32, u32),
    Fifo,
}

/// Reads the array `paths` of a package, and checks that it is consistent.
pub(super) fn read(
    file: &str,
    paths: &List<'_, '_>,
    limits: &AdbLimits,
) -> Result<Vec<Directory>, AdbError> {
    let mut reader = Reader { file, limits, left: limits.entries, names: Names::default() };
    let mut directories = Vec::new();
    for item in paths.items("directory") {
        let place = format!("directory number {}", item.0);
        let object = paths.list(item).map_err(AdbError::value(file, &*place))?;
        let object = object.ok_or_else(|| AdbError::schema(file, &*place, "it is empty"))?;
        directories.push(reader.directory(&place, &object)?);
    }
    check(file, &directories)?;
    Ok(directories)
}

struct Reader<'a> {
    file: &'a str,
    limits: &'a AdbLimits,
    left: usize,
    names: Names,
}

impl Reader<'_> {
    fn odd(&self, place: &str, why: impl Into<String>) -> AdbError {
        AdbError::schema(self.file, place, why)
    }

    fn value(&self, place: &str) -> impl FnOnce(ValueError) -> AdbError {
        AdbError::value(self.file, place)
    }

    fn path(&self, bytes: &[u8]) -> Result<GuestPath, AdbError> {
        GuestPath::from_archive(bytes)
            .map_err(|source| AdbError::Path { file: self.file.to_owned(), source })
    }

    fn count(&mut self, place: &str) -> Result<(), AdbError> {
        let why = || format!("there are more than {} files and directories", self.limits.entries);
        let too_large = || AdbError::too_large(self.file, place, why());
        self.left = self.left.checked_sub(1).ok_or_else(too_large)?;
        Ok(())
    }

    /// Counts what is kept of a file or directory.
    fn keep(&mut self, path: &GuestPath, acl: &Acl, target: usize) -> Result<(), AdbError> {
        let xattrs = acl.xattrs.iter().map(|(name, value)| name.len() + value.len());
        let more = target + acl.user.len() + acl.group.len() + xattrs.sum::<usize>();
        let too_large = |why| AdbError::too_large(self.file, shown(path), why);
        self.names.take(path, more).map_err(too_large)
    }

    fn directory(&mut self, place: &str, object: &List<'_, '_>) -> Result<Directory, AdbError> {
        self.count(place)?;
        let name = object.blob(DIR_NAME).map_err(self.value(place))?.unwrap_or_default();
        let path = self.path(name)?;
        let place = shown(&path);
        let acl = object.list(DIR_ACL).map_err(self.value(&place))?;
        let acl = match acl {
            Some(acl) => self.acl(&place, &acl)?,
            None => return Err(self.odd(&place, "it has no mode and owner")),
        };
        self.keep(&path, &acl, 0)?;
        let mut files = Vec::new();
        if let Some(list) = object.list(DIR_FILES).map_err(self.value(&place))? {
            for item in list.items("file") {
                let object = list.list(item).map_err(self.value(&place))?;
                let object = object.ok_or_else(|| self.odd(&place, "one of its files is empty"))?;
                files.push(self.file(&path, &object)?);
            }
        }
        Ok(Directory { path, acl, files })
    }

    fn file(&mut self, directory: &GuestPath, object: &List<'_, '_>) -> Result<File, AdbError> {
        let place = shown(directory);
        self.count(&place)?;
        let name = object.blob(FILE_NAME).map_err(self.value(&place))?.unwrap_or_default();
        if name.is_empty() || name == b"." || name.contains(&b'/') {
            let why = format!("\"{}\" cannot be the name of a file", name.escape_ascii());
            return Err(self.odd(&place, why));
        }
        let path = directory.join(name);
        let path = path.map_err(|source| AdbError::Path { file: self.file.to_owned(), source })?;
        let place = shown(&path);
        let number = |field| object.int(field).map_err(self.value(&place));
        let size = number(FILE_SIZE)?.unwrap_or_default();
        let mtime = number(FILE_MTIME)?.unwrap_or_default();
        let mtime = u32::try_from(mtime)
            .map_err(|_| self.odd(&place, format!("its time {mtime} is out of range")))?;
        let acl = match object.list(FILE_ACL).map_err(self.value(&place))? {
            Some(acl) => self.acl(&place, &acl)?,
            None => return Err(self.odd(&place, "it has no mode and owner")),
        };
        let kind = match object.blob(FILE_TARGET).map_err(self.value(&place))? {
            Some(target) => self.target(&place, target)?,
            None => {
                let hash = object.blob(FILE_HASH).map_err(self.value(&place))?;
                let hash = hash.unwrap_or_default();
                if size > self.limits.file_size {
                    let limit = self.limits.file_size;
                    let why = format!("{size} bytes are more than the {limit} allowed");
                    return Err(AdbError::too_large(self.file, place, why));
                }
                let hash = if let Ok(hash) = hash.try_into() {
                    Hash::Sha256(hash)
                } else if let Ok(hash) = hash.try_into() {
                    Hash::Sha512(hash)
                } else {
                    let why = format!(
                        "its hash has {} bytes; SHA-256 or SHA-512 is expected",
                        hash.len()
                    );
                    return Err(self.odd(&place, why));
                };
                FileKind::Regular { size, hash }
            }
        };
        let target = match &kind {
            FileKind::Symlink(target) => target.len(),
            FileKind::HardLink(target) => target.as_bytes().len(),
            _ => 0,
        };
        self.keep(&path, &acl, target)?;
        Ok(File { path, acl, mtime, kind })
    }

    /// Two bytes of type, then a path or the number of a device.
    fn target(&self, place: &str, target: &[u8]) -> Result<FileKind, AdbError> {
        let Some((kind, rest)) = target.split_first_chunk() else {
            return Err(self.odd(place, "its target is cut off"));
        };
        let device = || match rest.try_into() {
            Ok(number) => Ok(u64::from_le_bytes(number)),
            Err(_) => Err(self.odd(place, "the number of a device has eight bytes")),
        };
        match u16::from_le_bytes(*kind) {
            FIFO => device().map(|_| FileKind::Fifo),
            CHAR => device().map(major_minor).map(|(major, minor)| FileKind::Char(major, minor)),
            BLOCK => device().map(major_minor).map(|(major, minor)| FileKind::Block(major, minor)),
            SYMLINK | REGULAR if rest.len() > TARGET_LIMIT => {
                Err(self.odd(place, format!("a link to {} bytes of path", rest.len())))
            }
            SYMLINK if rest.is_empty() || rest.contains(&0) => {
                Err(self.odd(place, "it links to nothing"))
            }
            SYMLINK => Ok(FileKind::Symlink(rest.to_vec())),
            REGULAR => self.path(rest).map(FileKind::HardLink),
            other => {
                let why = format!("{place}: files of the type {other:#o} are not supported");
                Err(AdbError::unsupported(self.file, why))
            }
        }
    }

    fn acl(&self, place: &str, acl: &List<'_, '_>) -> Result<Acl, AdbError> {
        let mode = acl.int(ACL_MODE).map_err(self.value(place))?.unwrap_or_default();
        let name = |field: Field| match acl.blob(field).map_err(self.value(place))? {
            Some(name) if !name.is_empty() => Ok(name.to_vec()),
            _ => Err(self.odd(place, format!("it has no {}", field.1))),
        };
        let mut found = Acl {
            mode: u16::try_from(mode)
                .ok()
                .filter(|mode| *mode <= 0o7777)
                .ok_or_else(|| self.odd(place, format!("its mode {mode:#o} is out of range")))?,
            user: name(ACL_USER)?,
            group: name(ACL_GROUP)?,
            xattrs: BTreeMap::new(),
        };
        if let Some(list) = acl.list(ACL_XATTRS).map_err(self.value(place))? {
            for item in list.items(ACL_XATTRS.1) {
                let pair = list.blob(item).map_err(self.value(place))?.unwrap_or_default();
                let Some(end) = pair.iter().position(|byte| *byte == 0).filter(|end| *end > 0)
                else {
                    return Err(self.odd(place, "an extended attribute has no name"));
                };
                let (key, value) = pair.split_at(end);
                let value = value.get(1..).unwrap_or_default().to_vec();
                if found.xattrs.insert(key.to_vec(), value).is_some() {
                    return Err(self.odd(place, "an extended attribute appears twice"));
                }
            }
        }
        Ok(found)
    }
}

/// Linux's encoding of device numbers.
fn major_minor(device: u64) -> (u32, u32) {
    let major = (device >> 32 & 0xffff_f000) | (device >> 8 & 0xfff);
    let minor = (device >> 12 & 0xffff_ff00) | (device & 0xff);
    (u32::try_from(major).unwrap_or_default(), u32::try_from(minor).unwrap_or_default())
}

fn shown(path: &GuestPath) -> String {
    if path.is_root() { "the root".to_owned() } else { path.to_string() }
}

/// No path appears twice, and hard links are to regular files of the package.
fn check(file: &str, directories: &[Directory]) -> Result<(), AdbError> {
    let mut seen = BTreeSet::new();
    let mut regular = BTreeSet::new();
    let files = || directories.iter().flat_map(|directory| &directory.files);
    let paths = directories.iter().map(|directory| &directory.path);
    for path in paths.chain(files().map(|file| &file.path)) {
        if !seen.insert(path) {
            return Err(AdbError::schema(file, shown(path), "it appears twice"));
        }
    }
    for found in files().filter(|file| matches!(file.kind, FileKind::Regular { .. })) {
        regular.insert(&found.path);
    }
    for found in files() {
        if let FileKind::HardLink(target) = &found.kind
            && !regular.contains(target)
        {
            let why = format!("a hard link to {target}, which is no file of the package");
            return Err(AdbError::schema(file, shown(&found.path), why));
        }
    }
    Ok(())
}
