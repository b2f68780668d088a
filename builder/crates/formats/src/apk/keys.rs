//! The RSA keys that sign Alpine's indexes and packages, and their fingerprints.
//!
//! A signature names its key by the name of the key's file (`/etc/apk/keys/NAME.rsa.pub`), which
//! anybody can choose. A keyring only provides key material; what is trusted are the fingerprints
//! that a recipe pins.

use ring::signature::{RsaParameters, UnparsedPublicKey};

use crate::der;
use crate::fingerprint::{self, ApkKey};
use crate::keyring;
use wifibox_ground::digest::Sha256;

/// No key file is larger than this many bytes.
pub(crate) const SIZE_LIMIT: u64 = 64 << 10;

/// The SHA-256 of an RSA key's SubjectPublicKeyInfo in DER, as
/// `openssl pkey -pubin -in NAME.rsa.pub -outform DER | sha256sum` prints it.
pub type Fingerprint = fingerprint::Fingerprint<ApkKey>;

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    name: String,
    /// RSAPublicKey (PKCS#1) in DER.
    der: Vec<u8>,
    fingerprint: Fingerprint,
    bits: usize,
}

/// Why some bytes are not a key, or no keys. `name` is the file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// It is no key in PEM, or a damaged one.
    #[error("{name} is not a public key: {why}; a file as in /etc/apk/keys is expected")]
    NotAKey {
        /// The file.
        name: String,
        /// The reason, for the message.
        why: &'static str,
    },
    /// It is a key of another kind.
    #[error("{name} is not an RSA key; apk's format v2 is signed by RSA keys only")]
    NotRsa {
        /// The file.
        name: String,
    },
    /// It is too short to be safe, or too long to be checked.
    #[error("{name} is an RSA key of {bits} bits; 1024 to 8192 are accepted")]
    Size {
        /// The file.
        name: String,
        /// The length of its modulus.
        bits: usize,
    },
}

impl PublicKey {
    fn from_pkcs1(name: &str, der: &[u8]) -> Result<Self, KeyError> {
        let not = |why| KeyError::NotAKey { name: name.to_owned(), why };
        let (modulus, exponent) = der::rsa_public_key(der).ok_or(not("its numbers are damaged"))?;
        let leading = modulus.first().map_or(0, |byte| byte.leading_zeros()) as usize;
        let bits = modulus.len() * 8 - leading;
        if !(1024..=8192).contains(&bits) {
            return Err(KeyError::Size { name: name.to_owned(), bits });
        }
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        if !odd(modulus) || !odd(exponent) || exponent == [1] || exponent.len() > 4 {
            return Err(not("its numbers cannot be those of an RSA key"));
        }
        let fingerprint = Fingerprint::from(Sha256::of(&der::wrap_info(der)));
        Ok(PublicKey { name: name.to_owned(), der: der.to_vec(), fingerprint, bits })
    }

    /// The name of the key's file, by which signatures refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The length of its modulus in bits. Keys of less than 2048 bits, which Alpine no longer uses,
    /// are accepted when they are pinned.
    pub fn bits(&self) -> usize {
        self.bits
    }

    pub(super) fn verify(&self, how: &'static RsaParameters, message: &[u8], sign: &[u8]) -> bool {
        UnparsedPublicKey::new(how, &self.der).verify(message, sign).is_ok()
    }
}

impl keyring::PublicKey for PublicKey {
    type Kind = ApkKey;

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, self.fingerprint) == (&other.name, other.fingerprint)
    }
}

/// RSA keys with the names of their files.
pub type Keyring = keyring::Keyring<PublicKey>;

impl Keyring {
    /// Reads a key file: PEM blocks of SubjectPublicKeyInfo (`PUBLIC KEY`) or PKCS#1
    /// (`RSA PUBLIC KEY`). `name` is the name of the file without its folder, by which signatures
    /// refer to the key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse_pem(name: &str, bytes: &[u8]) -> Result<Self, KeyError> {
        let not = |why| KeyError::NotAKey { name: name.to_owned(), why };
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(not("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| not("it is not text"))?;
        let blocks = der::pem(text).ok_or(not("its PEM text is damaged or cut off"))?;
        let mut keyring = Keyring::default();
        for (label, content) in blocks {
            keyring.insert(match label {
                "PUBLIC KEY" => match der::unwrap_info(&content) {
                    Some(Ok(key)) => PublicKey::from_pkcs1(name, key)?,
                    Some(Err(())) => return Err(KeyError::NotRsa { name: name.to_owned() }),
                    None => return Err(not("its DER structure is damaged")),
                },
                "RSA PUBLIC KEY" => PublicKey::from_pkcs1(name, &content)?,
                _ => return Err(not("it is PEM of another kind")),
            });
        }
        if keyring.is_empty() {
            return Err(not("it has no PEM block"));
        }
        Ok(keyring)
    }

    /// The keys whose file has exactly this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &PublicKey> {
        self.keys().filter(move |key| key.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of these two numbers, whose first bytes are below 0x80.
    fn key(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, KeyError> {
        let numbers = [modulus, exponent].map(|number| der::value(der::INTEGER, number));
        PublicKey::from_pkcs1("k", &der::value(der::SEQUENCE, &numbers.concat()))
    }

    /// A number of so many bits, which is odd.
    fn odd(bits: usize) -> Vec<u8> {
        let mut number = vec![0xff; bits.div_ceil(8)];
        number[0] = 0xff >> (number.len() * 8 - bits);
        number
    }

    #[test]
    fn the_length_of_a_key_is_that_of_its_modulus() {
        for bits in [1025, 2047, 8190, 8191] {
            assert_eq!(key(&odd(bits), &[3]).map(|key| key.bits()), Ok(bits));
        }
        for bits in [7, 1023, 8193, 8999] {
            assert_eq!(key(&odd(bits), &[3]), Err(KeyError::Size { name: "k".to_owned(), bits }));
        }
    }

    #[test]
    fn numbers_that_no_rsa_key_has_are_refused() {
        let good = odd(2047);
        let even = [&good[..255], &[2]].concat();
        for exponent in [&[3][..], &[1, 0, 1], &[0x7f, 0, 0, 1]] {
            assert!(key(&good, exponent).is_ok(), "{exponent:?}");
        }
        for (modulus, exponent) in [
            (&good, &[1][..]),
            (&good, &[2]),
            (&good, &[1, 0, 0]),
            (&good, &[1, 0, 0, 0, 1]),
            (&good, &[1, 0, 0, 0, 0, 1]),
            (&even, &[3]),
        ] {
            let error = key(modulus, exponent).expect_err("refused").to_string();
            assert!(error.contains("cannot be those of an RSA key"), "{exponent:?}: {error}");
        }
    }

    #[test]
    fn a_key_is_the_same_under_the_same_name_only() {
        let named = |name: &str| PublicKey {
            name: name.to_owned(),
            ..key(&odd(2047), &[3]).expect("a key")
        };
        let mut keyring = Keyring::default();
        for name in ["a", "b", "a"] {
            keyring.insert(named(name));
        }
        assert_eq!(keyring.keys().map(PublicKey::name).collect::<Vec<_>>(), ["a", "b"]);
    }
}
