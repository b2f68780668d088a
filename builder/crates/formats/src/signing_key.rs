//! RSA private keys in PEM, as `openssl genrsa` and `openssl genpkey` write them: what repositories are signed with.
//!
//! The signature is that of PKCS#1 v1.5 over SHA-256 (RFC 8017), which is the same whenever a message is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;

use crate::der;

/// How many characters OpenSSL puts on a line of PEM.
const LINE: usize = 64;

/// A key that signs.
pub struct SigningKey(KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(...)")
    }
}

/// Why a text is no key to sign with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// There is no private key of RSA in it.
    #[error(
        "it has no \"-----BEGIN PRIVATE KEY-----\", as 'openssl genrsa -out FILE 4096' writes it, but {found}"
    )]
    NotPrivate {
        /// The labels that there are.
        found: String,
    },
    /// It is protected by a password.
    #[error("it is encrypted; write it without its password: openssl pkey -in FILE -out OTHER")]
    Encrypted,
    /// It is no RSA key, or not a good one.
    #[error("it is no RSA key of 2048 to 4096 bits that can be used ({why})")]
    Unusable {
        /// The reason, in the words of the library.
        why: String,
    },
}

impl SigningKey {
    /// Reads a key from PEM.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        let blocks = der::pem(text).unwrap_or_default();
        let mut found = "nothing that could be one".to_owned();
        for (label, content) in &blocks {
            let pair = match *label {
                "PRIVATE KEY" => KeyPair::from_pkcs8(content),
                "RSA PRIVATE KEY" => KeyPair::from_der(content),
                "ENCRYPTED PRIVATE KEY" => return Err(SigningKeyError::Encrypted),
                other => {
                    found = format!("\"-----BEGIN {other}-----\"");
                    continue;
                }
            };
            let why = |rejected: ring::error::KeyRejected| rejected.to_string();
            return pair.map(SigningKey).map_err(|e| SigningKeyError::Unusable { why: why(e) });
        }
        // What OpenSSL before 3 encrypts has no label of its own, and is no base64.
        if text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(SigningKeyError::Encrypted);
        }
        Err(SigningKeyError::NotPrivate { found })
    }

    /// The public key in PEM, byte for byte as `openssl pkey -pubout` writes it.
    pub fn public_pem(&self) -> String {
        let base64 = STANDARD.encode(der::wrap_info(self.0.public().as_ref()));
        let lines = base64.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line) + "\n");
        let lines: String = lines.collect();
        format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
    }

    /// The signature of `message`.
    ///
    /// # Errors
    /// The system has no random numbers, which hide the key from who measures the time that signing takes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        let why = || "the system has no random numbers".to_owned();
        signed.map(|()| signature).map_err(|_| SigningKeyError::Unusable { why: why() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng as _;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use rsa::RsaPrivateKey;
    use rsa::pkcs1::EncodeRsaPrivateKey as _;
    use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};

    fn generated(bits: usize) -> RsaPrivateKey {
        RsaPrivateKey::new(&mut ChaCha8Rng::seed_from_u64(7), bits).expect("a key")
    }

    #[test]
    fn both_forms_are_read_and_sign_alike() {
        let key = generated(2048);
        let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).expect("written").to_string();
        let pkcs1 = key.to_pkcs1_pem(LineEnding::LF).expect("written").to_string();
        let [a, b] = [pkcs8, pkcs1].map(|text| SigningKey::parse(&text).expect("read"));
        let signature = a.sign(b"message").expect("signed");
        assert_eq!(signature, a.sign(b"message").expect("signed"));
        assert_eq!(signature, b.sign(b"message").expect("signed"));
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, a.0.public().as_ref());
        public.verify(b"message", &signature).expect("good");
        public.verify(b"massage", &signature).expect_err("another message");
        let expected = key.to_public_key().to_public_key_pem(LineEnding::LF).expect("written");
        assert_eq!(a.public_pem(), expected);
        assert_eq!(format!("{a:?}"), "SigningKey(...)");
    }

    #[test]
    fn what_is_no_key_says_so() {
        let refused = |text: &str| SigningKey::parse(text).expect_err("no key").to_string();
        let public = generated(2048).to_public_key().to_public_key_pem(LineEnding::LF);
        let said = refused(&public.expect("written"));
        assert!(said.contains("but \"-----BEGIN PUBLIC KEY-----\""), "{said}");
        for text in ["", "hello", "-----BEGIN PRIVATE KEY-----\nMII"] {
            assert!(refused(text).contains("but nothing that could be one"), "{text}");
        }
        let wrap = |label| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert_eq!(
            SigningKey::parse(&wrap("ENCRYPTED PRIVATE KEY")).err(),
            Some(SigningKeyError::Encrypted)
        );
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(SigningKey::parse(old).err(), Some(SigningKeyError::Encrypted));
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY"] {
            assert!(refused(&wrap(label)).contains("2048 to 4096"), "{label}");
        }
        let small = generated(1024).to_pkcs8_pem(LineEnding::LF).expect("written").to_string();
        assert!(refused(&small).contains("2048 to 4096"));
    }
}
