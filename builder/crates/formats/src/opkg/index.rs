//! Reads the signed files of OpenWrt: the `Packages` index of a feed and the `sha256sums` of a
//! target.
//!
//! The signature of an index is over the *uncompressed* `Packages`, also where `Packages.gz` is
//! fetched. Nothing is parsed before its signature was verified. usign signatures carry no date: an old
//! index that somebody keeps serving is not noticed here; the lock file is what fixes the packages.

use std::collections::BTreeMap;
use std::io::Read;

use super::trust::{self, SignatureError, Trust};
use crate::fault::Fault;
use crate::opkg_index;
use crate::{IndexError, Package, Verified};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::digest::Sha256;

/// An index, unpacked, may have this many bytes; the largest of OpenWrt has about 5 MB.
pub const SIZE_LIMIT: u64 = 256 << 20;

/// Why a feed cannot be used. `name` is where the file comes from.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// No pinned key vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It cannot be unpacked.
    #[error("{name} cannot be unpacked: {source}; it is damaged or cut off: fetch it again")]
    Unpack {
        /// The file.
        name: String,
        /// The decoder's error.
        source: std::io::Error,
    },
    /// The signed text is not an index.
    #[error("{name}: {source}")]
    Index {
        /// The file.
        name: String,
        /// The parser's error.
        source: IndexError,
    },
    /// The signed text is not a list of digests.
    #[error("{name}, line {line}: {text:?} is not \"<SHA-256> *<path>\"")]
    Sums {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// Its text.
        text: String,
    },
}

impl FeedError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            FeedError::Signature(_) => Fault::Forged,
            FeedError::Unpack { source, .. } => Fault::of_io(source),
            FeedError::Index { source, .. } => source.kind(),
            FeedError::Sums { .. } => Fault::Damaged,
        }
    }
}

/// Reads the index of a feed, `Packages` or `Packages.gz`, after checking `signature`
/// (`Packages.sig`; `None` where the feed has none).
///
/// # Errors
/// [`FeedError`].
pub fn read_signed(
    name: &str,
    packages: &[u8],
    signature: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Result<Verified<Vec<Package>>, FeedError> {
    let text = unpack(name, packages)?;
    let key = trust::verify(name, &text, signature, trust)?;
    let packages = opkg_index::parse(&text[..])
        .map_err(|source| FeedError::Index { name: name.to_owned(), source })?;
    Ok(Verified::new(packages, vec![key.to_string()]))
}

/// Reads the `sha256sums` of a target after checking `signature` (`sha256sums.sig`): the digests of
/// its files, by path below the target's folder. It vouches for what no index lists: `profiles.json`,
/// the kernel image, and the packages `libc` and `kernel`.
///
/// # Errors
/// [`FeedError`].
pub fn read_sums(
    name: &str,
    sums: &[u8],
    signature: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Result<Verified<BTreeMap<String, Sha256>>, FeedError> {
    let text = unpack(name, sums)?;
    let key = trust::verify(name, &text, signature, trust)?;
    let mut digests = BTreeMap::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let entry = std::str::from_utf8(line).ok().and_then(|line| {
            let (digest, path) = line.split_once(" *").or_else(|| line.split_once("  "))?;
            Some((path.to_owned(), digest.parse::<Sha256>().ok()?))
        });
        let Some((path, digest)) = entry else {
            let text = String::from_utf8_lossy(line).into_owned();
            return Err(FeedError::Sums { name: name.to_owned(), line: number + 1, text });
        };
        digests.insert(path, digest);
    }
    Ok(Verified::new(digests, vec![key.to_string()]))
}

/// The text of an index that may be gzipped.
fn unpack(name: &str, bytes: &[u8]) -> Result<Vec<u8>, FeedError> {
    let compression = match bytes {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        _ => Compression::None,
    };
    let limits = Limits { size: SIZE_LIMIT, ..Limits::default() };
    let mut text = Vec::new();
    compression
        .reader(bytes, limits)
        .and_then(|mut reader| reader.read_to_end(&mut text))
        .map_err(|source| FeedError::Unpack { name: name.to_owned(), source })?;
    Ok(text)
}
