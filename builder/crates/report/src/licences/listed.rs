//! The texts of SPDX's licence list, which the build script packed.

use std::collections::BTreeMap;
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/licence-texts.xz"));
static TEXTS: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();

/// The text of a licence by its id in SPDX's list.
pub(super) fn text(id: &str) -> Option<&'static str> {
    let texts = TEXTS.get_or_init(|| wifibox_packed::unpack(PACKED).unwrap_or_default());
    std::str::from_utf8(texts.get(id)?).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_text_of_the_list_is_there_as_it_was() {
        assert!(spdx::text::LICENSE_TEXTS.len() > 600);
        for (name, text) in spdx::text::LICENSE_TEXTS {
            assert_eq!(super::text(name), Some(*text), "{name}");
        }
    }
}
