//! From the words that packages have for licences to SPDX expressions.
//!
//! Debian's short names and their grammar: copyright-format 1.0, sections 7.1 and 7.2 (`and` binds
//! before `or`, a comma before either binds last). Alpine's and OpenWrt's `License` fields are SPDX
//! expressions, or lists from the time before. A name that SPDX's list does not have becomes a
//! `LicenseRef-`, which the caller makes.

use spdx::{Expression, ParseMode};

use super::expression::join;

/// Debian's short names that are spelled otherwise in SPDX's list.
const SPELLINGS: [(&str, &str); 18] = [
    ("apache-2", "Apache-2.0"),
    ("artistic", "Artistic-1.0-Perl"),
    ("artistic-1.0", "Artistic-1.0-Perl"),
    ("artistic-2", "Artistic-2.0"),
    ("bsd-2-clause", "BSD-2-Clause"),
    ("bsd-2-clause-netbsd", "BSD-2-Clause"),
    ("bsd-3-clause", "BSD-3-Clause"),
    ("bsd-4-clause", "BSD-4-Clause"),
    ("cc0", "CC0-1.0"),
    ("expat", "MIT"),
    ("mpl-1.1", "MPL-1.1"),
    ("mpl-2", "MPL-2.0"),
    ("python-2", "Python-2.0"),
    ("qpl-1", "QPL-1.0"),
    ("w3c-software", "W3C"),
    ("zlib", "Zlib"),
    ("zope-2.1", "ZPL-2.1"),
    ("unlicense", "Unlicense"),
];

/// The SPDX expression for a `License` field's first line as copyright-format 1.0 words it. `reference`
/// makes the id for a name that SPDX does not have.
pub(super) fn debian(short: &str, reference: &mut dyn FnMut(&str) -> String) -> String {
    let words: Vec<&str> = short.split_whitespace().collect();
    let mut groups: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let (bare, comma) = match word.strip_suffix(',') {
            Some(bare) => (bare, true),
            None => (word, false),
        };
        if let Some((_, group)) = groups.last_mut().filter(|_| !bare.is_empty()) {
            group.push(bare);
        }
        if comma && let Some(operator) = words.next_if(|next| operator(next).is_some()) {
            groups.push((operator, Vec::new()));
        }
    }
    let mut text = String::new();
    for (joint, group) in groups.into_iter().filter(|(_, group)| !group.is_empty()) {
        let inner = alternatives(&group, reference);
        // Left to right, as the commas stand.
        text = match operator(joint).filter(|_| !text.is_empty()) {
            Some("OR") => join(&text, "OR", &inner),
            Some(_) => join(&text, "AND", &inner),
            None => inner,
        };
    }
    if text.is_empty() { reference("") } else { text }
}

fn operator(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "and" => Some("AND"),
        "or" => Some("OR"),
        _ => None,
    }
}

/// `a and b or c`, without commas. SPDX has the same precedence.
fn alternatives(words: &[&str], reference: &mut dyn FnMut(&str) -> String) -> String {
    let mut text = String::new();
    let (mut term, mut joint): (Vec<&str>, _) = (Vec::new(), "AND");
    for word in words.iter().chain([&"and"]) {
        let Some(next) = operator(word) else {
            term.push(word);
            continue;
        };
        if !term.is_empty() {
            let licence = one(&term.join(" "), reference);
            text = if text.is_empty() { licence } else { format!("{text} {joint} {licence}") };
            term.clear();
        }
        joint = next;
    }
    if text.is_empty() { reference("") } else { text }
}

/// One licence, perhaps `with` an exception.
fn one(name: &str, reference: &mut dyn FnMut(&str) -> String) -> String {
    let lower = name.to_ascii_lowercase();
    if let Some(at) = lower.find(" with ") {
        let (licence, exception) = (name.get(..at), name.get(at + 6..));
        if let (Some(licence), Some(exception)) = (licence, exception)
            && let (Some(id), Some(exception)) = (known(licence), exception_id(exception))
        {
            return format!("{id} WITH {exception}");
        }
        return reference(name);
    }
    known(name).unwrap_or_else(|| reference(name))
}

/// The SPDX id of a short name, if SPDX's list has that licence.
fn known(name: &str) -> Option<String> {
    let name = name.trim();
    if let Some(id) = gnu(name) {
        return Some(id);
    }
    let lower = name.to_ascii_lowercase();
    if let Some((_, id)) = SPELLINGS.iter().find(|(debian, _)| *debian == lower) {
        return Some((*id).to_owned());
    }
    let id = spdx::license_id(name).filter(|id| !id.is_deprecated())?;
    Some(id.name.to_owned())
}

