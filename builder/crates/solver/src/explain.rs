//! Says in prose why no choice of packages satisfies the requests.
//!
//! From a smallest set of contradictory facts: who needs what, which packages offer it, and why each of
//! them was refused.

use std::collections::BTreeMap;

use super::contradiction;
use super::sat::Impossible;
use super::search::{By, Fact, Search};
use super::universe::{Item, Provider, UNTAGGED};
use wifibox_formats::{Constraint, Relation};

/// How many packages are listed by name before the rest are only counted.
const SHOWN: usize = 6;

/// No choice of packages satisfies all requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no choice of packages satisfies what is asked for:\n{}", lines.join("\n"))]
pub struct Unsatisfiable {
    /// The explanation. Lines that start with white space belong to the one before.
    pub lines: Vec<String>,
}

/// Explains what the search found to be impossible.
pub(super) fn explain(search: &Search<'_>, impossible: &Impossible) -> Unsatisfiable {
    let ids = contradiction::minimal(&search.sat, impossible);
    let fact = |id: &u32| search.facts.get(*id as usize).cloned().flatten();
    let facts: Vec<Fact> = ids.iter().filter_map(fact).collect();
    let explainer = Explainer { search, facts: &facts };
    let mut lines = Vec::new();
    for fact in explainer.in_order() {
        explainer.add_lines(fact, &mut lines);
    }
    Unsatisfiable { lines }
}

struct Explainer<'s, 'u> {
    search: &'s Search<'u>,
    facts: &'s [Fact],
}

