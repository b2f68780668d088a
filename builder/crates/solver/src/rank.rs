//! The order in which apk decides about names: those that depend before those they depend on.
//!
//! apk walks everything reachable from world before it starts, and decides the names it left last
//! first: requested names before others, names that a package really has before names that packages
//! only provide. This repeats that walk and numbers the names.

use std::collections::HashMap;

use super::search::{By, Search};
use super::universe::{Item, Name, Universe};
use wifibox_formats::Relation;

/// For each name, which packages have a condition (`install_if`) that speaks of it.
pub(super) struct Triggers(HashMap<Name, Vec<Item>>);

impl Triggers {
    pub(super) fn new(universe: &Universe) -> Self {
        let mut by_name: HashMap<Name, Vec<Item>> = HashMap::new();
        for item in universe.items() {
            let package = universe.package(item);
            if package.install_if.is_empty() {
                continue;
            }
            for condition in package.install_if(universe.scheme) {
                for name in condition.alternatives.iter().filter_map(|c| universe.name(c.name)) {
                    let list = by_name.entry(name).or_default();
                    if list.last() != Some(&item) {
                        list.push(item);
                    }
                }
            }
        }
        Triggers(by_name)
    }

    /// The packages with a condition that speaks of `name`.
    pub(super) fn of(&self, name: Name) -> &[Item] {
        self.0.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// When a name is decided: the greatest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    requested: bool,
    is_package: bool,
    left: u32,
}

/// A stretch of the walk that is put off while another is walked.
enum Visit {
    Enter(Name),
    /// Number the name; everything it leads to was walked.
    Leave(Name),
    /// Walk what the conditions of a name's packages speak of.
    Conditions(Name),
    /// Walk the dependencies of a package, once.
    Package(Item),
}

/// The rank of every name that the requests lead to.
pub(super) struct Ranks {
    by_name: Vec<Option<Rank>>,
    /// For each name, the names of the packages that speak of it in their dependencies.
    dependents: HashMap<Name, Vec<Name>>,
}

impl Ranks {
    /// The rank of a name; `None`, the lowest, for one that the requests do not lead to.
    pub(super) fn of(&self, name: Name) -> Option<Rank> {
        self.by_name.get(name.at()).copied().flatten()
    }

    /// The names of the packages that speak of `name` in their dependencies.
    pub(super) fn dependents(&self, name: Name) -> &[Name] {
        self.dependents.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// Ranks every name that the requests lead to.
pub(super) fn ranks(search: &Search<'_>, triggers: &Triggers) -> Ranks {
    let universe = search.universe;
    let mut walk = Walk {
        universe,
        triggers,
        ranks: vec![None; universe.texts.len()],
        entered: vec![false; universe.texts.len()],
        walked: vec![false; universe.len()],
        dependents: HashMap::new(),
        requested: Vec::new(),
        left: 0,
        todo: Vec::new(),
    };
    let relations = |number| search.relations(By::Request(number));
    let targets = (0..search.requests.len()).flat_map(relations).flat_map(|r| r.alternatives);
    let mut names: Vec<&str> = targets.map(|target| target.name).collect();
    names.sort_by_key(|name| (name.to_ascii_lowercase(), name.to_owned()));
    walk.requested = names.iter().filter_map(|name| universe.name(name)).collect();
    for name in walk.requested.clone() {
        walk.todo.push(Visit::Enter(name));
        walk.run();
    }
    Ranks { by_name: walk.ranks, dependents: walk.dependents }
}

struct Walk<'a> {
    universe: &'a Universe,
    triggers: &'a Triggers,
    ranks: Vec<Option<Rank>>,
    entered: Vec<bool>,
    walked: Vec<bool>,
    dependents: HashMap<Name, Vec<Name>>,
    requested: Vec<Name>,
    left: u32,
    todo: Vec<Visit>,
}

impl Walk<'_> {
    fn run(&mut self) {
        while let Some(visit) = self.todo.pop() {
            match visit {
                Visit::Enter(name) => self.enter(name),
                Visit::Package(item) => self.walk_package(item),
                Visit::Leave(name) => self.leave(name),
                Visit::Conditions(name) => {
                    let providers = self.universe.providers(name).iter();
                    let packages = providers.map(|p| self.universe.package(p.item));
                    let conditions: Vec<Relation<'_>> =
                        packages.flat_map(|p| p.install_if(self.universe.scheme)).collect();
                    self.later(conditions.iter().flat_map(|c| &c.alternatives).map(|c| c.name));
                }
            }
        }
    }

    /// Puts names at the front of what is to be walked, in order.
    fn later<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        let known: Vec<Name> = names.filter_map(|name| self.universe.name(name)).collect();
        self.todo.extend(known.into_iter().rev().map(Visit::Enter));
    }

    fn enter(&mut self, name: Name) {
        if std::mem::replace(&mut self.entered[name.at()], true) {
            return;
        }
        self.todo.push(Visit::Conditions(name));
        self.todo.push(Visit::Leave(name));
        let (universe, triggers) = (self.universe, self.triggers);
        let providers = universe.providers(name);
        let triggered = |name| triggers.of(name).iter().flat_map(|item| universe.names_of(*item));
        let mut next: Vec<Name> = triggered(name).collect();
        for provider in providers {
            let mut names = universe.names_of(provider.item).into_iter();
            next.extend(names.next().into_iter().flat_map(triggered));
            next.extend(names);
        }
        self.todo.extend(next.into_iter().rev().map(Visit::Enter));
        self.todo.extend(providers.iter().rev().map(|p| Visit::Package(p.item)));
    }

    fn walk_package(&mut self, item: Item) {
        if std::mem::replace(&mut self.walked[item.at()], true) {
            return;
        }
        let universe = self.universe;
        let relations = universe.package(item).depends(universe.scheme).unwrap_or_default();
        let targets = || relations.iter().flat_map(|r| &r.alternatives).map(|c| c.name);
        let own = universe.names_of(item);
        for name in targets().filter_map(|name| universe.name(name)) {
            self.dependents.entry(name).or_default().extend(&own);
        }
        self.later(targets());
    }

    fn leave(&mut self, name: Name) {
        self.left += 1;
        let is_package = self.universe.providers(name).iter().any(|p| p.own_name);
        let requested = self.requested.contains(&name);
        self.ranks[name.at()] = Some(Rank { requested, is_package, left: self.left });
    }
}
