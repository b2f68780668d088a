//! Hashes of the contents of files in packages of apk v3: SHA-256, which apk writes, or SHA-512.

use sha2::{Digest as _, Sha256, Sha512};

/// The hash of a file's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

/// Computes a hash of the same kind as a given one.
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn like(hash: &Hash) -> Self {
        match hash {
            Hash::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Hash::Sha512(_) => Hasher::Sha512(Sha512::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Hash {
        match self {
            Hasher::Sha256(hasher) => Hash::Sha256(hasher.finalize().into()),
            Hasher::Sha512(hasher) => Hash::Sha512(hasher.finalize().into()),
        }
    }
}
