//! The lock's life: made by the first build, checked by each, changed only when the recipes ask for
//! more than it holds or the user asks for newer packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::index;
use super::packages::{World, records, requests, solve};
use super::{Environment, Error};
use crate::lock::{Lock, LockedPackage, Target};
use crate::recipe::{Catalog, Recipe};
use crate::repo::Package;
use crate::resolve;

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
pub struct Locked {
    /// The lock.
    pub lock: Lock,
    /// The file.
    pub path: PathBuf,
    /// How the file changed.
    pub change: LockChange,
}

/// What a recipe's lock is for.
pub fn target(recipe: &Recipe) -> Target {
    Target {
        base: recipe.base.value.clone(),
        release: recipe.release.value.clone(),
        architecture: recipe.architecture.value.clone(),
    }
}

fn path_of(recipe: &Recipe, environment: &Environment<'_>) -> PathBuf {
    let usual = || target(recipe).default_path();
    environment.lock_file.clone().unwrap_or_else(usual)
}

/// All compositions of a recipe's base and release that differ in what they ask of the solver.
fn worlds(catalog: &Catalog, recipe: &Recipe) -> Result<BTreeMap<World, Recipe>, Error> {
    let mut worlds = BTreeMap::new();
    let (base, release) = (&recipe.base.value, &recipe.release.value);
    for selection in catalog.every_world(base, release) {
        let recipe = catalog.compose(&selection)?;
        worlds.entry(World::of(&recipe)).or_insert(recipe);
    }
    worlds.entry(World::of(recipe)).or_insert_with(|| recipe.clone());
    Ok(worlds)
}

/// Every package that some composition chooses from `offered`, in the order of the lock.
fn union(
    worlds: &BTreeMap<World, Recipe>,
    offered: &[LockedPackage],
    environment: &Environment<'_>,
) -> Result<Vec<LockedPackage>, Error> {
    let all: Arc<[Package]> = offered.iter().map(|locked| locked.package.clone()).collect();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    // Worlds with the same stand-ins choose from the same universe, and share most of their requests.
    let mut by_stand_ins: BTreeMap<_, Vec<(&World, &Recipe)>> = BTreeMap::new();
    for (world, recipe) in worlds {
        by_stand_ins.entry(&world.stand_ins).or_default().push((world, recipe));
    }
    for worlds in by_stand_ins.values() {
        let Some((first, recipe)) = worlds.first() else { continue };
        let universe = first.universe(&all, recipe)?;
        let texts: BTreeSet<&String> = worlds.iter().flat_map(|(w, _)| &w.requests).collect();
        let texts: Vec<String> = texts.into_iter().cloned().collect();
        let groups = resolve::groups(&universe, &requests(recipe, &texts)?);
        let group_of: BTreeMap<&String, usize> = texts.iter().zip(groups).collect();
        let mut solved: BTreeSet<Vec<String>> = BTreeSet::new();
        for (world, recipe) in worlds {
            environment.check_cancelled()?;
            let mut parts: BTreeMap<Option<&usize>, Vec<String>> = BTreeMap::new();
            for text in &world.requests {
                parts.entry(group_of.get(text)).or_default().push(text.clone());
            }
            for part in parts.into_values().filter(|part| solved.insert(part.clone())) {
                let solution = solve(&universe, &requests(recipe, &part)?, recipe)?;
                chosen.extend(solution.packages.iter().map(|chosen| universe.index(chosen.item)));
            }
        }
    }
    Ok(chosen.into_iter().filter_map(|index| offered.get(index).cloned()).collect())
}

/// The lock that a build uses: the file's, if it covers all compositions and holds nothing else.
///
/// # Errors
/// [`Error::NoLock`], [`Error::LockOutdated`] with [`LockMode::Locked`]; whatever making one meets.
pub fn ensure(
    catalog: &Catalog,
    recipe: &Recipe,
    environment: &Environment<'_>,
) -> Result<Locked, Error> {
    let path = path_of(recipe, environment);
    let worlds = worlds(catalog, recipe)?;
    let old = Lock::read(&path, &target(recipe))?;
    let locked_only = environment.lock_mode == LockMode::Locked;
    let Some(old) = old else {
        return if locked_only {
            Err(Error::NoLock { path })
        } else {
            renew(&worlds, recipe, None, path, environment)
        };
    };
    // What the recipes choose from the lock alone must be all of it.
    match union(&worlds, &old.packages, environment) {
        Ok(used) if used.len() == old.packages.len() => {
            Ok(Locked { lock: old, path, change: LockChange::default() })
        }
        Ok(used) => {
            let change = LockChange::between(&old.packages, &used);
            if locked_only {
                return Err(Error::LockOutdated { path, changes: change.lines().join("\n") });
            }
            let lock = Lock::new(old.target, old.indexes, used);
            lock.write(&path)?;
            Ok(Locked { lock, path, change })
        }
        Err(Error::Unsatisfiable { composition, source }) if locked_only => {
            let changes = format!("  {composition}: {source}");
            Err(Error::LockOutdated { path, changes })
        }
        Err(Error::Unsatisfiable { .. }) => renew(&worlds, recipe, Some(old), path, environment),
        Err(error) => Err(error),
    }
}

/// Makes the lock from what the repositories offer now. Packages of `old` keep their version, as
/// long as it is still offered.
fn renew(
    worlds: &BTreeMap<World, Recipe>,
    recipe: &Recipe,
    old: Option<Lock>,
    path: PathBuf,
    environment: &Environment<'_>,
) -> Result<Locked, Error> {
    let store = environment.store()?;
    let fetcher = environment.fetcher(&store);
    let mut offered = index::load(recipe, environment, &fetcher)?;
    let old_packages = old.map(|old| old.packages).unwrap_or_default();
    let kept: BTreeMap<&str, &LockedPackage> = old_packages
        .iter()
        .filter(|locked| offered.packages.contains(locked))
        .map(|locked| (locked.package.name.as_str(), locked))
        .collect();
    offered
        .packages
        .retain(|locked| kept.get(locked.package.name.as_str()).is_none_or(|kept| *kept == locked));
    let used = union(worlds, &offered.packages, environment)?;
    let lock = Lock::new(target(recipe), offered.indexes, used);
    let change = LockChange::between(&old_packages, &lock.packages);
    lock.write(&path)?;
    Ok(Locked { lock, path, change })
}

/// Takes the newest packages that the repositories offer into the lock.
///
/// # Errors
/// [`Error`]; the lock file is then as it was.
pub fn upgrade_lock(
    catalog: &Catalog,
    recipe: &Recipe,
    environment: &Environment<'_>,
) -> Result<(PathBuf, LockChange), Error> {
    let path = path_of(recipe, environment);
    let old = Lock::read(&path, &target(recipe))?;
    let locked = renew(&worlds(catalog, recipe)?, recipe, None, path, environment)?;
    let before = old.map(|old| old.packages).unwrap_or_default();
    Ok((locked.path, LockChange::between(&before, &locked.lock.packages)))
}

/// Checks that the lock is what the recipes need, without the network; makes or updates it unless
/// the lock mode forbids that.
///
/// # Errors
/// As for [`LockMode`]; see [`Error::LockOutdated`].
pub fn check_lock(
    catalog: &Catalog,
    recipe: &Recipe,
    environment: &Environment<'_>,
) -> Result<(PathBuf, LockChange, usize), Error> {
    let locked = ensure(catalog, recipe, environment)?;
    Ok((locked.path, locked.change, records(&locked.lock).len()))
}
