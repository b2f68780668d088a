//! Variants of one package, as OpenWrt builds them: `wpad-basic-mbedtls` and `wpad`,
//! `dnsmasq` and `dnsmasq-full`. A guest has one of them. Where a recipe asks for one and a later part
//! of it for another, the later one is meant: the earlier request is dropped.
//!
//! Two packages are variants of each other if one says that it conflicts with the other and both
//! provide a name in common, or if one provides the other's own name (`dnsmasq-full` provides
//! `dnsmasq`): then the more special one serves whoever asks for the other.

use std::collections::{BTreeMap, BTreeSet};

use wifibox_formats::Package;
use wifibox_ground::version::Scheme;

/// The requests, out of `requests` in the order of the recipe, in whose place a later one is meant.
pub(crate) fn swapped<'p>(
    scheme: Scheme,
    requests: &[String],
    packages: impl Iterator<Item = &'p Package>,
) -> BTreeSet<String> {
    let asked: BTreeSet<&str> = requests.iter().map(String::as_str).collect();
    let mut records: BTreeMap<&str, Vec<Variant<'p>>> = BTreeMap::new();
    for package in packages.filter(|package| asked.contains(package.name.as_str())) {
        let variant = Variant::new(scheme, package);
        records.entry(variant.name).or_default().push(variant);
    }
    let mut dropped = BTreeSet::new();
    for (number, earlier) in requests.iter().enumerate() {
        let Some(first) = records.get(earlier.as_str()) else { continue };
        let later = requests.iter().skip(number + 1).filter(|later| *later != earlier);
        let mut later = later.filter_map(|later| records.get(later.as_str())).flatten();
        if later.any(|other| first.iter().any(|first| first.is_replaced_by(other))) {
            dropped.insert(earlier.clone());
        }
    }
    // What serves a more general request stays, whichever of the two came first.
    let mut served = BTreeSet::new();
    for special in records.values().flatten().filter(|one| !dropped.contains(one.name)) {
        let general = special.provides.iter().filter(|name| asked.contains(**name));
        served.extend(general.filter(|name| **name != special.name).map(|name| (*name).to_owned()));
    }
    dropped.extend(served);
    dropped
}

/// The names by which variants of a package are recognised.
struct Variant<'p> {
    name: &'p str,
    provides: BTreeSet<&'p str>,
    conflicts: BTreeSet<&'p str>,
}

impl<'p> Variant<'p> {
    fn new(scheme: Scheme, package: &'p Package) -> Self {
        let provides = package.provides(scheme).unwrap_or_default();
        let conflicts = package.conflicts(scheme).unwrap_or_default().into_iter();
        // apk has its conflicts among the dependencies, negated.
        let negated = package.depends(scheme).unwrap_or_default().into_iter();
        let negated = negated.filter(|relation| relation.negated);
        let named = conflicts.chain(negated).flat_map(|relation| relation.alternatives);
        Variant {
            name: &package.name,
            provides: provides.iter().map(|provide| provide.name).collect(),
            conflicts: named.map(|constraint| constraint.name).collect(),
        }
    }

    /// Whether `later` is meant where both are asked for.
    fn is_replaced_by(&self, later: &Variant<'_>) -> bool {
        let conflict = |one: &Variant<'_>, other: &Variant<'_>| {
            one.conflicts.contains(other.name)
                || one.conflicts.iter().any(|name| other.provides.contains(name))
        };
        let kin = self.provides.intersection(&later.provides).next().is_some()
            || self.provides.contains(later.name)
            || later.provides.contains(self.name);
        kin && (conflict(self, later) || conflict(later, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, provides: &str, conflicts: &str) -> Package {
        Package {
            name: name.into(),
            version: "1".into(),
            provides: provides.into(),
            conflicts: conflicts.into(),
            ..Package::default()
        }
    }

    fn check(packages: &[Package], requests: &[&str], expected: &[&str]) {
        let requests: Vec<String> = requests.iter().map(|name| (*name).to_owned()).collect();
        let dropped = swapped(Scheme::Opkg, &requests, packages.iter());
        assert_eq!(dropped.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_variant_that_is_asked_for_last_is_meant() {
        let packages = [
            package("wpad-basic", "hostapd, wpa-supplicant", ""),
            package("wpad", "hostapd, wpa-supplicant", "wpad-basic, wpad-mini"),
            package("iw", "", ""),
        ];
        check(&packages, &["iw", "wpad-basic", "wpad"], &["wpad-basic"]);
        check(&packages, &["wpad", "wpad-basic", "iw"], &["wpad"]);
        check(&packages, &["wpad", "iw", "wpad"], &[]);
    }

    #[test]
    fn a_package_that_provides_another_one_serves_whoever_asks_for_that() {
        let packages = [package("dnsmasq", "", ""), package("dnsmasq-full", "dnsmasq", "")];
        check(&packages, &["dnsmasq", "dnsmasq-full"], &["dnsmasq"]);
        check(&packages, &["dnsmasq-full", "dnsmasq"], &["dnsmasq"]);
    }

    #[test]
    fn what_only_shares_a_name_or_only_conflicts_stays() {
        let packages = [
            // Both offer a program by way of alternatives.
            package("ip-full", "ip", ""),
            package("ip-tiny", "ip", ""),
            package("a", "", "b"),
            package("b", "", ""),
        ];
        check(&packages, &["ip-full", "ip-tiny", "a", "b"], &[]);
    }
}
