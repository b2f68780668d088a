//! The order in which a package manager installs packages on a fresh root: dependencies first.

use std::collections::BTreeMap;

use crate::packages::ChosenPackage;
use wifibox_formats::dependency::{parse_provides, parse_relations};
use wifibox_resolve::scheme;

/// The places of `chosen` among `packages`, in the order of installation: those first on which others
/// depend, beginning with packages that nothing depends on, by name. Circles are cut where they are met.
pub(crate) fn of_installation(packages: &[ChosenPackage], chosen: &[usize]) -> Vec<usize> {
    let mut providers = BTreeMap::<String, Vec<usize>>::new();
    for (place, package) in at(packages, chosen) {
        providers.entry(package.name.clone()).or_default().push(place);
        let provides = parse_provides(scheme(package.format), &package.record.provides);
        for provide in provides.unwrap_or_default() {
            providers.entry(provide.name.to_owned()).or_default().push(place);
        }
    }
    let needs: BTreeMap<usize, Vec<usize>> =
        at(packages, chosen).map(|(place, package)| (place, needs(package, &providers))).collect();
    let is_needed =
        |place: &usize| needs.iter().any(|(other, needs)| other != place && needs.contains(place));
    let (inner, outer): (Vec<usize>, Vec<usize>) = chosen.iter().partition(|p| is_needed(p));
    let mut order = Vec::new();
    let mut met = Vec::new();
    for place in outer.into_iter().chain(inner) {
        visit(place, &needs, &mut met, &mut order);
    }
    order
}

fn at<'a>(
    packages: &'a [ChosenPackage],
    chosen: &'a [usize],
) -> impl Iterator<Item = (usize, &'a ChosenPackage)> {
    chosen.iter().filter_map(|place| Some((*place, packages.get(*place)?)))
}

/// The dependencies of a package, each by its first available alternative. The solver has already
/// refused any that cannot be parsed.
fn needs(package: &ChosenPackage, providers: &BTreeMap<String, Vec<usize>>) -> Vec<usize> {
    let relations = parse_relations(scheme(package.format), &package.record.depends);
    let wanted = relations.unwrap_or_default().into_iter().filter(|relation| !relation.negated);
    let first = |relation: wifibox_formats::dependency::Relation<'_>| {
        let mut alternatives = relation.alternatives.iter();
        alternatives.find_map(|alternative| providers.get(alternative.name)).cloned()
    };
    wanted.filter_map(first).flatten().collect()
}

fn visit(
    place: usize,
    needs: &BTreeMap<usize, Vec<usize>>,
    met: &mut Vec<usize>,
    order: &mut Vec<usize>,
) {
    if met.contains(&place) {
        return;
    }
    met.push(place);
    for need in needs.get(&place).into_iter().flatten() {
        visit(*need, needs, met, order);
    }
    order.push(place);
}
