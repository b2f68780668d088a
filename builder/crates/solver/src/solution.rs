//! The answer: which packages, and why each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::reached::fitting;
use super::search::{By, Search};
use super::universe::{Item, Provider, Universe};

/// Why a package was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The request with this number names it or something that it provides.
    Request(usize),
    /// A chosen package depends on it.
    Dependency {
        /// The package that depends on it.
        of: Item,
        /// The dependency, as that package words it.
        relation: String,
    },
    /// Its own conditions (apk's `install_if`) are met.
    Conditions(String),
}

/// A chosen package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The package; [`Universe::package`] has its record.
    pub item: Item,
    /// The shortest way to it from a request.
    pub because: Because,
}

/// A stand-in that satisfied something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandInUse {
    /// The name that the builder stands in for.
    pub name: String,
    /// The packages that depend on it (or the requests that name it), sorted.
    pub by: Vec<String>,
}

/// A set of packages that satisfies all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The packages, sorted by name.
    pub packages: Vec<Chosen>,
    /// The stand-ins that were needed, sorted by name.
    pub stand_ins: Vec<StandInUse>,
}

impl Solution {
    pub(super) fn new(search: &Search<'_>, chosen: &[Item]) -> Solution {
        let mut because = reasons(search, chosen);
        let mut packages: Vec<Chosen> = chosen
            .iter()
            .map(|item| Chosen {
                item: *item,
                because: because.remove(item).unwrap_or_else(|| by_conditions(search, *item)),
            })
            .collect();
        let record = |chosen: &Chosen| search.universe.package(chosen.item);
        packages.sort_by(|a, b| {
            let (a, b) = (record(a), record(b));
            (&a.name, &a.version).cmp(&(&b.name, &b.version))
        });
        Solution { packages, stand_ins: stand_ins(search, chosen) }
    }

    /// The chosen package of this name.
    pub fn find(&self, universe: &Universe, name: &str) -> Option<&Chosen> {
        self.packages.iter().find(|chosen| universe.package(chosen.item).name == name)
    }

    /// Why the package of this name is there: from the package back to the request that leads to it;
    /// empty when the package was not chosen.
    pub fn why(&self, universe: &Universe, name: &str) -> Vec<&Chosen> {
        let mut chain: Vec<&Chosen> = self.find(universe, name).into_iter().collect();
        while let Some(Because::Dependency { of, .. }) = chain.last().map(|last| &last.because) {
            let next = self.packages.iter().find(|chosen| chosen.item == *of);
            match next.filter(|next| !chain.contains(next)) {
                Some(next) => chain.push(next),
                None => break,
            }
        }
        chain
    }
}

fn by_conditions(search: &Search<'_>, item: Item) -> Because {
    Because::Conditions(search.universe.package(item).install_if.clone())
}

/// The shortest way from a request to each package, first through dependencies, then from packages
/// that their conditions brought in.
fn reasons(search: &Search<'_>, chosen: &[Item]) -> HashMap<Item, Because> {
    let chosen: BTreeSet<Item> = chosen.iter().copied().collect();
    let mut because: HashMap<Item, Because> = HashMap::new();
    let mut todo: VecDeque<By> = (0..search.requests.len()).map(By::Request).collect();
    loop {
        while let Some(by) = todo.pop_front() {
            for need in search.needs(by) {
                if search.stand_in(&need.relation).is_some() {
                    continue;
                }
                for provider in fitting(search, &need.relation) {
                    let item = provider.item;
                    if !chosen.contains(&item) || because.contains_key(&item) {
                        continue;
                    }
                    let reason = match by {
                        By::Request(number) => Because::Request(number),
                        By::Item(of) => {
                            Because::Dependency { of, relation: need.relation.to_string() }
                        }
                    };
                    because.insert(item, reason);
                    todo.push_back(By::Item(item));
                }
            }
        }
        let met = |item: &&Item| {
            let conditions = search.universe.package(**item).install_if(search.universe.scheme);
            let there = |p: &Provider| because.contains_key(&p.item);
            let mut present = conditions.iter().filter(|condition| !condition.negated);
            !conditions.is_empty() && present.all(|c| fitting(search, c).any(|p| there(&p)))
        };
        let rest: Vec<&Item> = chosen.iter().filter(|item| !because.contains_key(item)).collect();
        let Some(item) = rest.iter().copied().find(met).or(rest.first().copied()) else {
            return because;
        };
        because.insert(*item, by_conditions(search, *item));
        todo.push_back(By::Item(*item));
    }
}

/// Which stand-ins satisfied a need of a chosen package or a request.
fn stand_ins(search: &Search<'_>, chosen: &[Item]) -> Vec<StandInUse> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let requests = (0..search.requests.len()).map(By::Request);
    for by in requests.chain(chosen.iter().copied().map(By::Item)) {
        for need in search.needs(by) {
            if let Some(at) = search.stand_in(&need.relation) {
                let user = match by {
                    By::Request(number) => search.requests[number].to_string(),
                    By::Item(item) => search.universe.package(item).name.clone(),
                };
                uses.entry(search.universe.stand_ins[at].name.clone()).or_default().insert(user);
            }
        }
    }
    uses.into_iter().map(|(name, by)| StandInUse { name, by: by.into_iter().collect() }).collect()
}
