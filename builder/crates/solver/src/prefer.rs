//! The order in which apt and opkg try the candidates for a dependency.
//!
//! apt (`CompareProviders` and the or-group logic of its `depcache`): only the newest version of a
//! package in the archives of the highest priority is a candidate at all, others come last here; then the
//! first alternative; the package of that name; essential, important, `Priority`; at last the name that the
//! indexes mention last.
//! opkg (`pkg_hash_fetch_best_installation_candidate`): the first alternative; then a package of the
//! name or requested by name, both counting alike; then the greatest name, version, architecture. But
//! what is requested and only provided goes to the most specific architecture, then the least name.

use std::cmp::{Ordering, Reverse};

use super::policy::Preference;
use super::request::Request;
use super::search::{By, Candidate, Need, Search};
use super::universe::{Item, Universe};
use wifibox_formats::{Package, Relation};

/// Sorts the `candidates` for `need`, best first. Only the depth-first policies come here.
pub(super) fn sort(search: &Search<'_>, need: &Need<'_>, candidates: &mut [Candidate]) {
    let universe = search.universe;
    match universe.policy.preference {
        Preference::Opkg if matches!(need.by, By::Request(_)) => {
            candidates.sort_by(|a, b| opkg_request(universe, a, b));
        }
        Preference::Opkg => {
            let key = |c: &Candidate| opkg_score(search, &need.relation, c);
            candidates.sort_by(|a, b| {
                let by_score = key(b).cmp(&key(a));
                a.alternative.cmp(&b.alternative).then(by_score).then_with(|| opkg(universe, b, a))
            });
        }
        Preference::Apt | Preference::Apk => {
            candidates.sort_by(|a, b| apt(universe, a, b));
            candidates.sort_by_cached_key(|c| Reverse(is_candidate(universe, c.provider.item)));
        }
    }
}

/// Whether no version of the package of a higher priority, and no newer one of the same, could be chosen instead.
fn is_candidate(universe: &Universe, item: Item) -> bool {
    let package = universe.package(item);
    let Some(name) = universe.name(&package.name) else { return true };
    let own = universe.providers(name).iter().filter(|p| p.own_name && p.item != item);
    own.filter(|p| universe.unusable(p.item).is_none()).all(|other| {
        let other_version = &universe.package(other.item).version;
        let by_priority = universe.priority(other.item).cmp(&universe.priority(item));
        if by_priority.is_ne() {
            return by_priority.is_lt();
        }
        match universe.scheme.compare(other_version, &package.version) {
            Some(Ordering::Greater) => false,
            Some(Ordering::Equal) | None => item < other.item,
            Some(Ordering::Less) => true,
        }
    })
}

fn apt(universe: &Universe, a: &Candidate, b: &Candidate) -> Ordering {
    let key = |c: &Candidate| {
        let package = universe.package(c.provider.item);
        let order = (package.mention, universe.repository(c.provider.item));
        let real = c.provider.own_name;
        (
            c.alternative,
            !real,
            !package.essential,
            !package.important,
            package.priority,
            Reverse(order),
        )
    };
    key(a).cmp(&key(b)).then_with(|| {
        let (a, b) = (universe.package(a.provider.item), universe.package(b.provider.item));
        let by_version = universe.scheme.compare(&b.version, &a.version);
        b.name.cmp(&a.name).then(by_version.unwrap_or(Ordering::Equal))
    })
}

fn opkg_score(search: &Search<'_>, relation: &Relation<'_>, candidate: &Candidate) -> usize {
    let name = search.universe.package(candidate.provider.item).name.as_str();
    let target = relation.alternatives.get(candidate.alternative);
    let is_target = target.is_some_and(|target| target.name == name);
    usize::from(is_target) + usize::from(is_requested(search.requests, name))
}

fn is_requested(requests: &[Request], name: &str) -> bool {
    let targets = requests.iter().filter_map(Request::relation);
    targets.flat_map(|relation| relation.alternatives).any(|target| target.name == name)
}

/// The order among what answers a request itself.
fn opkg_request(universe: &Universe, a: &Candidate, b: &Candidate) -> Ordering {
    let (own, item) = (b.provider.own_name.cmp(&a.provider.own_name), a.provider.item);
    let by_alternative = a.alternative.cmp(&b.alternative).then(own);
    if a.provider.own_name && b.provider.own_name {
        return by_alternative.then_with(|| opkg(universe, b, a));
    }
    let (package_a, package_b) = (universe.package(item), universe.package(b.provider.item));
    let by_architecture = is_specific(package_b).cmp(&is_specific(package_a));
    let by_version = universe.scheme.compare(&package_a.version, &package_b.version);
    let by_name = package_a.name.cmp(&package_b.name).then(by_version.unwrap_or(Ordering::Equal));
    by_alternative.then(by_architecture).then(by_name).then(item.cmp(&b.provider.item))
}

/// Whether the package is for one architecture only.
fn is_specific(package: &Package) -> bool {
    !matches!(package.architecture.as_str(), "all" | "noarch" | "")
}

fn opkg(universe: &Universe, a: &Candidate, b: &Candidate) -> Ordering {
    let (a, b) = (a.provider.item, b.provider.item);
    let (package_a, package_b) = (universe.package(a), universe.package(b));
    let by_version = universe.scheme.compare(&package_a.version, &package_b.version);
    let specific = |architecture: &str| !matches!(architecture, "all" | "noarch" | "");
    let by_architecture = specific(&package_a.architecture).cmp(&specific(&package_b.architecture));
    let by_name = package_a.name.cmp(&package_b.name);
    by_name.then(by_version.unwrap_or(Ordering::Equal)).then(by_architecture).then(b.cmp(&a))
}
