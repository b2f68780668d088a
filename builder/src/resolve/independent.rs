//! Which requests have nothing to do with each other, so that they can be resolved one by one: a
//! distribution's firmware packages, for example, depend on nothing that a program needs.

use std::collections::HashMap;

use super::request::Request;
use super::universe::{Item, Name, Universe};
use crate::version::Scheme;

/// Sets of names that grow together.
struct Sets(HashMap<Name, Name>);

impl Sets {
    fn of(&mut self, name: Name) -> Name {
        let mut at = name;
        while let Some(above) = self.0.get(&at).copied() {
            at = above;
        }
        if at != name {
            self.0.insert(name, at);
        }
        at
    }

    fn unite(&mut self, a: Name, b: Name) {
        let (a, b) = (self.of(a), self.of(b));
        if a != b {
            self.0.insert(a, b);
        }
    }
}

/// Gives each request the number of its group. What is chosen for a group's requests does not depend on
/// the requests of others: no name that one can reach by dependencies, or excludes by conflicts, can
/// be reached from another. apk's requests are one group, for its packages also come in by what else is
/// there (`install_if`).
pub fn groups(universe: &Universe, requests: &[Request]) -> Vec<usize> {
    if universe.scheme() == Scheme::Apk {
        return vec![0; requests.len()];
    }
    let mut sets = Sets(HashMap::new());
    let mut seen = vec![false; universe.len()];
    let mut todo: Vec<Item> = Vec::new();
    let mut firsts: Vec<Option<Name>> = Vec::new();
    for request in requests {
        let mut first = None;
        let relation = request.relation();
        for target in relation.iter().flat_map(|relation| &relation.alternatives) {
            if let Some(name) = universe.name(target.name) {
                sets.unite(*first.get_or_insert(name), name);
                todo.extend(universe.providers(name).iter().map(|provider| provider.item));
            }
        }
        firsts.push(first);
    }
    while let Some(item) = todo.pop() {
        if std::mem::replace(&mut seen[item.at()], true) {
            continue;
        }
        let names = universe.names_of(item);
        let Some(own) = names.first().copied() else { continue };
        names.iter().for_each(|name| sets.unite(own, *name));
        let package = universe.package(item);
        for relation in package.depends(universe.scheme()).unwrap_or_default() {
            if relation.alternatives.iter().any(|target| universe.stand_in(target).is_some()) {
                continue;
            }
            for name in relation.alternatives.iter().filter_map(|t| universe.name(t.name)) {
                sets.unite(own, name);
                todo.extend(universe.providers(name).iter().map(|provider| provider.item));
            }
        }
        for relation in package.conflicts(universe.scheme()).unwrap_or_default() {
            for name in relation.alternatives.iter().filter_map(|t| universe.name(t.name)) {
                sets.unite(own, name);
            }
        }
    }
    let mut numbers: HashMap<Name, usize> = HashMap::new();
    let mut next = 0;
    firsts
        .into_iter()
        .map(|first| {
            let known = first.map(|name| sets.of(name));
            let number = known.and_then(|name| numbers.get(&name).copied()).unwrap_or(next);
            if number == next {
                next += 1;
                known.map(|name| numbers.insert(name, number));
            }
            number
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Repository, StandIn};
    use super::*;
    use crate::repo::Package;

    fn package(name: &str, depends: &str, conflicts: &str, provides: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: "1".to_owned(),
            depends: depends.to_owned(),
            conflicts: conflicts.to_owned(),
            provides: provides.to_owned(),
            ..Package::default()
        }
    }

    fn grouped(scheme: Scheme, texts: &[&str]) -> Vec<usize> {
        let packages: Arc<[Package]> = Arc::new([
            package("shell", "libc", "", ""),
            package("editor", "libc | other-libc, asked", "", ""),
            package("libc", "", "", ""),
            package("firmware-a", "asked", "firmware-old (<< 1)", ""),
            package("firmware-b", "", "", ""),
            package("firmware-c", "", "rival", ""),
            package("firmware-d", "", "", "rival"),
        ]);
        let repository = Repository { tag: None, packages };
        let stand_ins = vec![StandIn { name: "asked".to_owned(), version: None }];
        let universe = Universe::new(scheme, None, vec![repository], stand_ins).expect("made");
        let requests: Vec<Request> =
            texts.iter().map(|text| Request::parse(scheme, text).expect("a request")).collect();
        groups(&universe, &requests)
    }

    #[test]
    fn what_shares_a_dependency_or_a_conflict_is_one_group() {
        let texts =
            ["shell", "firmware-a", "editor", "firmware-c", "nothing", "firmware-d", "firmware-b"];
        assert_eq!(grouped(Scheme::Dpkg, &texts), [0, 1, 0, 2, 3, 2, 4]);
        assert_eq!(grouped(Scheme::Dpkg, &["firmware-b", "shell | firmware-b", "libc"]), [0, 0, 0]);
        assert_eq!(grouped(Scheme::Apk, &["shell", "firmware-b"]), [0, 0]);
    }
}
