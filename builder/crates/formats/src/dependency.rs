//! Dependencies in each ecosystem's own syntax, parsed in place from the text of an index record.
//!
//! apk (`apk-world(5)`): `name`, `name=1`, `name>=1`, `name~1`, `!name`, in world also `name@tag`.
//! Debian (Policy 7.1): `name (>= 1) | other:any`. opkg: as Debian, but `<<` and `>>` too include
//! equality and a trailing `*` makes the dependency optional.

use std::fmt;

use super::constraint::{Constraint, Op};
use wifibox_ground::version::{Scheme, apk};

/// One demand: any of some alternatives, or, negated, none of them (apk's `!name`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The alternatives must be absent rather than present.
    pub negated: bool,
    /// At least one target, most wanted first.
    pub alternatives: Vec<Constraint<'a>>,
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negated { "!" } else { "" })?;
        for (at, alternative) in self.alternatives.iter().enumerate() {
            write!(f, "{}{alternative}", if at > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

/// Something that a package stands for beside its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provide<'a> {
    /// The provided name.
    pub name: &'a str,
    /// The version in which it is provided, if any.
    pub version: Option<&'a str>,
}

/// Text that is not a dependency.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not a dependency: {why}")]
pub struct BadDependency {
    /// The text that could not be read.
    pub text: String,
    /// The reason, for the message.
    pub why: &'static str,
}

fn bad(text: &str, why: &'static str) -> BadDependency {
    BadDependency { text: text.trim().to_owned(), why }
}

/// Reads a list of dependencies: separated by spaces (apk) or commas (Debian, opkg), all of which
/// must hold.
///
/// # Errors
/// [`BadDependency`] for the first one that cannot be read.
pub fn parse_relations(scheme: Scheme, text: &str) -> Result<Vec<Relation<'_>>, BadDependency> {
    let mut relations = Vec::new();
    match scheme {
        Scheme::Apk => {
            for word in text.split_ascii_whitespace() {
                relations.push(parse_apk(word, false)?);
            }
        }
        Scheme::Dpkg | Scheme::Opkg => {
            for item in text.split(',').filter(|item| !item.trim().is_empty()) {
                if scheme == Scheme::Opkg && item.trim_end().ends_with('*') {
                    continue;
                }
                relations.push(parse_alternatives(scheme, item)?);
            }
        }
    }
    Ok(relations)
}

/// Reads one apk dependency; `with_tag` allows `name@tag`, as world does.
///
/// # Errors
/// [`BadDependency`] says what is wrong.
pub fn parse_apk(word: &str, with_tag: bool) -> Result<Relation<'_>, BadDependency> {
    let (negated, spec) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    let is_op = |c: char| matches!(c, '<' | '>' | '=' | '~');
    let (name, op, version) = match spec.find(is_op) {
        None => (spec, Op::ANY, ""),
        Some(at) => {
            let (name, rest) = spec.split_at(at);
            let version = rest.trim_start_matches(is_op);
            let op = rest.strip_suffix(version).and_then(|op| Op::parse(Scheme::Apk, op));
            (name, op.ok_or_else(|| bad(word, "its operator is unknown"))?, version)
        }
    };
    let (name, qualifier) = match name.split_once('@') {
        None => (name, None),
        Some((name, tag)) if with_tag && !tag.is_empty() => (name, Some(tag)),
        Some(_) => return Err(bad(word, "a repository tag is not allowed here")),
    };
    if name.is_empty() {
        return Err(bad(word, "it has no name"));
    }
    let checked = op == Op::ANY || op == Op::IDENTITY || apk::is_valid(version);
    if !checked {
        return Err(bad(word, "its version is not valid"));
    }
    // An operator that asks for nothing in particular (`<=>`) asks for no version either.
    let version = if op == Op::ANY { "" } else { version };
    let constraint = Constraint { scheme: Scheme::Apk, name, qualifier, op, version };
    Ok(Relation { negated, alternatives: vec![constraint] })
}

/// Reads `name (>= 1) | other`, one item of a Debian or opkg dependency field.
///
/// # Errors
/// [`BadDependency`] says what is wrong.
pub fn parse_alternatives(scheme: Scheme, item: &str) -> Result<Relation<'_>, BadDependency> {
    let mut alternatives = Vec::with_capacity(1);
    for alternative in item.split('|') {
        alternatives.push(parse_debian(scheme, alternative)?);
    }
    Ok(Relation { negated: false, alternatives })
}

fn parse_debian(scheme: Scheme, text: &str) -> Result<Constraint<'_>, BadDependency> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | '[' | '<'));
    let (name, mut rest) = text.split_at(end.unwrap_or(text.len()));
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) if scheme == Scheme::Dpkg => (name, Some(qualifier)),
        _ => (name, None),
    };
    let known = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_' | b':' | b'/' | b'@')
    };
    if name.is_empty() || !name.bytes().all(known) || qualifier == Some("") {
        return Err(bad(text, "its name is empty or has odd characters"));
    }
    rest = rest.trim_start();
    let (mut op, mut version) = (Op::ANY, "");
    if let Some(inner) = rest.strip_prefix('(') {
        let (inner, after) =
            inner.split_once(')').ok_or_else(|| bad(text, "its parenthesis is not closed"))?;
        let inner = inner.trim();
        version = inner.trim_start_matches(['<', '>', '=']);
        let sign = inner.strip_suffix(version).unwrap_or_default();
        version = version.trim();
        op = Op::parse(scheme, sign).ok_or_else(|| bad(text, "its operator is unknown"))?;
        if !scheme.is_valid(version) {
            return Err(bad(text, "its version is not valid"));
        }
        rest = after.trim_start();
    }
    // Restrictions to architectures and build profiles do not occur in binary packages.
    if rest.is_empty() {
        Ok(Constraint { scheme, name, qualifier, op, version })
    } else {
        Err(bad(text, "something follows the version"))
    }
}

