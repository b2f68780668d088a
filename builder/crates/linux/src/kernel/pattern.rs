//! Alias patterns of kernel modules, matched as modprobe matches them.
//!
//! A module's alias (`pci:v00008086d*sv*`) is a shell pattern in the sense of fnmatch(3) with no
//! flags: `*`, `?`, `[...]` with ranges and `!` or `^`, and `\` before a letter that stands for
//! itself. Before matching, `-` becomes `_` outside brackets on both sides (`alias_normalize` in
//! kmod's shared/util.c).

/// An alias with `-` replaced by `_` outside brackets; `None` when its brackets do not match.
pub fn normalize(alias: &str) -> Option<String> {
    let mut out = String::with_capacity(alias.len());
    let mut in_brackets = false;
    for letter in alias.chars() {
        match (letter, in_brackets) {
            ('-', false) => out.push('_'),
            (']', false) => return None,
            ('[', false) => {
                in_brackets = true;
                out.push('[');
            }
            (']', true) => {
                in_brackets = false;
                out.push(']');
            }
            (other, _) => out.push(other),
        }
    }
    (!in_brackets).then_some(out)
}

/// Whether `text` matches `pattern`, both already normalised.
///
/// The work is bounded by the product of both lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go on after giving the last `*` one more byte: behind the star, and in the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        let step = match text.get(t) {
            None if p == pattern.len() => return true,
            None => return false,
            Some(byte) => one(pattern, p, *byte),
        };
        match (step, retry) {
            (Some(next), _) => (p, t) = (next, t + 1),
            (None, Some((after_star, from))) => {
                (p, t) = (after_star, from + 1);
                retry = Some((after_star, from + 1));
            }
            (None, None) => return false,
        }
    }
}

/// Where the pattern goes on when the item at `at` (never `*`) matches `byte`.
fn one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => match bracket(pattern, at + 1, byte) {
            Some((matched, next)) => matched.then_some(next),
            None => (byte == b'[').then_some(at + 1),
        },
        b'\\' if at + 1 < pattern.len() => (pattern.get(at + 1) == Some(&byte)).then_some(at + 2),
        literal => (literal == byte).then_some(at + 1),
    }
}

/// Whether the bracket expression whose inside begins at `at` matches, and where it ends; `None`
/// when it has no end.
fn bracket(pattern: &[u8], mut at: usize, byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(at)?, b'!' | b'^');
    if negated {
        at += 1;
    }
    let mut matched = false;
    let mut first = true;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && !first {
            return Some((matched != negated, at + 1));
        }
        first = false;
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(high)) if *high != b']' => {
                matched |= (low..=*high).contains(&byte);
                at += 3;
            }
            _ => {
                matched |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_as_fnmatch_does() {
        for (pattern, text, expected) in [
            ("pci:v00008086d*sv*sd*bc*sc*i*", "pci:v00008086d00002723sv1sd2bc02sc80i00", true),
            ("pci:v00008086d*sv*", "pci:v00008087d1sv2", false),
            ("of:N*T*Cfoo,bar", "of:NxTyCfoo,bar", true),
            ("a[0-3]b", "a2b", true),
            ("a[0-3]b", "a4b", false),
            ("a[!0-3]b", "a4b", true),
            ("a[^0-3]b", "a3b", false),
            ("a[]x]b", "a]b", true),
            ("a[-x]", "a-", true),
            ("a[x-]", "a-", true),
            ("a[b", "a[b", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("?", "x", true),
            ("?", "", false),
            ("*", "", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("crypto_crc32c", "crypto_crc32c", true),
            ("crypto_crc32c", "crypto_crc32", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn hyphens_turn_outside_brackets_only() {
        assert_eq!(normalize("crypto-ccm(aes)").as_deref(), Some("crypto_ccm(aes)"));
        assert_eq!(normalize("usb:v1d[0-9]-x").as_deref(), Some("usb:v1d[0-9]_x"));
        assert_eq!(normalize("a]"), None);
        assert_eq!(normalize("a[b"), None);
    }

    proptest! {
        #[test]
        fn a_star_in_place_of_anything_matches(head in "[a-z]{0,5}", mid in ".{0,9}", tail in "[a-z]{0,5}") {
            let both = format!("{head}{mid}{tail}");
            let starred = format!("{head}*{tail}");
            prop_assert!(matches(&starred, &both));
        }

        #[test]
        fn any_pattern_ends(pattern in "[a\\[\\]*?!^\\\\-]{0,12}", text in "[a\\]!-]{0,12}") {
            matches(&pattern, &text);
        }
    }
}
