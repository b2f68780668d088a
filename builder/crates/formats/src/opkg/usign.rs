//! usign: the Ed25519 signatures (RFC 8032) of OpenWrt's feeds, in the text form of `signify`.
//!
//! A file is a line `untrusted comment: ...` and a line of base64. A public key is `Ed`, a key id of
//! 8 bytes and the 32 bytes of the key; a signature is `Ed`, the id of the key that made it and the 64
//! bytes of an Ed25519 signature over the whole file.
//!
//! The key id is only a name: it is random, nothing ties it to the key, and anybody can choose one.
//! A recipe therefore pins the SHA-256 of the 32 bytes of the key.

use std::fmt;

use base64::Engine as _;

use crate::fingerprint::{self, UsignKey};
use crate::keyring;
use wifibox_ground::digest::{Sha256, hex};

/// No key or signature file is larger than this many bytes; real ones have about 150.
pub const SIZE_LIMIT: usize = 4096;

/// `Ed`, the only algorithm that usign knows.
const ALGORITHM: &[u8; 2] = b"Ed";

/// The id by which a signature names its key: 8 bytes, written as 16 hexadecimal digits, as in the
/// names of the files in `/etc/opkg/keys`. It identifies nothing securely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

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

/// The SHA-256 of the 32 bytes of a key.
pub type Fingerprint = fingerprint::Fingerprint<UsignKey>;

/// Why some bytes are not a file of usign.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    /// It is too large.
    #[error("it is larger than {SIZE_LIMIT} bytes")]
    TooLarge,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// The first line is not a comment, or not text.
    #[error("it does not begin with a line \"untrusted comment: ...\"")]
    NoComment,
    /// There is no second line.
    #[error("it ends after the comment")]
    NoData,
    /// The second line is not base64.
    #[error("its second line is not base64 ({0}): it is damaged or cut off")]
    NotBase64(String),
    /// The decoded line has the wrong length.
    #[error(
        "its second line holds {found} bytes instead of {wanted}: it is cut off, or not a {what}"
    )]
    Length {
        /// `public key` or `signature`.
        what: &'static str,
        /// How many bytes there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// It is of an algorithm that usign does not have.
    #[error("it is of the algorithm {0:?}; only \"Ed\" (Ed25519) is known")]
    Algorithm(String),
    /// Something follows.
    #[error("something follows its second line")]
    TrailingData,
}

/// A public key with its id. Trusted only where its fingerprint is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: [u8; 32],
}

impl PublicKey {
    /// Reads a public key file, or its base64 line alone (as recipes and web pages quote it).
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let alone = !bytes.contains(&b':') && !bytes.trim_ascii().is_empty();
        let line = if alone && bytes.len() <= SIZE_LIMIT {
            bytes.trim_ascii()
        } else {
            second_line(bytes)?
        };
        let (id, key) = decode::<32>(line, "public key")?;
        Ok(PublicKey { id, key })
    }

    /// The id by which signatures name it.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether this key made `signature` over exactly `message`.
    pub fn made(&self, signature: &Signature, message: &[u8]) -> bool {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &self.key);
        key.verify(message, &signature.signature).is_ok()
    }
}

impl keyring::PublicKey for PublicKey {
    type Kind = UsignKey;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from(Sha256::of(&self.key))
    }

    /// The id is only a name, which is not tied to the key.
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// A signature and the id of the key that it says it was made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    id: KeyId,
    signature: [u8; 64],
}

impl Signature {
    /// Reads a signature file (`Packages.sig`, `sha256sums.sig`).
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (id, signature) = decode::<64>(second_line(bytes)?, "signature")?;
        Ok(Signature { id, signature })
    }

    /// The id of the key, by its own account.
    pub fn key_id(&self) -> KeyId {
        self.id
    }
}

/// The base64 line of a file of usign.
fn second_line(bytes: &[u8]) -> Result<&[u8], Malformed> {
    if bytes.len() > SIZE_LIMIT {
        return Err(Malformed::TooLarge);
    }
    if bytes.trim_ascii().is_empty() {
        return Err(Malformed::Empty);
    }
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if !lines.next().unwrap_or_default().starts_with(b"untrusted comment: ") {
        return Err(Malformed::NoComment);
    }
    let data = lines.next().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let data = data.ok_or(Malformed::NoData)?;
    if lines.any(|line| !line.trim_ascii().is_empty()) {
        return Err(Malformed::TrailingData);
    }
    Ok(data)
}

/// `Ed`, key id and `N` bytes.
fn decode<const N: usize>(line: &[u8], what: &'static str) -> Result<(KeyId, [u8; N]), Malformed> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(line)
        .map_err(|error| Malformed::NotBase64(error.to_string()))?;
    if let Some(algorithm) = bytes.first_chunk::<2>().filter(|name| *name != ALGORITHM) {
        return Err(Malformed::Algorithm(String::from_utf8_lossy(algorithm).into_owned()));
    }
    let parts = bytes.get(2..).and_then(|rest| {
        let (id, rest) = rest.split_first_chunk::<8>()?;
        Some((KeyId(*id), <[u8; N]>::try_from(rest).ok()?))
    });
    parts.ok_or(Malformed::Length { what, found: bytes.len(), wanted: N + 10 })
}
