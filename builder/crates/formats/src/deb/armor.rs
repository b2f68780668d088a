//! ASCII armor (RFC 9580, section 6.2), taken off as a whole before anything reads what is in it.
//!
//! The reader of the crate `pgp` panics when it is asked again after an error, and its parsers do ask again. So nobody
//! but this module reads from it.

use std::io::Read as _;

use pgp::armor::{BlockType, Dearmor, DearmorOptions};

/// The bytes in the armored block that `text` begins with, if it is of this type; there may be `limit`.
///
/// # Errors
/// In words: it is damaged, too large, or of another type.
pub(super) fn bytes_of(text: &[u8], wanted: &BlockType, limit: usize) -> Result<Vec<u8>, String> {
    let mut armor = Dearmor::with_options(text, DearmorOptions::default().set_limit(limit));
    armor.read_header().map_err(|error| error.to_string())?;
    if armor.typ.as_ref() != Some(wanted) {
        return Err(format!("the armored block is no {wanted}"));
    }
    let mut bytes = Vec::new();
    armor.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("the armored block holds more than {limit} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_may_hold_as_many_bytes_as_the_limit_says() {
        let lines = format!("{}\n", "A".repeat(64)).repeat(64);
        let text = format!("-----BEGIN PGP SIGNATURE-----\n\n{lines}-----END PGP SIGNATURE-----\n");
        let read = |limit| bytes_of(text.as_bytes(), &BlockType::Signature, limit);
        let size = 64 * 48;
        assert_eq!(read(size), Ok(vec![0; size]));
        for less in [size - 1, size / 2] {
            assert_eq!(read(less), Err(format!("the armored block holds more than {less} bytes")));
        }
    }
}
