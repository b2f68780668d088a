//! A world resolved over the records of its source.

use std::collections::BTreeSet;
use std::sync::Arc;

use globset::Glob;

use crate::lock::{LockedPackage, Stock};
use crate::source::Source;
use crate::world::World;
use crate::{Error, package_variants};
use wifibox_formats::Package;
use wifibox_ground::version::Scheme;
use wifibox_recipe::Format;
use wifibox_solver::{Item, Repository, Request, Solution, StandIn, Universe, resolve};

impl World {
    /// The requests in whose place another variant of the same package is meant.
    pub(crate) fn swapped(&self, records: &Records, source: &Source) -> BTreeSet<String> {
        match source.format {
            Format::Opkg | Format::Adb => {
                let packages = records.repositories.iter().flat_map(|known| &*known.packages);
                package_variants::swapped(source.scheme(), &self.in_order, packages)
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
        let mut repositories = records.repositories.clone();
        let archive = self.archive.as_ref().map(|archive| {
            // One that is not there is none of the repositories.
            let place = records.names.iter().position(|name| *name == archive.name);
            (archive, place.unwrap_or(repositories.len()))
        });
        if let Some(preferred) = archive.and_then(|(_, place)| repositories.get_mut(place)) {
            preferred.priority = Repository::TARGET_PRIORITY;
        }
        let mut universe = Universe::new(scheme, architecture, repositories, stand_ins.collect())
            .map_err(|error| Error::Unsupported(error.to_string()))?;
        if let Some((archive, place)) = archive {
            let why = format!("it is not from the archive {}", archive.name);
            universe.only_from(&archive.package, place, &why);
        }
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

/// Records by repository, as the solver takes them; each knows its place in the list it came from.
pub struct Records {
    repositories: Vec<Repository>,
    places: Vec<Vec<usize>>,
    names: Vec<String>,
}

impl Records {
    /// The records of `stock`, in the order of the repositories of `source`.
    pub fn new(source: &Source, stock: Stock<'_>) -> Records {
        let packages = stock.packages;
        let mut records =
            Records { repositories: Vec::new(), places: Vec::new(), names: Vec::new() };
        for repository in &source.repositories {
            let of = |(_, locked): &(usize, &LockedPackage)| locked.repository == repository.name;
            let mine: Vec<_> = packages.iter().enumerate().filter(of).collect();
            let packages: Arc<[Package]> =
                mine.iter().map(|(_, locked)| locked.package.clone()).collect();
            let (tag, priority) = (repository.tag.clone(), stock.priority(repository));
            records.repositories.push(Repository { tag, priority, packages });
            records.names.push(repository.name.clone());
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
    pub(crate) fn places_of(&self, names: &BTreeSet<String>) -> Vec<usize> {
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
