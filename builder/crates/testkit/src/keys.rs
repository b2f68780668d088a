//! Signing keys for tests, generated anew from a seed, and texts signed by them.

use pgp::composed::{ArmorOptions, CleartextSignedMessage, KeyType, SignedKeyDetails};
use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
pub use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, PublicSubkey, SecretKey, SecretSubkey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, KeyVersion, Password, SignedUser, Tag, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// How a key is made.
#[derive(Clone)]
pub struct Spec {
    pub seed: u64,
    pub kind: KeyType,
    /// When it was made: seconds since 1970.
    pub created: u32,
    /// How long it is valid, in seconds.
    pub lifetime: Option<u32>,
    /// Whether a subkey signs, and how it is bound.
    pub subkey: Subkey,
    pub revoked: bool,
    /// The digest of the key's own signatures.
    pub hash: HashAlgorithm,
    /// Whether the primary key may sign documents.
    pub may_sign: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subkey {
    None,
    /// As it should be.
    Signing,
    /// Bound, but not for signing.
    NotForSigning,
    /// Bound for signing, but without the signature back.
    WithoutBackSignature,
    /// Bound for signing, but its signature back is for another primary key.
    BoundToAnother,
    /// Withdrawn.
    Revoked,
    /// Its time is over after this many seconds.
    Expiring(u32),
}

impl Spec {
    pub fn ed25519(seed: u64, created: u32) -> Self {
        Spec {
            seed,
            kind: KeyType::Ed25519Legacy,
            created,
            lifetime: None,
            subkey: Subkey::None,
            revoked: false,
            hash: HashAlgorithm::Sha512,
            may_sign: true,
        }
    }

    pub fn rsa(seed: u64, created: u32) -> Self {
        Spec { kind: KeyType::Rsa(2048), ..Spec::ed25519(seed, created) }
    }
}

/// A key that can sign.
pub struct Key {
    primary: SecretKey,
    sub: Option<SecretSubkey>,
    pub public: SignedPublicKey,
}

fn config(
    typ: SignatureType,
    by: PublicKeyAlgorithm,
    hash: HashAlgorithm,
    at: u32,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(typ, by, hash);
    push(&mut config, SubpacketData::SignatureCreationTime(Timestamp::from_secs(at)));
    config
}

fn push(config: &mut SignatureConfig, data: SubpacketData) {
    config.hashed_subpackets.push(Subpacket::regular(data).unwrap());
}

fn flags(certify: bool, sign: bool) -> SubpacketData {
    let mut flags = KeyFlags::default();
    flags.set_certify(certify);
    flags.set_sign(sign);
    SubpacketData::KeyFlags(flags)
}

impl Key {
    pub fn generate(spec: &Spec) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(spec.seed);
        let none = Password::empty();
        let inner = |rng: &mut ChaCha20Rng| {
            let (public, secret) = spec.kind.generate(rng).unwrap();
            let created = Timestamp::from_secs(spec.created);
            let algorithm = spec.kind.to_alg();
            (PubKeyInner::new(KeyVersion::V4, algorithm, created, None, public).unwrap(), secret)
        };
        let (public, secret) = inner(&mut rng);
        let public = PublicKey::from_inner(public).unwrap();
        let primary = SecretKey::new(public.clone(), secret).unwrap();
        let id = UserId::from_str(Default::default(), format!("Key {}", spec.seed)).unwrap();
        let mut own =
            config(SignatureType::CertPositive, primary.algorithm(), spec.hash, spec.created);
        push(&mut own, flags(true, spec.may_sign));
        push(&mut own, SubpacketData::IssuerFingerprint(primary.fingerprint()));
        if let Some(lifetime) = spec.lifetime {
            push(&mut own, SubpacketData::KeyExpirationTime(Duration::from_secs(lifetime)));
        }
        let own = own.sign_certification(&primary, &public, &none, Tag::UserId, &id).unwrap();
        let revocations = spec.revoked.then(|| {
            let typ = SignatureType::KeyRevocation;
            let mut revocation = config(typ, primary.algorithm(), spec.hash, spec.created);
            push(&mut revocation, SubpacketData::IssuerFingerprint(primary.fingerprint()));
            revocation.sign_key(&primary, &none, &public).unwrap()
        });
        let users = vec![SignedUser::new(id, vec![own])];
        let details =
            SignedKeyDetails::new(revocations.into_iter().collect(), vec![], users, vec![]);
        let mut sub = None;
        let mut subkeys = Vec::new();
        if spec.subkey != Subkey::None {
            let (sub_inner, secret) = inner(&mut rng);
            let sub_public = PublicSubkey::from_inner(sub_inner).unwrap();
            let sub_secret = SecretSubkey::new(sub_public.clone(), secret).unwrap();
            let algorithm = primary.algorithm();
            let other = PublicKey::from_inner(inner(&mut rng).0).unwrap();
            let to = if spec.subkey == Subkey::BoundToAnother { &other } else { &public };
            let back = config(SignatureType::KeyBinding, algorithm, spec.hash, spec.created)
                .sign_primary_key_binding(&sub_secret, &sub_public, &none, to)
                .unwrap();
            let mut binding =
                config(SignatureType::SubkeyBinding, algorithm, spec.hash, spec.created);
            push(&mut binding, flags(false, spec.subkey != Subkey::NotForSigning));
            if let Subkey::Expiring(lifetime) = spec.subkey {
                push(&mut binding, SubpacketData::KeyExpirationTime(Duration::from_secs(lifetime)));
            }
            if spec.subkey != Subkey::WithoutBackSignature {
                push(&mut binding, SubpacketData::EmbeddedSignature(Box::new(back)));
            }
            let mut bindings =
                vec![binding.sign_subkey_binding(&primary, &public, &none, &sub_public).unwrap()];
            if spec.subkey == Subkey::Revoked {
                let typ = SignatureType::SubkeyRevocation;
                let revocation = config(typ, algorithm, spec.hash, spec.created);
                bindings.push(
                    revocation.sign_subkey_binding(&primary, &public, &none, &sub_public).unwrap(),
                );
            }
            subkeys.push(SignedPublicSubKey::new(sub_public, bindings));
            sub = Some(sub_secret);
        }
        let public = SignedPublicKey::new(public, details, subkeys);
        Key { primary, sub, public }
    }

