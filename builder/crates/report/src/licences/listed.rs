//! The texts of SPDX's licence list, which the build script packed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence-texts.deflate"));
static TEXTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();

/// The text of a licence by its id in SPDX's list.
pub(super) fn text(id: &str) -> Option<&'static str> {
    TEXTS.get_or_init(|| unpack().unwrap_or_default()).get(id).map(String::as_str)
}

fn unpack() -> Option<BTreeMap<String, String>> {
    let mut all = String::new();
    flate2::read::DeflateDecoder::new(PACKED).read_to_string(&mut all).ok()?;
    let mut texts = BTreeMap::new();
    let mut rest = all.as_str();
    while let Some((head, after)) = rest.split_once('\n') {
        let (name, length) = head.split_once(' ')?;
        let length = length.parse().ok()?;
        texts.insert(name.to_owned(), after.get(..length)?.to_owned());
        rest = after.get(length..)?;
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_the_list_is_there_as_it_was() {
        let texts = unpack().expect("unpacked");
        assert!(texts.len() > 600, "{}", texts.len());
        for (name, text) in spdx::text::LICENSE_TEXTS {
            assert_eq!(super::text(name), Some(*text), "{name}");
        }
    }
}
