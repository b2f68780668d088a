//! Which keys of an OpenPGP certificate may sign, at a given time.
//!
//! RFC 9580, 5.2.3 and 10.1: the newest self-signature decides on expiry and use; a subkey must be
//! bound to the primary key for signing, and bind itself back. Any revocation by the primary key
//! counts, whatever its reason. Revocations by other keys (designated revokers) are not looked at.

use jiff::Timestamp;
use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Tag};

use super::keyring::Fingerprint;

/// How far a clock may be behind before something signed just now seems to be from the future.
pub(super) const CLOCK_SLACK: i64 = 24 * 60 * 60;

/// Whether a key may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may.
    Good,
    /// It expired, at this time.
    Expired(Timestamp),
    /// It was withdrawn by its owner.
    Revoked,
    /// It is not bound to its certificate for signing: why.
    Unusable(&'static str),
}

/// A key that may have made a signature.
pub(super) enum Key<'a> {
    Primary(&'a SignedPublicKey),
    Sub(&'a SignedPublicKey, &'a SignedPublicSubKey),
}

impl<'a> Key<'a> {
    /// All keys of a certificate, the primary key first.
    pub(super) fn all(certificate: &'a SignedPublicKey) -> impl Iterator<Item = Key<'a>> {
        let subkeys = certificate.public_subkeys.iter();
        [Key::Primary(certificate)]
            .into_iter()
            .chain(subkeys.map(move |s| Key::Sub(certificate, s)))
    }

    /// The fingerprint that is pinned: that of the primary key.
    pub(super) fn pinned_as(&self) -> Fingerprint {
        let (Key::Primary(certificate) | Key::Sub(certificate, _)) = self;
        Fingerprint::from(&certificate.primary_key.fingerprint())
    }

    /// Whether `signature` says that this key made it. A signature that says nothing may be anyone's.
    pub(super) fn may_have_made(&self, signature: &Signature) -> bool {
        let (id, fingerprint) = match self {
            Key::Primary(c) => (c.primary_key.legacy_key_id(), c.primary_key.fingerprint()),
            Key::Sub(_, s) => (s.key.legacy_key_id(), s.key.fingerprint()),
        };
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        (ids.is_empty() && fingerprints.is_empty())
            || ids.contains(&&id)
            || fingerprints.contains(&&fingerprint)
    }

    /// Whether this key made `signature` over `text`.
    pub(super) fn made(&self, signature: &Signature, text: &[u8]) -> bool {
        match self {
            Key::Primary(certificate) => signature.verify(&certificate.primary_key, text),
            Key::Sub(_, subkey) => signature.verify(&subkey.key, text),
        }
        .is_ok()
    }

    /// Whether this key may sign at the time `now`.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        match self {
            Key::Primary(certificate) => primary(certificate, now, true),
            Key::Sub(certificate, subkey) => match primary(certificate, now, false) {
                Standing::Good => sub(certificate, subkey, now),
                other => other,
            },
        }
    }
}

/// `to_sign`: whether the primary key itself is to sign, or only to vouch for a subkey.
fn primary(certificate: &SignedPublicKey, now: Timestamp, to_sign: bool) -> Standing {
    let key = &certificate.primary_key;
    let details = &certificate.details;
    if details.revocation_signatures.iter().any(|s| s.verify_key(key).is_ok()) {
        return Standing::Revoked;
    }
    let direct = details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(key).is_ok()
    });
    let users = details.users.iter().flat_map(|user| {
        let own = |s: &&Signature| s.verify_certification(key, Tag::UserId, &user.id).is_ok();
        let revoked = |s: &Signature| s.typ() == Some(SignatureType::CertRevocation);
        // A name that was withdrawn says nothing about the key.
        let withdrawn = user.signatures.iter().any(|s| revoked(s) && own(&s));
        user.signatures.iter().filter(move |s| !withdrawn && !revoked(s)).filter(own)
    });
    let Some(newest) = newest(direct.chain(users), now) else {
        return Standing::Unusable("it has no valid self-signature");
    };
    match expiry(key.created_at().as_secs(), newest) {
        Some(end) if end <= now => Standing::Expired(end),
        _ if to_sign && !signs(newest, true) => Standing::Unusable("it is not for signing"),
        _ => Standing::Good,
    }
}

