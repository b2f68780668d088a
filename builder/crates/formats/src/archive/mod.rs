//! The parts that the readers of all package formats share: limits, members of an exact length, nested
//! compressed archives, and control files.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use crate::fault::copy_of;
use crate::tarball::{self, TarError, TarLimits};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::{Entry, EntryKind};

/// The limits of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageLimits {
    /// All control files together, unpacked, in bytes; where signatures stand beside them, each member.
    pub control: u64,
    /// The unpacked data.
    pub data: Limits,
    /// The members of the data.
    pub tar: TarLimits,
}

impl Default for PackageLimits {
    fn default() -> Self {
        PackageLimits { control: 64 << 20, data: Limits::default(), tar: TarLimits::default() }
    }
}

/// Why the reading of entries ended early.
pub(crate) enum Stop<E> {
    /// The visitor does not want to go on.
    Visitor(E),
    /// The archive cannot be read.
    Archive(TarError),
}

impl<E> From<TarError> for Stop<E> {
    fn from(error: TarError) -> Self {
        Stop::Archive(error)
    }
}

impl<E> Stop<E> {
    /// The error for the caller; `of` makes one of an error of the archive.
    pub(crate) fn into_error(self, of: impl FnOnce(TarError) -> E) -> E {
        match self {
            Stop::Visitor(error) => error,
            Stop::Archive(error) => of(error),
        }
    }
}

/// Reads from `inner`, of which `left` bytes belong to the current member: all of them, or an error
/// that says that `what` is cut off.
pub(crate) fn read_within(
    inner: &mut impl Read,
    left: &mut u64,
    buf: &mut [u8],
    what: &str,
) -> io::Result<usize> {
    let want = buf.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    let Some(buf) = buf.get_mut(..want).filter(|buf| !buf.is_empty()) else { return Ok(0) };
    let got = inner.read(buf)?;
    if got == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{what} is cut off")));
    }
    *left = left.saturating_sub(got as u64);
    Ok(got)
}

/// The content of an entry, which remembers why it could not be read: whoever reads it hands on an
/// error of his own, and the fault is the package's.
pub(crate) struct Watched<R> {
    inner: R,
    failed: Option<io::Error>,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(inner: R) -> Self {
        Watched { inner, failed: None }
    }

    /// Why the content could not be read, if it was tried in vain.
    pub(crate) fn failed(self) -> Option<io::Error> {
        self.failed
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(copy_of(error));
        }
        read
    }
}

/// How the member `name` is compressed, if it is `wanted` with the suffix of a compression.
///
/// # Errors
/// In words: the compression is not supported.
pub(crate) fn member_compression(name: &str, wanted: &str) -> Result<Option<Compression>, String> {
    match name.strip_prefix(wanted) {
        Some("" | ".gz" | ".xz" | ".zst") => Ok(Some(Compression::of_name(name))),
        Some(suffix) if suffix.starts_with('.') => {
            Err(format!("{name} is compressed in an unsupported way; .gz, .xz and .zst are known"))
        }
        _ => Ok(None),
    }
}

/// Reads a compressed member to its end, so that the decoder checks its checksums.
pub(crate) fn unpacked<T, E: From<TarError>>(
    compression: Compression,
    jobs: NonZeroUsize,
    content: impl Read,
    limits: Limits,
    read: impl FnOnce(&mut dyn Read) -> Result<T, E>,
) -> Result<T, E> {
    let mut reader = compression.reader_by(jobs, content, limits).map_err(TarError::Read)?;
    let value = read(&mut reader)?;
    io::copy(&mut reader, &mut io::sink()).map_err(TarError::Read)?;
    Ok(value)
}

/// The files of a compressed `control.tar`, by name.
pub(crate) fn control_files(
    compression: Compression,
    content: impl Read,
    limits: PackageLimits,
) -> Result<BTreeMap<String, Vec<u8>>, TarError> {
    let bounds = Limits { size: limits.control, ratio: limits.data.ratio };
    unpacked(compression, NonZeroUsize::MIN, content, bounds, |reader| {
        let mut files = BTreeMap::new();
        tarball::read(reader, limits.tar, &mut |entry: Entry<'_>| {
            let shown = entry.path.to_string();
            let odd = |why: &str| TarError::Member { member: shown.clone(), why: why.to_owned() };
            let name = entry.path.as_str().ok_or_else(|| odd("its name is not UTF-8"))?;
            let content = match entry.kind {
                EntryKind::Directory if entry.path.is_root() => return Ok(()),
                EntryKind::File { content, .. } if !name.contains('/') => content,
                other => {
                    let kind = other.describe();
                    return Err(odd(&format!("a {kind} has no place among control files")));
                }
            };
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(TarError::Read)?;
            match files.insert(name.to_owned(), bytes) {
                Some(_) => Err(odd("it appears twice")),
                None => Ok(()),
            }
        })?;
        Ok(files)
    })
}
