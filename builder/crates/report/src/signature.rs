//! Signatures over `SHA256SUMS`: [minisign](https://jedisct1.github.io/minisign/)'s format.
//!
//! A signature file has four lines: an untrusted comment, the signature over the file's BLAKE2b-512, a
//! trusted comment, and the signature over the first signature and that comment. The untrusted comment
//! is signed by nobody. So that not one byte of a release can be changed unnoticed, it must be
//! minisign's own default text or repeat the trusted comment, and the file must be written as minisign
//! writes it, to the last line break.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The suffix that a signature file's name adds to that of the file it is over.
pub(crate) const SUFFIX: &str = ".minisig";
/// The largest key or signature file that is read, in bytes.
pub const SIZE_LIMIT: u64 = 8 << 10;
/// The untrusted comments that minisign, and rsign in its place, write of themselves.
const DEFAULT_COMMENTS: [&str; 2] =
    ["signature from minisign secret key", "signature from rsign secret key"];

/// A public key that signatures are held against.
#[derive(Debug, Clone)]
pub struct PublicKey(minisign_verify::PublicKey);

/// Text that is no public key.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is no public key of minisign: 56 characters that start with RW, or the file minisign.pub \
     that 'minisign -G' wrote"
)]
pub struct NotAKey;

/// Why a signature does not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The file is no signature.
    #[error("is no signature of minisign: {0}")]
    Malformed(&'static str),
    /// The comment that nobody signed is an unusual one.
    #[error(
        "has an untrusted comment that nobody signed: {0:?}; minisign's own, or the trusted \
         comment once more, is expected"
    )]
    Comment(String),
    /// Another key made it.
    #[error("was made by another key than the one that was given")]
    OtherKey,
    /// It was made without hashing the file first, as old versions did.
    #[error("is of minisign's legacy form: sign again with minisign 0.10 or newer")]
    Legacy,
    /// It is over something else, or was changed.
    #[error("does not hold: it, or the file that it is over, has changed since it was made")]
    Wrong,
}

impl PublicKey {
    /// Reads a key: the 56 characters, or the two lines of a key file.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let mut lines = text.trim().lines().map(str::trim);
        let first = lines.next().ok_or(NotAKey)?;
        let key = match lines.next() {
            Some(second) if first.starts_with("untrusted comment:") => second,
            None => first,
            Some(_) => return Err(NotAKey),
        };
        if lines.next().is_some() {
            return Err(NotAKey);
        }
        minisign_verify::PublicKey::from_base64(key).map(PublicKey).map_err(|_| NotAKey)
    }

    /// Whether `signature`, the text of a signature file, is this key's over `bytes`; gives back its
    /// trusted comment.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<String, SignatureError> {
        use minisign_verify::{Error, Signature};
        let text =
            std::str::from_utf8(signature).map_err(|_| SignatureError::Malformed("not UTF-8"))?;
        let comment = check_form(text)?;
        let parsed = Signature::decode(text)
            .map_err(|_| SignatureError::Malformed("it cannot be decoded"))?;
        self.0.verify(bytes, &parsed, false).map_err(|error| match error {
            Error::UnexpectedKeyId => SignatureError::OtherKey,
            Error::UnexpectedAlgorithm | Error::UnsupportedLegacyMode => SignatureError::Legacy,
            _ => SignatureError::Wrong,
        })?;
        Ok(comment.to_owned())
    }
}

/// Whether the text is written as minisign writes it; gives back its trusted comment.
fn check_form(text: &str) -> Result<&str, SignatureError> {
    let malformed = SignatureError::Malformed;
    let lines: Vec<&str> = text.split('\n').collect();
    let [first, signature, third, global, ""] = lines[..] else {
        return Err(malformed("four lines are expected"));
    };
    let untrusted = first
        .strip_prefix("untrusted comment: ")
        .ok_or(malformed("line 1 has no untrusted comment"))?;
    let trusted = third
        .strip_prefix("trusted comment: ")
        .ok_or(malformed("line 3 has no trusted comment"))?;
    if trusted.chars().any(|c| c.is_control() && c != '\t') {
        return Err(malformed("the trusted comment has control characters"));
    }
    for line in [signature, global] {
        // Strict: padding and unused bits must be as an encoder writes them.
        BASE64.decode(line).map_err(|_| malformed("lines 2 and 4 are expected in base64"))?;
    }
    if untrusted != trusted && !DEFAULT_COMMENTS.contains(&untrusted) {
        return Err(SignatureError::Comment(untrusted.to_owned()));
    }
    Ok(trusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of minisign: public, and long since published.
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn keys_are_characters_or_files() {
        assert!(PublicKey::parse(KEY).is_ok());
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{KEY}\n");
        assert!(PublicKey::parse(&file).is_ok());
        assert!(PublicKey::parse(&file.replace('\n', "\r\n")).is_ok());
        for bad in ["", "x", &KEY[1..], &format!("{KEY}\n{KEY}"), &format!("{file}more\n")] {
            assert!(PublicKey::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_form_is_minisigns_own() {
        let text = |untrusted: &str, rest: &str| {
            format!("untrusted comment: {untrusted}\nAAAA\ntrusted comment: t\nAAAA\n{rest}")
        };
        assert_eq!(check_form(&text("t", "")), Ok("t"));
        assert_eq!(check_form(&text("signature from minisign secret key", "")), Ok("t"));
        assert!(matches!(check_form(&text("u", "")), Err(SignatureError::Comment(_))));
        for bad in [
            text("t", "\n"),
            text("t", "x"),
            text("t", "").trim_end().to_owned(),
            text("t", "").replace("AAAA", "AAB="),
            text("t", "").replace("\nAAAA", "\r\nAAAA"),
            text("t\r", "").replace("comment: t\n", "comment: t\r\n"),
        ] {
            assert!(matches!(check_form(&bad), Err(SignatureError::Malformed(_))), "{bad:?}");
        }
    }
}
