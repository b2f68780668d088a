//! The walk of apk: name by name, in the order of [`super::rank`].
//!
//! Whatever is chosen makes the names it depends on required; a required name that nothing chosen
//! provides is decided in its turn. A package that only provides a name without a version, and has no
//! provider priority, is not chosen unless its own name is required too. Packages whose `install_if`
//! conditions are all met are chosen in the turn of their name.

use std::collections::{BTreeSet, HashMap};

use super::rank::{Ranks, Triggers, ranks};
use super::reached::{Dependents, fitting, is_met};
use super::reason;
use super::search::{By, Search};
use super::step::Step;
use super::universe::{Item, Name, Tags, UNTAGGED};
use wifibox_formats::Relation;

/// The state of the walk.
pub(super) struct ByRank<'u> {
    triggers: Triggers,
    dependents: Dependents,
    ranks: Ranks,
    needs: HashMap<Item, std::rc::Rc<[Relation<'u>]>>,
    started: bool,
    /// How much of the trail was looked at.
    seen: usize,
    pub(super) required: BTreeSet<Name>,
    /// Required or triggered names that are not decided yet.
    open: BTreeSet<Name>,
    /// The packages that were decided on, in order. One that is chosen only because nothing else is
    /// left is decided on when its turn comes.
    decided: Vec<Item>,
    is_decided: BTreeSet<Item>,
    /// The package that the last step proposed; if that went well, it is decided on next.
    tried: Option<Item>,
    pub(super) triggered: BTreeSet<Item>,
    /// Packages of which all conditions but "not there" ones are met.
    waiting: BTreeSet<Item>,
    /// The tags from which each package may be taken, beside none.
    pub(super) allowed: HashMap<Item, Tags>,
    /// The tags that requests prefer for a package.
    pub(super) preferred: HashMap<Item, Tags>,
    /// The packages that the last complete walk found to be needed.
    result: Vec<Item>,
}

impl<'u> ByRank<'u> {
    pub(super) fn new(search: &Search<'u>) -> Self {
        let triggers = Triggers::new(search.universe);
        let ranks = ranks(search, &triggers);
        ByRank {
            triggers,
            dependents: Dependents::default(),
            ranks,
            needs: HashMap::new(),
            started: false,
            seen: 0,
            required: BTreeSet::new(),
            open: BTreeSet::new(),
            decided: Vec::new(),
            is_decided: BTreeSet::new(),
            tried: None,
            triggered: BTreeSet::new(),
            waiting: BTreeSet::new(),
            allowed: HashMap::new(),
            preferred: HashMap::new(),
            result: Vec::new(),
        }
    }

    /// Forgets everything but what does not depend on choices.
    pub(super) fn restart(&mut self) {
        self.started = false;
    }

    fn begin(&mut self, search: &Search<'u>) {
        self.started = true;
        self.seen = 0;
        self.required.clear();
        self.open.clear();
        self.decided.clear();
        self.is_decided.clear();
        self.tried = None;
        self.triggered.clear();
        self.waiting.clear();
        self.allowed.clear();
        self.preferred.clear();
        for (number, request) in search.requests.iter().enumerate() {
            let tag = search.request_tag(request);
            let named = request
                .relation()
                .is_some_and(|r| r.alternatives.iter().any(|c| c.qualifier.is_some()));
            for relation in search.relations(By::Request(number)) {
                // A tag that no repository has is preferred by nothing.
                let preferred = if named { tag.unwrap_or(0) } else { UNTAGGED };
                self.require(search, &relation, tag.unwrap_or(0), Some(preferred));
            }
        }
        for stand_in in &search.universe.stand_ins {
            if let Some(name) = search.universe.name(&stand_in.name) {
                self.look_at_conditions(search, name);
            }
        }
    }

    /// Notes what a chosen package, or a request, depends on.
    fn require(
        &mut self,
        search: &Search<'u>,
        relation: &Relation<'_>,
        tags: Tags,
        prefer: Option<Tags>,
    ) {
        if relation.negated || search.stand_in(relation).is_some() {
            return;
        }
        for target in &relation.alternatives {
            let Some(name) = search.universe.name(target.name) else { continue };
            if self.required.insert(name) {
                self.open.insert(name);
            }
            for provider in search.universe.providers(name) {
                if search.universe.satisfies(*provider, target) {
                    self.allow(search, provider.item, tags);
                    if let Some(tags) = prefer {
                        self.preferred.insert(provider.item, tags);
                    }
                }
            }
        }
    }

    /// Allows `item` to come from `tags`, and what it depends on too once it is chosen.
    fn allow(&mut self, search: &Search<'u>, item: Item, tags: Tags) {
        let mut todo = vec![(item, tags)];
        while let Some((item, tags)) = todo.pop() {
            let known = self.allowed.entry(item).or_default();
            if *known | tags == *known {
                continue;
            }
            *known |= tags;
            if search.value(item) != Some(true) {
                continue;
            }
            for relation in self.needs(search, item).iter() {
                todo.extend(fitting(search, relation).map(|p| (p.item, tags)));
            }
        }
    }

    fn needs(&mut self, search: &Search<'u>, item: Item) -> std::rc::Rc<[Relation<'u>]> {
        let make = || search.needs(By::Item(item)).into_iter().map(|need| need.relation).collect();
        self.needs.entry(item).or_insert_with(make).clone()
    }

