//! The order in which a package manager installs packages on a fresh root: dependencies first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::packages::{ChosenPackage, Control};
use wifibox_formats::dependency::{parse_provides, parse_relations};
use wifibox_formats::{Package, Priority};
use wifibox_recipe::Format;
use wifibox_resolve::scheme;

/// The places of `chosen` among `packages`, in the order of installation: those first on which others
/// depend. Of Debian's packages, apt begins with those that score most, then by name; elsewhere those are first that
/// nothing depends on, by name. Circles are cut where they are met.
pub(crate) fn of_installation(
    packages: &[ChosenPackage],
    controls: &[Control],
    chosen: &[usize],
) -> Vec<usize> {
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
    let mut begin = chosen.to_vec();
    begin.sort_by_cached_key(|place| match (packages.get(*place), controls.get(*place)) {
        (Some(package), Some(control)) if package.format == Format::Dpkg => {
            (Reverse(score(&package.record, control.pre_depends)), package.name.clone())
        }
        _ => (Reverse(u32::from(!is_needed(place))), String::new()),
    });
    let mut order = Vec::new();
    let mut met = Vec::new();
    for place in begin {
        visit(place, &needs, &mut met, &mut order);
    }
    order
}

/// apt's score of a package to be installed (apt-pkg/orderlist.cc, `pkgOrderList::Score`).
fn score(record: &Package, pre_depends: bool) -> u32 {
    let essential = if record.essential { 200 } else { 0 };
    let pre_depends = if pre_depends { 50 } else { 0 };
    let priority = match record.priority {
        Priority::None | Priority::Extra => 0,
        Priority::Optional => 1,
        Priority::Standard => 3,
        Priority::Important => 4,
        Priority::Required => 5,
    };
    essential + pre_depends + priority
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_takes_the_essential_first_then_pre_dependencies_then_priorities() {
        let with = |priority: Priority, essential: bool, pre_depends: bool| {
            score(&Package { priority, essential, ..Package::default() }, pre_depends)
        };
        let scores = [
            with(Priority::Required, true, true),
            with(Priority::Required, true, false),
            // hostapd before dhcpcd-base, and both before avahi-daemon, says `apt-get --simulate install`.
            with(Priority::Optional, false, true),
            with(Priority::Important, false, false),
            with(Priority::Standard, false, false),
            with(Priority::Optional, false, false),
            with(Priority::Extra, false, false),
        ];
        assert_eq!(scores, [255, 205, 51, 4, 3, 1, 0]);
    }
}
