//! The parts that the readers of all package formats share: members of an exact length, nested
//! compressed archives, and control files.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use wifibox_formats::PackageLimits;
use wifibox_formats::tarball::{self, TarError};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::{Entry, EntryKind};

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
