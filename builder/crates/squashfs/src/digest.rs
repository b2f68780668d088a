//! SHA-256: what equal contents and cached blocks are known by.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::Digest as _;

/// A SHA-256 digest (FIPS 180-4).
pub(crate) type Digest = [u8; 32];

/// Takes bytes in piece by piece.
#[derive(Default)]
pub(crate) struct Hasher(sha2::Sha256);

impl Hasher {
    /// Takes in more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken in.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digest of `bytes`.
#[cfg(feature = "cache")]
pub(crate) fn of(bytes: &[u8]) -> Digest {
    sha2::Sha256::digest(bytes).into()
}

/// A digest that only who has `key` can make (HMAC-SHA-256, RFC 2104), of `first` and `second`; the former has a fixed
/// length.
#[cfg(feature = "cache")]
pub(crate) fn keyed(key: &[u8; 32], first: &Digest, second: &[u8]) -> Digest {
    let begun = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        sha2::Sha256::new_with_prefix(block)
    };
    let inner = begun(0x36).chain_update(first).chain_update(second).finalize();
    begun(0x5c).chain_update(inner).finalize().into()
}

/// The digest of everything that `reader` yields.
pub(crate) fn of_reader(mut reader: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    io::copy(&mut reader, &mut hasher)?;
    Ok(hasher.finish())
}

/// As 64 lower-case hexadecimal digits.
pub(crate) fn hex(digest: &Digest) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "cache")]
    #[test]
    fn keyed_digests_are_those_of_hmac() {
        // Python: hmac.new(bytes(range(32)), b"\x01" * 32 + b"value", "sha256").hexdigest()
        let key = std::array::from_fn(|n| u8::try_from(n).expect("small"));
        let expected = "e0be0a1c72ed4a5072cf33889faa1a10c22f34bc171f385386dbcc8cab29de13";
        assert_eq!(hex(&keyed(&key, &[1; 32], b"value")), expected);
        assert_ne!(hex(&keyed(&[0; 32], &[1; 32], b"value")), expected);
    }

    #[test]
    fn the_digest_of_abc_is_the_standards() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&of_reader(&b"abc"[..]).expect("read")), expected);
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hex(&hasher.finish()), expected);
    }
}
