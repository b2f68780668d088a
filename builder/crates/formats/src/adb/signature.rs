//! Signatures of apk v3: the SIG blocks of an ADB file (apk-tools, `src/adb.c`).
//!
//! A block is a version (0), the algorithm of the digest of the ADB payload, the id of the key in 16
//! bytes, and the signature. Signed are the schema, those first 18 bytes, and the digest; the
//! signature is always made with SHA-512.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256, Sha512};

use super::container::Container;
use super::key::{Fingerprint, KeyId, Keyring};
use crate::fingerprint::list;
use crate::keyring::PublicKey as _;

/// Numbers of digest algorithms (apk-tools, `src/apk_crypto.h`). SHA-1 and the SHA-256 that is cut to
/// 160 bits are there too, and are not accepted.
const SHA256: u8 = 3;
const SHA512: u8 = 4;

/// The part of a block that is signed.
const SIGNED: usize = 18;

/// The verdict on the signatures of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// There is none. OpenWrt's packages have none: their hashes are in the signed index.
    Unsigned,
    /// There are signatures, but none that can be read.
    Unreadable {
        /// The reason why the first cannot be read.
        why: String,
    },
    /// None of the keys is in the keyring.
    UnknownKey {
        /// Their ids.
        ids: Vec<KeyId>,
    },
    /// Good signatures, but by keys that are not pinned.
    NotPinned {
        /// The keys.
        keys: Vec<Fingerprint>,
    },
    /// A signature by a key of the keyring that does not fit, and none that does.
    Bad {
        /// The keys.
        keys: Vec<Fingerprint>,
    },
    /// At least one good signature by a pinned key.
    Good {
        /// The keys.
        signers: Vec<Fingerprint>,
    },
}

/// Why a file is not trusted. `file` is its name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// Nothing can be trusted: the keyring has none of the pinned keys.
    #[error("the keyring has none of the keys that are trusted for {file}: {}", list(wanted))]
    NoPinnedKey {
        /// The file.
        file: String,
        /// The pinned fingerprints.
        wanted: Vec<Fingerprint>,
    },
    /// It has no signature.
    #[error("{file} is not signed; the mirror may be broken, or something in between")]
    Unsigned {
        /// The file.
        file: String,
    },
    /// It has no signature that can be read.
    #[error("{file} has no signature that can be read: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is signed, but by keys that the keyring does not have.
    #[error(
        "{file} is signed by unknown keys with the ids {}; if the repository has new keys, get \
         their files, check their fingerprints and pin them",
        list(ids)
    )]
    UnknownKey {
        /// The file.
        file: String,
        /// The ids, by the signatures' own account.
        ids: Vec<KeyId>,
    },
    /// It is signed by keys that the keyring has but the recipe does not name.
    #[error("{file} is signed by {}, but trusted are only {}", list(keys), list(wanted))]
    NotPinned {
        /// The file.
        file: String,
        /// The keys.
        keys: Vec<Fingerprint>,
        /// The pinned fingerprints.
        wanted: Vec<Fingerprint>,
    },
    /// It is not what the key signed.
    #[error("{file} was changed after it was signed: the signature by {} does not fit", list(keys))]
    Bad {
        /// The file.
        file: String,
        /// The keys.
        keys: Vec<Fingerprint>,
    },
}

/// A SIG block, taken apart.
struct Signature<'a> {
    signed: &'a [u8],
    digest: u8,
    id: KeyId,
    bytes: &'a [u8],
}

impl<'a> Signature<'a> {
    fn parse(block: &'a [u8]) -> Result<Self, String> {
        match block {
            [0, digest, ..] => {
                let cut = "it is cut off".to_owned();
                let (signed, bytes) = block.split_at_checked(SIGNED).ok_or_else(|| cut.clone())?;
                let id = signed.last_chunk().ok_or(cut)?;
                if !matches!(*digest, SHA256 | SHA512) {
                    return Err(format!(
                        "it is over a digest of type {digest}; SHA-256 (3) and SHA-512 (4) are accepted"
                    ));
                }
                Ok(Signature { signed, digest: *digest, id: KeyId(*id), bytes })
            }
            [version, _, ..] => {
                Err(format!("it has version {version}, and only version 0 is known"))
            }
            _ => Err("it is cut off".to_owned()),
        }
    }

    fn message(&self, container: &Container<'_>) -> Vec<u8> {
        let mut message = container.schema().0.to_vec();
        message.extend_from_slice(self.signed);
        if self.digest == SHA256 {
            message.extend_from_slice(&Sha256::digest(container.payload()));
        } else {
            message.extend_from_slice(&Sha512::digest(container.payload()));
        }
        message
    }
}

impl SignatureState {
    /// The verdict on the signatures of a file. One good signature is enough, whatever others there
    /// are.
    pub fn of(container: &Container<'_>, keyring: &Keyring, pinned: &[Fingerprint]) -> Self {
        let (mut signers, mut others) = (BTreeSet::new(), BTreeSet::new());
        let (mut bad, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        let mut unreadable = None;
        for block in container.signatures() {
            let signature = match Signature::parse(block) {
                Ok(signature) => signature,
                Err(why) => {
                    unreadable.get_or_insert(why);
                    continue;
                }
            };
            let mut known = keyring.find(signature.id).peekable();
            if known.peek().is_none() {
                unknown.insert(signature.id);
            }
            for key in known {
                let keys = match key.made(signature.bytes, &signature.message(container)) {
                    true if pinned.contains(&key.fingerprint()) => &mut signers,
                    true => &mut others,
                    false => &mut bad,
                };
                keys.insert(key.fingerprint());
            }
        }
        if !signers.is_empty() {
            SignatureState::Good { signers: signers.into_iter().collect() }
        } else if !bad.is_empty() {
            SignatureState::Bad { keys: bad.into_iter().collect() }
        } else if !others.is_empty() {
            SignatureState::NotPinned { keys: others.into_iter().collect() }
        } else if !unknown.is_empty() {
            SignatureState::UnknownKey { ids: unknown.into_iter().collect() }
        } else if let Some(why) = unreadable {
            SignatureState::Unreadable { why }
        } else {
            SignatureState::Unsigned
        }
    }
}

/// The pinned keys that signed the file; at least one.
pub fn require(
    file: &str,
    container: &Container<'_>,
    keyring: &Keyring,
    pinned: &[Fingerprint],
) -> Result<Vec<Fingerprint>, SignatureError> {
    let file = file.to_owned();
    let wanted = pinned.to_vec();
    if !keyring.has_any(pinned) {
        return Err(SignatureError::NoPinnedKey { file, wanted });
    }
    match SignatureState::of(container, keyring, pinned) {
        SignatureState::Good { signers } => Ok(signers),
        SignatureState::Unsigned => Err(SignatureError::Unsigned { file }),
        SignatureState::Unreadable { why } => Err(SignatureError::Unreadable { file, why }),
        SignatureState::UnknownKey { ids } => Err(SignatureError::UnknownKey { file, ids }),
        SignatureState::NotPinned { keys } => Err(SignatureError::NotPinned { file, keys, wanted }),
        SignatureState::Bad { keys } => Err(SignatureError::Bad { file, keys }),
    }
}
