//! Public keys of apk v3: PEM files (SubjectPublicKeyInfo, RFC 5280 and 7468) with RSA or EC P-256 keys.
//!
//! apk looks a key up by its id, the first 16 bytes of the SHA-512 of the bare public key: for RSA the
//! DER of `RSAPublicKey` (RFC 8017), for EC the point (SEC 1). What is trusted are the fingerprints
//! that a recipe pins; a keyring only provides key material.

use std::fmt;

use p256::ecdsa::VerifyingKey;
use p256::pkcs8::der::Decode as _;
use p256::pkcs8::{Document, ObjectIdentifier, SubjectPublicKeyInfoRef};
use ring::signature::{RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey};
use sha2::{Digest as _, Sha512};

use crate::fingerprint::{self, ApkKey};
use crate::keyring;
use wifibox_ground::digest::{Sha256, hex};

/// No key file is larger than this many bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// No key file holds more keys.
const COUNT_LIMIT: usize = 256;

const BEGIN: &str = "-----BEGIN ";
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// The SHA-256 of a key's SubjectPublicKeyInfo in DER, as
/// `openssl pkey -pubin -outform DER | sha256sum` prints it.
pub type Fingerprint = fingerprint::Fingerprint<ApkKey>;

/// The id by which a signature names its key: enough to look it up, too short to pin it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keys with their ids.
pub type Keyring = keyring::Keyring<Key>;

/// Why some bytes are not a keyring.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    /// It holds no key.
    #[error(
        "{name} holds no public key; a PEM file with \"-----BEGIN PUBLIC KEY-----\" is expected"
    )]
    Empty {
        /// The file.
        name: String,
    },
    /// A key in it cannot be used.
    #[error(
        "{name} holds a key that cannot be used: {why}; RSA (2048 bits or more) and EC P-256 are known"
    )]
    Key {
        /// The file.
        name: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is too large to be a keyring.
    #[error(
        "{name} is too large for a keyring: more than {SIZE_LIMIT} bytes or {COUNT_LIMIT} keys"
    )]
    TooLarge {
        /// The file.
        name: String,
    },
}

impl Keyring {
    /// Reads all keys of a PEM file, `name` in errors.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, KeyringError> {
        let name = || name.to_owned();
        if bytes.len() > SIZE_LIMIT {
            return Err(KeyringError::TooLarge { name: name() });
        }
        let mut keyring = Keyring::default();
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        for (at, _) in text.match_indices(BEGIN) {
            let block = text.get(at..).unwrap_or_default();
            let end = block.get(BEGIN.len()..).and_then(|rest| rest.find(BEGIN));
            let block = block.get(..end.map_or(block.len(), |end| end + BEGIN.len()));
            if keyring.keys().len() >= COUNT_LIMIT {
                return Err(KeyringError::TooLarge { name: name() });
            }
            let key = Key::parse(block.unwrap_or_default());
            let key = key.map_err(|why| KeyringError::Key { name: name(), why })?;
            keyring.insert(key);
        }
        if keyring.is_empty() { Err(KeyringError::Empty { name: name() }) } else { Ok(keyring) }
    }

    /// The keys with this id.
    pub(super) fn find(&self, id: KeyId) -> impl Iterator<Item = &Key> {
        self.keys().filter(move |key| key.id == id)
    }
}

/// A key that can verify.
#[derive(Debug, Clone)]
pub struct Key {
    fingerprint: Fingerprint,
    id: KeyId,
    verifier: Verifier,
}

#[derive(Debug, Clone)]
enum Verifier {
    /// The DER of `RSAPublicKey`.
    Rsa(Vec<u8>),
    P256(Box<VerifyingKey>),
}

impl keyring::PublicKey for Key {
    type Kind = ApkKey;

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl Key {
    /// The id by which signatures name it.
    pub fn id(&self) -> KeyId {
        self.id
    }

    fn parse(pem: &str) -> Result<Self, String> {
        let end = pem.rfind("-----").map_or(pem.len(), |at| at + 5);
        let pem = pem.get(..end).unwrap_or(pem);
        let (label, document) = Document::from_pem(pem).map_err(|error| error.to_string())?;
        if label != "PUBLIC KEY" {
            return Err(format!("it is a {label}, not a PUBLIC KEY"));
        }
        let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes())
            .map_err(|error| error.to_string())?;
        let bare = info.subject_public_key.as_bytes().ok_or("its bits are not bytes")?;
        let verifier = match info.algorithm.oid {
            RSA => Verifier::Rsa(checked_rsa(bare)?),
            EC if info.algorithm.parameters_oid() == Ok(P256) => {
                let key = VerifyingKey::from_sec1_bytes(bare);
                Verifier::P256(Box::new(key.map_err(|_| "its point is not on the curve")?))
            }
            EC => return Err("it is an EC key of a curve other than P-256".to_owned()),
            other => return Err(format!("it has the unknown algorithm {other}")),
        };
        let digest = Sha512::digest(bare);
        let id = digest.first_chunk().ok_or("it has no id")?;
        let fingerprint = Fingerprint::from(Sha256::of(document.as_bytes()));
        Ok(Key { fingerprint, id: KeyId(*id), verifier })
    }

    /// Whether the key made this signature (PKCS#1 v1.5, or a DER `ECDSA-Sig-Value`) of `message`,
    /// with SHA-512.
    pub(super) fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        match &self.verifier {
            Verifier::Rsa(key) => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, key)
                .verify(message, signature)
                .is_ok(),
            Verifier::P256(key) => {
                use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
                p256::ecdsa::Signature::from_der(signature).is_ok_and(|signature| {
                    key.verify_prehash(&Sha512::digest(message), &signature).is_ok()
                })
            }
        }
    }
}

/// The DER of `RSAPublicKey`, if its modulus is as long as the verifier demands.
fn checked_rsa(bare: &[u8]) -> Result<Vec<u8>, String> {
    use p256::pkcs8::der::asn1::{AnyRef, UintRef};
    let odd = |error: p256::pkcs8::der::Error| error.to_string();
    let (modulus, _exponent) = AnyRef::from_der(bare)
        .and_then(|key| {
            key.sequence(|fields| Ok((UintRef::decode(fields)?, UintRef::decode(fields)?)))
        })
        .map_err(odd)?;
    let bytes = modulus.as_bytes();
    let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    match (bytes.len() * 8).saturating_sub(zeros) {
        2048..=8192 => Ok(bare.to_vec()),
        bits => Err(format!("it is an RSA key of {bits} bits")),
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
