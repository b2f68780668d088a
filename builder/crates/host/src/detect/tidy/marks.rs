//! Markup round a listing: quoted-printable of mails, HTML and BBCode of forums, quotation marks, Markdown.

use std::borrow::Cow;

/// Tags that stand for nothing but looks.
const HTML: [&str; 21] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "font",
    "i",
    "kbd",
    "li",
    "p",
    "pre",
    "samp",
    "small",
    "span",
    "strong",
    "td",
    "tr",
    "tt",
    "ul",
];
const BBCODE: [&str; 14] = [
    "b", "center", "code", "color", "font", "i", "icode", "list", "pre", "quote", "size",
    "spoiler", "u", "url",
];

/// The text of a mail whose source was pasted (quoted-printable, RFC 2045): `=\n` is no line break, `=3D` a character.
pub(super) fn transferred(text: &str) -> Cow<'_, str> {
    let soft = |line: &str| line.len() == 76 && line.ends_with('=');
    let marks = ["=3D0x", " =3D ", "=C2=A0", "=20\n"];
    if !marks.iter().any(|mark| text.contains(mark)) && !text.lines().any(soft) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'=', [b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                let byte = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low);
                bytes.extend(byte);
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).replace('\u{a0}', " "))
}

/// A digit of quoted-printable, which has capitals only.
fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The text without tags, and with the characters that entities stand for.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '[', '&']) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[', '&']) {
        let (before, mark) = rest.split_at(at);
        plain.push_str(before);
        let read = if mark.starts_with('&') { entity(mark) } else { tag(mark) };
        let (stands_for, after) = match read {
            Some((stands_for, after)) => (Some(stands_for), after),
            None => (mark.chars().next(), mark.get(1..).unwrap_or_default()),
        };
        // A break before the end of a line is no other.
        plain.extend(stands_for.filter(|c| *c != '\0' && !(*c == '\n' && after.starts_with('\n'))));
        rest = after;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The character of `&amp;`, `&#39;` and the like, and what follows.
fn entity(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(9).position(|byte| byte == b';')?;
    let (name, rest) = (text.get(1..end)?, text.get(end + 1..)?);
    let numeric = || {
        let number = name.strip_prefix('#')?;
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        };
        number.and_then(char::from_u32).filter(|c| !c.is_control() || *c == '\t')
    };
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" | "zwsp" => '\0',
        _ => numeric().map(|c| if c == '\u{a0}' { ' ' } else { c })?,
    };
    Some((c, rest))
}

/// What a tag stands for (nothing, a line break, a blank), and what follows it.
fn tag(text: &str) -> Option<(char, &str)> {
    let html = text.starts_with('<');
    let inside = text.get(1..)?;
    let (closes, name) = inside.strip_prefix('/').map_or((false, inside), |name| (true, name));
    let end = name.bytes().take(11).position(|byte| !byte.is_ascii_alphabetic())?;
    let (name, attributes) = name.split_at(end);
    let name = name.to_ascii_lowercase();
    let (known, close) = if html { (&HTML[..], '>') } else { (&BBCODE[..], ']') };
    if !known.contains(&name.as_str()) || !attributes.starts_with([close, ' ', '=', '/']) {
        return None;
    }
    let end = attributes.bytes().take(400).take_while(|byte| *byte != b'\n');
    let end = end.into_iter().position(|byte| char::from(byte) == close)?;
    let breaks = name == "br" || closes && ["p", "div", "li", "tr", "pre"].contains(&name.as_str());
    let stands_for = match name.as_str() {
        _ if html && breaks => '\n',
        "td" if closes => ' ',
        _ => '\0',
    };
    Some((stands_for, attributes.get(end + 1..)?))
}

/// A line without what quotes it.
pub(super) fn unquoted(line: &str) -> String {
    let mut line = line;
    loop {
        let trimmed = line.trim_start();
        let rest = trimmed.strip_prefix('>').or_else(|| trimmed.strip_prefix("| "));
        match rest {
            Some(rest) => line = rest.strip_prefix(' ').unwrap_or(rest),
            None => break,
        }
    }
    // `code`, **bold**, a point of a list.
    let bare = line.trim_matches(['`', '*', ' ', '\t']);
    let marked = line.trim_start().starts_with(['`', '*']) && !line.trim_start().starts_with("*-");
    let bare = if marked { bare } else { line.trim_end_matches(['`', ' ', '\t']) };
    let point = bare.trim_start();
    match point.strip_prefix("- ").or_else(|| point.strip_prefix("\u{2022} ")) {
        Some(rest) => rest.trim_start().to_owned(),
        None => bare.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_entities_go() {
        for (text, bare) in [
            ("a&nbsp;=&#39;b&#x27;&#9;c", "a ='b'\tc"),
            ("a<br>\nb<br/>c", "a\nb\nc"),
            ("<span class=\"k\">03:00.0</span> <b>Network</b>", "03:00.0 Network"),
            ("[code]a [[COLOR=\"#FF0000\"]14e4:4315[/COLOR]][/code]", "a [14e4:4315]"),
            // What only looks like them stays.
            (
                "<512ns [AMD/ATI] [b43] <TAbort- VEN_1&DEV_2&SUBSYS_3 [R]",
                "<512ns [AMD/ATI] [b43] <TAbort- VEN_1&DEV_2&SUBSYS_3 [R]",
            ),
            ("<a", "<a"),
        ] {
            assert_eq!(plain(text), bare, "{text}");
        }
    }

    #[test]
    fn mails_are_decoded() {
        let text = "class=3D0x028000 vendor=3D0x8086 =\ndevice=3D0x2725\n";
        assert_eq!(transferred(text), "class=0x028000 vendor=0x8086 device=0x2725\n");
        for text in ["PCI_ID=3D3D:0007\n", "vendor     =\n", "a=b"] {
            assert_eq!(transferred(text), text);
        }
    }
}
