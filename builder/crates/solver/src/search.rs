//! The search: turns the packages that it reaches into clauses and lets a walk say what to try next.
//!
//! A package's dependencies become clauses when it is first chosen, so that only what is reached costs
//! anything. Every clause keeps the fact that it states, for explanations.

use super::policy::Exclusive;
use super::request::Request;
use super::sat::{Impossible, Lit, Sat};
use super::universe::{Item, Name, Provider, Tags, UNTAGGED, Universe};
use wifibox_formats::{Constraint, Relation};
use wifibox_ground::version::Scheme;

/// Who makes a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum By {
    /// The request with this number.
    Request(usize),
    /// A package.
    Item(Item),
}

/// The meaning of a clause. Relations are numbered as [`Search::relations`] lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// `by` needs one of the providers of its relation.
    Needs { by: By, relation: usize },
    /// `by` does not go with `item`, which its relation forbids or which does not fit it.
    Excludes { by: By, relation: usize, item: Item },
    /// Two packages that provide one name exclude each other.
    Rivals { name: Name, item: Item, other: Item },
    /// A package provides one name twice.
    Twice { name: Name, item: Item },
    /// Only packages that nothing else brings in could serve the relation of `by` (apk).
    NoReason { by: By, relation: usize },
}

/// A candidate for a relation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) provider: Provider,
    /// Which alternative of the relation it satisfies.
    pub(super) alternative: usize,
}

/// A resolution under way.
pub(super) struct Search<'u> {
    pub(super) universe: &'u Universe,
    pub(super) requests: &'u [Request],
    pub(super) sat: Sat,
    /// The facts by number of clause; nothing for what was learned.
    pub(super) facts: Vec<Option<Fact>>,
    /// The tags that some request names, and "no tag".
    pub(super) tags: Tags,
    expanded: Vec<bool>,
    looked_at: usize,
}

/// A demand with what can satisfy it.
pub(super) struct Need<'u> {
    pub(super) by: By,
    pub(super) number: usize,
    pub(super) relation: Relation<'u>,
}

impl<'u> Search<'u> {
    /// A search that has not started.
    pub(super) fn new(universe: &'u Universe, requests: &'u [Request]) -> Self {
        let mut search = Search {
            universe,
            requests,
            sat: Sat::new(universe.len()),
            facts: Vec::new(),
            tags: UNTAGGED,
            expanded: vec![false; universe.len()],
            looked_at: 0,
        };
        for request in requests {
            search.tags |= search.request_tag(request).unwrap_or(0);
        }
        search
    }

    /// The tag that a request names.
    pub(super) fn request_tag(&self, request: &Request) -> Option<Tags> {
        let relation = request.relation().filter(|_| self.universe.scheme == Scheme::Apk)?;
        relation.alternatives.first()?.qualifier.and_then(|tag| self.universe.tag(tag))
    }

    /// States what the requests demand.
    pub(super) fn begin(&mut self) {
        for number in 0..self.requests.len() {
            self.state(By::Request(number));
        }
    }

    /// Draws the conclusions of what was decided; whether decisions were taken back for it.
    ///
    /// # Errors
    /// [`Impossible`]: there is no solution.
    pub(super) fn propagate(&mut self) -> Result<bool, Impossible> {
        let back = self.sat.propagate()?;
        if back {
            self.looked_at = 0;
        }
        Ok(back)
    }

    /// States the dependencies of all packages that were chosen since; whether there were any.
    pub(super) fn expand(&mut self) -> bool {
        let mut any = false;
        while let Some(lit) = self.sat.trail().get(self.looked_at).copied() {
            self.looked_at += 1;
            let variable = lit.variable();
            if lit.is_yes() && !std::mem::replace(&mut self.expanded[variable as usize], true) {
                self.state(By::Item(Item(variable)));
                self.state_rivals(Item(variable));
                any = true;
            }
        }
        any
    }

