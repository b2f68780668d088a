//! Verifies OpenPGP signatures (RFC 9580) by keys whose fingerprints are pinned.

use jiff::Timestamp;
use pgp::armor::BlockType;
use pgp::packet::{Packet, PacketParser, Signature, SignatureType};

use super::armor;
use super::certificate::{Key, Standing, digest_is_strong, in_force, understood};
use super::keyring::{Fingerprint, Keyring};
use crate::fingerprint::list;

/// More signatures than this on one text are not looked at.
const SIGNATURE_LIMIT: usize = 64;
/// An armored block of signatures holds at most so many bytes.
const BLOCK_LIMIT: usize = 1 << 20;

/// Why a text is not trusted. `name` is the file; keys are named by the fingerprint that is pinned.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The text is not in the form of a signed one.
    #[error(
        "{name} is not a signed text: {why}; the mirror may be broken, or something in between"
    )]
    NotSigned {
        /// The file.
        name: String,
        /// The reason, for the message.
        why: String,
    },
    /// Nothing can be trusted: the keyring has none of the pinned keys.
    #[error("the keyring has none of the keys that are trusted for {name}: {}", list(wanted))]
    NoPinnedKey {
        /// The file.
        name: String,
        /// The pinned fingerprints.
        wanted: Vec<Fingerprint>,
    },
    /// It is signed, but by other keys.
    #[error(
        "{name} is signed by {}, but trusted are only {}; if the archive has new keys, \
         check their fingerprints and pin them",
        list(issuers),
        list(wanted)
    )]
    UnknownKey {
        /// The file.
        name: String,
        /// Fingerprints or key ids of the keys that signed it, by their own account.
        issuers: Vec<String>,
        /// The pinned fingerprints.
        wanted: Vec<Fingerprint>,
    },
    /// The text is not what the key signed.
    #[error("{name} was changed after {key} signed it: the signature does not fit")]
    BadSignature {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
    },
    /// The key's time is over.
    #[error("{name} is signed by {key}, which expired at {when}; a newer keyring may help")]
    KeyExpired {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
        /// When it expired.
        when: Timestamp,
    },
    /// The key was withdrawn by its owner.
    #[error("{name} is signed by {key}, which its owner revoked")]
    KeyRevoked {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
    },
    /// The key is not one for signing.
    #[error("{name} is signed by a key of {key} that cannot be trusted: {why}")]
    KeyUnusable {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
        /// Why.
        why: &'static str,
    },
    /// The signature is over a digest that can be forged.
    #[error("{name} is signed by {key} over a {digest} digest, which can be forged")]
    WeakDigest {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
        /// The digest algorithm.
        digest: String,
    },
    /// The signature is from the future, ran out, or has critical parts that are unknown.
    #[error("{name} has a signature by {key} that does not count now: {why}")]
    NotInForce {
        /// The file.
        name: String,
        /// The key.
        key: Fingerprint,
        /// Why.
        why: &'static str,
    },
}

/// Reads the signatures of an armored or binary block.
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Signature>, SignatureError> {
    let not_signed = |why: String| SignatureError::NotSigned { name: name.to_owned(), why };
    let collect = |packets: &mut dyn Iterator<Item = pgp::errors::Result<Packet>>| {
        // A signature of an unknown kind does not spoil the others.
        let known = packets.take(SIGNATURE_LIMIT).filter_map(Result::ok);
        known
            .filter_map(|packet| match packet {
                Packet::Signature(signature) => Some(signature),
                _ => None,
            })
            .collect::<Vec<Signature>>()
    };
    let signatures = if bytes.starts_with(b"-----") {
        let block = armor::bytes_of(bytes, &BlockType::Signature, BLOCK_LIMIT);
        collect(&mut PacketParser::new(&*block.map_err(not_signed)?))
    } else {
        collect(&mut PacketParser::new(bytes))
    };
    if signatures.is_empty() {
        return Err(not_signed("there is no signature that can be read".to_owned()));
    }
    Ok(signatures)
}

/// The pinned keys that signed `text`; at least one. Signatures by others do not matter, nor do
/// further ones by pinned keys that are not good.
pub(super) fn verify(
    name: &str,
    text: &[u8],
    signatures: &[Signature],
    keyring: &Keyring,
    pinned: &[Fingerprint],
    now: Timestamp,
) -> Result<Vec<Fingerprint>, SignatureError> {
    let trusted = keyring.trusted(pinned);
    let keys: Vec<Key> = trusted.flat_map(|certificate| Key::all(&certificate.0)).collect();
    if keys.is_empty() {
        let wanted = pinned.to_vec();
        return Err(SignatureError::NoPinnedKey { name: name.to_owned(), wanted });
    }
    let mut signers = Vec::new();
    let mut gravest: Option<SignatureError> = None;
    for signature in signatures {
        for key in keys.iter().filter(|key| key.may_have_made(signature)) {
            match check(name, text, signature, key, now) {
                Ok(()) => signers.push(key.pinned_as()),
                Err(error) => {
                    if gravest.as_ref().is_none_or(|known| gravity(&error) > gravity(known)) {
                        gravest = Some(error);
                    }
                }
            }
        }
    }
    signers.sort();
    signers.dedup();
    if !signers.is_empty() {
        return Ok(signers);
    }
    Err(gravest.unwrap_or_else(|| SignatureError::UnknownKey {
        name: name.to_owned(),
        issuers: signatures.iter().map(issuer).collect(),
        wanted: pinned.to_vec(),
    }))
}

fn check(
    name: &str,
    text: &[u8],
    signature: &Signature,
    key: &Key<'_>,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let (name, by) = (name.to_owned(), key.pinned_as());
    if !matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary)) {
        let why = "it is not a signature over a document";
        return Err(SignatureError::NotInForce { name, key: by, why });
    }
    if !digest_is_strong(signature) {
        let digest = signature.hash_alg().map_or("unknown".to_owned(), |digest| digest.to_string());
        return Err(SignatureError::WeakDigest { name, key: by, digest });
    }
    if !key.made(signature, text) {
        return Err(SignatureError::BadSignature { name, key: by });
    }
    match key.standing(now) {
        Standing::Good => {}
        Standing::Expired(when) => return Err(SignatureError::KeyExpired { name, key: by, when }),
        Standing::Revoked => return Err(SignatureError::KeyRevoked { name, key: by }),
        Standing::Unusable(why) => return Err(SignatureError::KeyUnusable { name, key: by, why }),
    }
    if !understood(signature) {
        let why = "it has a critical part of an unknown kind";
        return Err(SignatureError::NotInForce { name, key: by, why });
    }
    if !in_force(signature, now) {
        let why = "it ran out, or it is from the future";
        return Err(SignatureError::NotInForce { name, key: by, why });
    }
    Ok(())
}

/// Which error is told when several signatures fail, each in its own way.
fn gravity(error: &SignatureError) -> u8 {
    match error {
        SignatureError::BadSignature { .. } => 5,
        SignatureError::KeyRevoked { .. } => 4,
        SignatureError::KeyExpired { .. } => 3,
        SignatureError::WeakDigest { .. } => 2,
        _ => 1,
    }
}

fn issuer(signature: &Signature) -> String {
    let fingerprints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    match (&fingerprints[..], &ids[..]) {
        ([first, ..], _) => Fingerprint::from(*first).to_string(),
        ([], [id, ..]) => wifibox_ground::digest::hex(id.as_ref()).to_ascii_uppercase(),
        ([], []) => "an unnamed key".to_owned(),
    }
}
