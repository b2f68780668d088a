//! The contents of packages, unpacked once: several at a time into the cache, and read from there.

use std::sync::{Mutex, PoisonError};

use super::archive;
use super::{ChosenPackage, Error};
use crate::Context;
use crate::unpacked::{Pack, Unpacked};
use wifibox_ground::content::ReadBack;
use wifibox_ground::entry::Entry;
use wifibox_ground::parallel::in_parallel;

/// Unpacks into the cache what is not there yet, several packages at a time.
pub(crate) fn unpack_ahead(packages: &[ChosenPackage], context: &Context<'_>) -> Result<(), Error> {
    let Some(cache) = context.kept.unpacked() else { return Ok(()) };
    let missing =
        |package: &&ChosenPackage| package.file.is_here() && !cache.has(&package.file.sha256);
    let unknown: Vec<&ChosenPackage> = packages.iter().filter(missing).collect();
    let total = unknown.iter().map(|package| package.file.size).sum();
    let task = Mutex::new(context.work.progress.begin("unpacking packages", Some(total)));
    in_parallel(&unknown, context.work.jobs, |package| {
        context.work.check()?;
        // A package that is damaged, and a disk that is full, are met again below.
        let _ = unpack_into(package, context, cache);
        task.lock().unwrap_or_else(PoisonError::into_inner).advance(package.file.size);
        Ok::<(), Error>(())
    })
    .into_iter()
    .collect()
}

fn unpack_into(
    package: &ChosenPackage,
    context: &Context<'_>,
    cache: &Unpacked,
) -> Result<Pack, Error> {
    let what = || format!("package {}", package.name);
    let failed = |source| ReadBack { what: what(), source };
    let mut pack = cache.begin(&package.file.sha256).map_err(failed)?;
    archive::read_data(package, context, &mut |entry| {
        Ok::<_, Error>(pack.add(entry).map_err(failed)?)
    })?;
    Ok(pack.finish().map_err(failed)?)
}

/// Reads the content of a package from begin to end: as it was unpacked before, or from its file.
///
/// # Errors
/// [`Error`]: the package is damaged, or `take` failed.
pub(crate) fn read_data<E: From<Error>>(
    package: &ChosenPackage,
    context: &Context<'_>,
    take: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let cache = context.kept.unpacked();
    match cache.and_then(|cache| {
        cache.get(&package.file.sha256).or_else(|| {
            if !package.file.is_here() {
                // Gone since it was looked for. The next attempt finds that it is not there.
                cache.note_damage();
            }
            unpack_into(package, context, cache).ok()
        })
    }) {
        Some(pack) => pack.replay(take),
        None => archive::read_data(package, context, take),
    }
}
