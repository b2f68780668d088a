//! The bytes of a file in the tree: in memory when small, in a file when not.
//!
//! The file is either an unpacked package (`wifibox_tree::unpacked`), or the spool: one anonymous temporary
//! file that contents are appended to while they stream past. So memory stays bounded by the window
//! that is being copied and not by the size of the guest.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use crate::digests::Digests;
use crate::packed::Packed;

/// Bytes that were written or kept earlier cannot be read again.
#[derive(Debug, thiserror::Error)]
#[error("cannot read back {what}: {source}")]
pub struct ReadBack {
    /// The name of the bytes, for the message.
    pub what: String,
    /// The underlying I/O error.
    pub source: io::Error,
}

impl ReadBack {
    /// Turns an I/O error about `what` into this one.
    pub fn of(what: impl Into<String>) -> impl FnOnce(io::Error) -> ReadBack {
        let what = what.into();
        move |source| ReadBack { what, source }
    }
}

/// Files up to this many bytes stay in memory.
const INLINE_LIMIT: u64 = 4096;

/// Where file contents wait between their package and the image.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Mutex<SpoolFile>>);

#[derive(Debug)]
struct SpoolFile {
    file: File,
    end: u64,
}

/// The bytes of one file; cloning shares them.
#[derive(Debug, Clone)]
pub enum Content {
    /// Packed in memory.
    Inline(Arc<[u8]>),
    /// Packed in a spool: offset and length in bytes.
    Spooled {
        /// The spool that holds them.
        spool: Spool,
        /// Where they begin in it.
        offset: u64,
        /// How many there are.
        length: u64,
        /// Their hashes, once somebody has asked for them.
        digests: Arc<OnceLock<Digests>>,
    },
    /// Packed by the cache of unpacked packages.
    Packed(Packed),
}

impl Spool {
    /// A new spool: an anonymous temporary file in `directory`, gone when the last handle is.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new_in(directory: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        Ok(Spool(Arc::new(Mutex::new(SpoolFile { file, end: 0 }))))
    }

    /// Takes in all that `reader` yields; at most `limit` bytes are allowed.
    ///
    /// # Errors
    /// Reading or writing failed, or there was more than `limit` bytes
    /// ([`io::ErrorKind::FileTooLarge`]).
    pub fn store(&self, mut reader: impl Read, limit: u64) -> io::Result<Content> {
        let mut head = Vec::new();
        reader.by_ref().take(INLINE_LIMIT.min(limit) + 1).read_to_end(&mut head)?;
        if head.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if head.len() as u64 <= INLINE_LIMIT {
            return Ok(Content::Inline(head.into()));
        }
        let mut spool = self.lock();
        let offset = spool.end;
        spool.file.seek(SeekFrom::Start(offset))?;
        let mut source = head.as_slice().chain(reader).take(limit + 1);
        let length = io::copy(&mut source, &mut spool.file)?;
        if length > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        spool.file.flush()?;
        spool.end = offset + length;
        drop(spool);
        Ok(Content::Spooled { spool: self.clone(), offset, length, digests: Arc::default() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, SpoolFile> {
        // A poisoned lock only means that another thread failed: `end` is set last, so it is sound.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Content {
    /// Content held in memory.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Content::Inline(bytes.into().into())
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match self {
            Content::Inline(bytes) => bytes.len() as u64,
            Content::Spooled { length, .. } => *length,
            Content::Packed(held) => held.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A reader over the bytes. Readers of one spool may be used in turn and from several threads.
    pub fn open(&self) -> Box<dyn Read + Send> {
        match self {
            Content::Inline(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
            Content::Spooled { spool, offset, length, .. } => {
                Box::new(SpoolReader { spool: spool.clone(), at: *offset, left: *length })
            }
            Content::Packed(held) => Box::new(held.open()),
        }
    }

    /// The hashes; they are taken once, whoever asks for them how often.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn digests(&self) -> io::Result<Digests> {
        match self {
            Content::Inline(bytes) => Ok(Digests::of_reader(&**bytes)?.0),
            Content::Spooled { digests, .. } => match digests.get() {
                Some(known) => Ok(*known),
                None => {
                    let (found, _) = Digests::of_reader(self.open())?;
                    Ok(*digests.get_or_init(|| found))
                }
            },
            Content::Packed(held) => Ok(held.digests()),
        }
    }

    /// All bytes at once.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len()).unwrap_or(0));
        self.open().read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

struct SpoolReader {
    spool: Spool,
    at: u64,
    left: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let mut spool = self.spool.lock();
        spool.file.seek(SeekFrom::Start(self.at))?;
        let got = spool.file.read(&mut buf[..want])?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += got as u64;
        self.left -= got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use sha1::Digest as _;

    use super::*;
    use crate::digest::Sha256;

    #[test]
    fn small_and_large_contents_read_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = Spool::new_in(directory.path()).expect("a spool");
        let large: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let contents: Vec<Content> = [&b"small"[..], &large, b"", &large[..5000]]
            .iter()
            .map(|bytes| spool.store(&bytes[..], 1 << 20).expect("stored"))
            .collect();
        assert_eq!(contents[1].read().expect("read"), large);
        assert_eq!(contents[0].read().expect("read"), b"small");
        assert_eq!(contents[3].read().expect("read"), &large[..5000]);
        assert!(contents[2].is_empty());
        assert!(matches!(contents[1], Content::Spooled { .. }));
        for content in &contents {
            let bytes = content.read().expect("read");
            let digests = content.digests().expect("hashed");
            assert_eq!(digests.sha256, Sha256::of(&bytes));
            assert_eq!(digests.sha1, <[u8; 20]>::from(sha1::Sha1::digest(&bytes)));
            assert_eq!(content.clone().digests().expect("known"), digests);
        }
    }

    #[test]
    fn the_limit_holds() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = Spool::new_in(directory.path()).expect("a spool");
        for limit in [0, 10, 5000] {
            let error = spool.store(io::repeat(1), limit).expect_err("too large");
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(spool.store(&b"ok"[..], 2).expect("stored").len(), 2);
    }
}
