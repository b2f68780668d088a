//! The two hashes of a content, taken in one pass.

use std::io::{self, Read};

use sha1::Digest as _;

use crate::digest::{Hasher, Sha256};

/// The hashes of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// The hash that identifies it.
    pub sha256: Sha256,
    /// The hash that SPDX 2.3 wants beside it. Nothing is trusted by it.
    pub sha1: [u8; 20],
}

impl Digests {
    /// Reads `reader` to its end; gives back how many bytes that were, too.
    ///
    /// # Errors
    /// Whatever `reader` reports.
    pub fn of_reader(reader: impl Read) -> io::Result<(Self, u64)> {
        let mut hashing = Hashing { inner: reader, hashers: Hashers::default() };
        let length = io::copy(&mut hashing, &mut io::sink())?;
        Ok((hashing.hashers.finish(), length))
    }
}

/// Takes both hashes in one pass.
#[derive(Default)]
pub struct Hashers {
    sha256: Hasher,
    sha1: sha1::Sha1,
}

impl Hashers {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha1.update(bytes);
    }

    /// The hashes of all bytes taken in.
    pub fn finish(self) -> Digests {
        Digests { sha256: self.sha256.finish(), sha1: self.sha1.finalize().into() }
    }
}

struct Hashing<R> {
    inner: R,
    hashers: Hashers,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.hashers.update(buf.get(..got).unwrap_or_default());
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_are_of_all_bytes() {
        let known = |bytes: &[u8]| Digests::of_reader(bytes).expect("read");
        let (digests, length) = known(b"abc");
        assert_eq!((digests.sha256, length), (Sha256::of(b"abc"), 3));
        // FIPS 180-4's own example.
        let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(crate::digest::hex(&digests.sha1), sha1);
        let long = vec![7; 100_000];
        assert_eq!(known(&long).0.sha256, Sha256::of(&long));
        let mut hashers = Hashers::default();
        long.chunks(999).for_each(|bytes| hashers.update(bytes));
        assert_eq!(hashers.finish(), known(&long).0);
    }
}
