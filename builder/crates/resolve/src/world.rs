//! The input of the solver: packages to install, and names that need none.

use std::collections::BTreeMap;
use wifibox_recipe::{KernelSource, Recipe, Sourced};

/// A name that the builder stands in for, or a glob over names: which version it counts as, and globs
/// over names that it is not for.
pub(crate) type StandsIn = (String, Option<String>, Vec<String>);

/// An archive that a kernel comes from, with what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FromArchive {
    /// Its name. What it holds is taken from there.
    pub name: String,
    /// The package that must come from there: the kernel's.
    pub package: String,
}

/// Packages to install and the names that the builder stands in for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// Dependencies in the base's syntax, sorted, each once.
    pub requests: Vec<String>,
    /// The names that the builder stands in for.
    pub stand_ins: Vec<StandsIn>,
    /// The same requests in the order of the recipe, where a later one may be for another variant of
    /// an earlier one's package (`package_variants`).
    pub in_order: Vec<String>,
    /// The archive whose packages go before others, where the kernel is from such a one.
    pub archive: Option<FromArchive>,
    /// The kernel of the guest.
    pub kernel: String,
    /// Whose world it is, for errors.
    pub name: String,
}

impl World {
    fn new(
        name: String,
        kernel: String,
        mut requests: Vec<String>,
        stand_ins: Vec<StandsIn>,
        archive: Option<FromArchive>,
    ) -> World {
        let in_order = requests.clone();
        requests.sort();
        requests.dedup();
        World { requests, stand_ins, in_order, archive, kernel, name }
    }

    /// The requests of one composition to its own base: its packages, its firmware's, and its
    /// kernel's and the UEFI stub's unless they come from another base.
    pub fn of(recipe: &Recipe) -> World {
        let own = recipe.packages.iter().chain(&recipe.firmware_packages);
        let mut requests: Vec<String> = own.map(|package| package.value.clone()).collect();
        if recipe.kernel.from.is_none() {
            requests.push(recipe.kernel.package.value.clone());
            requests.extend(recipe.kernel.efi_stub.iter().map(|stub| stub.value.package.clone()));
        }
        let stand_ins = recipe.stand_ins.iter().map(stands_in);
        let kernel = recipe.kernel.name.value.clone();
        let archive = recipe.kernel.archive.as_ref().filter(|_| recipe.kernel.from.is_none());
        let archive = archive.map(|name| FromArchive {
            name: name.value.clone(),
            package: recipe.kernel.package.value.clone(),
        });
        World::new(describe(recipe), kernel, requests, stand_ins.collect(), archive)
    }

    /// The requests of a kernel to its base, for a guest of another base.
    pub fn of_kernel(name: &str, from: &KernelSource) -> World {
        let requests = from.packages.iter().map(|package| package.value.clone()).collect();
        let stand_ins = from.stand_ins.iter().map(stands_in);
        let kernel = name.to_owned();
        let name = format!("the kernel {name} of {} {}", from.base.value, from.release.value);
        let archive = from.archive.as_ref().zip(from.packages.first());
        let archive = archive.map(|(name, package)| FromArchive {
            name: name.value.clone(),
            package: package.value.clone(),
        });
        World::new(name, kernel, requests, stand_ins.collect(), archive)
    }

    /// This world with those of its requests that are to be kept.
    pub fn only(&self, keep: impl Fn(&String) -> bool) -> World {
        let kept = |list: &[String]| list.iter().filter(|name| keep(name)).cloned().collect();
        World { requests: kept(&self.requests), in_order: kept(&self.in_order), ..self.clone() }
    }

    /// Whether a lock that lacks `missing` lacks this request: for all, or for guests with this
    /// kernel.
    pub fn lacks(&self, missing: &[String], request: &str) -> bool {
        let here = self.lacking(request);
        missing.iter().any(|name| name == request || *name == here)
    }

    /// How a lock says that it lacks a request for guests with this kernel only.
    pub fn lacking(&self, request: &str) -> String {
        format!("{request} with kernel {}", self.kernel)
    }

    /// Adds up worlds that stand in for the same packages: what serves the sum serves each of them.
    pub fn sums(worlds: impl IntoIterator<Item = World>) -> Vec<World> {
        let mut sums: BTreeMap<(Vec<StandsIn>, Option<FromArchive>), World> = BTreeMap::new();
        for world in worlds {
            let kind = (world.stand_ins.clone(), world.archive.clone());
            match sums.get_mut(&kind) {
                Some(sum) => {
                    sum.requests.extend(world.in_order);
                    sum.name = "all compositions together".to_owned();
                }
                None => {
                    let sum = World { requests: world.in_order.clone(), ..world };
                    sums.insert(kind, sum);
                }
            }
        }
        let tidy = |World { requests, stand_ins, archive, kernel, name, .. }| {
            World::new(name, kernel, requests, stand_ins, archive)
        };
        sums.into_values().map(tidy).collect()
    }
}

fn stands_in((name, stand_in): (&String, &Sourced<wifibox_recipe::StandIn>)) -> StandsIn {
    (name.clone(), stand_in.value.version.clone(), stand_in.value.except.clone())
}

/// A composition in words, for errors.
fn describe(recipe: &Recipe) -> String {
    let features: Vec<&str> = recipe.features.iter().map(|f| f.value.as_str()).collect();
    let features =
        if features.is_empty() { String::new() } else { format!(" with {}", features.join(", ")) };
    format!(
        "{} {}, {} as {}{features}",
        recipe.base.value, recipe.release.value, recipe.flavor.value, recipe.role.value
    )
}
