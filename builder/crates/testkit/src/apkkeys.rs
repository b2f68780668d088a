//! RSA keys for tests, generated from a seed, and what they sign as apk expects it.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::Digest as _;
use wifibox_formats::apk::signature::Kind;
use wifibox_formats::apk::{Fingerprint, Keyring};
use wifibox_ground::digest::Sha256;

/// A key that can sign, under the name of its file.
#[derive(Clone)]
pub struct SigningKey {
    pub name: String,
    secret: RsaPrivateKey,
}

/// `DigestInfo` of RFC 8017, without the digest at its end.
const SHA1: &[u8] = &[48, 33, 48, 9, 6, 5, 43, 14, 3, 2, 26, 5, 0, 4, 20];
const SHA256: &[u8] = &[48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
const SHA512: &[u8] = &[48, 81, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 3, 5, 0, 4, 64];

impl SigningKey {
    /// The key of 2048 bits that belongs to a seed.
    pub fn generate(name: &str, seed: u64) -> Self {
        Self::with_bits(name, seed, 2048)
    }

    /// The key of so many bits that belongs to a seed. Each is made once in a process.
    pub fn with_bits(name: &str, seed: u64, bits: usize) -> Self {
        static MADE: OnceLock<Mutex<BTreeMap<(u64, usize), RsaPrivateKey>>> = OnceLock::new();
        let mut made = MADE.get_or_init(Mutex::default).lock().unwrap();
        let secret = made.entry((seed, bits)).or_insert_with(|| {
            RsaPrivateKey::new(&mut ChaCha20Rng::seed_from_u64(seed), bits).unwrap()
        });
        SigningKey { name: name.into(), secret: secret.clone() }
    }

    /// The same key in a file of another name.
    pub fn renamed(&self, name: &str) -> Self {
        SigningKey { name: name.into(), secret: self.secret.clone() }
    }

    /// The public key as in `/etc/apk/keys`: SubjectPublicKeyInfo.
    pub fn pem(&self) -> String {
        self.secret.to_public_key().to_public_key_pem(LineEnding::LF).unwrap()
    }

    /// The public key in the form of PKCS#1.
    pub fn pkcs1_pem(&self) -> String {
        self.secret.to_public_key().to_pkcs1_pem(LineEnding::LF).unwrap()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        let der = self.secret.to_public_key().to_public_key_der().unwrap();
        Sha256::of(der.as_bytes()).to_string().parse().unwrap()
    }

    pub fn keyring(&self) -> Keyring {
        Keyring::parse_pem(&self.name, self.pem().as_bytes()).unwrap()
    }

    pub fn sign(&self, kind: Kind, message: &[u8]) -> Vec<u8> {
        let (prefix, digest) = match kind {
            Kind::Rsa => (SHA1, sha1(message).to_vec()),
            Kind::Rsa256 => (SHA256, sha2::Sha256::digest(message).to_vec()),
            Kind::Rsa512 => (SHA512, sha2::Sha512::digest(message).to_vec()),
        };
        let how = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: prefix.into() };
        self.secret.sign(how, &digest).unwrap()
    }

    /// The name of the file that holds a signature by this key.
    pub fn signature_file(&self, kind: Kind) -> String {
        let kind = match kind {
            Kind::Rsa => "RSA",
            Kind::Rsa256 => "RSA256",
            Kind::Rsa512 => "RSA512",
        };
        format!(".SIGN.{kind}.{}", self.name)
    }
}

pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().try_into().unwrap()
}
