//! Takes off a listing what its way here put on: encodings, colours, blanks that are none, markup and marks of
//! quotation (`marks`), numbers of lines (`numbers`), and line breaks, added or lost (`breaks`).

mod breaks;
mod marks;
mod numbers;

/// A text as its bytes mean it: UTF-8, or UTF-16 with a byte order mark, as PowerShell's `>` writes it.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // ASCII in UTF-16, whose mark was lost.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            utf16(bytes, u16::from_le_bytes)
        }
        // Of other encodings at least the numbers are ASCII: boards have odd names.
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The text without colours and odd characters.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\u{1b}' => skip_escape(&mut characters),
            // As `cat -v` shows them.
            '^' if characters.peek() == Some(&'[') => {
                let mut ahead = characters.clone();
                ahead.next();
                if ahead.peek() == Some(&'[') {
                    characters.next();
                    skip_escape(&mut characters);
                } else {
                    clean.push('^');
                }
            }
            // Colours of IRC: up to two digits.
            '\u{3}' => {
                for _ in 0..2 {
                    characters.next_if(char::is_ascii_digit);
                }
            }
            '\r' => {
                characters.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' => clean.push(' '),
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{c}' => clean.push('\n'),
            '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' => {}
            '\u{201c}' | '\u{201d}' => clean.push('"'),
            '\u{2018}' | '\u{2019}' => clean.push('\''),
            '\u{2010}' | '\u{2011}' => clean.push('-'),
            '\n' | '\t' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Skips the rest of an escape sequence: `[...m` and the like, or `]...` up to its end.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            while let Some(c) = characters.next_if(|c| *c != '\n') {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            while let Some(c) = characters.next_if(|c| *c != '\n') {
                if c == '\u{7}' || c == '\\' {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// The lines without quotation marks of mails, fences, markup and numbers; those that were broken made whole, and a
/// listing that became one line broken again.
pub(super) fn lines(text: &str) -> Vec<String> {
    let text = marks::transferred(text);
    let text = marks::plain(&text);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let bare = line.trim_start_matches(['>', ' ', '\t']);
        if !bare.starts_with("```") && !bare.starts_with("~~~") {
            lines.push(marks::unquoted(line));
        }
    }
    numbers::take_off(&mut lines);
    breaks::joined(lines.into_iter().flat_map(breaks::apart).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text() {
        let both: [fn(u16) -> [u8; 2]; 2] = [u16::to_le_bytes, u16::to_be_bytes];
        for bytes in both {
            let text: Vec<u8> = "\u{feff}8086:2725\r\n".encode_utf16().flat_map(bytes).collect();
            assert_eq!(clean(&decode(&text)), "8086:2725\n");
        }
        let bare: Vec<u8> = "8086:2725".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&bare), "8086:2725");
        assert_eq!(decode(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn colours_and_odd_blanks_go() {
        for text in [
            "a\u{1b}[1;32m b\u{1b}[0m c",
            "a^[[1m b^[[0m c",
            "\u{3}12a\u{3} b c",
            "\u{1b}]0;title\u{7}a\u{a0}b c",
            "a b\u{200b} c",
        ] {
            assert_eq!(clean(text), "a b c", "{text:?}");
        }
        assert_eq!(clean("a\r\nb\rc"), "a\nb\nc");
        assert_eq!(clean("2^10"), "2^10");
    }

    #[test]
    fn quotation_goes_and_indentation_stays() {
        for (text, line) in [
            ("> > x", "x"),
            (">     vendor = 'x'", "    vendor = 'x'"),
            ("`8086:2725`", "8086:2725"),
            ("**IOMMU Group 1:**", "IOMMU Group 1:"),
            ("  *-network", "  *-network"),
            ("<pre>8086:2725</pre>", "8086:2725"),
            ("- 8086:2725", "8086:2725"),
        ] {
            assert_eq!(lines(text), [line], "{text}");
        }
        assert!(lines("```\n```").is_empty());
    }

    #[test]
    fn broken_lines_become_whole() {
        for text in [
            "03:00.0 Network controller [0280]: Intel AX200\n[8086:2723] (rev 1a)",
            "03:00.0 Network controller\n [0280]: Intel AX200 [8086:2723]\n (rev 1a)",
        ] {
            assert!(lines(text)[0].contains("[8086:2723]"), "{:?}", lines(text));
        }
        let text = "a0@pci0:3:0:0: class=0x028000 vendor=0x8086\n device=0x2723 subvendor=0x8086";
        assert_eq!(lines(text).len(), 1);
        // Names alone do not swallow the next device.
        assert_eq!(lines("03:00.0 Network controller: Intel\n04:00.0 0200: 8086:1533").len(), 2);
    }
}
