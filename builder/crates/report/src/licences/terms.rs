//! The terms of an SPDX expression: may the work be passed on, and with its source?

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use spdx::{Expression, LicenseItem, LicenseReq};

use wifibox_ground::digest::Sha256;

/// Whether a work may be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redistribution {
    /// Yes, changed or not.
    Yes,
    /// Unchanged, in binary form, as its text says.
    Unmodified,
    /// It could not be determined: the text has to be read.
    Unknown,
}

impl fmt::Display for Redistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Redistribution::Yes => "yes",
            Redistribution::Unmodified => "unchanged, as its text says",
            Redistribution::Unknown => "not determined: read its text",
        })
    }
}

/// An obligation of somebody who passes a work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obligation {
    /// Pass the copyright notices and the licence's text on with it: the folder `licenses`.
    Notices,
    /// Pass on the source it was built from, or offer it.
    Source,
    /// Leave it as it is.
    Unmodified,
    /// Read the text: what it asks for could not be determined.
    ReadText,
}

impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Obligation::Notices => "pass on notices and texts (this folder)",
            Obligation::Source => "pass on or offer the source",
            Obligation::Unmodified => "leave it unchanged",
            Obligation::ReadText => "read its text for what else it asks",
        })
    }
}

/// A licence that SPDX's list does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its id: `LicenseRef-...`.
    pub id: String,
    /// The name that its package has for it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Reference {
    /// Its text speaks of one of the GNU licences: their terms may hold for a part of the work.
    fn is_gnu(&self) -> bool {
        ["general public license", "common-licenses/gpl", "common-licenses/lgpl"]
            .iter()
            .any(|words| self.text.to_ascii_lowercase().contains(words))
            || self.name.contains("GPL")
    }

    fn redistribution(&self) -> Redistribution {
        let text = self.text.to_ascii_lowercase();
        if text.contains("redistribut") && !text.contains("not redistribut") {
            Redistribution::Unmodified
        } else {
            Redistribution::Unknown
        }
    }
}

/// The licences beyond SPDX's list of one guest, by id.
#[derive(Debug, Clone, Default)]
pub struct References(BTreeMap<String, Reference>);

impl References {
    /// The id for the licence that `scope` (a source package) calls `name`. Equal names of one scope
    /// with other texts get other ids.
    pub fn add(&mut self, scope: &str, name: &str, text: &str) -> String {
        let word = |text: &str| -> String {
            let letter = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
            let parts: String = text.trim().chars().map(letter).collect();
            parts.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
        };
        let name = if name.trim().is_empty() { "unnamed" } else { name.trim() };
        let mut id = format!("LicenseRef-{}", word(&format!("{scope} {name}")));
        let reference = |id: &str| Reference {
            id: id.to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        };
        if self.0.get(&id).is_some_and(|known| known.text != text) {
            let digest = Sha256::of(text.as_bytes()).to_string();
            id = format!("{id}-{}", digest.get(..8).unwrap_or_default());
        }
        self.0.entry(id.clone()).or_insert_with(|| reference(&id));
        id
    }

