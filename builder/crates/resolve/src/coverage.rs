//! The packages that a lock must hold: every one that some composition of its base, release and
//! architecture may choose.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use super::choice::Records;
use super::missing::{missing, split};
use super::source::Source;
use super::world::World;
use super::{Context, Error};
use crate::lock::Stock;
use crate::lock::{LockedPackage, Target};
use wifibox_ground::parallel::in_parallel;
use wifibox_recipe::Catalog;

/// The worlds that a lock serves: those of every composition of its base, release and architecture,
/// those of the kernels that other bases take from it, and the one that is asked for. One lock serves
/// them all, so that it does not depend on what is built first.
///
/// # Errors
/// [`Error::Recipe`].
pub fn worlds(catalog: &Catalog, source: &Source, jobs: NonZeroUsize) -> Result<Vec<World>, Error> {
    let Target { base, release, architecture } = &source.target;
    // A project's guests ask for a series by its name.
    let release = source.series.as_ref().unwrap_or(release);
    let compositions = catalog.spanning_compositions(base, release, architecture);
    let worlds = in_parallel(&compositions, jobs, |selection| {
        catalog.compose(selection).map(|recipe| World::of(&recipe))
    });
    let mut worlds: Vec<World> = worlds.into_iter().collect::<Result<_, _>>()?;
    worlds.extend(source.lent(catalog));
    worlds.push(source.world.clone());
    Ok(worlds)
}

/// Every package that some world chooses from `offered`, in the order of the lock. Nobody asks for
/// what is `lacking`; the rest of such a composition is locked all the same, as others need it too,
/// unless it cannot be without what is lacking.
///
/// # Errors
/// [`Error::Unsatisfiable`], naming a composition that lacks nothing and cannot be served.
pub fn union(
    worlds: &[World],
    lacking: &[String],
    source: &Source,
    offered: Stock<'_>,
    context: &Context<'_>,
) -> Result<Vec<LockedPackage>, Error> {
    let records = Records::new(source, offered);
    // What is pinned one by one is locked as a whole: two packages that serve one name would
    // otherwise hide each other where compositions are added up.
    let by_recipe = |(_, locked): &(usize, &LockedPackage)| {
        let mut repositories = source.repositories.iter();
        repositories.any(|known| known.name == locked.repository && known.is_loose())
    };
    let mut chosen: BTreeSet<usize> =
        offered.packages.iter().enumerate().filter(by_recipe).map(|(index, _)| index).collect();
    let mut choose = |world: &World| {
        context.work.check()?;
        let (universe, _, solution) = world.resolve(&records, source)?;
        let places = solution.packages.iter();
        chosen.extend(places.filter_map(|chosen| records.place(&universe, chosen.item)));
        // That they are other variants shows in their records, so those are locked too.
        chosen.extend(records.places_of(&world.swapped(&records, source)));
        Ok(())
    };
    let (whole, partial) = split(worlds, lacking);
    for sum in World::sums(whole.iter().chain(&partial).cloned()) {
        // Where a variant is meant in the place of another, that is so for some of them only.
        let together = sum.swapped(&records, source).is_empty();
        match if together { choose(&sum).map(|()| true) } else { Ok(false) } {
            Ok(true) => {}
            // What cannot be together may still be one by one; if not, the error names the one.
            Ok(false) | Err(Error::Unsatisfiable { .. }) => {
                let kind = |world: &World| (world.stand_ins.clone(), world.archive.clone());
                let summed = |world: &&World| kind(world) == kind(&sum);
                whole.iter().filter(summed).try_for_each(&mut choose)?;
                for world in partial.iter().filter(summed) {
                    match choose(world) {
                        Ok(()) | Err(Error::Unsatisfiable { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(chosen.into_iter().filter_map(|index| offered.packages.get(index).cloned()).collect())
}

/// The packages that the worlds choose, and the requests that the repositories cannot serve.
/// Requests of the composition being built must be served; other compositions are left out where
/// one is missing.
///
/// # Errors
/// [`Error::Unsatisfiable`] for the composition being built.
pub fn served(
    worlds: &[World],
    source: &Source,
    offered: Stock<'_>,
    context: &Context<'_>,
) -> Result<(Vec<LockedPackage>, Vec<String>), Error> {
    match union(worlds, &[], source, offered, context) {
        Err(Error::Unsatisfiable { .. }) => {
            source.world.resolve(&Records::new(source, offered), source)?;
            let missing = missing(worlds, source, offered, context)?;
            let used = union(worlds, &missing, source, offered, context)?;
            Ok((used, missing))
        }
        other => Ok((other?, Vec::new())),
    }
}
