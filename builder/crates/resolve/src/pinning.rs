//! The SHA-256 of packages whose index knows them by a hash of another kind (apk).

use std::collections::BTreeSet;

use super::choice::Records;
use super::locked::Locked;
use super::source::Source;
use super::{Context, Error, index};
use crate::lock::{Lock, LockedPackage};

/// Pins what is about to be used and has no SHA-256 yet: the index of such a package vouches for it
/// by a hash of another kind, so it is fetched and checked. Others are pinned when they are used
/// first: to know all hashes now, all firmware of all chipsets would have to be fetched. Says whether
/// there was anything to pin.
///
/// # Errors
/// [`Error`]: a package cannot be had, or is not the one of the index.
pub fn pin(source: &Source, lock: &mut Lock, context: &Context<'_>) -> Result<bool, Error> {
    if lock.packages.iter().all(|locked| locked.package.sha256.is_some()) {
        return Ok(false);
    }
    let records = Records::new(source, lock.stock());
    let (universe, _, solution) = source.world.resolve(&records, source)?;
    let chosen = solution.packages.iter();
    let chosen: BTreeSet<usize> =
        chosen.filter_map(|chosen| records.place(&universe, chosen.item)).collect();
    let unknown: Vec<&mut LockedPackage> = lock
        .packages
        .iter_mut()
        .enumerate()
        .filter(|(place, locked)| chosen.contains(place) && locked.package.sha256.is_none())
        .map(|(_, locked)| locked)
        .collect();
    let any = !unknown.is_empty();
    let store = context.access.store()?;
    index::complete(source, unknown, context, &context.access.fetcher(&store, &context.work))?;
    Ok(any)
}

/// Pins every package of the locks.
///
/// # Errors
/// [`Error`]: a package cannot be had, or is not the one of the index.
pub fn pin_all(locks: &mut [Locked], context: &Context<'_>) -> Result<(), Error> {
    let store = context.access.store()?;
    for Locked { source, lock, .. } in locks {
        let all = lock.packages.iter_mut().collect();
        index::complete(source, all, context, &context.access.fetcher(&store, &context.work))?;
    }
    Ok(())
}