/// Reads what a package provides. apk: items that cannot be read provide nothing, as in apk itself.
///
/// # Errors
/// [`BadDependency`], never for apk.
pub fn parse_provides(scheme: Scheme, text: &str) -> Result<Vec<Provide<'_>>, BadDependency> {
    let of = |c: &Constraint<'_>| c.op != Op::ANY;
    match scheme {
        Scheme::Apk => {
            let relations =
                text.split_ascii_whitespace().filter_map(|word| parse_apk(word, false).ok());
            let targets = relations.flat_map(|relation| relation.alternatives);
            Ok(targets
                .map(|c| Provide { name: c.name, version: of(&c).then_some(c.version) })
                .collect())
        }
        Scheme::Dpkg => {
            let mut provides = Vec::new();
            for item in text.split(',').filter(|item| !item.trim().is_empty()) {
                let c = parse_debian(scheme, item)?;
                provides.push(Provide { name: c.name, version: of(&c).then_some(c.version) });
            }
            Ok(provides)
        }
        Scheme::Opkg => {
            let items = text.split(',').filter_map(|item| item.split_ascii_whitespace().next());
            Ok(items.map(|name| Provide { name: name.trim_matches('@'), version: None }).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(scheme: Scheme, text: &str) -> String {
        let relations = parse_relations(scheme, text).expect("dependencies");
        let shown: Vec<String> = relations.iter().map(Relation::to_string).collect();
        shown.join(if scheme == Scheme::Apk { " " } else { ", " })
    }

    #[test]
    fn dependencies_are_shown_as_they_are_written() {
        for text in ["a b=1 c>1 d>=1 e<1 f<=1 g~1 h>~1 i<~1 !j !k<2 so:libc.so.6=0 /bin/sh", ""] {
            assert_eq!(shown(Scheme::Apk, text), text);
        }
        let text = "a, b (= 1), c (<< 2) | d:any (>> 1:2-3), e:amd64, f (<= 1), g (>= 1)";
        assert_eq!(shown(Scheme::Dpkg, text), text);
        assert_eq!(
            shown(Scheme::Dpkg, "a(>=1)|b ,c ( < 1 ),, d\n (> 2)"),
            "a (>= 1) | b, c (<= 1), d (>= 2)"
        );
        assert_eq!(
            shown(Scheme::Opkg, "libc, kernel (=5.15.137-1-ab), kmod-x *"),
            "libc, kernel (= 5.15.137-1-ab)"
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in ["a=", "a==", "!", "=1", "a@tag", "a>x", "a=1@t"] {
            assert!(parse_relations(Scheme::Apk, text).is_err(), "{text}");
        }
        for text in ["a (= )", "a (1)", "a (>= 1", "a b", "(= 1)", "a | ", "a (>= 1) x", "a:"] {
            let error = parse_relations(Scheme::Dpkg, text).expect_err(text);
            assert!(error.to_string().contains("is not a dependency"), "{error}");
        }
        assert!(
            parse_apk("a@tag=1", true).is_ok_and(|r| r.alternatives[0].qualifier == Some("tag"))
        );
    }

    #[test]
    fn versions_are_accepted_by_each_ecosystems_rules() {
        let accepts = |scheme, text: &str, provided: Option<&str>| {
            parse_relations(scheme, text).expect("dependency")[0].alternatives[0].accepts(provided)
        };
        for (scheme, text) in [(Scheme::Apk, "a<1"), (Scheme::Dpkg, "a (>= 1)")] {
            assert!(!accepts(scheme, text, None), "no version satisfies no demand on it: {text}");
            assert!(accepts(scheme, "a", None));
        }
        for text in ["a (> 1)", "a (>> 1)", "a (<< 1)"] {
            assert!(accepts(Scheme::Opkg, text, Some("1")), "equality satisfies opkg: {text}");
        }
        assert!(accepts(Scheme::Dpkg, "a (> 1)", Some("1")));
        assert!(!accepts(Scheme::Dpkg, "a (>> 1)", Some("1")));
        assert!(accepts(Scheme::Apk, "a~1.2", Some("1.2.9-r3")));
        assert!(!accepts(Scheme::Apk, "a~1.2", Some("1.20")));
        assert!(
            accepts(Scheme::Apk, "a>~1.2", Some("1.20"))
                && accepts(Scheme::Apk, "a<~1.2", Some("1.2.1"))
        );
    }

    #[test]
    fn provides_keep_their_versions() {
        let apk = parse_provides(Scheme::Apk, "cmd:a=1-r0 b bad=x").expect("provides");
        assert_eq!(
            apk,
            [
                Provide { name: "cmd:a", version: Some("1-r0") },
                Provide { name: "b", version: None }
            ]
        );
        let dpkg = parse_provides(Scheme::Dpkg, "a (= 1), b").expect("provides");
        assert_eq!(dpkg[0].version, Some("1"));
        let opkg = parse_provides(Scheme::Opkg, "@a, b (= 1)").expect("provides");
        assert_eq!(
            opkg,
            [Provide { name: "a", version: None }, Provide { name: "b", version: None }]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_round_trips(text in "[ab0-9:|,()<>=~!@ .é*-]{0,20}") {
            for scheme in Scheme::ALL {
                let _ = parse_provides(scheme, &text);
                if let Ok(relations) = parse_relations(scheme, &text) {
                    let separator = if scheme == Scheme::Apk { " " } else { ", " };
                    let all: Vec<String> = relations.iter().map(Relation::to_string).collect();
                    let written = all.join(separator);
                    prop_assert_eq!(parse_relations(scheme, &written), Ok(relations));
                }
            }
        }
    }
}
