//! A content in a pack: where it is, and what its bytes must hash to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::digest::{Hasher, Sha256};
use crate::digests::Digests;

/// An open pack.
#[derive(Debug)]
pub struct PackFile {
    /// Open for reading.
    pub file: File,
    /// Where it is, for errors and for its removal.
    pub path: PathBuf,
    /// The cache's note that something was damaged.
    pub damaged: Arc<AtomicBool>,
}

/// The bytes of one member; cloning shares them.
#[derive(Debug, Clone)]
pub struct Packed(Arc<Place>);

#[derive(Debug)]
struct Place {
    pack: Arc<PackFile>,
    offset: u64,
    length: u64,
    digests: Digests,
}

impl Packed {
    /// The member of `pack` at `offset`, whose bytes have `digests`.
    pub fn new(pack: &Arc<PackFile>, offset: u64, length: u64, digests: Digests) -> Self {
        Packed(Arc::new(Place { pack: Arc::clone(pack), offset, length, digests }))
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.0.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// The hashes of the bytes as they were when they were unpacked.
    pub fn digests(&self) -> Digests {
        self.0.digests
    }

    /// A reader over the bytes. Its last bytes come only if all of them together have the right
    /// hash. Readers may be used from several threads, and do not wait for each other.
    pub fn open(&self) -> PackedReader {
        PackedReader { place: Arc::clone(&self.0), at: 0, hasher: Hasher::default() }
    }
}

/// Reads a [`Packed`].
pub struct PackedReader {
    place: Arc<Place>,
    at: u64,
    hasher: Hasher,
}

impl Read for PackedReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Place { pack, offset, length, digests } = &*self.place;
        let left = length.saturating_sub(self.at);
        let want = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(buf) = buf.get_mut(..want).filter(|buf| !buf.is_empty()) else { return Ok(0) };
        let got = pack.file.read_at(buf, offset.saturating_add(self.at))?;
        if got == 0 {
            return Err(damaged(pack));
        }
        self.hasher.update(buf.get(..got).unwrap_or_default());
        self.at = self.at.saturating_add(got as u64);
        if self.at == *length && check(&self.hasher) != digests.sha256 {
            return Err(damaged(pack));
        }
        Ok(got)
    }
}

fn check(hasher: &Hasher) -> Sha256 {
    hasher.clone().finish()
}

fn damaged(pack: &PackFile) -> io::Error {
    pack.damaged.store(true, Ordering::Relaxed);
    let _ = fs::remove_file(&pack.path);
    let path = pack.path.display();
    io::Error::other(format!(
        "the cached file {path} was damaged; it is removed: build again, and its package is unpacked anew"
    ))
}
