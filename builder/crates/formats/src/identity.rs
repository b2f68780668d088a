//! apk's package identity, the index field `C:`: the digest of a package's control member, and in apk v3
//! the index field `hashes`: the SHA-256 of a package's ADB payload.
//!
//! Written as `Q1` or `Q2` and base64 (apk-tools, `apk-package(5)`). The bits that base64 leaves over
//! do not count, so that two spellings of one digest are one identity.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Left-over bits and padding do not count.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of a SHA-1 digest, the part of an identity by which apk tells packages apart.
const SHA1_LENGTH: usize = 20;

/// The digest by which apk identifies a package: SHA-1 (20 bytes) or SHA-256 (32 bytes) of the
/// compressed control member; in apk v3 the SHA-256 of the ADB payload, whole or its first 20 bytes.
/// Written as in the index: `Q1` and base64.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(Vec<u8>);

/// Text that is not an [`Identity`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a package identity: Q1 or Q2 and the base64 of a SHA-1 or SHA-256 is expected"
)]
pub struct NotAnIdentity(String);

impl Identity {
    /// The identity of the package with this compressed control member, as Alpine's indexes give it:
    /// its SHA-1.
    pub fn of_control(compressed: &[u8]) -> Self {
        Identity(digest(&SHA1_FOR_LEGACY_USE_ONLY, compressed).as_ref().to_vec())
    }

    /// Whether this is the SHA-1 or, by its length, the SHA-256 of a compressed control member.
    pub fn fits(&self, compressed: &[u8]) -> bool {
        let algorithm = match self.0.len() {
            SHA1_LENGTH => &SHA1_FOR_LEGACY_USE_ONLY,
            _ => &SHA256,
        };
        digest(algorithm, compressed).as_ref() == self.0
    }

    /// The identity with this digest, if it has 20 or 32 bytes.
    pub fn from_digest(digest: &[u8]) -> Option<Self> {
        matches!(digest.len(), SHA1_LENGTH | 32).then(|| Identity(digest.to_vec()))
    }

    /// The digest: 20 bytes of SHA-1 or 32 of SHA-256.
    pub fn digest(&self) -> &[u8] {
        &self.0
    }

    /// The first 20 bytes: packages that agree in these are one package to apk.
    pub fn key(&self) -> &[u8] {
        self.0.get(..SHA1_LENGTH).unwrap_or(&self.0)
    }
}

/// Decodes base64 text, whatever its left-over bits and padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.trim_end_matches('=')).ok()
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Q1{}", STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Identity {
    type Err = NotAnIdentity;
    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let digits = text.strip_prefix("Q1").or_else(|| text.strip_prefix("Q2"));
        digits
            .and_then(decode)
            .filter(|digest| matches!(digest.len(), SHA1_LENGTH | 32))
            .map(Identity)
            .ok_or_else(|| NotAnIdentity(text.to_owned()))
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn left_over_bits_do_not_count() {
        let a: Identity = "Q1AAECAwQFBgcICQoLDA0ODxAREhM=".parse().expect("an identity");
        assert_eq!(a.digest(), (0..20).collect::<Vec<u8>>());
        assert_eq!(a.to_string(), "Q1AAECAwQFBgcICQoLDA0ODxAREhM=");
        assert_eq!("Q1AAECAwQFBgcICQoLDA0ODxAREhN=".parse(), Ok(a));
        for bad in
            ["", "Q1", "AAECAwQFBgcICQoLDA0ODxAREhM=", "Q1AAEC", "Q1AAECAwQFBgcICQoLDA0ODxAREh*="]
        {
            assert!(bad.parse::<Identity>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_is_an_identity_by_its_length() {
        let bytes: Vec<u8> = (0..64).collect();
        for length in 0..=bytes.len() {
            let digest = &bytes[..length];
            let expected = matches!(length, 20 | 32).then(|| Identity(digest.to_vec()));
            assert_eq!(Identity::from_digest(digest), expected);
        }
        for length in [20, 32] {
            let identity = Identity::from_digest(&bytes[..length]).expect("an identity");
            assert_eq!((identity.digest(), identity.key()), (&bytes[..length], &bytes[..20]));
            assert_eq!(format!("{identity:?}"), identity.to_string());
        }
    }

    #[test]
    fn it_fits_the_member_that_it_is_the_digest_of() {
        let identity = Identity::of_control(b"abc");
        assert_eq!(identity.to_string(), "Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        let sha256: Identity =
            "Q1ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".parse().expect("an identity");
        assert_eq!(sha256.digest(), wifibox_ground::digest::Sha256::of(b"abc").as_bytes());
        for (member, fits) in [(&b"abc"[..], true), (b"abd", false)] {
            assert_eq!((identity.fits(member), sha256.fits(member)), (fits, fits));
        }
        assert!(!Identity(sha256.key().to_vec()).fits(b"abc"));
    }

    proptest! {
        #[test]
        fn text_round_trips(digest in prop_oneof![
            proptest::collection::vec(any::<u8>(), 20),
            proptest::collection::vec(any::<u8>(), 32),
        ]) {
            let identity = Identity(digest);
            prop_assert_eq!(identity.to_string().parse::<Identity>(), Ok(identity));
        }
    }
}
