//! Fingerprints, by which recipes pin keys of all kinds.
//!
//! A signature names its key by a file name or a short id, which anybody can choose; a fingerprint is a
//! digest of all of the key. All kinds are written in one way: hexadecimal digits, between which spaces
//! and colons, and upper and lower case, make no difference when they are read.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use wifibox_ground::digest::{Sha256, hex, unhex};

/// The longest digest in bytes.
const LONGEST: usize = 32;

/// A kind of keys.
pub(crate) trait KeyKind {
    /// The lengths that its fingerprints may have, in bytes; at most 32 each.
    const LENGTHS: &'static [usize];
    /// Whether its fingerprints are printed in upper case.
    const UPPER_CASE: bool;
    /// The expected form, for the message about a text that does not have it.
    const EXPECTED: &'static str;
}

/// The digest that identifies a key of the kind `K`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint<K> {
    length: usize,
    /// Zeros behind `length`.
    bytes: [u8; LONGEST],
    kind: PhantomData<K>,
}

/// Text that is not a full fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not {expected}")]
pub struct NotAFingerprint {
    text: String,
    expected: &'static str,
}

impl<K> Fingerprint<K> {
    /// The fingerprint with these bytes, of which there are 32 at most.
    pub(crate) fn of_bytes(digest: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        let length = digest.len().min(LONGEST);
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Fingerprint { length, bytes, kind: PhantomData }
    }
}

impl<K> From<Sha256> for Fingerprint<K> {
    fn from(digest: Sha256) -> Self {
        Fingerprint::of_bytes(digest.as_bytes())
    }
}

impl<K: KeyKind> FromStr for Fingerprint<K> {
    type Err = NotAFingerprint;
    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
        unhex(&digits)
            .filter(|bytes| K::LENGTHS.contains(&bytes.len()))
            .map(|bytes| Fingerprint::of_bytes(&bytes))
            .ok_or_else(|| NotAFingerprint { text: text.to_owned(), expected: K::EXPECTED })
    }
}

impl<K: KeyKind> fmt::Display for Fingerprint<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex(self.bytes.get(..self.length).unwrap_or(&self.bytes));
        if K::UPPER_CASE { f.write_str(&digits.to_ascii_uppercase()) } else { f.write_str(&digits) }
    }
}

impl<K: KeyKind> fmt::Debug for Fingerprint<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keys of apk, both formats: the SHA-256 of the SubjectPublicKeyInfo in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApkKey;

impl KeyKind for ApkKey {
    const LENGTHS: &'static [usize] = &[32];
    const UPPER_CASE: bool = false;
    const EXPECTED: &'static str = "the fingerprint of an apk key: 64 hexadecimal digits are \
        expected, the SHA-256 of the key in DER (`openssl pkey -pubin -in KEY -outform DER | sha256sum`)";
}

/// OpenPGP certificates: the fingerprint of the primary key, of version 4 (20 bytes) or 6 (32 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenPgpKey;

impl KeyKind for OpenPgpKey {
    const LENGTHS: &'static [usize] = &[20, 32];
    const UPPER_CASE: bool = true;
    const EXPECTED: &'static str = "a full key fingerprint: 40 hexadecimal digits are expected (64 \
        for version 6 keys); short key ids can be forged and are not accepted";
}

/// Keys of usign: the SHA-256 of the 32 bytes of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsignKey;

impl KeyKind for UsignKey {
    const LENGTHS: &'static [usize] = &[32];
    const UPPER_CASE: bool = false;
    const EXPECTED: &'static str = "the fingerprint of an OpenWrt key: the 64 hexadecimal digits of \
        the SHA-256 of its 32 bytes are expected; a key id of 16 digits can be chosen by anybody and is \
        not accepted";
}

/// The items in one line, for errors.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENPGP: &str = "4D64FEC119C2029067D6E791F8D2585B8783D481";

    #[test]
    fn spaces_colons_and_case_make_no_difference() {
        let spaced = "4d64 fec1 19c2 0290 67d6  e791 f8d2 585b 8783 d481";
        let read = |text: &str| text.parse::<Fingerprint<OpenPgpKey>>();
        assert_eq!(read(OPENPGP).map(|f| f.to_string()).as_deref(), Ok(OPENPGP));
        assert_eq!(read(OPENPGP), read(spaced));
        assert_eq!(read(spaced).map(|f| format!("{f:?}")).as_deref(), Ok(OPENPGP));
        let text = format!("{OPENPGP}{}", &OPENPGP[..24]).to_ascii_lowercase();
        let colons: Vec<&str> = (0..32).map(|at| &text[2 * at..2 * at + 2]).collect();
        let colons = colons.join(":").to_ascii_uppercase();
        fn same<K: KeyKind + PartialEq>(text: &str, other: &str) {
            let found: Fingerprint<K> = text.parse().expect("a fingerprint");
            assert!(found == other.parse().expect("the same"));
            assert_eq!(found.to_string().to_ascii_lowercase(), text);
        }
        same::<ApkKey>(&text, &colons);
        same::<UsignKey>(&text, &colons);
        same::<OpenPgpKey>(&text, &colons);
    }

    #[test]
    fn only_full_fingerprints_are_accepted() {
        for short in ["8783D481", "F8D2585B8783D481", "", &OPENPGP[1..], &OPENPGP.replace('4', "x")]
        {
            assert!(short.parse::<Fingerprint<OpenPgpKey>>().is_err());
            let error = short.parse::<Fingerprint<ApkKey>>().expect_err("short").to_string();
            assert!(error.contains("openssl pkey") && error.contains(short), "{error}");
            assert!(short.parse::<Fingerprint<UsignKey>>().is_err());
        }
        assert!(OPENPGP.parse::<Fingerprint<UsignKey>>().is_err());
    }
}
