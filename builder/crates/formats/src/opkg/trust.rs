//! Who may sign a feed: keys from files, pinned by fingerprint, and the check of a signature.

use super::usign::{Fingerprint, KeyId, Malformed, PublicKey, Signature};
use crate::fingerprint::list;
use crate::keyring::{self, PublicKey as _};

/// Keys with their ids.
pub type Keyring = keyring::Keyring<PublicKey>;

/// Why a file is not a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name} is not a public key of OpenWrt (usign): {why}")]
pub struct KeyringError {
    /// The file.
    pub name: String,
    /// The reason why it cannot be parsed.
    pub why: Malformed,
}

impl Keyring {
    /// Adds the key of a file, `name` in errors. A key that is there already is not added twice.
    ///
    /// # Errors
    /// [`KeyringError`] when the file holds no key.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        let key =
            PublicKey::parse(bytes).map_err(|why| KeyringError { name: name.to_owned(), why })?;
        self.insert(key);
        Ok(())
    }
}

/// Whose signatures are trusted.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Key material.
    pub keyring: &'a Keyring,
    /// The keys that are trusted, whatever else the keyring holds.
    pub pinned: &'a [Fingerprint],
}

/// Why a file is not trusted. `name` is the file, keys are named as they are pinned.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no signature at all.
    #[error(
        "{name} is not signed: there is no {name}.sig beside it; use a mirror that serves the \
         signatures, or sign a feed of your own with usign"
    )]
    Unsigned {
        /// The file.
        name: String,
    },
    /// The signature file is not one.
    #[error("the signature of {name} cannot be read: {why}; fetch it again, or use another mirror")]
    Malformed {
        /// The signed file.
        name: String,
        /// The reason why it cannot be parsed.
        why: Malformed,
    },
    /// Nothing can be trusted: the keyring has none of the pinned keys.
    #[error(
        "none of the keys that are trusted for {name} is there: {}; add the file of the key to the \
         repository's keyrings",
        list(wanted)
    )]
    NoPinnedKey {
        /// The file.
        name: String,
        /// The pinned fingerprints.
        wanted: Vec<Fingerprint>,
    },
    /// It is signed, but by another key.
    #[error(
        "{name} is signed by key {id}, but trusted are only {}; if the feed has a new key, check it \
         and pin its fingerprint",
        list(wanted)
    )]
    UnknownKey {
        /// The file.
        name: String,
        /// The id of the key that signed it, by its own account.
        id: KeyId,
        /// The pinned keys that are there: id and fingerprint.
        wanted: Vec<String>,
    },
    /// A pinned key has the id that the signature names, but did not make it.
    #[error(
        "the signature of {name} does not fit: the file or its signature was changed, they are not of \
         the same time, or another key took the id {id}; trusted is {key}"
    )]
    BadSignature {
        /// The file.
        name: String,
        /// The id of the key.
        id: KeyId,
        /// The pinned key that has this id.
        key: Fingerprint,
    },
}

/// Checks that a pinned key made `signature` over `message`; gives that key. `None` stands for a
/// file that has no signature beside it.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    name: &str,
    message: &[u8],
    signature: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Result<Fingerprint, SignatureError> {
    let name = name.to_owned();
    let Some(bytes) = signature else { return Err(SignatureError::Unsigned { name }) };
    let signature = match Signature::parse(bytes) {
        Ok(signature) => signature,
        Err(why) => return Err(SignatureError::Malformed { name, why }),
    };
    let trusted: Vec<&PublicKey> = trust.keyring.trusted(trust.pinned).collect();
    if trusted.is_empty() {
        return Err(SignatureError::NoPinnedKey { name, wanted: trust.pinned.to_vec() });
    }
    let named: Vec<&&PublicKey> =
        trusted.iter().filter(|key| key.id() == signature.key_id()).collect();
    if let Some(key) = named.iter().find(|key| key.made(&signature, message)) {
        return Ok(key.fingerprint());
    }
    let id = signature.key_id();
    match named.first() {
        Some(key) => Err(SignatureError::BadSignature { name, id, key: key.fingerprint() }),
        None => {
            let wanted =
                trusted.iter().map(|key| format!("{} ({})", key.id(), key.fingerprint())).collect();
            Err(SignatureError::UnknownKey { name, id, wanted })
        }
    }
}
