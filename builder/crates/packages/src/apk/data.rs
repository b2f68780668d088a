//! The data of a package: a tar archive in one or several gzip members, whose SHA-256 `.PKGINFO`
//! gives, and whose members have their own checksums.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use wifibox_formats::PackageLimits;
use wifibox_formats::apk::ApkError;
use wifibox_formats::apk::member::{self, only_zeros};
use wifibox_formats::tarball::{self, TarError};
use wifibox_ground::codec::Compression;
use wifibox_ground::digest::{Hasher, Sha256};
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

/// Hands what is to be installed to `visit`, and checks all of it.
pub(super) fn read<E: From<ApkError>>(
    package: &str,
    mut input: impl BufRead,
    expected: Option<Sha256>,
    limits: PackageLimits,
    visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| ApkError::Tar { package: package.to_owned(), member: "data", source };
    let read_failed = |error| failed(TarError::Read(error));
    let at_end = member::is_at_end(&mut input).map_err(read_failed)?;
    let Some(expected) = expected else {
        if at_end {
            return Ok(());
        }
        let why = ".PKGINFO has no datahash, so nothing says whether its data are genuine";
        return Err(ApkError::Format { package: package.to_owned(), why: why.to_owned() }.into());
    };
    if at_end {
        let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the package is cut off before it");
        return Err(read_failed(cut).into());
    }
    let mut hashing = Hashing { inner: input, hasher: Hasher::default() };
    let mut reader = Compression::Gzip.reader(&mut hashing, limits.data).map_err(read_failed)?;
    let mut seen = Seen { package, files: BTreeSet::new(), folders: BTreeSet::new() };
    tarball::read(&mut reader, limits.tar, &mut |entry| {
        if entry.dotted {
            return Ok(());
        }
        seen.take(&entry).map_err(Either::Ours)?;
        checked(package, entry, visit)
    })
    .map_err(|error| match error {
        Either::Theirs(error) => error,
        Either::Ours(error) => error.into(),
        Either::Tar(error) => failed(error).into(),
    })?;
    only_zeros(&mut reader).map_err(read_failed)?;
    drop(reader);
    // The decoder has read up to the end of the file, or failed.
    let found = hashing.hasher.finish();
    if found != expected {
        return Err(ApkError::DataHash { package: package.to_owned(), expected, found }.into());
    }
    Ok(())
}

/// Hands one member to `visit` and compares its content, or the target of a link, with its checksum.
fn checked<E>(
    package: &str,
    entry: Entry<'_>,
    visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), Either<E>> {
    let Some(checksum) = entry.checksum else { return visit(entry).map_err(Either::Theirs) };
    let path = entry.path.clone();
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    match entry.kind {
        EntryKind::File { size, content } => {
            let mut content = Sha1Reader { inner: content, hash: &mut hash };
            let kind = EntryKind::File { size, content: &mut content };
            visit(Entry { kind, ..entry }).map_err(Either::Theirs)?;
            io::copy(&mut content, &mut io::sink())
                .map_err(|error| Either::Tar(TarError::Read(error)))?;
        }
        EntryKind::Symlink(ref target) => {
            hash.update(target);
            visit(entry).map_err(Either::Theirs)?;
        }
        _ => return visit(entry).map_err(Either::Theirs),
    }
    if hash.finish().as_ref() == checksum {
        return Ok(());
    }
    Err(Either::Ours(ApkError::Checksum { package: package.to_owned(), path }))
}

/// The entries seen so far, against which links and folders of later ones are checked.
struct Seen<'p> {
    package: &'p str,
    files: BTreeSet<GuestPath>,
    folders: BTreeSet<GuestPath>,
}

impl Seen<'_> {
    fn take(&mut self, entry: &Entry<'_>) -> Result<(), ApkError> {
        let path = &entry.path;
        let wrong = |why: String| ApkError::Entry {
            package: self.package.to_owned(),
            path: path.clone(),
            why,
        };
        if path.as_bytes().iter().any(u8::is_ascii_control) {
            return Err(wrong("has a control character in its name".to_owned()));
        }
        match &entry.kind {
            EntryKind::Directory => {
                self.folders.insert(path.clone());
                return Ok(());
            }
            EntryKind::HardLink(target) if !self.files.contains(target) => {
                return Err(wrong(format!(
                    "is a hard link to {target}, which is not an earlier file of the package"
                )));
            }
            EntryKind::Symlink(target) if climbs_out(path, target) => {
                let target = String::from_utf8_lossy(target);
                let (package, path) = (self.package.to_owned(), path.clone());
                let why = format!("is a link to {target:?}, which leads out of the guest");
                return Err(ApkError::Unsafe { package, path, why });
            }
            EntryKind::File { .. } | EntryKind::HardLink(_) => {
                self.files.insert(path.clone());
            }
            _ => {}
        }
        match path.parent() {
            Some(parent) if !parent.is_root() && !self.folders.contains(&parent) => {
                Err(wrong("comes without the directory that holds it".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a relative link climbs above the root by its own `..`. Links that lead through other
/// links are resolved in the guest's tree, which has the last word.
fn climbs_out(path: &GuestPath, target: &[u8]) -> bool {
    let absolute = target.first() == Some(&b'/');
    let mut depth = if absolute { 0 } else { path.components().count().saturating_sub(1) };
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// Keeps errors of the visitor apart from ours.
enum Either<E> {
    Theirs(E),
    Ours(ApkError),
    Tar(TarError),
}

impl<E> From<TarError> for Either<E> {
    fn from(error: TarError) -> Self {
        Either::Tar(error)
    }
}

/// Hashes what passes.
struct Hashing<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.hasher.update(buf.get(..got).unwrap_or_default());
        Ok(got)
    }
}

/// Hashes what passes, with SHA-1.
struct Sha1Reader<'a> {
    inner: &'a mut dyn Read,
    hash: &'a mut Context,
}

impl Read for Sha1Reader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.hash.update(buf.get(..got).unwrap_or_default());
        Ok(got)
    }
}
