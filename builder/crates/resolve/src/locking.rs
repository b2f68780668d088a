//! The lock's life: made by the first build, checked by each, changed only when the recipes ask for
//! more than it holds or the user asks for newer packages.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::choice::Records;
use super::coverage::{served, union, worlds};
use super::locked::{LockChange, Locked};
use super::pinning::pin;
use super::source::Source;
use super::world::World;
use super::{Context, Error, LockMode, index};
use crate::lock::{Lock, LockedIndex, LockedPackage};
use wifibox_ground::digest::Sha256;
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
    // Any flavor will do: the lock holds the packages of all.
    let flavor = catalog.list().flavors.first().map(|flavor| flavor.name.clone());
    let target = Selection { flavor: flavor.unwrap_or_default(), ..target.clone() };
    let recipe = catalog.compose(&target)?;
    match upgrade {
        true => upgrade_lock(catalog, &recipe, context),
        false => ensure(catalog, &recipe, context),
    }
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
                let asked = worlds(catalog, &source, context.work.jobs)?;
                let locked = ensure_one(&asked, source, old, path, context)?;
                if let (Some(known), true) = (known, locked.change.is_empty()) {
                    context.memo.note(&known);
                }
                locked
            }
        };
        if pin(&locked.source, &mut locked.lock, context)? && context.lock.mode == LockMode::Update
        {
            locked.lock.write(&locked.path)?;
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
            renew(worlds, source, None, &[], path, context)
        };
    };
    let pins = unlocked_pins(&source, &old.packages);
    if !pins.is_empty() {
        let changes = pins.iter().map(|file| format!("  + {file}")).collect::<Vec<_>>().join("\n");
        return if locked_only {
            Err(Error::LockOutdated { path, changes })
        } else {
            {
                let before = old.indexes.clone();
                renew(worlds, source, Some(old), &before, path, context)
            }
        };
    }
    // What the recipes choose from the lock alone must be all of it.
    match union(worlds, &old.missing, &source, &old.packages, context) {
        _ if source.world.requests.iter().any(|name| source.world.lacks(&old.missing, name)) => {
            match (
                locked_only,
                source.world.resolve(&Records::new(&source, &old.packages), &source),
            ) {
                (true, Err(Error::Unsatisfiable { composition, source })) => {
                    let changes = format!("  {composition}: {source}");
                    Err(Error::LockOutdated { path, changes })
                }
                _ => {
                    let before = old.indexes.clone();
                    renew(worlds, source, Some(old), &before, path, context)
                }
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
            lock.write(&path)?;
            Ok(Locked { source, lock, path, change })
        }
        Err(Error::Unsatisfiable { composition, source }) if locked_only => {
            let changes = format!("  {composition}: {source}");
            Err(Error::LockOutdated { path, changes })
        }
        Err(Error::Unsatisfiable { .. }) => {
            let before = old.indexes.clone();
            renew(worlds, source, Some(old), &before, path, context)
        }
        Err(error) => Err(error),
    }
}

/// Makes the lock from what the repositories offer now. Packages of `old` keep their version, as
/// long as it is still offered.
fn renew(
    worlds: &[World],
    source: Source,
    old: Option<Lock>,
    before: &[LockedIndex],
    path: PathBuf,
    context: &Context<'_>,
) -> Result<Locked, Error> {
    let store = context.access.store()?;
    let fetcher = context.access.fetcher(&store, &context.work);
    let mut offered = index::load(&source, context, &fetcher)?;
    not_older(before, &offered.indexes, context)?;
    let old_packages = old.map(|old| old.packages).unwrap_or_default();
    index::remember_hashes(&mut offered.packages, &old_packages);
    let kept: BTreeMap<&str, &LockedPackage> = old_packages
        .iter()
        .filter(|locked| offered.packages.contains(locked))
        .map(|locked| (locked.package.name.as_str(), locked))
        .collect();
    offered
        .packages
        .retain(|locked| kept.get(locked.package.name.as_str()).is_none_or(|kept| *kept == locked));
    let (used, missing) = served(worlds, &source, &offered.packages, context)?;
    let mut lock = Lock::new(source.target.clone(), offered.indexes, used).without(missing);
    // A package that is not the index's must not leave a lock behind.
    pin(&source, &mut lock, context)?;
    let change = LockChange::between(&old_packages, &lock.packages);
    lock.write(&path)?;
    Ok(Locked { source, lock, path, change })
}

