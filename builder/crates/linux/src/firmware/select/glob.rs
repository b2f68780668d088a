//! Patterns: those in modules' metadata (`ath11k/QCA6390/hw2.0/*`) and those of manifests.

use std::collections::BTreeSet;

use super::Work;
use crate::firmware::offers::NoFile;
use crate::firmware::report::{By, Outcome};
use crate::firmware::rules::Pattern;

impl Work<'_> {
    /// All that a pattern matches, but of versions only the newest that the driver takes.
    pub(super) fn glob(&mut self, pattern: &Pattern, by: By) {
        let matching: Vec<String> =
            self.names.iter().filter(|name| pattern.matches(name)).cloned().collect();
        let mut families = BTreeSet::new();
        let (mut kept, mut too_new, mut why) = (Vec::new(), Vec::new(), NoFile::Missing);
        let mut dropped = None;
        for name in matching {
            let outcome = match self.walked(&name) {
                Some(found) => {
                    let (prefix, extension) = (found.prefix.to_owned(), found.extension.to_owned());
                    if !families.insert((prefix.clone(), extension.clone())) {
                        continue;
                    }
                    let named = self.caps.named(&prefix, &extension);
                    let cap = named.or_else(|| self.caps.assumed(&prefix, &extension));
                    self.walk(&name, &prefix, &extension, cap.unwrap_or(u32::MAX))
                }
                None => self.exact(&name),
            };
            match outcome {
                Outcome::Kept(names) => kept.extend(names),
                Outcome::Older(name) | Outcome::Superseded(name) => kept.push(name),
                Outcome::Dropped(rule) => dropped = Some(rule),
                Outcome::Missing { why: reason, too_new: newer } => {
                    why = reason;
                    too_new.extend(newer);
                }
            }
        }
        let outcome = match dropped {
            _ if !kept.is_empty() => Outcome::Kept(kept),
            Some(rule) => Outcome::Dropped(rule),
            None => Outcome::Missing { why, too_new },
        };
        self.note(&pattern.text, by, outcome);
    }
}
