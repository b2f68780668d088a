//! Debian's `copyright` files: machine-readable ones (copyright-format 1.0, once DEP-5) by their fields,
//! all others as the text that they are.

use std::collections::BTreeMap;

use wifibox_formats::deb822::Reader;

/// A `copyright` file in machine-readable form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Copyright {
    /// The paragraphs on files, in the order of the file: a later one that matches goes before.
    pub files: Vec<Files>,
    /// Texts of licences that stand for themselves, by short name.
    pub texts: BTreeMap<String, String>,
}

/// A paragraph on some files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Files {
    /// Patterns over names in the source package.
    pub patterns: Vec<String>,
    /// The licence's short name, as written.
    pub licence: String,
    /// Its text, where it stands in the paragraph.
    pub text: String,
}

impl Copyright {
    /// Reads a file; `None` if it is not in machine-readable form.
    ///
    /// # Errors
    /// It says that it is in that form, but cannot be read: why.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let form = text.trim_start_matches('\u{feff}').trim_start();
        let first = form.lines().next().unwrap_or_default().to_ascii_lowercase();
        let machine_readable = (first.starts_with("format:")
            || first.starts_with("format-specification:"))
            && (first.contains("copyright-format")
                || first.contains("dep5")
                || first.contains("dep-5"));
        if !machine_readable {
            return Ok(None);
        }
        let mut copyright = Copyright::default();
        let mut reader = Reader::new(form.as_bytes());
        while let Some(record) = reader.next_record().map_err(|error| error.to_string())? {
            let licence = record.get("License").unwrap_or_default();
            let (short, rest) = licence.split_once('\n').unwrap_or((licence, ""));
            let (short, text) = (short.trim().to_owned(), unfold(rest));
            match record.get("Files") {
                Some(files) => {
                    let patterns = files.split_whitespace().map(str::to_owned).collect();
                    copyright.files.push(Files { patterns, licence: short, text });
                }
                None if !text.is_empty() => {
                    copyright.texts.entry(short).or_insert(text);
                }
                None => {}
            }
        }
        Ok((!copyright.files.is_empty()).then_some(copyright))
    }

    /// The paragraph that holds for the file `name` of the source package: the last that matches.
    pub(super) fn of_file(&self, name: &str) -> Option<&Files> {
        let matching = |files: &&Files| files.patterns.iter().any(|pattern| matches(pattern, name));
        self.files.iter().rev().find(matching)
    }

    /// The text of the licence `name`, from its own paragraph or from that of the files.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(text) = self.texts.get(name) {
            return Some(text);
        }
        let mut files = self.files.iter().filter(|files| files.licence == name);
        files.find(|files| !files.text.is_empty()).map(|files| files.text.as_str())
    }
}

/// Takes the leading blank and the dots of empty lines away.
fn unfold(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix([' ', '\t']).unwrap_or(line).trim_end() {
        "." => String::new(),
        line => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

/// Whether `pattern` matches the whole of `name`: `*` is any characters, `/` included, `?` is one,
/// and `\` takes a meaning away (copyright-format 1.0, 6.13).
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut tokens: Vec<Token> = Vec::new();
    let mut letters = pattern.strip_prefix("./").unwrap_or(pattern).chars();
    while let Some(letter) = letters.next() {
        tokens.push(match letter {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Letter(letters.next().unwrap_or('\\')),
            other => Token::Letter(other),
        });
    }
    let name: Vec<char> = name.chars().collect();
    // Back to the last `*` on a mismatch: quadratic at worst.
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        match (tokens.get(at), name.get(of)) {
            (Some(Token::Any), _) => {
                star = Some((at, of));
                at += 1;
            }
            (Some(Token::One), _) => (at, of) = (at + 1, of + 1),
            (Some(Token::Letter(wanted)), Some(found)) if wanted == found => {
                (at, of) = (at + 1, of + 1);
            }
            _ => match star {
                Some((token, begin)) => {
                    star = Some((token, begin + 1));
                    (at, of) = (token + 1, begin + 1);
                }
                None => return false,
            },
        }
    }
    tokens.iter().skip(at).all(|token| *token == Token::Any)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Letter(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Source: https://example.org
Files-Excluded:
# a remark
 b.bin

Files: *
Copyright: 2001 Somebody
License: GPL-2+

Files: debian/*
 lib/a?.c
Copyright: 2002 Somebody else
License: Odd
 You may
 .
  do this.

License: GPL-2+
 See /usr/share/common-licenses/GPL-2.
";

    #[test]
    fn paragraphs_licences_and_texts_are_read() {
        let copyright = Copyright::parse(TEXT).expect("readable").expect("machine-readable");
        assert_eq!(copyright.files.len(), 2);
        assert_eq!(copyright.of_file("x/y").expect("a paragraph").licence, "GPL-2+");
        assert_eq!(copyright.of_file("lib/a1.c").expect("a paragraph").licence, "Odd");
        assert_eq!(copyright.text("Odd"), Some("You may\n\n do this."));
        assert_eq!(copyright.text("GPL-2+"), Some("See /usr/share/common-licenses/GPL-2."));
        assert_eq!(copyright.text("none"), None);
    }

    #[test]
    fn other_texts_are_not_in_that_form() {
        for text in ["", "This package was debianized by", "Format: 2\nFiles: *\nLicense: x\n"] {
            assert_eq!(Copyright::parse(text), Ok(None), "{text}");
        }
        let broken = "Format: .../copyright-format/1.0/\nno field here\n";
        assert!(Copyright::parse(broken).expect_err("broken").contains("line 2"));
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("iwlwifi-*", "iwlwifi-9000-46.ucode", true),
            ("iwlwifi-*", "x/iwlwifi-9000", false),
            ("ath10k/*/hw*/board*.bin", "ath10k/QCA/hw1.0/board-2.bin", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("./a", "a", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn noise_never_panics(text in "(Format: copyright-format|Files:|License:|[a*?\\\\: \n.]){0,40}") {
            let _ = Copyright::parse(&text);
            let _ = matches(&text, &text);
        }
    }
}