/// Takes the newest packages that the repositories offer into the locks.
///
/// # Errors
/// [`Error`]; the lock file of that source is then as it was.
fn upgrade_lock(
    catalog: &Catalog,
    recipe: &Recipe,
    context: &Context<'_>,
) -> Result<Vec<Locked>, Error> {
    each_source(catalog, recipe, context, |source, path| {
        let old = Lock::read(&path, &source.target)?;
        let (indexes, before) = old.map(|old| (old.indexes, old.packages)).unwrap_or_default();
        let worlds = worlds(catalog, &source, context.work.jobs)?;
        let mut locked = renew(&worlds, source, None, &indexes, path, context)?;
        locked.change = LockChange::between(&before, &locked.lock.packages);
        Ok(locked)
    })
}

/// An archive's index never goes back: who is between could offer an old one, with what was mended since.
fn not_older(
    before: &[LockedIndex],
    now: &[LockedIndex],
    context: &Context<'_>,
) -> Result<(), Error> {
    for index in now {
        let LockedIndex { repository, suite, date, .. } = index;
        let same = |old: &&LockedIndex| old.repository == *repository && old.suite == *suite;
        let Some(old) = before.iter().find(same).filter(|old| *date < old.date) else { continue };
        let time = |seconds: u32| {
            let time = jiff::Timestamp::from_second(seconds.into());
            time.map_or_else(|_| seconds.to_string(), |time| time.to_string())
        };
        let error = Error::IndexWentBack {
            repository: repository.clone(),
            suite: suite.clone(),
            known: time(old.date),
            offered: time(*date),
        };
        if !context.access.allow_expired_index {
            return Err(error);
        }
        context.work.progress.warn(&error.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use wifibox_fetch::{Access, Options};
    use wifibox_ground::cancel::Cancel;
    use wifibox_ground::progress::Silent;
    use wifibox_ground::work::Work;

    use super::*;
    use crate::LockChoice;

    struct Nothing;

    impl wifibox_ground::memo::Memo for Nothing {
        fn knows(&self, _: &Sha256) -> bool {
            false
        }
        fn note(&self, _: &Sha256) {}
    }

    fn index(suite: &str, date: u32) -> LockedIndex {
        let (repository, suite) = ("debian".to_owned(), suite.to_owned());
        LockedIndex { repository, suite, sha256: Sha256::of(b""), date }
    }

    #[test]
    fn an_index_never_goes_back() {
        let mut access = Access {
            cache: PathBuf::new(),
            mirrors: Vec::new(),
            apt_folder: None,
            trust_keys: Vec::new(),
            allow_expired_index: false,
            fetch: Options::default(),
            now: 0,
        };
        let (seen, cancel) = (Silent, Cancel::new());
        let lock = LockChoice { file: None, mode: LockMode::Update };
        let check = |access: &Access, now: &[LockedIndex]| {
            let work = Work { jobs: NonZeroUsize::MIN, progress: &seen, cancel: &cancel };
            let context = Context { access, work, lock: &lock, memo: &Nothing, tool: "" };
            not_older(&[index("trixie", 1_700_000_000), index("updates", 5)], now, &context)
        };
        for sound in
            [index("trixie", 1_700_000_000), index("trixie", 1_800_000_000), index("new", 1)]
        {
            check(&access, &[sound]).expect("not older");
        }
        let old = [index("updates", 7), index("trixie", 1_600_000_000)];
        let error = check(&access, &old).expect_err("older").to_string();
        assert!(
            error.contains("of 2020-09-13T12:26:40Z, older than that of 2023-11-14"),
            "{error}"
        );
        access.allow_expired_index = true;
        check(&access, &old).expect("waived");
    }
}
