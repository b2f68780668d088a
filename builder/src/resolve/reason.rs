//! What apk demands beyond clauses: that every chosen package has a reason to be there.
//!
//! A package has one when something with a reason depends on its name or on a name that it provides
//! with a version or a provider priority, or when its `install_if` conditions are met; and a package
//! of a tagged repository needs a request with that tag to lead to it. Reasons must not go in circles.
//! Clauses cannot say that, so it is checked once everything else fits. Where it fails, a clause is
//! derived that holds in every solution and fails now.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::rank::Triggers;
use super::sat::Lit;
use super::search::{By, Fact, Need, Search};
use super::universe::{Item, Name, Provider, Tags, UNTAGGED};
use crate::repo::{Constraint, Relation};

/// What the check finds.
pub(super) enum Verdict {
    /// Everything needed is there and has a reason: these packages, each after what leads to it.
    Founded(Vec<Item>),
    /// This package is needed and may be chosen.
    Try(Item),
    /// A clause was added that the present choice violates.
    Refuted,
}

/// For each name, the packages that depend on it; made when first needed.
#[derive(Default)]
pub(super) struct Dependents(OnceCell<HashMap<Name, Vec<Item>>>);

impl Dependents {
    fn of(&self, search: &Search<'_>, name: Name) -> &[Item] {
        let all = self.0.get_or_init(|| {
            let universe = search.universe;
            let mut all: HashMap<Name, Vec<Item>> = HashMap::new();
            for item in universe.items().filter(|item| search.is_usable(*item)) {
                for need in search.needs(By::Item(item)) {
                    for name in
                        need.relation.alternatives.iter().filter_map(|c| universe.name(c.name))
                    {
                        all.entry(name).or_default().push(item);
                    }
                }
            }
            all
        });
        all.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// The providers that satisfy a relation (or, negated, that it speaks of), chosen or not.
pub(super) fn fitting<'s, 'r>(
    search: &'s Search<'_>,
    relation: &'r Relation<'r>,
) -> impl Iterator<Item = Provider> + use<'s, 'r> {
    let universe = search.universe;
    let fits = move |target: &'r Constraint<'r>| {
        universe.offered(target).iter().filter(move |p| universe.satisfies(**p, target)).copied()
    };
    relation.alternatives.iter().flat_map(fits)
}

/// Whether a condition of `install_if` holds.
pub(super) fn is_met(search: &Search<'_>, condition: &Relation<'_>) -> bool {
    let chosen = |provider: Provider| search.value(provider.item) == Some(true);
    let there = search.stand_in(condition).is_some() || fitting(search, condition).any(chosen);
    there != condition.negated
}

/// Whether depending on the name is a reason for the package to be there.
fn is_reason(search: &Search<'_>, provider: Provider) -> bool {
    !provider.is_unversioned() || search.universe.package(provider.item).provider_priority > 0
}

/// Checks the present choice.
pub(super) fn check(
    search: &mut Search<'_>,
    triggers: &Triggers,
    dependents: &Dependents,
) -> Verdict {
    let mut founded = Founded {
        search,
        triggers,
        items: HashSet::new(),
        allowed: HashMap::new(),
        todo: Vec::new(),
    };
    founded.spread();
    let Founded { items, allowed, .. } = founded;
    let mut owners: Vec<By> = (0..search.requests.len()).map(By::Request).collect();
    let in_order: Vec<Item> = chosen_in_order(search).filter(|item| items.contains(item)).collect();
    owners.extend(in_order.into_iter().map(By::Item));
    for by in owners {
        for need in search.needs(by) {
            let there = search.stand_in(&need.relation).is_some()
                || fitting(search, &need.relation).any(|p| items.contains(&p.item));
            if !there {
                let lack = Lack { search, dependents, items: &items, allowed: &allowed };
                return match lack.look_into(&need) {
                    Ok(clause) => {
                        search.add_clause(clause, Fact::NoReason { by, relation: need.number });
                        Verdict::Refuted
                    }
                    Err(item) => Verdict::Try(item),
                };
            }
        }
    }
    Verdict::Founded(needed(search, &items))
}

fn chosen_in_order<'s>(search: &'s Search<'_>) -> impl Iterator<Item = Item> + use<'s> {
    search.sat.trail().iter().filter(|lit| lit.is_yes()).map(|lit| Item(lit.variable()))
}

fn tag_fits(search: &Search<'_>, item: Item, allowed: Tags) -> bool {
    search.universe.tags_of(item) & (UNTAGGED | allowed) != 0
        || search.universe.package(item).installed_size == 0
}

/// The chosen packages that have a reason.
struct Founded<'s, 'u> {
    search: &'s Search<'u>,
    triggers: &'s Triggers,
    items: HashSet<Item>,
    allowed: HashMap<Item, Tags>,
    todo: Vec<Item>,
}

impl Founded<'_, '_> {
    fn spread(&mut self) {
        for (number, request) in self.search.requests.iter().enumerate() {
            let tags = self.search.request_tag(request).unwrap_or(0);
            self.lead(By::Request(number), tags);
        }
        let stood_in = self.search.universe.stand_ins.iter();
        let names: Vec<Name> =
            stood_in.filter_map(|s| self.search.universe.name(&s.name)).collect();
        for name in names {
            self.meet_conditions(name);
        }
        while let Some(item) = self.todo.pop() {
            let tags = self.allowed.get(&item).copied().unwrap_or(0);
            self.lead(By::Item(item), tags);
            for name in self.search.universe.names_of(item) {
                self.meet_conditions(name);
            }
        }
    }

    /// Follows the dependencies of `by`, which has a reason.
    fn lead(&mut self, by: By, tags: Tags) {
        for need in self.search.needs(by) {
            for provider in fitting(self.search, &need.relation) {
                self.reach(provider.item, tags, is_reason(self.search, provider));
            }
        }
    }

    fn reach(&mut self, item: Item, tags: Tags, with_reason: bool) {
        if self.search.value(item) != Some(true) {
            return;
        }
        let allowed = self.allowed.entry(item).or_default();
        let more = *allowed | tags != *allowed;
        *allowed |= tags;
        let fits = tag_fits(self.search, item, *allowed);
        let new = with_reason && fits && self.items.insert(item);
        if new || (more && self.items.contains(&item)) {
            self.todo.push(item);
        }
    }

    /// Follows the conditions that speak of `name`.
    fn meet_conditions(&mut self, name: Name) {
        for item in self.triggers.of(name).iter().copied() {
            let conditions =
                self.search.universe.package(item).install_if(self.search.universe.scheme);
            let mut tags = 0;
            let met = conditions.iter().all(|condition| {
                let mut there =
                    fitting(self.search, condition).filter(|p| self.items.contains(&p.item));
                let first = there.next();
                tags |= first.and_then(|p| self.allowed.get(&p.item)).copied().unwrap_or(0);
                (first.is_some() || self.search.stand_in(condition).is_some()) != condition.negated
            });
            if met {
                self.reach(item, tags, true);
            }
        }
    }
}

/// The founded packages that the requests really lead to: of several providers of a name the one that
/// was chosen first counts.
fn needed(search: &Search<'_>, founded: &HashSet<Item>) -> Vec<Item> {
    let place: HashMap<Item, usize> =
        chosen_in_order(search).enumerate().map(|(at, item)| (item, at)).collect();
    let mut needed = Vec::new();
    let mut known = HashSet::new();
    let mut todo: Vec<By> = (0..search.requests.len()).rev().map(By::Request).collect();
    loop {
        while let Some(by) = todo.pop() {
            for need in search.needs(by) {
                let there =
                    fitting(search, &need.relation).map(|p| p.item).filter(|i| founded.contains(i));
                let first = there.min_by_key(|item| place.get(item).copied());
                if let Some(item) = first.filter(|_| search.stand_in(&need.relation).is_none())
                    && known.insert(item)
                {
                    needed.push(item);
                    todo.push(By::Item(item));
                }
            }
        }
        let is_met = |condition: &Relation<'_>| {
            let there = fitting(search, condition).any(|p| known.contains(&p.item));
            (there || search.stand_in(condition).is_some()) != condition.negated
        };
        let triggered = chosen_in_order(search)
            .filter(|i| founded.contains(i) && !known.contains(i))
            .find(|item| {
                let conditions = search.universe.package(*item).install_if(search.universe.scheme);
                !conditions.is_empty() && conditions.iter().all(is_met)
            });
        let Some(item) = triggered else { return needed };
        known.insert(item);
        needed.push(item);
        todo.push(By::Item(item));
    }
}

/// Why nothing that has a reason satisfies a need.
struct Lack<'s, 'u> {
    search: &'s Search<'u>,
    dependents: &'s Dependents,
    items: &'s HashSet<Item>,
    allowed: &'s HashMap<Item, Tags>,
}

impl Lack<'_, '_> {
    fn allowed(&self, item: Item) -> Tags {
        self.allowed.get(&item).copied().unwrap_or(0)
    }

