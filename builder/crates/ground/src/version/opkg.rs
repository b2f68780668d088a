//! The version order of OpenWrt's opkg: dpkg's, read leniently.
//!
//! opkg takes `[epoch:]version[-revision]` apart as dpkg does but checks nothing: what stands before
//! the first colon counts as far as it is a number, and an empty part is just the oldest.

use std::cmp::Ordering;

use super::dpkg::compare_part;

fn parse(text: &str) -> (u32, &[u8], &[u8]) {
    let text = text.strip_prefix("Version:").unwrap_or(text);
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b').trim_end();
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (leading_number(epoch), rest),
        None => (0, text),
    };
    let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version.as_bytes(), revision.as_bytes())
}

/// The number that `text` starts with, 0 for none; numbers beyond 32 bits count as the largest.
fn leading_number(text: &str) -> u32 {
    let digits = text.trim_start();
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    let digits = digits.get(..end).unwrap_or_default().trim_start_matches('0');
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) }
}

/// Whether there is anything to compare: only the empty text is no version.
pub fn is_valid(version: &str) -> bool {
    !version.trim().is_empty()
}

/// The order of two versions; `None` when one of them is empty.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    if !is_valid(a) || !is_valid(b) {
        return None;
    }
    let (a, b) = (parse(a), parse(b));
    Some(a.0.cmp(&b.0).then_with(|| compare_part(a.1, b.1)).then_with(|| compare_part(a.2, b.2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_older_than_the_next() {
        let ladder = [
            "2023-01-01~abc-1",
            "2023-01-01-1",
            "2023-06-28-b5b3b9f3-9",
            "5.15.137-1",
            "5.15.137-1-2",
            "5.15.137-10",
            "6.1~rc1",
            "6.1",
            "6.1-r1",
            "6.1-r10",
            "1:0",
            "2:0",
        ];
        let mut sorted = ladder;
        sorted.sort_by(|a, b| compare(a, b).expect("valid versions"));
        assert_eq!(compare("5.15.137-1", "5.15.137-10"), Some(Ordering::Less));
        assert_eq!(compare("6.1~rc1", "6.1"), Some(Ordering::Less));
        assert_eq!(compare("1:0", "9999"), Some(Ordering::Greater));
        assert_eq!(sorted.last(), Some(&"2:0"));
    }

    #[test]
    fn what_dpkg_refuses_still_compares() {
        assert_eq!(compare("1-", "1"), Some(Ordering::Equal));
        assert_eq!(compare("x:1", "1"), Some(Ordering::Equal));
        assert_eq!(compare("", "1"), None);
    }
}
