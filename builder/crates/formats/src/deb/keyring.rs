//! OpenPGP certificates (public keys) and their fingerprints: RFC 9580, binary or ASCII-armored.
//!
//! A keyring only provides key material. What is trusted are the fingerprints that a recipe pins.

use pgp::armor::BlockType;
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::types::KeyDetails;

use super::armor;
use crate::fingerprint::{self, OpenPgpKey};
use crate::keyring;

/// No keyring is larger than this many bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// No keyring holds more certificates.
const COUNT_LIMIT: usize = 4096;

const ARMOR: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The full fingerprint of a primary key: 20 bytes (version 4) or 32 bytes (version 6).
pub type Fingerprint = fingerprint::Fingerprint<OpenPgpKey>;

impl From<&pgp::types::Fingerprint> for Fingerprint {
    fn from(fingerprint: &pgp::types::Fingerprint) -> Self {
        Fingerprint::of_bytes(fingerprint.as_bytes())
    }
}

/// An OpenPGP certificate: a primary key with its user ids and subkeys.
#[derive(Debug, Clone)]
pub struct Certificate(pub(super) SignedPublicKey);

impl Certificate {
    /// The user ids.
    pub fn user_ids(&self) -> impl Iterator<Item = String> {
        let users = self.0.details.users.iter();
        users.map(|user| String::from_utf8_lossy(user.id.id()).into_owned())
    }
}

impl keyring::PublicKey for Certificate {
    type Kind = OpenPgpKey;

    /// The fingerprint of the primary key.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from(&self.0.primary_key.fingerprint())
    }

    /// Combines two copies of one key, so that a revocation or a new expiry in either of them
    /// counts.
    fn merge(&mut self, other: Self) {
        merge(&mut self.0, other.0);
    }
}

/// OpenPGP certificates.
pub type Keyring = keyring::Keyring<Certificate>;

/// Why some bytes are not a keyring.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    /// No certificate can be read.
    #[error(
        "{name} holds no OpenPGP certificate that can be read{why}; a file as written by `gpg --export` is expected"
    )]
    Empty {
        /// The file.
        name: String,
        /// The parser's error, with a leading separator; empty if it has none.
        why: String,
    },
    /// The file is too large to be a keyring.
    #[error(
        "{name} is too large for a keyring: more than {SIZE_LIMIT} bytes or {COUNT_LIMIT} keys"
    )]
    TooLarge {
        /// The file.
        name: String,
    },
}

impl Keyring {
    /// Reads all certificates of a file, `name` in errors: binary, or any number of armored blocks.
    /// Parts that cannot be read (keys of unknown versions) are passed over.
    ///
    /// # Errors
    /// [`KeyringError`] when there is no certificate, or too much.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, KeyringError> {
        let too_large = || KeyringError::TooLarge { name: name.to_owned() };
        if bytes.len() > SIZE_LIMIT {
            return Err(too_large());
        }
        let mut certificates = Vec::new();
        let mut problem = None;
        let blocks = armored_blocks(bytes);
        let mut take = |found: &mut dyn Iterator<Item = pgp::errors::Result<SignedPublicKey>>| {
            for certificate in found.take(COUNT_LIMIT + 1) {
                match certificate {
                    Ok(certificate) => certificates.push(Certificate(certificate)),
                    Err(error) => problem = Some(error.to_string()),
                }
            }
        };
        let mut broken = None;
        if blocks.is_empty() {
            match SignedPublicKey::from_bytes_many(bytes) {
                Ok(mut found) => take(&mut found),
                Err(error) => broken = Some(error.to_string()),
            }
        }
        for block in blocks {
            let bytes = armor::bytes_of(block, &BlockType::PublicKey, SIZE_LIMIT);
            let found = bytes.as_deref().map(SignedPublicKey::from_bytes_many);
            match found {
                Ok(Ok(mut found)) => take(&mut found),
                Ok(Err(error)) => broken = Some(error.to_string()),
                Err(why) => broken = Some(why.clone()),
            }
        }
        if certificates.len() > COUNT_LIMIT {
            return Err(too_large());
        }
        if certificates.is_empty() {
            let why = problem.or(broken).map(|why| format!(" ({why})")).unwrap_or_default();
            return Err(KeyringError::Empty { name: name.to_owned(), why });
        }
        let mut keyring = Keyring::default();
        certificates.into_iter().for_each(|certificate| keyring.insert(certificate));
        Ok(keyring)
    }
}

fn merge(old: &mut SignedPublicKey, new: SignedPublicKey) {
    old.details.revocation_signatures.extend(new.details.revocation_signatures);
    old.details.direct_signatures.extend(new.details.direct_signatures);
    for user in new.details.users {
        match old.details.users.iter_mut().find(|known| known.id.id() == user.id.id()) {
            Some(known) => known.signatures.extend(user.signatures),
            None => old.details.users.push(user),
        }
    }
    for subkey in new.public_subkeys {
        match old.public_subkeys.iter_mut().find(|known| known.key == subkey.key) {
            Some(known) => known.signatures.extend(subkey.signatures),
            None => old.public_subkeys.push(subkey),
        }
    }
}

/// The armored blocks of a file, each up to the next one.
fn armored_blocks(bytes: &[u8]) -> Vec<&[u8]> {
    let begins: Vec<usize> = bytes
        .windows(ARMOR.len())
        .enumerate()
        .filter(|(at, window)| *window == ARMOR && (*at == 0 || bytes.get(at - 1) == Some(&b'\n')))
        .map(|(at, _)| at)
        .collect();
    let ends = begins.iter().skip(1).copied().chain([bytes.len()]);
    begins.iter().zip(ends).filter_map(|(begin, end)| bytes.get(*begin..end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_keyring_is_refused() {
        for bytes in
            [&b""[..], b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx", &[0xc6; 40]]
        {
            assert!(matches!(Keyring::parse("k", bytes), Err(KeyringError::Empty { .. })));
        }
    }
}