/// `GPL-2+`, `LGPL-2.1`, `GFDL-NIV-1.3+` in SPDX's words.
fn gnu(name: &str) -> Option<String> {
    let (bare, later) = match name.strip_suffix('+') {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let (family, version) = bare.rsplit_once('-')?;
    let (family, invariants) = match family {
        "GFDL-NIV" => ("GFDL", "-no-invariants"),
        "AGPL" | "GFDL" | "GPL" | "LGPL" => (family, ""),
        _ => return None,
    };
    let version = if version.contains('.') { version.to_owned() } else { format!("{version}.0") };
    let suffix = if later { "or-later" } else { "only" };
    let id = format!("{family}-{version}{invariants}-{suffix}");
    spdx::license_id(&id).map(|id| id.name.to_owned())
}

fn exception_id(words: &str) -> Option<String> {
    let words = words.trim();
    let bare =
        words.strip_suffix("exception").map_or(words, |bare| bare.trim_end_matches([' ', '-']));
    [words.to_owned(), bare.to_owned(), format!("{bare}-exception")]
        .iter()
        .find_map(|name| spdx::exception_id(name))
        .map(|exception| exception.name.to_owned())
}

/// The SPDX expression for an apk's or opkg's `License` field. `reference` makes the id for a name that
/// SPDX does not have.
pub(super) fn field(text: &str, reference: &mut dyn FnMut(&str) -> String) -> String {
    let text = text.trim();
    if Expression::parse_mode(text, ParseMode::STRICT).is_ok() {
        return text.to_owned();
    }
    if let Ok(Some(canonical)) = Expression::canonicalize(text)
        && Expression::parse_mode(&canonical, ParseMode::STRICT).is_ok()
    {
        return canonical;
    }
    // A list of names, all of which hold, in the way before expressions.
    let names: Vec<&str> = text.split([' ', ',', ';']).filter(|name| !name.is_empty()).collect();
    let joined = |name: &&str| operator(name).is_none() && !name.eq_ignore_ascii_case("with");
    if names.iter().all(joined) && !text.contains(['(', ')']) {
        let mut terms: Vec<String> = Vec::new();
        for name in names {
            let name = name.trim_start_matches("custom:");
            let term = deprecated(name).or_else(|| known(name));
            let term = term.unwrap_or_else(|| reference(name));
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        if !terms.is_empty() {
            return terms.join(" AND ");
        }
    }
    reference(text)
}

/// Names that SPDX's list had once: `GPL-2.0` is now `GPL-2.0-only`.
fn deprecated(name: &str) -> Option<String> {
    let (bare, suffix) = match name.strip_suffix('+') {
        Some(bare) => (bare, "or-later"),
        None => (name, "only"),
    };
    spdx::license_id(bare).filter(|id| id.is_gnu() && id.is_deprecated())?;
    spdx::license_id(&format!("{bare}-{suffix}")).map(|id| id.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&str, &mut dyn FnMut(&str) -> String) -> String;

    fn check(read: Read, text: &str, spdx: &str) {
        let mut reference = |name: &str| format!("LicenseRef-{}", name.replace([' ', '/'], "-"));
        let found = read(text, &mut reference);
        assert_eq!(found, spdx, "{text}");
        assert!(Expression::parse(&found).is_ok() || found == "LicenseRef-", "{found}");
    }

    #[test]
    fn debians_names_become_expressions() {
        for (text, spdx) in [
            ("GPL-2", "GPL-2.0-only"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("Expat", "MIT"),
            ("zlib", "Zlib"),
            ("BSD-3-clause or GPL-2", "BSD-3-Clause OR GPL-2.0-only"),
            ("Artistic or GPL-1+", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
            ("GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"),
            ("GPL-2 with OpenSSL exception", "LicenseRef-GPL-2-with-OpenSSL-exception"),
            ("MIT/X11", "LicenseRef-MIT-X11"),
            ("public-domain", "LicenseRef-public-domain"),
            ("", "LicenseRef-"),
            // The specification's own examples of precedence.
            ("A or B and C", "LicenseRef-A OR LicenseRef-B AND LicenseRef-C"),
            ("A or B, and C", "(LicenseRef-A OR LicenseRef-B) AND LicenseRef-C"),
            (
                "GPL-2+ or AFL-2.1, and Expat and Tcl-BSDish",
                "(GPL-2.0-or-later OR AFL-2.1) AND MIT AND LicenseRef-Tcl-BSDish",
            ),
        ] {
            check(debian, text, spdx);
        }
    }

    #[test]
    fn fields_of_other_formats_become_expressions() {
        for (text, spdx) in [
            ("GPL-2.0-only AND MIT", "GPL-2.0-only AND MIT"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("GPL-2.0 BSD-3-Clause", "GPL-2.0-only AND BSD-3-Clause"),
            ("custom", "LicenseRef-custom"),
            ("Public-Domain", "LicenseRef-Public-Domain"),
            ("custom:multiple", "LicenseRef-multiple"),
            ("GPL-2.0-or-later WITH odd-words", "LicenseRef-GPL-2.0-or-later-WITH-odd-words"),
        ] {
            check(field, text, spdx);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_words_make_a_valid_expression(text in "((GPL-2\\+?|Expat|and|or|with|x|,|[(]| ){1,2} ?){0,12}") {
            let mut reference = |name: &str| {
                let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                format!("LicenseRef-x{word}")
            };
            for read in [debian, field] {
                let found = read(&text, &mut reference);
                proptest::prop_assert!(Expression::parse(&found).is_ok(), "{text:?} -> {found:?}");
            }
        }
    }
}
