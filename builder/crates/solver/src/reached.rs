//! To which packages the requests lead, and which of them something asks for (apk).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::rank::{Ranks, Triggers};
use super::search::{By, Search};
use super::universe::{Item, Name, Provider, Tags, UNTAGGED};
use wifibox_formats::{Constraint, Relation};

/// For each name, the packages that depend on it; made when first needed.
#[derive(Default)]
pub(super) struct Dependents(OnceCell<HashMap<Name, Vec<Item>>>);

impl Dependents {
    pub(super) fn of(&self, search: &Search<'_>, name: Name) -> &[Item] {
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

/// Whether a condition of `install_if` holds, given which packages are there.
pub(super) fn is_met(
    search: &Search<'_>,
    condition: &Relation<'_>,
    is_there: impl Fn(Item) -> bool,
) -> bool {
    let mut providers = fitting(search, condition);
    let there = search.stand_in(condition).is_some() || providers.any(|p| is_there(p.item));
    there != condition.negated
}

/// Whether depending on the name is a reason for the package to be there.
pub(super) fn is_reason(search: &Search<'_>, provider: Provider) -> bool {
    !provider.is_unversioned() || search.universe.package(provider.item).provider_priority > 0
}

/// Whether `item`, if its conditions are met, is chosen before the name of `relation` is decided. Only
/// then does it answer an unversioned demand for a name that it provides; otherwise apk asks for the
/// package to be named.
pub(super) fn comes_first(
    search: &Search<'_>,
    ranks: &Ranks,
    item: Item,
    relation: &Relation<'_>,
) -> bool {
    let rank = |name: &str| search.universe.name(name).and_then(|name| ranks.of(name));
    let own = rank(&search.universe.package(item).name);
    relation.alternatives.iter().any(|target| own > rank(target.name))
}

pub(super) fn tag_fits(search: &Search<'_>, item: Item, allowed: Tags) -> bool {
    search.universe.tags_of(item) & (UNTAGGED | allowed) != 0
        || search.universe.package(item).installed_size == 0
}

/// The chosen packages to which the requests lead.
#[derive(Clone)]
pub(super) struct Reached<'s, 'u> {
    search: &'s Search<'u>,
    triggers: &'s Triggers,
    /// Packages that may not be passed.
    pub(super) banned: HashSet<Item>,
    pub(super) items: HashSet<Item>,
    /// The tags from which each package may be taken, beside none.
    allowed: HashMap<Item, Tags>,
    todo: Vec<Item>,
}

impl<'s, 'u> Reached<'s, 'u> {
    pub(super) fn new(
        search: &'s Search<'u>,
        triggers: &'s Triggers,
        banned: HashSet<Item>,
    ) -> Self {
        let (items, allowed) = (HashSet::new(), HashMap::new());
        let mut reached = Reached { search, triggers, banned, items, allowed, todo: Vec::new() };
        for (number, request) in search.requests.iter().enumerate() {
            reached.lead(By::Request(number), search.request_tag(request).unwrap_or(0));
        }
        let stand_ins = search.universe.stand_ins.iter();
        for name in stand_ins.filter_map(|stand_in| search.universe.name(&stand_in.name)) {
            reached.meet_conditions(name);
        }
        while let Some(item) = reached.todo.pop() {
            reached.lead(By::Item(item), reached.allowed(item));
            for name in search.universe.names_of(item) {
                reached.meet_conditions(name);
            }
        }
        reached
    }

    pub(super) fn allowed(&self, item: Item) -> Tags {
        self.allowed.get(&item).copied().unwrap_or(0)
    }

    /// Follows the dependencies of `by`.
    fn lead(&mut self, by: By, tags: Tags) {
        for need in self.search.needs(by) {
            for provider in fitting(self.search, &need.relation) {
                self.reach(provider.item, tags);
            }
        }
    }

    fn reach(&mut self, item: Item, tags: Tags) {
        let allowed = self.allowed.entry(item).or_default();
        let more = *allowed | tags != *allowed;
        *allowed |= tags;
        let tags = *allowed;
        if self.search.value(item) != Some(true) || self.banned.contains(&item) {
            return;
        }
        let new = tag_fits(self.search, item, tags) && self.items.insert(item);
        if new || (more && self.items.contains(&item)) {
            self.todo.push(item);
        }
    }

    /// Follows the conditions that speak of `name`.
    fn meet_conditions(&mut self, name: Name) {
        for item in self.triggers.of(name).iter().copied() {
            if let Some(tags) = self.conditions_met(item) {
                self.reach(item, tags);
            }
        }
    }

    /// Whether all conditions of `item` are met, and the tags from which it then may be taken.
    fn conditions_met(&self, item: Item) -> Option<Tags> {
        let conditions = self.search.universe.package(item).install_if(self.search.universe.scheme);
        let mut tags = 0;
        for condition in &conditions {
            let mut there =
                fitting(self.search, condition).filter(|p| self.items.contains(&p.item));
            tags |= there.next().map_or(0, |provider| self.allowed(provider.item));
            if !is_met(self.search, condition, |item| self.items.contains(&item)) {
                return None;
            }
        }
        (!conditions.is_empty()).then_some(tags)
    }

    /// The packages that nothing asks for in a way that brings them in, nor their own conditions.
    pub(super) fn without_reason(&self) -> HashSet<Item> {
        let mut without = self.unasked();
        without.retain(|item| self.conditions_met(*item).is_none());
        without
    }

    /// The packages that nothing asks for in a way that brings them in.
    pub(super) fn unasked(&self) -> HashSet<Item> {
        let mut without = self.items.clone();
        let requests = (0..self.search.requests.len()).map(By::Request);
        for by in requests.chain(self.items.iter().copied().map(By::Item)) {
            for need in self.search.needs(by) {
                for provider in fitting(self.search, &need.relation) {
                    if is_reason(self.search, provider) {
                        without.remove(&provider.item);
                    }
                }
            }
        }
        without
    }
}
