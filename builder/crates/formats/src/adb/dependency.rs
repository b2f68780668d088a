//! Dependencies of apk v3 as text in apk's syntax (`apk-world(5)`), which the rest of the program reads.

use super::value::{Field, List, ValueError};
use crate::dependency::parse_apk;

const NAME: Field = Field(1, "name");
const VERSION: Field = Field(2, "version");
const MATCH: Field = Field(3, "match");

/// Bits of `match`: how the version may compare (apk-tools, `src/apk_version.h`).
const EQUAL: u64 = 1;
const LESS: u64 = 2;
const GREATER: u64 = 4;
const FUZZY: u64 = 8;
const CONFLICT: u64 = 16;

/// A list of dependencies: text, and the first of them that has no text that says the same.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub(super) text: String,
    pub(super) unreadable: Option<String>,
}

/// Reads a list of dependencies of a package; none when it is not there.
pub(super) fn read(package: &List<'_, '_>, field: Field) -> Result<Dependencies, ValueError> {
    let mut found = Dependencies::default();
    let Some(list) = package.list(field)? else { return Ok(found) };
    for item in list.items(field.1) {
        let Some(dependency) = list.list(item)? else { continue };
        let name = dependency.blob(NAME)?.unwrap_or_default();
        let version = dependency.blob(VERSION)?;
        let relation = dependency.int(MATCH)?.unwrap_or_default();
        match text(name, version, relation) {
            Some(text) => {
                found.text.push_str(if found.text.is_empty() { "" } else { " " });
                found.text.push_str(&text);
            }
            None => {
                found.unreadable.get_or_insert_with(|| {
                    let name = name.escape_ascii();
                    let version = version.unwrap_or_default().escape_ascii();
                    format!("\"{name}\", version \"{version}\", match {relation}")
                });
            }
        }
    }
    Ok(found)
}

/// One dependency, as apk itself writes it, if that reads back as what it is.
fn text(name: &[u8], version: Option<&[u8]>, relation: u64) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let version = version.map(std::str::from_utf8).transpose().ok()?;
    // The characters of names, so that no name is taken for a conflict, an operator or a tag.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+,-._:/[]".contains(&byte);
    if name.is_empty() || !name.bytes().all(known) {
        return None;
    }
    let conflict = if relation & CONFLICT != 0 { "!" } else { "" };
    let operator = match (version, relation & !CONFLICT) {
        (None, _) | (_, 7) => return Some(format!("{conflict}{name}")),
        (_, 0 | EQUAL) => "=",
        (_, LESS) => "<",
        (_, GREATER) => ">",
        // Not a version but an identity.
        (_, 6) => "><",
        (_, 3) => "<=",
        (_, 5) => ">=",
        (_, FUZZY | 9) => "~",
        (_, 11) => "<~",
        (_, 13) => ">~",
        _ => return None,
    };
    let version = version.unwrap_or_default();
    let text = format!("{conflict}{name}{operator}{version}");
    let same = {
        let relation = parse_apk(&text, false).ok()?;
        let [constraint] = relation.alternatives.as_slice() else { return None };
        constraint.name == name && constraint.version == version && !has_space(version)
    };
    same.then_some(text)
}

fn has_space(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_written_as_apk_does() {
        for (name, version, relation, expected) in [
            ("a", None, 0, "a"),
            ("a", None, 16, "!a"),
            ("a", Some("1"), 0, "a=1"),
            ("a", Some("1"), 1, "a=1"),
            ("a", Some("1"), 2, "a<1"),
            ("a", Some("1"), 3, "a<=1"),
            ("a", Some("1"), 4, "a>1"),
            ("a", Some("1"), 5, "a>=1"),
            ("a", Some("1"), 7, "a"),
            ("a", Some("1"), 8, "a~1"),
            ("a", Some("1"), 9, "a~1"),
            ("a", Some("1"), 11, "a<~1"),
            ("a", Some("1"), 13, "a>~1"),
            ("a", Some("1.2-r3"), 18, "!a<1.2-r3"),
            ("a", Some("Q1AAECAwQFBgcICQoLDA0ODxAREhM="), 6, "a><Q1AAECAwQFBgcICQoLDA0ODxAREhM="),
            ("so:libc.so.6", None, 0, "so:libc.so.6"),
            ("/bin/sh", None, 0, "/bin/sh"),
            ("py3.12:x[y]", None, 0, "py3.12:x[y]"),
        ] {
            let found = text(name.as_bytes(), version.map(str::as_bytes), relation);
            assert_eq!(found.as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_would_read_as_something_else_is_not_written() {
        for (name, version, relation) in [
            (&b""[..], None, 0),
            (b"!a", None, 0),
            (b"a b", None, 0),
            (b"a@tag", None, 0),
            (b"a=1", None, 0),
            (b"a\xff", None, 0),
            (b"a", Some(&b"one"[..]), 0),
            (b"a", Some(b""), 0),
            (b"a", Some(b"1 b"), 6),
            (b"a", Some(b"=1"), 0),
            (b"a", Some(b"1"), 10),
            (b"a", Some(b"1"), 32),
        ] {
            assert_eq!(text(name, version, relation), None);
        }
    }
}
