//! Ids and times that follow from what they stand for.

use sha1::Digest as _;

/// The namespace of names that are URLs: RFC 9562, 6.6.
const URL: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// The UUID of a URL: version 5 of RFC 9562, from a hash of the name.
pub(super) fn uuid(url: &str) -> String {
    let digest = sha1::Sha1::new().chain_update(URL).chain_update(url).finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, hashed)| *byte = hashed);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = wifibox_ground::digest::hex(&bytes);
    let part = |range| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

/// Seconds since 1970-01-01 UTC as `2026-08-29T04:19:00Z`.
pub(super) fn time(seconds: u32) -> String {
    jiff::Timestamp::from_second(seconds.into()).unwrap_or_default().to_string()
}

/// `text` with only those letters that SPDX allows in ids: letters, digits, `.` and `-`. Where that
/// changes it, a hash keeps it apart from others.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if text.chars().all(plain) && !text.is_empty() {
        return text.to_owned();
    }
    let digest = wifibox_ground::digest::Sha256::of(text.as_bytes()).to_string();
    let safe: String = text.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    format!("{safe}-{}", digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_those_of_other_programs() {
        // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "http://example.org/"))'
        assert_eq!(uuid("http://example.org/"), "715d503b-5f95-5532-9100-00663eb45ade");
    }

    #[test]
    fn times_and_words_are_as_spdx_wants_them() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(u32::MAX), "2106-02-07T06:28:15Z");
        assert_eq!(word("libc6"), "libc6");
        assert_ne!(word("libstdc++6"), word("libstdc--6"));
        assert!(word("libstdc++6").starts_with("libstdc--6-"));
    }
}