    /// A clause that holds in every solution and fails now; or a package that may be chosen to help.
    fn look_into(&self, need: &Need<'_>) -> Result<Vec<Lit>, Item> {
        let search = self.search;
        let (mut clause, mut tags) = (Vec::new(), 0);
        if let By::Item(item) = need.by {
            clause.push(Lit::no(item.0));
            tags = self.allowed(item);
        }
        let mut seen = HashSet::new();
        let mut todo: Vec<(Item, Option<Tags>)> = Vec::new();
        for candidate in search.candidates(&need.relation) {
            let item = candidate.provider.item;
            let fits = tag_fits(search, item, self.allowed(item) | tags);
            match search.value(item) {
                Some(false) => clause.push(Lit::yes(item.0)),
                None if fits && is_reason(search, candidate.provider) => return Err(item),
                _ if !is_reason(search, candidate.provider) => todo.push((item, None)),
                _ => todo.push((item, Some(search.universe.tags_of(item)))),
            }
        }
        while let Some((item, wanted)) = todo.pop() {
            if seen.insert((item, wanted)) {
                self.step(item, wanted, &mut clause, &mut todo)?;
            }
        }
        Ok(clause)
    }

    /// Looks for what could give `item` a reason or, with `wanted`, one of these tags: what is
    /// excluded goes into the clause, what is open or without reason itself is looked into next.
    fn step(
        &self,
        item: Item,
        wanted: Option<Tags>,
        clause: &mut Vec<Lit>,
        todo: &mut Vec<(Item, Option<Tags>)>,
    ) -> Result<(), Item> {
        let (search, universe) = (self.search, self.search.universe);
        for name in universe.names_of(item) {
            for owner in self.dependents.of(search, name).iter().copied() {
                let gives = search.needs(By::Item(owner)).iter().any(|need| {
                    let mut providers = fitting(search, &need.relation).filter(|p| p.item == item);
                    providers.any(|p| wanted.is_some() || is_reason(search, p))
                });
                if !gives {
                    continue;
                }
                let open = search.value(item).is_none() && wanted.is_none();
                let tags = self.allowed(item) | self.allowed(owner);
                if self.items.contains(&owner) && open && tag_fits(search, item, tags) {
                    return Err(item);
                }
                self.lead_back(owner, wanted, clause, todo);
            }
        }
        for condition in universe.package(item).install_if(universe.scheme) {
            for provider in fitting(search, &condition) {
                match (condition.negated, search.value(provider.item)) {
                    (true, Some(true)) => clause.push(Lit::no(provider.item.0)),
                    (true, _) => {}
                    (false, _) => self.lead_back(provider.item, wanted, clause, todo),
                }
            }
        }
        Ok(())
    }

    fn lead_back(
        &self,
        owner: Item,
        wanted: Option<Tags>,
        clause: &mut Vec<Lit>,
        todo: &mut Vec<(Item, Option<Tags>)>,
    ) {
        match self.search.value(owner) {
            Some(false) => clause.push(Lit::yes(owner.0)),
            _ if wanted.is_none() && self.items.contains(&owner) => {}
            _ => todo.push((owner, wanted)),
        }
    }
}
