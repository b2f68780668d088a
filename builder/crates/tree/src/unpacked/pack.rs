//! A pack: the contents of a package's files one after another, the list of its members ([`super::index`]),
//! and at the very end where the list begins, how long it is, the seal over it and over the package's hash, and eight
//! fixed bytes.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::index;
use super::member::{Member, MemberKind};
use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::digests::Hashers;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::packed::{PackFile, Packed};
use wifibox_ground::path::GuestPath;
use wifibox_ground::secret::Secret;

const MAGIC: &[u8; 8] = b"WBPACK02";
/// Offset and length of the list, its seal, the magic.
const FOOTER: usize = 8 + 8 + 32 + 8;
/// The longest list of members that is read, in bytes.
const INDEX_LIMIT: u64 = 256 << 20;

/// A complete pack.
#[derive(Debug)]
pub struct Pack {
    file: Arc<PackFile>,
    members: Vec<Member>,
}

impl Pack {
    /// Reads the list of members and checks it.
    pub(super) fn read(
        file: File,
        path: &Path,
        package: &Sha256,
        secret: &Secret,
        damaged: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let number = |bytes: Option<&[u8]>| {
            bytes.and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
        };
        let length = file.metadata()?.len();
        let footer_at = length.checked_sub(FOOTER as u64).ok_or_else(bad)?;
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, footer_at)?;
        let begin = number(footer.get(..8)).ok_or_else(bad)?;
        let size = number(footer.get(8..16)).ok_or_else(bad)?;
        let sound = footer.ends_with(MAGIC)
            && size <= INDEX_LIMIT
            && begin.checked_add(size) == Some(footer_at);
        if !sound {
            return Err(bad());
        }
        let mut json = vec![0; usize::try_from(size).map_err(|_| bad())?];
        file.read_exact_at(&mut json, begin)?;
        if footer.get(16..48) != Some(seal(secret, package, &json).as_bytes()) {
            return Err(bad());
        }
        let members = index::read(&json).ok_or_else(bad)?;
        let inside = |member: &Member| match member.kind {
            MemberKind::File { offset, length, .. } => {
                offset.checked_add(length).is_some_and(|end| end <= begin)
            }
            _ => true,
        };
        if !members.iter().all(inside) {
            return Err(bad());
        }
        let file = PackFile { file, path: path.to_owned(), damaged: Arc::clone(damaged) };
        Ok(Pack { file: Arc::new(file), members })
    }

    /// The members, in the package's order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of a member that is a file.
    pub fn content(&self, member: &Member) -> Option<Content> {
        match member.kind {
            MemberKind::File { offset, length, digests } => {
                Some(Content::Packed(Packed::new(&self.file, offset, length, digests)))
            }
            _ => None,
        }
    }

    /// Hands all members to `visit`, in the package's order, as the reader of the package did.
    ///
    /// # Errors
    /// The error of `visit`.
    pub fn replay<E>(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        for member in &self.members {
            let held = self.content(member);
            let mut reader = held.as_ref().map(Content::open);
            let mut nothing = io::empty();
            let kind = match &member.kind {
                MemberKind::Directory => EntryKind::Directory,
                MemberKind::File { length, .. } => {
                    let content: &mut dyn Read = match &mut reader {
                        Some(reader) => reader,
                        None => &mut nothing,
                    };
                    EntryKind::File { size: *length, content }
                }
                MemberKind::Symlink(target) => EntryKind::Symlink(target.clone()),
                MemberKind::HardLink(target) => EntryKind::HardLink(target.clone()),
                MemberKind::CharDevice(major, minor) => EntryKind::CharDevice(*major, *minor),
                MemberKind::BlockDevice(major, minor) => EntryKind::BlockDevice(*major, *minor),
                MemberKind::Fifo => EntryKind::Fifo,
            };
            visit(Entry {
                path: member.path.clone(),
                dotted: member.dotted,
                mode: member.mode,
                uid: member.uid,
                gid: member.gid,
                uname: member.uname.clone(),
                gname: member.gname.clone(),
                mtime: member.mtime,
                xattrs: member.xattrs.clone(),
                // What it said was checked when the package was unpacked.
                checksum: None,
                held: held.clone(),
                kind,
            })?;
        }
        Ok(())
    }
}

