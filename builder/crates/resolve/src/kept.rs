//! Which versions a lock keeps when it is made again: only what must change does.

use std::collections::{BTreeMap, BTreeSet};

use crate::Source;
use crate::index::Offered;
use crate::lock::Stock;
use crate::lock::{LockedIndex, LockedPackage};
use wifibox_ground::digest::Sha256;

/// What a package is, whatever else an index says of it today.
type Same<'a> = (&'a str, &'a str, &'a str, Option<Sha256>);

fn same(locked: &LockedPackage) -> Same<'_> {
    let LockedPackage { repository, package } = locked;
    (repository, &package.name, &package.version, package.sha256)
}

/// Leaves of `offered` those packages of the old lock that are still there, and other versions of them only where
/// these count otherwise: a kernel of backports is no newer version of the stable one.
pub fn keep(
    source: &Source,
    old: &[LockedPackage],
    old_indexes: &[LockedIndex],
    offered: &mut Offered,
) {
    let stock = Stock { packages: old, indexes: old_indexes };
    let priorities: BTreeMap<&str, i16> = source
        .repositories
        .iter()
        .map(|known| {
            // Of a repository that the old lock did not have, the new index tells.
            let is_old = old_indexes.iter().any(|index| index.repository == known.name);
            let stock = if is_old { stock } else { offered.stock() };
            (known.name.as_str(), stock.priority(known))
        })
        .collect();
    let priority = |locked: &LockedPackage| priorities.get(locked.repository.as_str()).copied();
    let known: BTreeSet<Same<'_>> = old.iter().map(same).collect();
    let mut kept: BTreeSet<(String, Option<i16>)> = BTreeSet::new();
    for locked in offered.packages.iter().filter(|locked| known.contains(&same(locked))) {
        kept.insert((locked.package.name.clone(), priority(locked)));
    }
    offered.packages.retain(|locked| {
        known.contains(&same(locked))
            || !kept.contains(&(locked.package.name.clone(), priority(locked)))
    });
}
