//! What is asked of the solver, and the records that it is asked over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::Glob;

use super::source::Source;
use super::{Error, kin};
use crate::lock::LockedPackage;
use crate::{Item, Request, Solution, StandIn, Universe, resolve};
use wifibox_formats::Package;
use wifibox_ground::version::Scheme;
use wifibox_recipe::{Format, KernelSource, Recipe, Sourced};

/// A name that the builder stands in for, or a glob over names: which version it counts as, and globs
/// over names that it is not for.
pub type StandsIn = (String, Option<String>, Vec<String>);

/// Packages to install and what the builder stands in for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// Dependencies in the base's syntax, sorted, each once.
    pub requests: Vec<String>,
    /// What the builder stands in for.
    pub stand_ins: Vec<StandsIn>,
    /// The same requests in the order of the recipe, where a later one may be for another variant of
    /// an earlier one's package ([`super::kin`]).
    pub in_order: Vec<String>,
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
    ) -> World {
        let in_order = requests.clone();
        requests.sort();
        requests.dedup();
        World { requests, stand_ins, in_order, kernel, name }
    }

    /// What one composition asks of its own base: its packages, its firmware's, and its kernel's
    /// and the UEFI stub's unless they come from another base.
    pub fn of(recipe: &Recipe) -> World {
        let own = recipe.packages.iter().chain(&recipe.firmware_packages);
        let mut requests: Vec<String> = own.map(|package| package.value.clone()).collect();
        if recipe.kernel.from.is_none() {
            requests.push(recipe.kernel.package.value.clone());
            requests.extend(recipe.kernel.efi_stub.iter().map(|stub| stub.value.package.clone()));
        }
        let stand_ins = recipe.stand_ins.iter().map(stands_in);
        let kernel = recipe.kernel.name.value.clone();
        World::new(describe(recipe), kernel, requests, stand_ins.collect())
    }

    /// What a kernel asks of its base for a guest of another base.
    pub fn of_kernel(name: &str, from: &KernelSource) -> World {
        let requests = from.packages.iter().map(|package| package.value.clone()).collect();
        let stand_ins = from.stand_ins.iter().map(stands_in);
        let kernel = name.to_owned();
        let name = format!("the kernel {name} of {} {}", from.base.value, from.release.value);
        World::new(name, kernel, requests, stand_ins.collect())
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
        let mut sums: BTreeMap<Vec<StandsIn>, World> = BTreeMap::new();
        for world in worlds {
            match sums.get_mut(&world.stand_ins) {
                Some(sum) => {
                    sum.requests.extend(world.in_order);
                    sum.name = "all compositions together".to_owned();
                }
                None => {
                    let sum = World { requests: world.in_order.clone(), ..world.clone() };
                    sums.insert(world.stand_ins.clone(), sum);
                }
            }
        }
        let tidy = |World { requests, stand_ins, kernel, name, .. }| {
            World::new(name, kernel, requests, stand_ins)
        };
        sums.into_values().map(tidy).collect()
    }

    /// The requests in whose place another variant of the same package is meant.
    pub fn swapped(&self, records: &Records, source: &Source) -> BTreeSet<String> {
        match source.format {
            Format::Opkg | Format::Adb => {
                let packages = records.repositories.iter().flat_map(|known| &*known.packages);
                kin::swapped(source.scheme(), &self.in_order, packages)
            }
            Format::Apk | Format::Dpkg => BTreeSet::new(),
        }
    }

    /// Resolves this world over `records` of `source`.
    ///
    /// # Errors
    /// [`Error::Unsatisfiable`], naming the composition.
    pub fn resolve(
        &self,
        records: &Records,
        source: &Source,
    ) -> Result<(Universe, Vec<Request>, Solution), Error> {
        let scheme = source.scheme();
        let stand_ins = self.stand_ins.iter().flat_map(|(name, version, except)| {
            let names = records.stood_in_for(name, except, &self.requests).into_iter();
            names.map(|name| StandIn { name, version: version.clone() })
        });
        let architecture = Some(source.target.architecture.as_str());
        let repositories = records.repositories.clone();
        let universe = Universe::new(scheme, architecture, repositories, stand_ins.collect())
            .map_err(|error| Error::Unsupported(error.to_string()))?;
        let dropped = self.swapped(records, source);
        let parse = |text: &String| {
            Request::parse(scheme, text).map_err(|error| Error::Unsupported(error.to_string()))
        };
        let wanted = self.requests.iter().filter(|request| !dropped.contains(*request));
        let requests: Vec<Request> = wanted.map(parse).collect::<Result<_, _>>()?;
        let solution = resolve(&universe, &requests)
            .map_err(|source| Error::Unsatisfiable { composition: self.name.clone(), source })?;
        Ok((universe, requests, solution))
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

/// Records by repository, as the solver takes them; each knows its place in the list it came from.
pub struct Records {
    repositories: Vec<crate::Repository>,
    places: Vec<Vec<usize>>,
}

impl Records {
    /// The records of `packages`, in the order of the repositories of `source`.
    pub fn new(source: &Source, packages: &[LockedPackage]) -> Records {
        let mut records = Records { repositories: Vec::new(), places: Vec::new() };
        for repository in &source.repositories {
            let of = |(_, locked): &(usize, &LockedPackage)| locked.repository == repository.name;
            let mine: Vec<_> = packages.iter().enumerate().filter(of).collect();
            let packages: Arc<[Package]> =
                mine.iter().map(|(_, locked)| locked.package.clone()).collect();
            let tag = repository.tag.clone();
            records.repositories.push(crate::Repository { tag, packages });
            records.places.push(mine.into_iter().map(|(place, _)| place).collect());
        }
        records
    }

    /// The names that a recipe's stand-in is for: its own, or all that its glob matches and none of
    /// `except` does, those that
    /// packages have, those that they depend on and those that `requests` ask for.
    fn stood_in_for(&self, name: &str, except: &[String], requests: &[String]) -> Vec<String> {
        if !name.contains('*') {
            return vec![name.to_owned()];
        }
        let Ok(glob) = Glob::new(name) else { return vec![name.to_owned()] };
        let glob = glob.compile_matcher();
        let except = except.iter().filter_map(|except| Glob::new(except).ok());
        let except: Vec<_> = except.map(|except| except.compile_matcher()).collect();
        let is_meant =
            |name: &&str| glob.is_match(name) && !except.iter().any(|except| except.is_match(name));
        let words = |text| str::split(text, [' ', ',', '|', '=', '<', '>', '~', '(', '!']);
        let mut names = BTreeSet::new();
        let packages = self.repositories.iter().flat_map(|known| &*known.packages);
        let texts = packages.flat_map(|package| [&*package.depends, &*package.name]);
        for text in texts.chain(requests.iter().map(String::as_str)) {
            names.extend(words(text).filter(is_meant).map(str::to_owned));
        }
        names.into_iter().collect()
    }

    /// The places of the packages with these names.
    pub fn places_of(&self, names: &BTreeSet<String>) -> Vec<usize> {
        let lists = self.repositories.iter().zip(&self.places);
        let named = lists.flat_map(|(known, places)| known.packages.iter().zip(places));
        named.filter(|(package, _)| names.contains(&package.name)).map(|(_, at)| *at).collect()
    }

    /// Whether some package has the name that is asked for, or provides it.
    pub fn offer(&self, scheme: Scheme, request: &str) -> bool {
        let Ok(request) = Request::parse(scheme, request) else { return false };
        let names = request.relation().map(|relation| relation.alternatives).unwrap_or_default();
        let asked = |name: &str| names.iter().any(|constraint| constraint.name == name);
        let offers = |package: &Package| {
            let provides = package.provides(scheme).unwrap_or_default();
            asked(&package.name) || provides.iter().any(|provide| asked(provide.name))
        };
        self.repositories.iter().flat_map(|known| &*known.packages).any(offers)
    }

    /// The place of a chosen package in the list that these records were made from.
    pub fn place(&self, universe: &Universe, item: Item) -> Option<usize> {
        self.places.get(universe.repository(item))?.get(universe.index(item)).copied()
    }
}