/// Binds a list of members to the package that it is of.
fn seal(secret: &Secret, package: &Sha256, json: &[u8]) -> Sha256 {
    secret.seal("the members of a pack", &[package.as_bytes(), json])
}

/// A pack under way. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct PackWriter {
    out: BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
    package: Sha256,
    secret: Secret,
    damaged: Arc<AtomicBool>,
    end: u64,
    members: Vec<Member>,
}

impl PackWriter {
    pub(super) fn new(
        out: tempfile::NamedTempFile,
        path: PathBuf,
        package: Sha256,
        secret: Secret,
        damaged: Arc<AtomicBool>,
    ) -> Self {
        let out = BufWriter::with_capacity(1 << 18, out);
        PackWriter { out, path, package, secret, damaged, end: 0, members: Vec::new() }
    }

    /// Makes its file look so old.
    #[cfg(test)]
    pub(super) fn age(&self, age: std::time::Duration) {
        let then = std::time::SystemTime::now() - age;
        self.out.get_ref().as_file().set_modified(then).expect("aged");
    }

    /// Takes the next member in, with all its bytes.
    ///
    /// # Errors
    /// Its bytes cannot be read or written.
    pub fn add(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let kind = match entry.kind {
            EntryKind::Directory => MemberKind::Directory,
            EntryKind::File { content, .. } => {
                let (offset, mut hashers) = (self.end, Hashers::default());
                let mut buffer = [0; 1 << 16];
                loop {
                    let got = match content.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(got) => got,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(error) => return Err(error),
                    };
                    let bytes = buffer.get(..got).unwrap_or_default();
                    hashers.update(bytes);
                    self.out.write_all(bytes)?;
                    self.end = self.end.saturating_add(got as u64);
                }
                let length = self.end.saturating_sub(offset);
                MemberKind::File { offset, length, digests: hashers.finish() }
            }
            EntryKind::Symlink(target) => MemberKind::Symlink(target),
            EntryKind::HardLink(target) => MemberKind::HardLink(target),
            EntryKind::CharDevice(major, minor) => MemberKind::CharDevice(major, minor),
            EntryKind::BlockDevice(major, minor) => MemberKind::BlockDevice(major, minor),
            EntryKind::Fifo => MemberKind::Fifo,
        };
        self.members.push(Member {
            path: entry.path,
            dotted: entry.dotted,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            uname: entry.uname,
            gname: entry.gname,
            mtime: entry.mtime,
            xattrs: entry.xattrs,
            kind,
        });
        Ok(())
    }

    /// Takes a content in that is no package's member.
    pub(super) fn add_content(&mut self, content: &mut dyn Read) -> io::Result<()> {
        let path = GuestPath::new("content").unwrap_or_else(|_| GuestPath::root());
        // Nobody asks for a size here.
        self.add(Entry::new(path, 0, EntryKind::File { size: 0, content }))
    }

    /// Ends the pack and puts it in its place. Call it only when the package was read to its end
    /// without an error.
    ///
    /// # Errors
    /// It cannot be written or renamed.
    pub fn finish(mut self) -> io::Result<Pack> {
        let json = index::write(&self.members)?;
        self.out.write_all(&json)?;
        self.out.write_all(&self.end.to_le_bytes())?;
        self.out.write_all(&(json.len() as u64).to_le_bytes())?;
        self.out.write_all(seal(&self.secret, &self.package, &json).as_bytes())?;
        self.out.write_all(MAGIC)?;
        let temporary = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        // No fsync: a pack that did not survive a crash is found damaged, and unpacking is repeated.
        let file = temporary.persist(&self.path).map_err(|error| error.error)?;
        let file = PackFile { file, path: self.path, damaged: self.damaged };
        Ok(Pack { file: Arc::new(file), members: self.members })
    }
}