impl<'u> Explainer<'_, 'u> {
    /// The facts that get their own lines: what requests need first, then what the packages need
    /// that those need.
    fn in_order(&self) -> Vec<&Fact> {
        let owner = |fact: &&Fact| match fact {
            Fact::Needs { by, .. } | Fact::NoReason { by, .. } => Some(*by),
            _ => None,
        };
        let mut rest: Vec<&Fact> = self.facts.iter().filter(|fact| owner(fact).is_some()).collect();
        rest.sort_by_key(owner);
        let (mut ordered, mut next): (Vec<&Fact>, Vec<Item>) = (Vec::new(), Vec::new());
        let is_request = |fact: &&Fact| matches!(owner(fact), Some(By::Request(_)));
        let mut batch: Vec<&Fact>;
        (batch, rest) = rest.into_iter().partition(is_request);
        while !batch.is_empty() {
            for fact in &batch {
                next.extend(self.offers(fact));
            }
            ordered.append(&mut batch);
            let led_to =
                |fact: &&Fact| matches!(owner(fact), Some(By::Item(item)) if next.contains(&item));
            (batch, rest) = rest.into_iter().partition(led_to);
        }
        ordered.extend(rest);
        ordered
    }

    fn relation(&self, by: By, number: usize) -> Option<Relation<'u>> {
        self.search.relations(by).into_iter().nth(number)
    }

    /// The packages that could meet a need.
    fn offers(&self, fact: &Fact) -> Vec<Item> {
        let (Fact::Needs { by, relation } | Fact::NoReason { by, relation }) = fact else {
            return Vec::new();
        };
        let relation = self.relation(*by, *relation);
        let candidates = relation.map(|r| self.search.candidates(&r)).unwrap_or_default();
        candidates.iter().map(|candidate| candidate.provider.item).collect()
    }

    fn name(&self, item: Item) -> String {
        self.search.universe.package(item).full_name()
    }

    /// Who makes a demand, as the start of a sentence.
    fn demand(&self, by: By, relation: &Relation<'_>) -> String {
        match by {
            By::Request(number) => match self.search.requests.get(number) {
                Some(request) => format!("{request} is asked for"),
                None => format!("{relation} is asked for"),
            },
            By::Item(item) => format!("{} needs {relation}", self.name(item)),
        }
    }

    fn add_lines(&self, fact: &Fact, lines: &mut Vec<String>) {
        let (Fact::Needs { by, relation: number } | Fact::NoReason { by, relation: number }) = fact
        else {
            return;
        };
        let Some(relation) = self.relation(*by, *number) else { return };
        let demand = self.demand(*by, &relation);
        if let Fact::NoReason { .. } = fact {
            lines.push(format!("{demand}, but nothing brings in what provides it:"));
        } else {
            lines.push(format!("{demand}:"));
        }
        for target in &relation.alternatives {
            let refusals = self.refusals(*by, target, matches!(fact, Fact::NoReason { .. }));
            if refusals.is_empty() {
                lines.push(format!("  {}", self.unknown(target)));
            }
            lines.extend(
                refusals.into_iter().map(|(why, items)| format!("  {}: {why}", self.list(&items))),
            );
        }
    }

    /// The packages that provide the name of `target`, by why they were refused.
    fn refusals(
        &self,
        by: By,
        target: &Constraint<'_>,
        no_reason: bool,
    ) -> Vec<(String, Vec<Item>)> {
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut grouped: Vec<(String, Vec<Item>)> = Vec::new();
        for provider in self.search.universe.offered(target) {
            let why = self.refusal(by, *provider, target, no_reason);
            let at = *reasons.entry(why.clone()).or_insert(grouped.len());
            if at == grouped.len() {
                grouped.push((why, Vec::new()));
            }
            if let Some((_, items)) = grouped.get_mut(at)
                && !items.contains(&provider.item)
            {
                items.push(provider.item);
            }
        }
        grouped
    }

    fn list(&self, items: &[Item]) -> String {
        let mut names: Vec<String> =
            items.iter().take(SHOWN).map(|item| self.name(*item)).collect();
        if items.len() > SHOWN {
            names.push(format!("{} more", items.len() - SHOWN));
        }
        names.join(", ")
    }

    /// Why `provider` does not do.
    fn refusal(
        &self,
        by: By,
        provider: Provider,
        target: &Constraint<'_>,
        no_reason: bool,
    ) -> String {
        let (universe, item) = (self.search.universe, provider.item);
        if let Some(why) = universe.unusable(item) {
            return format!("cannot be installed, {why}");
        }
        if !universe.satisfies(provider, target) {
            return match universe.version(provider) {
                None => format!("provides {} without a version", target.name),
                Some(version) if !provider.own_name => {
                    format!("provides {} {version}, which does not fit", target.name)
                }
                Some(_) if target.accepts(universe.version(provider)) => {
                    "is not marked for other architectures".into()
                }
                Some(_) => "the version does not fit".to_owned(),
            };
        }
        if !self.search.tag_could_do(item) {
            let tags = universe.tag_texts(universe.tags_of(item) & !UNTAGGED);
            return format!("is only in {}, which is not asked for", tags.join(" "));
        }
        let facts = self.facts.iter().filter_map(|fact| self.contradiction(fact, item));
        let mut whys: Vec<String> = facts.collect();
        whys.dedup();
        if !whys.is_empty() {
            return whys.join("; ");
        }
        let needs_more = |fact: &Fact| matches!(fact, Fact::Needs { by, .. } | Fact::NoReason { by, .. } if *by == By::Item(item));
        if self.facts.iter().any(needs_more) && by != By::Item(item) {
            return "needs what cannot be had, see below".to_owned();
        }
        if no_reason && provider.is_unversioned() {
            let text = "has no provider priority, so it has to be asked for by name";
            return text.to_owned();
        }
        "does not go with the rest".to_owned()
    }

    /// The objection of a fact to `item`, as a clause without its subject; `None` if it is about
    /// others.
    fn contradiction(&self, fact: &Fact, item: Item) -> Option<String> {
        let universe = self.search.universe;
        match fact {
            Fact::Excludes { by, relation, item: excluded } => {
                let relation = self.relation(*by, *relation)?;
                let positive = Relation { negated: false, ..relation.clone() };
                let forbids = if relation.negated { "excludes" } else { "needs" };
                match by {
                    By::Request(number) if *excluded == item => {
                        let request = self.search.requests.get(*number)?;
                        Some(format!("{request} is asked for"))
                    }
                    By::Item(by) if *excluded == item => {
                        Some(format!("{} {forbids} {positive}", self.name(*by)))
                    }
                    By::Item(by) if *by == item => Some(format!(
                        "{forbids} {positive}, so not beside {}",
                        self.name(*excluded)
                    )),
                    _ => None,
                }
            }
            Fact::Rivals { name, item: a, other: b } if *a == item || *b == item => {
                let other = self.name(if *a == item { *b } else { *a });
                Some(format!(
                    "cannot be there beside {other}, both provide {}",
                    universe.text(*name)
                ))
            }
            Fact::Twice { name, item: twice } if *twice == item => {
                Some(format!("provides {} twice", universe.text(*name)))
            }
            _ => None,
        }
    }

    /// The message about a name that no package has or provides, with a similar name if there is
    /// one.
    fn unknown(&self, target: &Constraint<'_>) -> String {
        let mut text = format!("nothing is called or provides {}", target.name);
        let limit = target.name.chars().count() / 3 + 1;
        let known = self.search.universe.texts.iter();
        let near = known.map(|name| (strsim::damerau_levenshtein(name, target.name), name));
        if let Some((_, name)) = near.filter(|(distance, _)| *distance <= limit).min() {
            text.push_str(&format!("; did you mean {name}?"));
        }
        text
    }
}
