//! What the repositories offer now that a lock does not have yet, and whose guests would change with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::choice::Records;
use crate::lock::Stock;
use crate::lock::{Lock, LockedPackage};
use crate::locking::upgraded;
use crate::{Context, Error, Source};
use wifibox_recipe::{Catalog, Recipe, Selection};

/// The number of the form of an [`Outdated`] as JSON.
pub const FORMAT: u32 = 1;

/// What is newer than a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outdated {
    /// The number of the form: 1. It rises when a field changes its meaning.
    pub format: u32,
    /// The lock.
    pub lock: PathBuf,
    /// The point release that the lock is of, where what is signed says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_release: Option<String>,
    /// The point release that is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_release: Option<String>,
    /// The packages that are not as the lock has them, those that mend holes first.
    pub packages: Vec<Newer>,
    /// The guests of the lock, by flavor, then kernel.
    pub guests: Vec<Guest>,
}

/// A package that is not as the lock has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Newer {
    /// Its name.
    pub name: String,
    /// The version in the lock; none if a newer one of another package needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
    /// The version that is offered; none if nothing needs it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<String>,
    /// The archive that offers it, by the name of its repository in the recipe.
    pub archive: String,
    /// Whether that archive is there to mend holes.
    pub security: bool,
    /// How many of the guests change with it.
    pub guests: usize,
}

/// A guest that the lock serves, with the role and features that it has if nothing else is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// Flavor.
    pub flavor: String,
    /// Kernel.
    pub kernel: String,
    /// The packages of it that are newer, new in it, or gone.
    pub changes: Vec<String>,
}

impl Outdated {
    /// Whether the lock is of what is offered now.
    pub fn is_current(&self) -> bool {
        self.packages.is_empty()
    }
}

/// Compares the lock of a base, release and architecture with what its repositories offer. No file is written.
///
/// # Errors
/// [`Error::NoLock`], and whatever making a lock meets.
pub fn outdated(
    catalog: &Catalog,
    target: &Selection,
    context: &Context<'_>,
) -> Result<Vec<Outdated>, Error> {
    let compare = |(old, new): (Lock, crate::Locked)| {
        let source = &new.source;
        let guests = guests(catalog, source, old.stock(), new.lock.stock())?;
        let packages = packages(source, &old.packages, &new.lock.packages, &guests);
        let point = |lock: &Lock| lock.point().map(str::to_owned);
        let (locked_release, offered_release) = (point(&old), point(&new.lock));
        let (format, lock) = (FORMAT, new.path);
        Ok(Outdated { format, lock, locked_release, offered_release, packages, guests })
    };
    upgraded(catalog, target, context)?.into_iter().map(compare).collect()
}

/// A package and its rank among the versions of its name: backports are no newer versions of the stable ones.
type Place<'a> = (&'a str, Option<i16>);

fn by_place<'a>(
    source: &Source,
    packages: &'a [LockedPackage],
) -> BTreeMap<Place<'a>, BTreeMap<&'a str, &'a LockedPackage>> {
    // What is taken from one archive only has its own rank.
    let rank = |name: &str| {
        let place = source.repositories.iter().position(|known| known.name == name)?;
        let own = source.repositories.get(place)?;
        (!own.only.is_empty()).then(|| i16::try_from(place).unwrap_or(i16::MAX))
    };
    let mut places: BTreeMap<Place<'a>, BTreeMap<&str, &LockedPackage>> = BTreeMap::new();
    for locked in packages {
        let place = (locked.package.name.as_str(), rank(&locked.repository));
        places.entry(place).or_default().insert(locked.package.version.as_str(), locked);
    }
    places
}

fn packages(
    source: &Source,
    old: &[LockedPackage],
    new: &[LockedPackage],
    guests: &[Guest],
) -> Vec<Newer> {
    let (old, new) = (by_place(source, old), by_place(source, new));
    let places: BTreeSet<Place<'_>> = old.keys().chain(new.keys()).copied().collect();
    let mut rows = Vec::new();
    for place in places {
        let empty = BTreeMap::new();
        let (before, after) =
            (old.get(&place).unwrap_or(&empty), new.get(&place).unwrap_or(&empty));
        let only = |here: &BTreeMap<&str, &LockedPackage>,
                    there: &BTreeMap<&str, &LockedPackage>| {
            let versions: Vec<&str> =
                here.keys().filter(|version| !there.contains_key(*version)).copied().collect();
            (!versions.is_empty()).then(|| versions.join(", "))
        };
        let (locked, offered) = (only(before, after), only(after, before));
        if locked.is_none() && offered.is_none() {
            continue;
        }
        let whose = after.values().chain(before.values()).next();
        let archive = whose.map(|locked| locked.repository.clone()).unwrap_or_default();
        let repository = source.repositories.iter().find(|known| known.name == archive);
        let name = place.0.to_owned();
        let guests = guests.iter().filter(|guest| guest.changes.contains(&name)).count();
        rows.push(Newer {
            security: offered.is_some() && repository.is_some_and(|known| known.security),
            name,
            locked,
            offered,
            archive,
            guests,
        });
    }
    rows.sort_by_key(|row| (!row.security, row.name.clone()));
    rows
}

/// The guests of a source, and what changes in each.
fn guests(
    catalog: &Catalog,
    source: &Source,
    old: Stock<'_>,
    new: Stock<'_>,
) -> Result<Vec<Guest>, Error> {
    let listing = catalog.list();
    let (old, new) = (Records::new(source, old), Records::new(source, new));
    let mut guests = Vec::new();
    for flavor in &listing.flavors {
        for kernel in &listing.kernels {
            let target = &source.target;
            let selection = Selection {
                base: target.base.clone(),
                release: Some(target.release.clone()),
                architecture: Some(target.architecture.clone()),
                flavor: flavor.name.clone(),
                kernel: Some(kernel.name.clone()),
                ..Selection::default()
            };
            // Not every flavor and kernel is there for each release.
            let Ok(recipe) = catalog.compose(&selection) else { continue };
            if recipe.kernel.from.is_some() {
                continue;
            }
            let (before, after) = (chosen(&recipe, &old, source), chosen(&recipe, &new, source));
            // What the repositories lack of it, they lack; what only the new lock has is new.
            let Some(after) = after else { continue };
            let before = before.unwrap_or_default();
            let changes = before.symmetric_difference(&after).map(|(name, _)| name.clone());
            let changes: BTreeSet<String> = changes.collect();
            guests.push(Guest {
                flavor: flavor.name.clone(),
                kernel: kernel.name.clone(),
                changes: changes.into_iter().collect(),
            });
        }
    }
    Ok(guests)
}

/// Names and versions of the packages of a guest.
fn chosen(
    recipe: &Recipe,
    records: &Records,
    source: &Source,
) -> Option<BTreeSet<(String, String)>> {
    let (universe, _, solution) = crate::World::of(recipe).resolve(records, source).ok()?;
    let package = |chosen: &wifibox_solver::Chosen| {
        let package = universe.package(chosen.item);
        (package.name.clone(), package.version.clone())
    };
    Some(solution.packages.iter().map(package).collect())
}
