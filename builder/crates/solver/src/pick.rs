//! Which provider of a name apk prefers, part of the walk of [`super::by_rank`].
//!
//! In this order: not excluded; from an allowed, then a preferred tag; the version of the name; of the
//! same package the version; provider priority; the earliest repository.

use std::cmp::Ordering;

use super::by_rank::ByRank;
use super::search::Search;
use super::universe::{Item, Name, Provider, UNTAGGED};

impl<'u> ByRank<'u> {
    /// The best provider of `name` that may be chosen now.
    pub(super) fn pick(&self, search: &Search<'u>, name: Name) -> Option<Item> {
        let required = self.required.contains(&name);
        let mut best: Option<Provider> = None;
        for provider in search.universe.providers(name) {
            let item = provider.item;
            let wanted = required || (provider.own_name && self.triggered.contains(&item));
            let may = wanted && search.is_usable(item) && search.value(item) != Some(false);
            let named = || search.universe.name(&search.universe.package(item).name);
            let alone = provider.is_unversioned()
                && search.universe.package(item).provider_priority == 0
                && !self.triggered.contains(&item)
                && !named().is_some_and(|own| self.required.contains(&own));
            if !may || alone || !self.tag_fits(search, item) {
                continue;
            }
            if best.is_none_or(|best| self.compare(search, *provider, best).is_gt()) {
                best = Some(*provider);
            }
        }
        best.map(|provider| provider.item)
    }

    fn tag_fits(&self, search: &Search<'u>, item: Item) -> bool {
        let allowed = UNTAGGED | self.allowed.get(&item).copied().unwrap_or(0);
        search.universe.tags_of(item) & allowed != 0
            || search.universe.package(item).installed_size == 0
    }

    fn is_preferred(&self, search: &Search<'u>, item: Item) -> bool {
        let tags = search.universe.tags_of(item);
        match self.preferred.get(&item) {
            Some(preferred) => tags & preferred != 0,
            None => tags & UNTAGGED != 0 || search.universe.package(item).installed_size == 0,
        }
    }

    /// Which of two providers of one name apk prefers on an empty root.
    fn compare(&self, search: &Search<'u>, a: Provider, b: Provider) -> Ordering {
        let universe = search.universe;
        let (package_a, package_b) = (universe.package(a.item), universe.package(b.item));
        let versions = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => universe.scheme.compare(a, b).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        };
        let by_tag = self.is_preferred(search, a.item).cmp(&self.is_preferred(search, b.item));
        let by_name = || versions(universe.version(a), universe.version(b));
        let by_package = || match package_a.name == package_b.name {
            true => versions(Some(&package_a.version), Some(&package_b.version)),
            false => Ordering::Equal,
        };
        by_tag
            .then_with(by_name)
            .then_with(by_package)
            .then_with(|| package_a.provider_priority.cmp(&package_b.provider_priority))
            .then_with(|| universe.repository(b.item).cmp(&universe.repository(a.item)))
    }
}
