//! What a lock has to hold: everything that some composition of its base, release and architecture
//! may choose.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use super::source::Source;
use super::world::{Records, World};
use super::{Environment, Error};
use crate::lock::{LockedPackage, Target};
use crate::parallel::in_parallel;
use crate::recipe::Catalog;

/// The worlds that a lock serves: those of every composition of its base, release and architecture,
/// those of the kernels that other bases take from it, and the one that is asked for. One lock serves
/// them all, so that it does not depend on what is built first.
///
/// # Errors
/// [`Error::Recipe`].
pub fn worlds(catalog: &Catalog, source: &Source, jobs: NonZeroUsize) -> Result<Vec<World>, Error> {
    let Target { base, release, architecture } = &source.target;
    let compositions = catalog.spanning_compositions(base, release, architecture);
    let worlds = in_parallel(&compositions, jobs, |selection| {
        catalog.compose(selection).map(|recipe| World::of(&recipe))
    });
    let mut worlds: Vec<World> = worlds.into_iter().collect::<Result<_, _>>()?;
    worlds.extend(source.lent(catalog));
    worlds.push(source.world.clone());
    Ok(worlds)
}

/// Every package that some world chooses from `offered`, in the order of the lock.
///
/// # Errors
/// [`Error::Unsatisfiable`], naming a composition that cannot be served.
pub fn union(
    worlds: &[World],
    source: &Source,
    offered: &[LockedPackage],
    environment: &Environment<'_>,
) -> Result<Vec<LockedPackage>, Error> {
    let records = Records::new(source, offered);
    // What the recipe pins one by one is locked as a whole: two packages that serve one name would
    // otherwise hide each other where compositions are added up.
    let by_recipe = |(_, locked): &(usize, &LockedPackage)| {
        let mut repositories = source.repositories.iter();
        repositories.any(|known| known.name == locked.repository && !known.packages.is_empty())
    };
    let mut chosen: BTreeSet<usize> =
        offered.iter().enumerate().filter(by_recipe).map(|(index, _)| index).collect();
    let mut choose = |world: &World| {
        environment.check_cancelled()?;
        let (universe, _, solution) = world.resolve(&records, source)?;
        let places = solution.packages.iter();
        chosen.extend(places.filter_map(|chosen| records.place(&universe, chosen.item)));
        // That they are other variants shows in their records, so those are locked too.
        chosen.extend(records.places_of(&world.swapped(&records, source)));
        Ok(())
    };
    for sum in World::sums(worlds.iter().cloned()) {
        // Where a variant is meant in the place of another, that is so for some of them only.
        let together = sum.swapped(&records, source).is_empty();
        match if together { choose(&sum).map(|()| true) } else { Ok(false) } {
            Ok(true) => {}
            // What cannot be together may still be one by one; if not, the error names the one.
            Ok(false) | Err(Error::Unsatisfiable { .. }) => {
                let summed = worlds.iter().filter(|world| world.stand_ins == sum.stand_ins);
                summed.collect::<BTreeSet<_>>().into_iter().try_for_each(&mut choose)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(chosen.into_iter().filter_map(|index| offered.get(index).cloned()).collect())
}

/// `worlds` without what is `missing`: the rest of a composition is locked all the same, as others
/// need it too.
pub fn without(worlds: &[World], missing: &[String]) -> Vec<World> {
    let mut worlds = worlds.to_vec();
    for world in &mut worlds {
        let World { requests, in_order, .. } = world.clone();
        let there = |request: &String| !world.lacks(missing, request);
        let (requests, in_order) = [requests, in_order]
            .map(|list| list.into_iter().filter(there).collect::<Vec<_>>())
            .into();
        *world = World { requests, in_order, ..world.clone() };
    }
    worlds
}

/// What `worlds` ask for that `offered` cannot serve even by itself: a mirror may hold a part of a
/// distribution only. What can be served with some kernels is said of the others. The world that is
/// asked for now was served, so nothing of it is missing.
///
/// A request that needs a choice between packages, which others of its world make, is tried with them.
fn missing(worlds: &[World], source: &Source, offered: &[LockedPackage]) -> Vec<String> {
    let records = Records::new(source, offered);
    let serves = |world: &World, requests: Vec<String>| {
        let asked = World { in_order: requests.clone(), requests, ..world.clone() };
        asked.resolve(&records, source).is_ok()
    };
    let mut asked: BTreeMap<&str, BTreeMap<&[_], bool>> = BTreeMap::new();
    for request in &source.world.requests {
        asked.entry(request).or_default().insert(&source.world.stand_ins, true);
    }
    for world in worlds {
        for request in &world.requests {
            let of_kind = asked.entry(request).or_default();
            of_kind.entry(&world.stand_ins).or_insert_with(|| serves(world, vec![request.clone()]));
        }
    }
    let mut tried: BTreeSet<(&str, &[_])> = BTreeSet::new();
    for world in worlds {
        let by_itself = |request: &&String| {
            let kinds = asked.get(request.as_str());
            kinds.and_then(|kinds| kinds.get(&*world.stand_ins)) == Some(&true)
        };
        let (there, others): (Vec<&String>, Vec<&String>) =
            world.requests.iter().partition(by_itself);
        for request in others {
            if tried.insert((request, &world.stand_ins)) {
                let together = there.iter().copied().chain([request]).cloned().collect();
                if serves(world, together)
                    && let Some(kinds) = asked.get_mut(request.as_str())
                {
                    kinds.insert(&world.stand_ins, true);
                }
            }
        }
    }
    let mut missing = Vec::new();
    for (request, served) in asked {
        if served.values().all(|served| !served) {
            missing.push(request.to_owned());
        } else if served.values().any(|served| !served) {
            let lacking = |world: &&World| served.get(&*world.stand_ins) == Some(&false);
            missing.extend(worlds.iter().filter(lacking).map(|world| world.lacking(request)));
        }
    }
    missing
}

/// What the worlds choose, and what those ask for that the repositories do not have. What is asked
/// for now must be there; other compositions are left out where something is missing.
///
/// # Errors
/// [`Error::Unsatisfiable`] for what is asked for now.
pub fn served(
    worlds: &[World],
    source: &Source,
    offered: &[LockedPackage],
    environment: &Environment<'_>,
) -> Result<(Vec<LockedPackage>, Vec<String>), Error> {
    match union(worlds, source, offered, environment) {
        Err(Error::Unsatisfiable { .. }) => {
            source.world.resolve(&Records::new(source, offered), source)?;
            let missing = missing(worlds, source, offered);
            let used = union(&without(worlds, &missing), source, offered, environment)?;
            Ok((used, missing))
        }
        other => Ok((other?, Vec::new())),
    }
}