fn sub(certificate: &SignedPublicKey, subkey: &SignedPublicSubKey, now: Timestamp) -> Standing {
    let (primary, key) = (&certificate.primary_key, &subkey.key);
    let bound = |s: &&Signature| s.verify_subkey_binding(primary, key).is_ok();
    let revocation = |s: &Signature| s.typ() == Some(SignatureType::SubkeyRevocation);
    if subkey.signatures.iter().any(|s| revocation(s) && bound(&s)) {
        return Standing::Revoked;
    }
    let bindings = subkey.signatures.iter().filter(|s| !revocation(s)).filter(bound);
    let Some(newest) = newest(bindings, now) else {
        return Standing::Unusable("it is not bound to its primary key");
    };
    if !signs(newest, false) {
        return Standing::Unusable("it is not for signing");
    }
    // Without this, anyone could claim another one's signing key as his own subkey.
    let back = newest.embedded_signature();
    if !back
        .is_some_and(|s| digest_is_strong(s) && s.verify_primary_key_binding(key, primary).is_ok())
    {
        return Standing::Unusable("it does not bind itself to its primary key");
    }
    match expiry(key.created_at().as_secs(), newest) {
        Some(end) if end <= now => Standing::Expired(end),
        _ => Standing::Good,
    }
}

/// The newest of the signatures that count.
fn newest<'s>(
    signatures: impl Iterator<Item = &'s Signature>,
    now: Timestamp,
) -> Option<&'s Signature> {
    signatures
        .filter(|s| digest_is_strong(s) && understood(s) && in_force(s, now))
        .max_by_key(|s| s.created().map(|time| time.as_secs()))
}

/// Whether forging the digest of a signature is out of reach: MD5, SHA-1 and the like are not.
pub(super) fn digest_is_strong(signature: &Signature) -> bool {
    matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    )
}

/// Whether all that the signer called critical is known here.
pub(super) fn understood(signature: &Signature) -> bool {
    signature.config().is_some_and(|config| {
        !config.hashed_subpackets().any(|subpacket| {
            subpacket.is_critical
                && matches!(
                    subpacket.data,
                    SubpacketData::Other(..)
                        | SubpacketData::Experimental(..)
                        | SubpacketData::Notation(_)
                )
        })
    })
}

/// Whether a signature was made before `now` and has not run out.
pub(super) fn in_force(signature: &Signature, now: Timestamp) -> bool {
    let Some(created) = signature.created().map(|time| i64::from(time.as_secs())) else {
        return false;
    };
    let lifetime =
        signature.signature_expiration_time().map_or(0, |time| i64::from(time.as_secs()));
    created <= now.as_second().saturating_add(CLOCK_SLACK)
        && (lifetime == 0 || created.saturating_add(lifetime) > now.as_second())
}

/// When a key created at `created` ends, by what `signature` says; `None` for never.
fn expiry(created: u32, signature: &Signature) -> Option<Timestamp> {
    let lifetime = signature.key_expiration_time().map_or(0, |time| time.as_secs());
    let end = i64::from(created).saturating_add(i64::from(lifetime));
    (lifetime > 0).then(|| Timestamp::from_second(end).unwrap_or(Timestamp::MAX))
}

/// Whether `signature` lets its key sign; `by_default` where it says nothing.
fn signs(signature: &Signature, by_default: bool) -> bool {
    let said = signature.config().is_some_and(|config| {
        config.hashed_subpackets().any(|s| matches!(s.data, SubpacketData::KeyFlags(_)))
    });
    if said { signature.key_flags().sign() } else { by_default }
}
