//! The lock's life: made by the first build, checked by each, changed only when the recipes ask for
//! more than it holds or the user asks for newer packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::coverage::{served, union, worlds};
use super::pinning::pin;
use super::source::Source;
use super::world::{Records, World};
use super::{Environment, Error, index};
use wifibox_ground::digest::Sha256;
use wifibox_recipe::{Catalog, LoosePackage, Recipe, Selection};
use wifibox_resolve::lock::{Lock, LockedPackage};

/// What may become of the lock file during a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMode {
    /// It is made or changed when it must be.
    #[default]
    Update,
    /// It must exist and be up to date (`--locked`).
    Locked,
}

/// How a lock differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockChange {
    /// `name version` of packages that came in.
    pub added: Vec<String>,
    /// `name version` of packages that went.
    pub removed: Vec<String>,
    /// `name old -> new`.
    pub changed: Vec<String>,
}

impl LockChange {
    fn between(old: &[LockedPackage], new: &[LockedPackage]) -> Self {
        let versions = |list: &[LockedPackage]| {
            let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for LockedPackage { package, .. } in list {
                by_name.entry(package.name.clone()).or_default().insert(package.version.clone());
            }
            by_name
        };
        let (old, new) = (versions(old), versions(new));
        let text = |versions: &BTreeSet<String>| {
            versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let mut change = LockChange::default();
        for (name, versions) in &new {
            match old.get(name) {
                None => change.added.push(format!("{name} {}", text(versions))),
                Some(before) if before != versions => {
                    change.changed.push(format!("{name} {} -> {}", text(before), text(versions)));
                }
                Some(_) => {}
            }
        }
        let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
        change.removed.extend(gone.map(|(name, versions)| format!("{name} {}", text(versions))));
        change
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// One line to each change: `+` added, `-` removed, `~` another version.
    pub fn lines(&self) -> Vec<String> {
        let mark = |mark: &str, list: &[String]| -> Vec<String> {
            list.iter().map(|item| format!("  {mark} {item}")).collect()
        };
        [mark("+", &self.added), mark("-", &self.removed), mark("~", &self.changed)].concat()
    }
}

/// A lock, where it lies, and what just became of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Locked {
    /// What is locked.
    #[serde(skip)]
    pub source: Source,
    /// The lock.
    #[serde(skip)]
    pub lock: Lock,
    /// The file.
    pub path: PathBuf,
    /// How the file changed.
    #[serde(skip)]
    pub change: LockChange,
}

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
/// As [`ensure`] and [`upgrade_lock`]; [`Error::Recipe`] if there is no such base.
pub fn lock(
    catalog: &Catalog,
    target: &Selection,
    upgrade: bool,
    environment: &Environment<'_>,
) -> Result<Vec<Locked>, Error> {
    // Any flavor will do: the lock holds the packages of all.
    let flavor = catalog.list().flavors.first().map(|flavor| flavor.name.clone());
    let target = Selection { flavor: flavor.unwrap_or_default(), ..target.clone() };
    let recipe = catalog.compose(&target)?;
    match upgrade {
        true => upgrade_lock(catalog, &recipe, environment),
        false => ensure(catalog, &recipe, environment),
    }
}

/// The locks that a build uses, its base's first: the files', if they cover all compositions and
/// hold nothing else.
///
/// # Errors
/// [`Error::NoLock`], [`Error::LockOutdated`] with [`LockMode::Locked`]; whatever making one meets.
pub(super) fn ensure(
    catalog: &Catalog,
    recipe: &Recipe,
    environment: &Environment<'_>,
) -> Result<Vec<Locked>, Error> {
    each_source(catalog, recipe, environment, |source, path| {
        let old = Lock::read(&path, &source.target)?;
        let known = old.as_ref().map(|old| known_whole(catalog, &source, old, environment));
        let mut locked = match (old, known) {
            (Some(lock), Some(known)) if environment.caches.knows(&known, environment.progress) => {
                Locked { source, lock, path, change: LockChange::default() }
            }
            (old, known) => {
                let asked = worlds(catalog, &source, environment.jobs)?;
                let locked = ensure_one(&asked, source, old, path, environment)?;
                if let (Some(known), true) = (known, locked.change.is_empty()) {
                    environment.caches.note(&known, environment.progress);
                }
                locked
            }
        };
        if pin(&locked.source, &mut locked.lock, environment)?
            && environment.lock_mode == LockMode::Update
        {
            locked.lock.write(&locked.path)?;
        }
        Ok(locked)
    })
}

/// What it is known by that a lock holds what the recipes ask for, and nothing else.
fn known_whole(
    catalog: &Catalog,
    source: &Source,
    lock: &Lock,
    environment: &Environment<'_>,
) -> Sha256 {
    let (tool, recipes) = (&environment.tool, catalog.fingerprint());
    Sha256::of(format!("whole lock\n{tool}\n{recipes}\n{source:?}\n{lock:?}").as_bytes())
}

fn each_source(
    catalog: &Catalog,
    recipe: &Recipe,
    environment: &Environment<'_>,
    mut work: impl FnMut(Source, PathBuf) -> Result<Locked, Error>,
) -> Result<Vec<Locked>, Error> {
    let sources = Source::all(recipe);
    let Some(own) = sources.first().cloned() else { return Ok(Vec::new()) };
    let locks = sources.into_iter().map(|source| {
        let path = source.lock_path(&own, environment);
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
    environment: &Environment<'_>,
) -> Result<Locked, Error> {
    let locked_only = environment.lock_mode == LockMode::Locked;
    let Some(old) = old else {
        return if locked_only {
            Err(Error::NoLock { path })
        } else {
            renew(worlds, source, None, path, environment)
        };
    };
    let pins = unlocked_pins(&source, &old.packages);
    if !pins.is_empty() {
        let changes = pins.iter().map(|file| format!("  + {file}")).collect::<Vec<_>>().join("\n");
        return if locked_only {
            Err(Error::LockOutdated { path, changes })
        } else {
            renew(worlds, source, Some(old), path, environment)
        };
    }
    // What the recipes choose from the lock alone must be all of it.
    match union(worlds, &old.missing, &source, &old.packages, environment) {
        _ if source.world.requests.iter().any(|name| source.world.lacks(&old.missing, name)) => {
            match (
                locked_only,
                source.world.resolve(&Records::new(&source, &old.packages), &source),
            ) {
                (true, Err(Error::Unsatisfiable { composition, source })) => {
                    let changes = format!("  {composition}: {source}");
                    Err(Error::LockOutdated { path, changes })
                }
                _ => renew(worlds, source, Some(old), path, environment),
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
        Err(Error::Unsatisfiable { .. }) => renew(worlds, source, Some(old), path, environment),
        Err(error) => Err(error),
    }
}

/// Makes the lock from what the repositories offer now. Packages of `old` keep their version, as
/// long as it is still offered.
fn renew(
    worlds: &[World],
    source: Source,
    old: Option<Lock>,
    path: PathBuf,
    environment: &Environment<'_>,
) -> Result<Locked, Error> {
    let store = environment.store()?;
    let fetcher = environment.fetcher(&store);
    let mut offered = index::load(&source, environment, &fetcher)?;
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
    let (used, missing) = served(worlds, &source, &offered.packages, environment)?;
    let mut lock = Lock::new(source.target.clone(), offered.indexes, used).without(missing);
    // A package that is not the index's must not leave a lock behind.
    pin(&source, &mut lock, environment)?;
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
    environment: &Environment<'_>,
) -> Result<Vec<Locked>, Error> {
    each_source(catalog, recipe, environment, |source, path| {
        let old = Lock::read(&path, &source.target)?;
        let mut locked =
            renew(&worlds(catalog, &source, environment.jobs)?, source, None, path, environment)?;
        let before = old.map(|old| old.packages).unwrap_or_default();
        locked.change = LockChange::between(&before, &locked.lock.packages);
        Ok(locked)
    })
}