    /// Takes in what was chosen since the last step.
    fn look(&mut self, search: &Search<'u>) {
        while let Some(lit) = search.sat.trail().get(self.seen).copied() {
            self.seen += 1;
            if !lit.is_yes() {
                continue;
            }
            let item = Item(lit.variable());
            let tags = self.allowed.get(&item).copied().unwrap_or(0);
            for relation in self.needs(search, item).iter() {
                self.require(search, relation, tags, None);
            }
        }
    }

    /// Decides on `item`, which is chosen, for all names that it provides.
    fn decide(&mut self, search: &Search<'u>, item: Item) {
        self.decided.push(item);
        self.is_decided.insert(item);
        for name in search.universe.names_of(item) {
            self.open.remove(&name);
            self.look_at_conditions(search, name);
        }
    }

    /// Notes the packages whose conditions are met now that `name` is there.
    fn look_at_conditions(&mut self, search: &Search<'u>, name: Name) {
        for at in 0..self.triggers.of(name).len() {
            let item = self.triggers.of(name)[at];
            if self.triggered.contains(&item) || !search.is_usable(item) {
                continue;
            }
            let conditions = search.universe.package(item).install_if(search.universe.scheme);
            let (absent, present): (Vec<_>, Vec<_>) = conditions.iter().partition(|c| c.negated);
            if !present
                .iter()
                .all(|condition| is_met(search, condition, |item| self.is_decided.contains(&item)))
            {
                continue;
            }
            // That the package itself be absent can never be met.
            let own = search.universe.names_of(item);
            let mut names =
                absent.iter().flat_map(|c| &c.alternatives).map(|c| search.universe.name(c.name));
            if names.any(|name| name.is_some_and(|name| own.contains(&name))) {
                continue;
            }
            if absent.is_empty() {
                self.trigger(search, item);
            } else {
                self.waiting.insert(item);
            }
        }
    }

    fn trigger(&mut self, search: &Search<'u>, item: Item) {
        self.triggered.insert(item);
        let conditions = search.universe.package(item).install_if(search.universe.scheme);
        for provider in conditions.iter().flat_map(|c| fitting(search, c)) {
            if self.is_decided.contains(&provider.item) {
                let tags = self.allowed.get(&provider.item).copied().unwrap_or(0);
                self.allow(search, item, tags);
            }
        }
        self.open.extend(search.universe.name(&search.universe.package(item).name));
    }

    /// The next step of the walk.
    pub(super) fn next(&mut self, search: &mut Search<'u>) -> Step {
        if !self.started {
            self.begin(search);
        }
        if let Some(item) = self.tried.take() {
            self.decide(search, item);
        }
        loop {
            self.look(search);
            let is_decided = |name: &Name| self.has_decided(search, *name);
            let done: Vec<Name> = self.open.iter().copied().filter(is_decided).collect();
            for name in done {
                self.open.remove(&name);
            }
            let rank = |name: &Name| {
                let item = self.pick(search, *name)?;
                Some((self.is_settled(search, *name), self.ranks.of(*name), item))
            };
            if let Some((_, _, item)) = self.open.iter().filter_map(rank).max() {
                if search.value(item).is_none() {
                    return self.attempt(item);
                }
                self.decide(search, item);
                continue;
            }
            if self.trigger_waiting(search) {
                continue;
            }
            return self.finish(search);
        }
    }

    fn attempt(&mut self, item: Item) -> Step {
        self.tried = Some(item);
        Step::Try(item)
    }

    /// Whether a provider of the name was decided on.
    fn has_decided(&self, search: &Search<'u>, name: Name) -> bool {
        let mut providers = search.universe.providers(name).iter();
        providers.any(|provider| self.is_decided.contains(&provider.item))
    }

    /// Whether nothing can change any more about a name: one provider is left, and everything that
    /// depends on the name is decided. apk decides such names out of turn.
    fn is_settled(&self, search: &Search<'u>, name: Name) -> bool {
        let left = search.universe.providers(name).iter();
        let open = left.filter(|p| search.is_usable(p.item) && search.value(p.item) != Some(false));
        let decided = |name: &Name| self.has_decided(search, *name);
        self.required.contains(&name)
            && open.count() == 1
            && self.ranks.dependents(name).iter().all(decided)
    }

    /// Triggers one package that waited for others not to be there.
    fn trigger_waiting(&mut self, search: &Search<'u>) -> bool {
        while let Some(item) = self.waiting.pop_first() {
            let conditions = search.universe.package(item).install_if(search.universe.scheme);
            let met = conditions
                .iter()
                .all(|condition| is_met(search, condition, |item| self.is_decided.contains(&item)));
            if met && search.value(item).is_none() && !self.triggered.contains(&item) {
                self.trigger(search, item);
                return true;
            }
        }
        false
    }

    fn finish(&mut self, search: &mut Search<'u>) -> Step {
        match reason::check(search, &self.triggers, &self.ranks, &self.dependents, &self.decided) {
            reason::Verdict::Founded(items) => {
                self.result = items;
                Step::Done
            }
            reason::Verdict::Try(item) => self.attempt(item),
            reason::Verdict::Refuted => Step::Again,
        }
    }

    /// The packages that the last complete walk found to be needed.
    pub(super) fn chosen(&self) -> Vec<Item> {
        self.result.clone()
    }
}
