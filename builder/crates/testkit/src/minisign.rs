//! Keys and signatures as minisign writes them, from a seed. By ring and BLAKE2, not by the crate that
//! verifies.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use blake2::{Blake2b512, Digest as _};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// A key that can sign.
pub struct Minisign {
    id: [u8; 8],
    pair: Ed25519KeyPair,
}

impl Minisign {
    /// The key made from this seed.
    pub fn new(seed: u8) -> Self {
        Minisign { id: [seed; 8], pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    /// The public key's 56 characters.
    pub fn public(&self) -> String {
        BASE64.encode([&b"Ed"[..], &self.id, self.pair.public_key().as_ref()].concat())
    }

    /// The file `.minisig` for `bytes`, with these comments.
    pub fn sign(&self, bytes: &[u8], untrusted: &str, trusted: &str) -> String {
        let signature = self.pair.sign(&Blake2b512::digest(bytes));
        let whole = [&b"ED"[..], &self.id, signature.as_ref()].concat();
        let global = self.pair.sign(&[signature.as_ref(), trusted.as_bytes()].concat());
        format!(
            "untrusted comment: {untrusted}\n{}\ntrusted comment: {trusted}\n{}\n",
            BASE64.encode(whole),
            BASE64.encode(global)
        )
    }

    /// Signs `SHA256SUMS` in `folder`.
    pub fn sign_sums(&self, folder: &std::path::Path, comment: &str) {
        let sums = std::fs::read(folder.join("SHA256SUMS")).unwrap();
        let signature = self.sign(&sums, comment, comment);
        std::fs::write(folder.join("SHA256SUMS.minisig"), signature).unwrap();
    }
}
