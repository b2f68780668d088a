//! Signatures of indexes and packages: files `.SIGN.<kind>.<key file>` in the gzip members at the
//! front, over all bytes of the index, or the control member of the package, that follow.
//!
//! As apk does (`apk_sign_ctx_process_file` in apk-tools' `extract_v2.c`), the first signature of a
//! known kind by a trusted key decides; those after it are not looked at.

use ring::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters,
};

use super::keys::{Fingerprint, Keyring, PublicKey};
use crate::fingerprint::list;
use crate::keyring::PublicKey as _;

/// Whose signatures are trusted.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Key material, by the names of the key files.
    pub keyring: &'a Keyring,
    /// The keys that are trusted, whatever else the keyring holds.
    pub pinned: &'a [Fingerprint],
}

/// A digest that RSA (PKCS#1 v1.5) signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `.SIGN.RSA.`: SHA-1. What Alpine still uses.
    Rsa,
    /// `.SIGN.RSA256.`: SHA-256.
    Rsa256,
    /// `.SIGN.RSA512.`: SHA-512.
    Rsa512,
}

impl Kind {
    fn parameters(self) -> &'static RsaParameters {
        match self {
            Kind::Rsa => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Kind::Rsa256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Kind::Rsa512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        }
    }
}

/// A signature file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// How it is made; `None` for a kind that is not supported, such as DSA.
    pub kind: Option<Kind>,
    /// The name of the key's file, by its own account.
    pub key: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// A signature from the name and the content of its file; `None` if it has another name.
    pub fn of_file(name: &str, bytes: &[u8]) -> Option<Self> {
        let (kind, key) = name.strip_prefix(".SIGN.")?.split_once('.')?;
        let kind = match kind {
            "RSA" => Some(Kind::Rsa),
            "RSA256" => Some(Kind::Rsa256),
            "RSA512" => Some(Kind::Rsa512),
            _ => None,
        };
        Some(Signature { kind, key: key.to_owned(), bytes: bytes.to_vec() })
    }
}

/// Why an index or a package is not trusted. `name` is the file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It has no signature at all.
    #[error(
        "{name} is not signed, so nothing says whether it is genuine; {} trusted",
        trusted(pinned)
    )]
    Unsigned {
        /// The file.
        name: String,
        /// The pinned fingerprints.
        pinned: Vec<Fingerprint>,
    },
    /// It has only signatures of kinds that are not supported.
    #[error(
        "{name} is signed by {} in ways that are not supported; RSA over SHA-1, SHA-256 or SHA-512 \
         is expected",
        keys.join(", ")
    )]
    UnknownKind {
        /// The file.
        name: String,
        /// The keys, by the account of the signatures.
        keys: Vec<String>,
    },
    /// None of the keys is in the keyring.
    #[error(
        "{name} is signed by {}, which the keyring does not hold; {} trusted (the keyring has {}). \
         If the repository has new keys, check their fingerprints and pin them",
        keys.join(", "), trusted(pinned), held(known)
    )]
    UnknownKey {
        /// The file.
        name: String,
        /// The keys, by the account of the signatures.
        keys: Vec<String>,
        /// The names of all keys that are pinned and in the keyring.
        known: Vec<String>,
        /// The pinned fingerprints.
        pinned: Vec<Fingerprint>,
    },
    /// The keyring has a key of this name, but that key is not pinned.
    #[error(
        "{name} is signed by {key}; the keyring's key of that name has the fingerprint {}, which is \
         not pinned; {} trusted. If the repository has a new key, check its fingerprint and pin it",
        list(fingerprints),
        trusted(pinned)
    )]
    NotPinned {
        /// The file.
        name: String,
        /// The first such key.
        key: String,
        /// The fingerprints of the keys of that name.
        fingerprints: Vec<Fingerprint>,
        /// The pinned fingerprints.
        pinned: Vec<Fingerprint>,
    },
    /// The content is not what the key signed.
    #[error("{name} was changed after {key} ({fingerprint}) signed it: the signature does not fit")]
    BadSignature {
        /// The file.
        name: String,
        /// The key.
        key: String,
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
}

fn trusted(pinned: &[Fingerprint]) -> String {
    match pinned {
        [] => "no key is".to_owned(),
        [one] => format!("only the key {one} is"),
        all => format!("only the keys {} are", list(all)),
    }
}

fn held(names: &[String]) -> String {
    if names.is_empty() { "none of them".to_owned() } else { names.join(", ") }
}

/// Checks the signatures over `message`, as apk does: the first one of a known kind by a pinned key
/// decides. Returns that key.
pub fn verify<'t>(
    name: &str,
    signatures: &[Signature],
    message: &[u8],
    trust: &Trust<'t>,
) -> Result<&'t PublicKey, SignatureError> {
    let name = || name.to_owned();
    let pinned = || trust.pinned.to_vec();
    if signatures.is_empty() {
        return Err(SignatureError::Unsigned { name: name(), pinned: pinned() });
    }
    let is_pinned = |key: &PublicKey| trust.pinned.contains(&key.fingerprint());
    let mut strange = None;
    let mut supported = false;
    for signature in signatures {
        let Some(kind) = signature.kind else { continue };
        supported = true;
        let named: Vec<&PublicKey> = trust.keyring.named(&signature.key).collect();
        let mut candidates = named.iter().copied().filter(|key| is_pinned(key)).peekable();
        let Some(first) = candidates.peek().map(|key| key.fingerprint()) else {
            if !named.is_empty() && strange.is_none() {
                let fingerprints = named.iter().map(|key| key.fingerprint()).collect();
                strange = Some((signature.key.clone(), fingerprints));
            }
            continue;
        };
        let mut fits = |key: &&PublicKey| key.verify(kind.parameters(), message, &signature.bytes);
        return candidates.find(&mut fits).ok_or_else(|| SignatureError::BadSignature {
            name: name(),
            key: signature.key.clone(),
            fingerprint: first,
        });
    }
    let keys = signatures.iter().map(|signature| signature.key.clone()).collect();
    Err(match strange {
        Some((key, fingerprints)) => {
            SignatureError::NotPinned { name: name(), key, fingerprints, pinned: pinned() }
        }
        None if !supported => SignatureError::UnknownKind { name: name(), keys },
        None => {
            let known = trust.keyring.trusted(trust.pinned);
            let mut known: Vec<String> = known.map(|key| key.name().to_owned()).collect();
            known.sort_unstable();
            SignatureError::UnknownKey { name: name(), keys, known, pinned: pinned() }
        }
    })
}