    /// The fingerprint of the primary key in upper-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    /// The secret part of the primary key: for signatures that [`Key::sign`] does not make.
    pub fn secret(&self) -> &SecretKey {
        &self.primary
    }

    /// The certificate, binary.
    pub fn certificate(&self) -> Vec<u8> {
        self.public.to_bytes().unwrap()
    }

    /// The certificate, ASCII-armored.
    pub fn armored(&self) -> String {
        self.public.to_armored_string(ArmorOptions::default()).unwrap()
    }

    /// A signature over `text`, by the subkey if there is one.
    pub fn sign(&self, typ: SignatureType, text: &[u8], at: u32, hash: HashAlgorithm) -> Signature {
        let none = Password::empty();
        let with = |fingerprint, algorithm| {
            let mut config = config(typ, algorithm, hash, at);
            push(&mut config, SubpacketData::IssuerFingerprint(fingerprint));
            config
        };
        match &self.sub {
            Some(sub) => with(sub.fingerprint(), sub.algorithm()).sign(sub, &none, text).unwrap(),
            None => {
                let key = &self.primary;
                with(key.fingerprint(), key.algorithm()).sign(key, &none, text).unwrap()
            }
        }
    }
}

/// `text` clearsigned by `keys` at the time `at`.
pub fn clearsign(text: &str, keys: &[&Key], at: u32, hash: HashAlgorithm) -> String {
    clearsign_by(text, |text| {
        keys.iter().map(|key| key.sign(SignatureType::Text, text, at, hash)).collect()
    })
}

/// `text` clearsigned by the signatures that `signer` makes over its lines.
pub fn clearsign_by(text: &str, signer: impl FnOnce(&[u8]) -> Vec<Signature>) -> String {
    CleartextSignedMessage::new_many(text, |text| Ok(signer(text.as_bytes())))
        .unwrap()
        .to_armored_string(ArmorOptions::default())
        .unwrap()
}

/// The armored detached signatures of `keys` over `text`.
pub fn detached(text: &[u8], keys: &[&Key], at: u32) -> Vec<u8> {
    let mut packets = Vec::new();
    for key in keys {
        let signature = key.sign(SignatureType::Binary, text, at, HashAlgorithm::Sha512);
        pgp::packet::PacketTrait::to_writer_with_header(&signature, &mut packets).unwrap();
    }
    packets
}
