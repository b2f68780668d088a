//! The version order of dpkg: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12).
//!
//! Validity is what `dpkg --compare-versions` refuses to compare: an empty version, upstream part or
//! revision, spaces inside, or an epoch that is not a number from 0 to 2147483647. Odd characters only
//! make dpkg warn, and so they compare here too.

use std::cmp::Ordering;

use super::compare_digits;

/// A version taken apart.
struct Version<'a> {
    epoch: u32,
    upstream: &'a [u8],
    revision: &'a [u8],
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    if text.bytes().any(|b| b.is_ascii_whitespace() || b == b'\x0b') {
        return None;
    }
    let (epoch, rest) = match text.split_once(':') {
        None => (0, text),
        Some((epoch, rest)) => (parse_epoch(epoch)?, rest),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return None,
        Some((upstream, revision)) => (upstream, revision),
        None => (rest, ""),
    };
    if upstream.is_empty() {
        return None;
    }
    Some(Version { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() })
}

/// An epoch as C's `strtol` reads it: a sign is allowed, a negative number is not.
fn parse_epoch(text: &str) -> Option<u32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let number: u32 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    let negative = text.starts_with('-') && number != 0;
    (!negative && i32::try_from(number).is_ok()).then_some(number)
}

/// Whether `dpkg --compare-versions` compares `version`.
pub fn is_valid(version: &str) -> bool {
    parse(version).is_some()
}

/// The order of two versions; `None` when dpkg refuses one of them.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(
        a.epoch
            .cmp(&b.epoch)
            .then_with(|| compare_part(a.upstream, b.upstream))
            .then_with(|| compare_part(a.revision, b.revision)),
    )
}

/// Compares an upstream part or revision: alternately a run of other characters (`~` before the end
/// before letters before the rest) and a run of digits (as numbers).
pub(super) fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = split(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(b, |c| !c.is_ascii_digit());
        for i in 0..text_a.len().max(text_b.len()) {
            let by_character = rank(text_a.get(i)).cmp(&rank(text_b.get(i)));
            if by_character.is_ne() {
                return by_character;
            }
        }
        let (digits_a, after_a) = split(rest_a, u8::is_ascii_digit);
        let (digits_b, after_b) = split(rest_b, u8::is_ascii_digit);
        let by_number = compare_digits(digits_a, digits_b);
        if by_number.is_ne() {
            return by_number;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

fn split(text: &[u8], wanted: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|c| wanted(c)).count())
}

/// Where a character, or the end of the run (`None`), stands in the order. Bytes beyond ASCII count
/// as C's signed `char`.
fn rank(character: Option<&u8>) -> i32 {
    match character {
        None => 0,
        Some(b'~') => -1,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(c.cast_signed()) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_older_than_the_next() {
        let ladder = [
            "0~~",
            "0~~1",
            "0~a",
            "0~a1",
            "0~rc1-1",
            "0-0~1",
            "0",
            "0-1",
            "0-1+b1",
            "0-1.1",
            "0a",
            "0+dfsg-1",
            "1.0~rc1",
            "1.0",
            "1.0-1~bpo12+1",
            "1.0-1",
            "1.0-1+deb12u1",
            "1.0-2",
            "1.0-10",
            "1.0+git1",
            "1.0.1",
            "1.2-a-1",
            "1.2.3",
            "1.10",
            "1:0",
            "1:0.1-1",
            "2:0",
            "2147483647:0",
        ];
        for (i, a) in ladder.iter().enumerate() {
            for (j, b) in ladder.iter().enumerate() {
                assert_eq!(compare(a, b), Some(i.cmp(&j)), "{a} against {b}");
            }
        }
    }

    #[test]
    fn different_spellings_are_equal() {
        for (a, b) in [
            ("1", "0:1"),
            ("1.0", "1.00"),
            ("1", "1-0"),
            ("1.", "1.0"),
            (" 1 ", "1"),
            ("00:1", "1"),
            ("+0:1", "-0:1"),
        ] {
            assert_eq!(compare(a, b), Some(Ordering::Equal), "{a} {b}");
        }
    }

    #[test]
    fn what_dpkg_refuses_is_invalid() {
        for bad in
            ["", " ", ":1", "a:1", "1:", "-1:1", "2147483648:1", "1-", "1:2-", "-1", "1 2", "1:-1"]
        {
            assert!(!is_valid(bad), "{bad:?}");
            assert_eq!(compare(bad, "1"), None, "{bad:?}");
        }
        for odd in ["abc", "1_2", "1.0-a_b", "1:2:3", "é"] {
            assert!(is_valid(odd), "dpkg warns about {odd:?} but compares it");
        }
    }
}
