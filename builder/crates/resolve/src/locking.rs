//! The lock's life: made by the first build, checked by each, changed only when the recipes ask for
//! more than it holds or the user asks for newer packages.

use std::path::{Path, PathBuf};

use super::choice::Records;
use super::coverage::{served, union, worlds};
use super::index::Before;
use super::kept::keep;
use super::locked::{LockChange, Locked};
use super::pinning::pin;
use super::source::Source;
use super::world::World;
use super::{Context, Error, LockChoice, LockMode, index, points, rollback};
use crate::lock::{Lock, LockedPackage, Target};
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Stage;
use wifibox_recipe::{Catalog, LoosePackage, Recipe, Selection};

/// The files that the recipe pins and `locked` does not hold as they are pinned.
fn unlocked_pins(source: &Source, locked: &[LockedPackage]) -> Vec<String> {
    let holds = |pinned: &LoosePackage| {
        locked.iter().any(|LockedPackage { package, .. }| {
            package.path == pinned.file && package.sha256 == Some(pinned.sha256)
        })
    };
    let pinned = source.repositories.iter().flat_map(|repository| &repository.packages);
    pinned.filter(|pinned| !holds(pinned)).map(|pinned| pinned.file.clone()).collect()
}

/// The locks of the base, release and architecture of `target`, whose other parts do not matter: as they
/// must be for the recipes, or of the newest packages.
///
/// # Errors
/// As [`ensure`]; [`Error::Recipe`] if there is no such base.
pub fn lock(
    catalog: &Catalog,
    target: &Selection,
    upgrade: bool,
    context: &Context<'_>,
) -> Result<Vec<Locked>, Error> {
    match upgrade {
        true => upgrade_lock(catalog, target, context),
        false => ensure(catalog, &any_recipe(catalog, target)?, context),
    }
}

/// A recipe of this base, release and architecture. Any flavor will do: the lock holds the packages of all.
fn any_recipe(catalog: &Catalog, target: &Selection) -> Result<Recipe, Error> {
    let flavor = catalog.list().flavors.first().map(|flavor| flavor.name.clone());
    let target = Selection { flavor: flavor.unwrap_or_default(), ..target.clone() };
    Ok(catalog.compose(&target)?)
}

/// The same of the newest point release of its series.
fn newest_recipe(
    catalog: &Catalog,
    target: &Selection,
    context: &Context<'_>,
) -> Result<Recipe, Error> {
    let compose = |selection: &Selection| any_recipe(catalog, selection);
    any_recipe(catalog, &points::newest(catalog, target, compose, context)?)
}

/// The lock as it is, of whichever point release where it is that of a series.
fn of_series(source: &Source, path: &Path) -> Result<Option<Lock>, Error> {
    let mut target = source.target.clone();
    if let (Some(series), Some(found)) = (&source.series, Target::of_lock(path))
        && points::is_of(series, &found.release)
    {
        target.release = found.release;
    }
    Ok(Lock::read(path, &target)?)
}

/// The locks of a base, release and architecture as they are, each with what it would be of the newest packages.
/// No file is written.
///
/// # Errors
/// [`Error::NoLock`], and as [`lock`].
pub fn upgraded(
    catalog: &Catalog,
    target: &Selection,
    context: &Context<'_>,
) -> Result<Vec<(Lock, Locked)>, Error> {
    let look = LockChoice { mode: LockMode::Look, ..context.lock.clone() };
    let context = &Context { lock: &look, ..*context };
    let mut before = Vec::new();
    let recipe = newest_recipe(catalog, target, context)?;
    let after = each_source(catalog, &recipe, context, |source, path| {
        let old = of_series(&source, &path)?;
        before.push(old.clone().ok_or_else(|| Error::NoLock { path: path.clone() })?);
        upgrade_one(catalog, source, old, path, context)
    })?;
    Ok(before.into_iter().zip(after).collect())
}

/// The locks that a build uses, its base's first: the files', if they cover all compositions and
/// hold nothing else.
///
/// # Errors
/// [`Error::NoLock`], [`Error::LockOutdated`] with [`LockMode::Locked`]; whatever making one meets.
pub fn ensure(
    catalog: &Catalog,
    recipe: &Recipe,
    context: &Context<'_>,
) -> Result<Vec<Locked>, Error> {
    each_source(catalog, recipe, context, |source, path| {
        let old = Lock::read(&path, &source.target)?;
        let known = old.as_ref().map(|old| known_whole(catalog, &source, old, context));
        let mut locked = match (old, known) {
            (Some(lock), Some(known)) if context.memo.knows(&known) => {
                Locked { source, lock, path, change: LockChange::default() }
            }
            (old, known) => {
                let what = format!("the lock of {}", source.target);
                context.work.progress.stage(&Stage::new("Checking", &what));
                let asked = worlds(catalog, &source, context.work.jobs)?;
                let locked = ensure_one(&asked, source, old, path, context)?;
                if let (Some(known), true) = (known, locked.change.is_empty()) {
                    context.memo.note(&known);
                }
                locked
            }
        };
        if pin(&locked.source, &mut locked.lock, context)? {
            save(&locked.lock, &locked.path, context)?;
        }
        Ok(locked)
    })
}

/// The key under which it is remembered that a lock holds exactly what the recipes ask for.
fn known_whole(catalog: &Catalog, source: &Source, lock: &Lock, context: &Context<'_>) -> Sha256 {
    let (tool, recipes) = (&context.tool, catalog.fingerprint());
    Sha256::of(format!("whole lock\n{tool}\n{recipes}\n{source:?}\n{lock:?}").as_bytes())
}