    /// The relations of `by`: its dependencies, then its conflicts.
    pub(super) fn relations(&self, by: By) -> Vec<Relation<'u>> {
        let item = match by {
            By::Request(number) => {
                return self.requests.get(number).and_then(Request::relation).into_iter().collect();
            }
            By::Item(item) => item,
        };
        let (package, scheme) = (self.universe.package(item), self.universe.scheme);
        let mut all = package.depends(scheme).unwrap_or_default();
        let conflicts = package.conflicts(scheme).unwrap_or_default();
        all.extend(conflicts.into_iter().map(|relation| Relation { negated: true, ..relation }));
        all
    }

    /// The demands of `by` that something must satisfy.
    pub(super) fn needs(&self, by: By) -> Vec<Need<'u>> {
        let all = self.relations(by).into_iter().enumerate();
        let positive = all.filter(|(_, relation)| !relation.negated);
        positive.map(|(number, relation)| Need { by, number, relation }).collect()
    }

    /// The stand-in that satisfies `relation`, if one does.
    pub(super) fn stand_in(&self, relation: &Relation<'_>) -> Option<usize> {
        relation.alternatives.iter().find_map(|target| self.universe.stand_in(target))
    }

    /// Whether the package may be chosen at all.
    pub(super) fn is_usable(&self, item: Item) -> bool {
        self.universe.unusable(item).is_none() && self.tag_could_do(item)
    }

    /// Whether the package is in a repository that is used somewhere. Packages without files may come
    /// from any.
    pub(super) fn tag_could_do(&self, item: Item) -> bool {
        let universe = self.universe;
        universe.scheme != Scheme::Apk
            || universe.tags_of(item) & self.tags != 0
            || universe.package(item).installed_size == 0
    }

    /// Everything that satisfies `relation` and may be chosen, in no particular order of preference.
    pub(super) fn candidates(&self, relation: &Relation<'_>) -> Vec<Candidate> {
        let mut all = Vec::new();
        for (alternative, target) in relation.alternatives.iter().enumerate() {
            for provider in self.universe.offered(target) {
                if self.universe.satisfies(*provider, target) && self.is_usable(provider.item) {
                    all.push(Candidate { provider: *provider, alternative });
                }
            }
        }
        all
    }

    fn add(&mut self, mut lits: Vec<Lit>, by: By, fact: Fact) {
        if let By::Item(item) = by {
            if lits.contains(&Lit::yes(item.0)) {
                return;
            }
            lits.push(Lit::no(item.0));
        }
        self.add_clause(lits, fact);
    }

    /// Adds a clause that states `fact`.
    pub(super) fn add_clause(&mut self, lits: Vec<Lit>, fact: Fact) {
        let id = self.sat.add(lits) as usize;
        self.facts.resize(id, None);
        self.facts.push(Some(fact));
    }

    /// Turns the demands of `by` into clauses.
    fn state(&mut self, by: By) {
        for (number, relation) in self.relations(by).into_iter().enumerate() {
            if relation.negated {
                self.state_conflict(by, number, &relation);
            } else if self.stand_in(&relation).is_none() {
                let candidates = self.candidates(&relation);
                let lits = candidates.iter().map(|c| Lit::yes(c.provider.item.0)).collect();
                self.add(lits, by, Fact::Needs { by, relation: number });
                if self.universe.policy.demands_exclude {
                    self.state_misfits(by, number, &relation);
                }
            }
        }
    }

    /// `by` excludes what provides a name that it needs, but not as it needs it.
    fn state_misfits(&mut self, by: By, number: usize, relation: &Relation<'_>) {
        let universe = self.universe;
        for target in &relation.alternatives {
            for provider in universe.offered(target) {
                if !universe.satisfies(*provider, target) && self.is_usable(provider.item) {
                    self.exclude(by, number, provider.item);
                }
            }
        }
    }

    fn state_conflict(&mut self, by: By, number: usize, relation: &Relation<'_>) {
        let universe = self.universe;
        for target in &relation.alternatives {
            for provider in universe.offered(target) {
                let concerned = match by {
                    By::Item(item) => {
                        item != provider.item && self.is_conflict(item, *provider, target)
                    }
                    By::Request(_) => true,
                };
                if concerned && universe.satisfies(*provider, target) {
                    self.exclude(by, number, provider.item);
                }
            }
        }
    }

    /// Whether a conflict of `item` concerns `provider` at all.
    fn is_conflict(&self, item: Item, provider: Provider, target: &Constraint<'_>) -> bool {
        if !self.universe.policy.conflicts_by_name_only {
            return true;
        }
        let replaced =
            self.universe.package(item).replaces.split([',', ' ']).any(|r| r == target.name);
        provider.own_name && !replaced
    }

    fn exclude(&mut self, by: By, relation: usize, item: Item) {
        let mut lits = vec![Lit::no(item.0)];
        if let By::Item(by) = by {
            lits.push(Lit::no(by.0));
        }
        self.add_clause(lits, Fact::Excludes { by, relation, item });
    }

    /// States which packages cannot be there beside `item` because they provide the same name.
    fn state_rivals(&mut self, item: Item) {
        let universe = self.universe;
        let names = match universe.policy.exclusive {
            Exclusive::SameName => universe.names_of(item).into_iter().take(1).collect(),
            Exclusive::SameProvided => universe.names_of(item),
        };
        for (at, name) in names.iter().copied().enumerate() {
            if names[..at].contains(&name) {
                continue;
            }
            let providers = universe.providers(name);
            let own = || providers.iter().filter(|provider| provider.item == item);
            let shares = |provider: &&Provider| match universe.policy.exclusive {
                Exclusive::SameName => provider.own_name,
                Exclusive::SameProvided => {
                    !own().all(|p| p.is_unversioned()) || !provider.is_unversioned()
                }
            };
            if universe.policy.exclusive == Exclusive::SameProvided
                && own().count() > 1
                && !own().all(|p| p.is_unversioned())
            {
                self.add_clause(vec![Lit::no(item.0)], Fact::Twice { name, item });
            }
            for other in providers.iter().filter(|p| p.item != item).filter(shares) {
                let lits = vec![Lit::no(item.0), Lit::no(other.item.0)];
                self.add_clause(lits, Fact::Rivals { name, item, other: other.item });
            }
        }
    }

    /// Whether the package is chosen, excluded or open.
    pub(super) fn value(&self, item: Item) -> Option<bool> {
        self.sat.value(item.0)
    }
}
