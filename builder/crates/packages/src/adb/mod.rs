//! Reads packages of apk v3: metadata first, then the bytes of files in DATA blocks.
//!
//! A DATA block begins with two little-endian words, the number of the directory and of the file in it,
//! both from 1. Blocks come in the order of the metadata; empty files and links have none.

mod hash;
mod paths;

use std::collections::BTreeMap;
use std::io::{self, Read};

use self::hash::{Hash, Hasher};
use self::paths::{Acl, Directory, File, FileKind};
use wifibox_formats::Identity;
use wifibox_formats::adb::container::{Container, Schema};
use wifibox_formats::adb::packing::read_exactly;
use wifibox_formats::adb::value::{Field, Values};
use wifibox_formats::adb::{AdbError, AdbLimits, Fingerprint, Info, Keyring, SignatureState};
use wifibox_formats::within::Watched;
use wifibox_ground::digest::{Sha256, hex};
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

const INFO: Field = Field(1, "info");
const PATHS: Field = Field(2, "paths");
const SCRIPTS: Field = Field(3, "scripts");
const TRIGGERS: Field = Field(4, "triggers");
const REPLACES_PRIORITY: Field = Field(5, "replaces-priority");

const SCRIPT_NAMES: [Field; 7] = [
    Field(1, "trigger"),
    Field(2, "pre-install"),
    Field(3, "post-install"),
    Field(4, "pre-deinstall"),
    Field(5, "post-deinstall"),
    Field(6, "pre-upgrade"),
    Field(7, "post-upgrade"),
];

/// The metadata of a package: everything but its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// Its index record. The identity is the hash of the metadata that was read, as the index lists
    /// it.
    pub info: Info,
    /// Its scripts by name: `pre-install`, `post-install`, `pre-upgrade`, `post-upgrade`,
    /// `pre-deinstall`, `post-deinstall` and `trigger`.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// The directories whose changes run its script `trigger`, as patterns.
    pub triggers: Vec<String>,
    /// Which of two packages that replace each other's files wins; 0 if not said.
    pub replaces_priority: u64,
}

/// A package that is being read.
pub struct Apk3<'r> {
    package: String,
    container: Container<'r>,
    control: Control,
    directories: Vec<Directory>,
    hash: Sha256,
}

impl<'r> Apk3<'r> {
    /// Begins to read a package, `package` in errors, up to the end of its metadata and signatures.
    ///
    /// # Errors
    /// [`AdbError`].
    pub fn open(package: &str, input: impl Read + 'r, limits: AdbLimits) -> Result<Self, AdbError> {
        let container = Container::open(package, input, Schema::PACKAGE, &limits)?;
        let hash = Sha256::of(container.payload());
        Apk3::begin(package, container, hash, &limits)
    }

    /// Like [`Apk3::open`], for a package that an index lists with the identity `expected`: nothing in
    /// it is looked at before that is checked, as by [`Apk3::check_hash`].
    ///
    /// # Errors
    /// [`AdbError`].
    pub fn open_expected(
        package: &str,
        input: impl Read + 'r,
        limits: AdbLimits,
        expected: &Identity,
    ) -> Result<Self, AdbError> {
        let container = Container::open(package, input, Schema::PACKAGE, &limits)?;
        let hash = Sha256::of(container.payload());
        compare(package, hash, expected)?;
        Apk3::begin(package, container, hash, &limits)
    }

    fn begin(
        package: &str,
        container: Container<'r>,
        hash: Sha256,
        limits: &AdbLimits,
    ) -> Result<Self, AdbError> {
        let value = || AdbError::value(package, "package");
        let values = Values::new(container.payload(), limits.values).map_err(value())?;
        let root = values.root().map_err(value())?;
        let info = root.list(INFO).map_err(value())?;
        let info = info.ok_or_else(|| AdbError::format(package, "it does not say what it is"))?;
        let mut control = Control {
            info: Info::read(package, "package", &info)?,
            replaces_priority: root.int(REPLACES_PRIORITY).map_err(value())?.unwrap_or_default(),
            ..Control::default()
        };
        control.info.package.identity = Identity::from_digest(hash.as_bytes());
        if let Some(scripts) = root.list(SCRIPTS).map_err(value())? {
            for field in SCRIPT_NAMES {
                if let Some(script) = scripts.blob(field).map_err(value())? {
                    control.scripts.insert(field.1.to_owned(), script.to_vec());
                }
            }
        }
        if let Some(list) = root.list(TRIGGERS).map_err(value())? {
            for item in list.items(TRIGGERS.1) {
                if let Some(pattern) = list.blob(item).map_err(value())? {
                    control.triggers.push(String::from_utf8_lossy(pattern).into_owned());
                }
            }
        }
        let directories = match root.list(PATHS).map_err(value())? {
            Some(list) => paths::read(package, &list, limits)?,
            None => Vec::new(),
        };
        Ok(Apk3 { package: package.to_owned(), container, control, directories, hash })
    }

    /// Its metadata, without its files.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The SHA-256 of its metadata (the payload of its ADB block), by which an index lists it.
    pub fn payload_hash(&self) -> Sha256 {
        self.hash
    }

    /// Checks that it is the package that an index lists with this identity: the hash of its
    /// metadata, or the first 20 bytes of it.
    ///
    /// # Errors
    /// [`AdbError::WrongPackage`].
    pub fn check_hash(&self, expected: &Identity) -> Result<(), AdbError> {
        compare(&self.package, self.hash, expected)
    }

    /// The state of its own signatures. A package from a signed index needs none.
    pub fn signature_state(&self, keyring: &Keyring, pinned: &[Fingerprint]) -> SignatureState {
        SignatureState::of(&self.container, keyring, pinned)
    }