    /// The licence with this id.
    pub fn get(&self, id: &str) -> Option<&Reference> {
        self.0.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Reference> {
        self.0.values()
    }

    fn of(&self, request: &LicenseReq) -> Option<&Reference> {
        match &request.license {
            LicenseItem::Other(other) => self.get(&other.to_string()),
            LicenseItem::Spdx { .. } => None,
        }
    }

    /// Whether works under `expression` may be passed on: the best of alternatives, the worst of what
    /// holds together. All of an archive that takes free software only (`free_archive`) may be.
    pub fn redistribution(&self, expression: &str, free_archive: bool) -> Redistribution {
        if free_archive {
            return Redistribution::Yes;
        }
        let Ok(expression) = Expression::parse(expression) else { return Redistribution::Unknown };
        let grade = |request: &LicenseReq| match request.license.id() {
            Some(id) if id.is_osi_approved() || id.is_fsf_free_libre() || is_free(id.name) => {
                Redistribution::Yes
            }
            Some(_) => Redistribution::Unknown,
            None => self.of(request).map_or(Redistribution::Unknown, Reference::redistribution),
        };
        [Redistribution::Yes, Redistribution::Unmodified]
            .into_iter()
            .find(|limit| expression.evaluate(|request| grade(request) <= *limit))
            .unwrap_or(Redistribution::Unknown)
    }

    /// The obligations of passing on works under `expression`.
    pub fn obligations(&self, expression: &str, free_archive: bool) -> Vec<Obligation> {
        let redistribution = self.redistribution(expression, free_archive);
        let mut obligations = vec![Obligation::Notices];
        let copyleft = |request: &LicenseReq| match request.license.id() {
            Some(id) => id.is_copyleft() || id.is_gnu(),
            None => self.of(request).is_some_and(Reference::is_gnu),
        };
        match Expression::parse(expression) {
            // A choice that needs no source is taken.
            Ok(parsed) if !parsed.evaluate(|request| !copyleft(request)) => {
                obligations.push(Obligation::Source);
            }
            _ => {}
        }
        match redistribution {
            Redistribution::Yes => {}
            Redistribution::Unmodified => obligations.push(Obligation::Unmodified),
            Redistribution::Unknown => obligations.push(Obligation::ReadText),
        }
        obligations
    }
}

/// Licences that ask for nothing or next to nothing, which neither OSI nor FSF list.
fn is_free(id: &str) -> bool {
    [
        "0BSD",
        "BSD-4-Clause-UC",
        "FSFAP",
        "MIT-CMU",
        "TCP-wrappers",
        "Spencer-94",
        "X11",
        "bzip2-1.0.6",
    ]
    .contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed() {
        use Obligation::{Notices, ReadText, Source, Unmodified};
        let mut references = References::default();
        let blob = references.add("fw", "blob", "Redistribution in binary form is permitted");
        let odd = references.add("x", "odd", "Do what I say");
        let gnu = references.add("z", "copyright", "see /usr/share/common-licenses/GPL-2");
        assert_eq!(blob, "LicenseRef-fw-blob");
        for (expression, redistribution, obligations) in [
            ("MIT", Redistribution::Yes, vec![Notices]),
            ("MIT AND GPL-2.0-only", Redistribution::Yes, vec![Notices, Source]),
            ("BSD-3-Clause OR GPL-2.0-only", Redistribution::Yes, vec![Notices]),
            ("LGPL-2.1-or-later", Redistribution::Yes, vec![Notices, Source]),
            ("MPL-2.0", Redistribution::Yes, vec![Notices, Source]),
            (&blob, Redistribution::Unmodified, vec![Notices, Unmodified]),
            (&odd, Redistribution::Unknown, vec![Notices, ReadText]),
            (&gnu, Redistribution::Unknown, vec![Notices, Source, ReadText]),
            (&format!("{blob} AND {odd}"), Redistribution::Unknown, vec![Notices, ReadText]),
            (&format!("{blob} OR {odd}"), Redistribution::Unmodified, vec![Notices, Unmodified]),
            ("NOASSERTION", Redistribution::Unknown, vec![Notices, ReadText]),
        ] {
            assert_eq!(
                references.redistribution(expression, false),
                redistribution,
                "{expression}"
            );
            assert_eq!(references.obligations(expression, false), obligations, "{expression}");
        }
        assert_eq!(references.obligations(&gnu, true), [Notices, Source]);
        assert_eq!(references.obligations(&odd, true), [Notices]);
    }

    #[test]
    fn equal_names_with_other_texts_are_other_licences() {
        let mut references = References::default();
        let first = references.add("a/b_c", "public domain", "one");
        assert_eq!(first, "LicenseRef-a-b-c-public-domain");
        assert_eq!(references.add("a/b_c", "public domain", "one"), first);
        let second = references.add("a/b_c", "public domain", "two");
        assert_ne!(second, first);
        assert_eq!(references.iter().count(), 2);
        assert!(Expression::parse(&format!("{first} AND {second}")).is_ok());
    }
}
