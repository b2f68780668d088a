//! Small pieces of text that all listings are made of.

/// A number of one to eight hexadecimal digits, with or without `0x`.
pub fn hex(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let good = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// A number of exactly four hexadecimal digits.
pub(crate) fn hex4(text: &str) -> Option<u16> {
    let good = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

/// Two such numbers with a colon between them.
pub fn pair(text: &str) -> Option<(u16, u16)> {
    let (vendor, device) = text.split_once(':')?;
    Some((hex4(vendor)?, hex4(device)?))
}

/// The last `[...]` of a text: what is before it, and what is in it.
pub(crate) fn last_bracket(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.rsplit_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    Some((before.trim_end(), inside))
}

/// The last `[8086:2725]` of a text: what is before it, and its numbers. lshw writes `[168C:2B]`.
pub(crate) fn last_pair(text: &str) -> Option<(&str, (u16, u16))> {
    let number = |digits: &str| {
        let good = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        good.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    text.rmatch_indices('[').find_map(|(at, _)| {
        let inside = text.get(at + 1..)?;
        let end = inside.bytes().take(10).position(|byte| byte == b']')?;
        let (vendor, device) = inside.get(..end)?.split_once(':')?;
        Some((text.get(..at)?.trim_end(), (number(vendor)?, number(device)?)))
    })
}

/// The name of something, cut to a sane length, without control characters; `None` if nothing is left.
pub fn name(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        assert_eq!(hex("0x028000"), Some(0x02_8000));
        assert_eq!((hex("+1"), hex("0x"), hex("123456789"), hex("g")), (None, None, None, None));
        assert_eq!(pair("8086:2725"), Some((0x8086, 0x2725)));
        assert_eq!((pair("8086:272"), pair("8086"), pair("80862725")), (None, None, None));
        assert_eq!(
            last_bracket("Typhoon [x] y [8086:2725] (rev 1a)"),
            Some(("Typhoon [x] y", "8086:2725"))
        );
        assert_eq!(last_pair("AR9285 [168C:2B] [x]"), Some(("AR9285", (0x168c, 0x2b))));
        assert_eq!(name(" a\u{7}b \n").as_deref(), Some("ab"));
    }
}
