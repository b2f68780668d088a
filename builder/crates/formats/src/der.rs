//! RSA public keys in DER (X.690) and PEM (RFC 7468): SubjectPublicKeyInfo (RFC 5280) and
//! RSAPublicKey (PKCS#1, RFC 8017).
//!
//! Only what these two structures need, and only the one encoding that DER allows: each key has
//! one spelling, hence one fingerprint.

use crate::identity::decode;

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// The AlgorithmIdentifier of RSA: `rsaEncryption` and NULL.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Takes a value with this tag off the front of `input`.
fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&[found, first], mut rest) = input.split_first_chunk::<2>()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        // A length of one to four bytes, in the shortest way to write it.
        0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            let length = digits.iter().fold(0usize, |all, digit| all << 8 | usize::from(*digit));
            (digits.first() != Some(&0) && length > 0x7f).then_some(length)?
        }
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    *input = after;
    (found == tag).then_some(value)
}

/// A positive integer in its shortest form, without the zero byte that marks it positive.
fn positive<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    match take(input, INTEGER)? {
        [0, rest @ ..] if rest.first().is_some_and(|byte| *byte >= 0x80) => Some(rest),
        value @ [1..=0x7f, ..] => Some(value),
        _ => None,
    }
}

/// Modulus and exponent of an RSAPublicKey, big-endian, without leading zeros.
pub(crate) fn rsa_public_key(mut der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut inner = take(&mut der, SEQUENCE).filter(|_| der.is_empty())?;
    let (modulus, exponent) = (positive(&mut inner)?, positive(&mut inner)?);
    inner.is_empty().then_some((modulus, exponent))
}

/// The RSAPublicKey inside a SubjectPublicKeyInfo; `Err` for a key of another kind.
pub(crate) fn unwrap_info(mut der: &[u8]) -> Option<Result<&[u8], ()>> {
    let mut inner = take(&mut der, SEQUENCE).filter(|_| der.is_empty())?;
    let Some(mut bits) = inner.strip_prefix(&RSA_ENCRYPTION) else {
        take(&mut inner, SEQUENCE)?;
        take(&mut inner, BIT_STRING)?;
        return Some(Err(()));
    };
    let key = take(&mut bits, BIT_STRING).filter(|_| bits.is_empty())?;
    key.strip_prefix(&[0]).map(Ok)
}

/// The SubjectPublicKeyInfo around an RSAPublicKey.
pub(crate) fn wrap_info(rsa_public_key: &[u8]) -> Vec<u8> {
    let key = [&[0], rsa_public_key].concat();
    let inner = [RSA_ENCRYPTION.to_vec(), value(BIT_STRING, &key)].concat();
    value(SEQUENCE, &inner)
}

pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.iter().copied().skip_while(|digit| *digit == 0).collect();
    let mut out = vec![tag];
    match digits.as_slice() {
        [] => out.push(0),
        [short @ 0..=0x7f] => out.push(*short),
        digits => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

/// The PEM blocks of a text: label and content. `None` when one is not complete or not base64.
pub(crate) fn pem(text: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let Some(label) = label else { continue };
        let end = format!("-----END {label}-----");
        let mut base64 = String::new();
        loop {
            match lines.next()? {
                line if line == end => break,
                line => base64.push_str(line),
            }
        }
        blocks.push((label, decode(&base64)?));
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_wrapped_and_unwrapped() {
        for size in [1, 100, 126, 127, 128, 255, 256, 1024] {
            let modulus = vec![0x7f; size];
            let key = [value(INTEGER, &modulus), value(INTEGER, &[1, 0, 1])].concat();
            let key = value(SEQUENCE, &key);
            assert_eq!(rsa_public_key(&key), Some((&modulus[..], &[1, 0, 1][..])));
            assert_eq!(unwrap_info(&wrap_info(&key)), Some(Ok(&key[..])));
        }
    }

    #[test]
    fn only_one_spelling_of_a_number_is_read() {
        for (bytes, expected) in [
            (&[2, 1, 5][..], Some(&[5][..])),
            (&[2, 2, 0, 0x80], Some(&[0x80])),
            (&[2, 2, 0, 5], None),
            (&[2, 1, 0x80], None),
            (&[2, 1, 0], None),
            (&[2, 0], None),
            (&[2, 0x81, 1, 5], None),
            (&[[2, 0x81, 0x7f].as_slice(), &[5; 0x7f]].concat(), None),
            (&[[2, 0x81, 0x80].as_slice(), &[5; 0x80]].concat(), Some(&[5; 0x80])),
            (&[2, 2, 5], None),
            (&[4, 1, 5], None),
            (&[2, 0x80, 5, 0, 0], None),
            (&[2, 0xff], None),
        ] {
            assert_eq!(positive(&mut &*bytes), expected, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), text in ".{0,60}") {
            let _ = (rsa_public_key(&bytes), unwrap_info(&bytes), pem(&text));
            let _ = rsa_public_key(&value(SEQUENCE, &bytes));
        }
    }
}