    /// Hands all that is to be installed to `visit`: directories with their files in the order of the
    /// package, hard links last. Checks every file's size and hash, and that the package is complete.
    /// Returns what it says beside its files.
    ///
    /// # Errors
    /// Whatever `visit` reports, or [`AdbError`] as `E`. What was visited before an error must be
    /// thrown away.
    pub fn read_data<E: From<AdbError>>(
        mut self,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<Control, E> {
        let mut links = Vec::new();
        for (directory, in_package) in std::mem::take(&mut self.directories).into_iter().zip(1..) {
            let Directory { path, acl, files } = directory;
            if !path.is_root() {
                visit(entry(path, acl, 0, EntryKind::Directory))?;
            }
            for (file, in_directory) in files.into_iter().zip(1..) {
                match file.kind {
                    FileKind::HardLink(_) => links.push(file),
                    FileKind::Regular { size, ref hash } => {
                        let hash = hash.clone();
                        let place = (in_package, in_directory);
                        self.regular(file, size, &hash, place, visit)?;
                    }
                    FileKind::Symlink(target) => {
                        let kind = EntryKind::Symlink(target);
                        visit(entry(file.path, file.acl, file.mtime, kind))?;
                    }
                    FileKind::Char(major, minor) => {
                        let kind = EntryKind::CharDevice(major, minor);
                        visit(entry(file.path, file.acl, file.mtime, kind))?;
                    }
                    FileKind::Block(major, minor) => {
                        let kind = EntryKind::BlockDevice(major, minor);
                        visit(entry(file.path, file.acl, file.mtime, kind))?;
                    }
                    FileKind::Fifo => {
                        visit(entry(file.path, file.acl, file.mtime, EntryKind::Fifo))?;
                    }
                }
            }
        }
        if self.container.next_data()?.is_some() {
            let why = "it has more data blocks than files";
            return Err(AdbError::format(&self.package, why).into());
        }
        for link in links {
            if let FileKind::HardLink(target) = link.kind {
                visit(entry(link.path, link.acl, link.mtime, EntryKind::HardLink(target)))?;
            }
        }
        Ok(self.control)
    }

    fn regular<E: From<AdbError>>(
        &mut self,
        file: File,
        size: u64,
        hash: &Hash,
        (in_package, in_directory): (u32, u32),
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let File { path, acl, mtime, .. } = file;
        let mut hasher = Hasher::like(hash);
        if size > 0 {
            self.data_block(&path, size, in_package, in_directory)?;
            let hashed = Hashed { inner: &mut self.container, hasher: &mut hasher };
            let mut content = Watched::new(hashed);
            let kind = EntryKind::File { size, content: &mut content };
            if let Err(error) = visit(entry(path.clone(), acl, mtime, kind)) {
                let file = self.package.clone();
                let damaged = |source| AdbError::Read { file, source }.into();
                return Err(content.failed().map_or(error, damaged));
            }
            // What the visitor left is hashed too.
            io::copy(&mut content, &mut io::sink())
                .map_err(|source| AdbError::Read { file: self.package.clone(), source })?;
        } else {
            let kind = EntryKind::File { size, content: &mut io::empty() };
            visit(entry(path.clone(), acl, mtime, kind))?;
        }
        if hasher.finish() == *hash {
            return Ok(());
        }
        Err(AdbError::Damaged { file: self.package.clone(), path: path.to_string() }.into())
    }

    /// Goes to the bytes of a file.
    fn data_block(
        &mut self,
        path: &GuestPath,
        size: u64,
        in_package: u32,
        in_directory: u32,
    ) -> Result<(), AdbError> {
        let odd = |why: String| AdbError::schema(&self.package, path.to_string(), why);
        let Some(length) = self.container.next_data()? else {
            return Err(odd("the package ends before its contents".to_owned()));
        };
        if length != size.saturating_add(8) {
            let why =
                format!("its contents have {} bytes instead of {size}", i128::from(length) - 8);
            return Err(odd(why));
        }
        let mut header = [0; 8];
        read_exactly(&mut self.container, &mut header)
            .map_err(|source| AdbError::Read { file: self.package.clone(), source })?;
        let number = u64::from_le_bytes(header);
        if number != (u64::from(in_directory) << 32 | u64::from(in_package)) {
            let (directory, file) = (number & 0xffff_ffff, number >> 32);
            return Err(odd(format!(
                "file {file} of directory {directory} stands where it is expected, file \
                 {in_directory} of directory {in_package}"
            )));
        }
        Ok(())
    }
}

/// Whether a package with this hash is the one that an index lists.
fn compare(package: &str, hash: Sha256, expected: &Identity) -> Result<(), AdbError> {
    let digest = expected.digest();
    if !digest.is_empty() && hash.as_bytes().get(..digest.len()) == Some(digest) {
        return Ok(());
    }
    Err(AdbError::WrongPackage {
        file: package.to_owned(),
        expected: hex(digest),
        found: hash.to_string(),
    })
}

fn entry<'c>(path: GuestPath, acl: Acl, mtime: u32, kind: EntryKind<'c>) -> Entry<'c> {
    let Acl { mode, user, group, xattrs } = acl;
    let number = |name: &[u8]| if name == b"root" { 0 } else { NOBODY };
    let (uid, gid) = (number(&user), number(&group));
    Entry {
        path,
        mode,
        uid,
        gid,
        uname: user,
        gname: group,
        mtime,
        xattrs,
        checksum: None,
        dotted: false,
        held: None,
        kind,
    }
}

/// apk v3 has no numbers of owners; this is what apk takes for names that it does not know.
const NOBODY: u32 = 65534;

/// Hashes what is read.
struct Hashed<'a, R> {
    inner: R,
    hasher: &'a mut Hasher,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.hasher.update(buf.get(..got).unwrap_or_default());
        Ok(got)
    }
}