fn each_source(
    catalog: &Catalog,
    recipe: &Recipe,
    context: &Context<'_>,
    mut work: impl FnMut(Source, PathBuf) -> Result<Locked, Error>,
) -> Result<Vec<Locked>, Error> {
    let sources = Source::all(recipe);
    let Some(own) = sources.first().cloned() else { return Ok(Vec::new()) };
    if let Some(line) = own.past_end(context.access.now) {
        context.work.progress.warn(&line);
    }
    let locks = sources.into_iter().map(|source| {
        let path = source.lock_path(&own, context.lock);
        work(source, path).map_err(|error| match error {
            Error::Unreachable { base, repository, source, .. } => {
                let all = catalog.list().bases.into_iter().map(|base| base.name);
                let others = all.filter(|name| *name != base).collect();
                Error::Unreachable { base, repository, others, source }
            }
            error => error,
        })
    });
    locks.collect()
}

fn ensure_one(
    worlds: &[World],
    source: Source,
    old: Option<Lock>,
    path: PathBuf,
    context: &Context<'_>,
) -> Result<Locked, Error> {
    let locked_only = context.lock.mode == LockMode::Locked;
    let Some(old) = old else {
        return if locked_only {
            Err(Error::NoLock { path })
        } else {
            renew(worlds, source, None, false, path, context)
        };
    };
    let pins = unlocked_pins(&source, &old.packages);
    if !pins.is_empty() {
        let changes = pins.iter().map(|file| format!("  + {file}")).collect::<Vec<_>>().join("\n");
        return if locked_only {
            Err(Error::LockOutdated { path, changes })
        } else {
            renew(worlds, source, Some(old), false, path, context)
        };
    }
    // What the recipes choose from the lock alone must be all of it.
    match union(worlds, &old.missing, &source, old.stock(), context) {
        _ if source.world.requests.iter().any(|name| source.world.lacks(&old.missing, name)) => {
            match (locked_only, source.world.resolve(&Records::new(&source, old.stock()), &source))
            {
                (true, Err(Error::Unsatisfiable { composition, source })) => {
                    let changes = format!("  {composition}: {source}");
                    Err(Error::LockOutdated { path, changes })
                }
                _ => renew(worlds, source, Some(old), false, path, context),
            }
        }
        Ok(used) if used.len() == old.packages.len() => {
            Ok(Locked { source, lock: old, path, change: LockChange::default() })
        }
        Ok(used) => {
            let change = LockChange::between(&old.packages, &used);
            if locked_only {
                return Err(Error::LockOutdated { path, changes: change.lines().join("\n") });
            }
            let lock = Lock::new(old.target, old.indexes, used).without(old.missing);
            save(&lock, &path, context)?;
            Ok(Locked { source, lock, path, change })
        }
        Err(Error::Unsatisfiable { composition, source }) if locked_only => {
            let changes = format!("  {composition}: {source}");
            Err(Error::LockOutdated { path, changes })
        }
        Err(Error::Unsatisfiable { .. }) => renew(worlds, source, Some(old), false, path, context),
        Err(error) => Err(error),
    }
}

/// Writes a lock, where the lock file may change.
fn save(lock: &Lock, path: &Path, context: &Context<'_>) -> Result<(), Error> {
    if context.lock.mode == LockMode::Update {
        lock.write(path)?;
    }
    Ok(())
}

/// Makes the lock from what the repositories offer now. Packages of `old` keep their version, as
/// long as it is still offered, unless `upgrade`.
fn renew(
    worlds: &[World],
    source: Source,
    old: Option<Lock>,
    upgrade: bool,
    path: PathBuf,
    context: &Context<'_>,
) -> Result<Locked, Error> {
    context.work.progress.stage(&Stage::new("Locking", &source.target.to_string()));
    let store = context.access.store()?;
    let fetcher = context.access.fetcher(&store, &context.work);
    let point = old.as_ref().and_then(Lock::point).map(str::to_owned);
    let (old_packages, old_indexes) =
        old.map(|old| (old.packages, old.indexes)).unwrap_or_default();
    let before = Before { indexes: &old_indexes, packages: &old_packages, upgrade };
    let mut offered = index::load(&source, &before, context, &fetcher)?;
    if !context.lock.rollback {
        rollback::check(&path, &old_indexes, &offered.indexes)?;
        rollback::check_pinned(&path, &source, &old_packages, &offered.packages)?;
    }
    index::remember_hashes(&mut offered.packages, &old_packages);
    if !upgrade {
        keep(&source, &old_packages, &old_indexes, &mut offered);
    }
    let (used, missing) = served(worlds, &source, offered.stock(), context)?;
    let mut lock = Lock::new(source.target.clone(), offered.indexes, used).without(missing);
    if context.lock.mode != LockMode::Look {
        // A package that is not the index's must not leave a lock behind.
        pin(&source, &mut lock, context)?;
    }
    let change = LockChange::between(&old_packages, &lock.packages);
    let change = change.of_release(point.as_deref(), lock.point()).pinning(offered.pins);
    save(&lock, &path, context)?;
    Ok(Locked { source, lock, path, change })
}

/// Takes the newest packages that the repositories offer into the locks.
///
/// # Errors
/// [`Error`]; the lock file of that source is then as it was.
fn upgrade_lock(
    catalog: &Catalog,
    target: &Selection,
    context: &Context<'_>,
) -> Result<Vec<Locked>, Error> {
    let recipe = newest_recipe(catalog, target, context)?;
    each_source(catalog, &recipe, context, |source, path| {
        let old = of_series(&source, &path)?;
        upgrade_one(catalog, source, old, path, context)
    })
}

fn upgrade_one(
    catalog: &Catalog,
    source: Source,
    old: Option<Lock>,
    path: PathBuf,
    context: &Context<'_>,
) -> Result<Locked, Error> {
    renew(&worlds(catalog, &source, context.work.jobs)?, source, old, true, path, context)
}
