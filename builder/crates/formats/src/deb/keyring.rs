//! OpenPGP certificates (public keys) and their fingerprints: RFC 9580, binary or ASCII-armored.
//!
//! A keyring only provides key material. What is trusted are the fingerprints that a recipe pins.

use std::fmt;
use std::str::FromStr;

use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::types::KeyDetails;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use wifibox_ground::digest::{hex, unhex};

/// No keyring is larger than this many bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// No keyring holds more certificates.
const COUNT_LIMIT: usize = 4096;

const ARMOR: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The full fingerprint of a primary key: 20 bytes (version 4) or 32 bytes (version 6).
///
/// Written as upper-case hexadecimal digits; spaces, and lower case, are allowed when reading.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Vec<u8>);

/// Text that is not a full fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a full key fingerprint: 40 hexadecimal digits are expected (64 for version 6 keys); \
     short key ids can be forged and are not accepted"
)]
pub struct NotAFingerprint(String);

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits: String = text.chars().filter(|c| *c != ' ').collect();
        unhex(&digits)
            .filter(|bytes| matches!(bytes.len(), 20 | 32))
            .map(Fingerprint)
            .ok_or_else(|| NotAFingerprint(text.to_owned()))
    }
}

impl From<&pgp::types::Fingerprint> for Fingerprint {
    fn from(fingerprint: &pgp::types::Fingerprint) -> Self {
        Fingerprint(fingerprint.as_bytes().to_vec())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0).to_ascii_uppercase())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Fingerprint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fingerprint".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9A-Fa-f] *){40}(([0-9A-Fa-f] *){24})?$",
            "description": "The full fingerprint of an OpenPGP primary key"
        })
    }
}

/// Certificates, none of them trusted by itself.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    pub(super) certificates: Vec<SignedPublicKey>,
}

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
        /// What the parser says, with a separator; or nothing.
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
        let mut keyring = Keyring::default();
        let mut problem = None;
        let blocks = armored_blocks(bytes);
        let mut take = |found: &mut dyn Iterator<Item = pgp::errors::Result<SignedPublicKey>>| {
            for certificate in found.take(COUNT_LIMIT + 1) {
                match certificate {
                    Ok(certificate) => keyring.certificates.push(certificate),
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
            match SignedPublicKey::from_armor_many_buf(block) {
                Ok((mut found, _)) => take(&mut found),
                Err(error) => broken = Some(error.to_string()),
            }
        }
        if keyring.certificates.len() > COUNT_LIMIT {
            return Err(too_large());
        }
        if keyring.certificates.is_empty() {
            let why = problem.or(broken).map(|why| format!(" ({why})")).unwrap_or_default();
            return Err(KeyringError::Empty { name: name.to_owned(), why });
        }
        let mut merged = Keyring::default();
        merged.extend(keyring);
        Ok(merged)
    }

    /// Adds the certificates of another keyring. What two keyrings say of one key is put together,
    /// so that a revocation or a new expiry in either of them counts.
    pub fn extend(&mut self, other: Keyring) {
        for new in other.certificates {
            let fingerprint = new.primary_key.fingerprint();
            let known = self.certificates.iter_mut();
            match known.into_iter().find(|old| old.primary_key.fingerprint() == fingerprint) {
                Some(old) => merge(old, new),
                None => self.certificates.push(new),
            }
        }
    }

    /// The fingerprints of the primary keys with the user ids of each, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = (Fingerprint, Vec<String>)> {
        self.certificates.iter().map(|certificate| {
            let users = certificate.details.users.iter();
            let names = users.map(|user| String::from_utf8_lossy(user.id.id()).into_owned());
            (Fingerprint::from(&certificate.primary_key.fingerprint()), names.collect())
        })
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
    fn only_full_fingerprints_are_accepted() {
        let text = "4D64FEC119C2029067D6E791F8D2585B8783D481";
        let spaced = "4d64 fec1 19c2 0290 67d6  e791 f8d2 585b 8783 d481";
        assert_eq!(text.parse::<Fingerprint>().map(|f| f.to_string()).as_deref(), Ok(text));
        assert_eq!(text.parse::<Fingerprint>(), spaced.parse());
        for short in ["8783D481", "F8D2585B8783D481", "", "4D64FEC119C2029067D6E791F8D2585B8783D48"]
        {
            assert!(short.parse::<Fingerprint>().is_err());
        }
    }

    #[test]
    fn what_is_no_keyring_is_refused() {
        for bytes in
            [&b""[..], b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx", &[0xc6; 40]]
        {
            assert!(matches!(Keyring::parse("k", bytes), Err(KeyringError::Empty { .. })));
        }
    }
}
