//! Keys that sign ADB files in tests: EC P-256 and RSA, generated anew from a seed.

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use sha2::{Digest as _, Sha512};
use wifibox_formats::PublicKey as _;
use wifibox_formats::adb::{Fingerprint, KeyId, Keyring};

use super::adbwriter::{SIG, block, to_sign};

/// A key that can sign.
pub struct Signer {
    pub pem: String,
    /// By the rule of the format, not by the code under test.
    pub id: [u8; 16],
    key: Kind,
}

enum Kind {
    Ec(p256::ecdsa::SigningKey),
    Rsa(Box<rsa::RsaPrivateKey>),
}

/// The DER that precedes a SHA-512 digest in PKCS#1 v1.5 (RFC 8017, 9.2).
const SHA512_PREFIX: [u8; 19] =
    [0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 0x40];

fn id(bare: &[u8]) -> [u8; 16] {
    *Sha512::digest(bare).first_chunk().unwrap()
}

impl Signer {
    pub fn ec(seed: u64) -> Self {
        let key = p256::ecdsa::SigningKey::random(&mut ChaCha20Rng::seed_from_u64(seed));
        let public = p256::PublicKey::from(key.verifying_key());
        Signer {
            pem: public.to_public_key_pem(LineEnding::LF).unwrap(),
            id: id(public.to_encoded_point(false).as_bytes()),
            key: Kind::Ec(key),
        }
    }

    pub fn rsa(seed: u64, bits: usize) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut ChaCha20Rng::seed_from_u64(seed), bits).unwrap();
        let public = key.to_public_key();
        Signer {
            pem: public.to_public_key_pem(LineEnding::LF).unwrap(),
            id: id(public.to_pkcs1_der().unwrap().as_bytes()),
            key: Kind::Rsa(Box::new(key)),
        }
    }

    pub fn keyring(&self) -> Keyring {
        Keyring::parse("test.pem", self.pem.as_bytes()).unwrap()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.keyring().keys().next().unwrap().fingerprint()
    }

    pub fn key_id(&self) -> KeyId {
        KeyId(self.id)
    }

    /// The contents of a SIG block over `payload`, whose digest has this number.
    pub fn signature(&self, schema: &[u8; 4], digest: u8, payload: &[u8]) -> Vec<u8> {
        let (mut head, message) = to_sign(schema, digest, self.id, payload);
        let hash = Sha512::digest(message);
        head.extend(match &self.key {
            Kind::Ec(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&hash).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
            Kind::Rsa(key) => {
                let scheme =
                    rsa::Pkcs1v15Sign { hash_len: Some(64), prefix: SHA512_PREFIX.to_vec().into() };
                key.sign(scheme, &hash).unwrap()
            }
        });
        head
    }

    /// A SIG block as apk writes it.
    pub fn sign(&self, schema: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        block(SIG, &self.signature(schema, 4, payload))
    }
}
