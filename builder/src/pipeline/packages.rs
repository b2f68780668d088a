//! From a recipe and a lock to the package files: resolution, explanation, fetching.

use std::sync::Arc;

use super::index::mirrors;
use super::{Environment, Error};
use crate::fetch::{Artefact, Fetched, Fetcher, Location};
use crate::lock::{Lock, LockedPackage};
use crate::recipe::{Format, Recipe, nearest};
use crate::repo::Package;
use crate::resolve::{self, Because, Request, Solution, StandIn, Universe, resolve};
use crate::version::Scheme;

/// A package of the guest, fetched and checked.
#[derive(Debug, Clone)]
pub struct ChosenPackage {
    /// Name.
    pub name: String,
    /// Its record.
    pub record: Package,
    /// Names of packages whose files it may take.
    pub replaces: Vec<String>,
    /// In words, who asked for it.
    pub why: String,
    /// The file.
    pub file: Fetched,
}

/// What a recipe asks of the solver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// Dependencies in the base's syntax, sorted, each once.
    pub requests: Vec<String>,
    /// Names that the builder stands in for, and as which version.
    pub stand_ins: Vec<(String, Option<String>)>,
}

/// The version order and dependency rules that go with a package format.
pub fn scheme(format: Format) -> Scheme {
    match format {
        Format::Dpkg => Scheme::Dpkg,
        Format::Apk => Scheme::Apk,
        Format::Opkg => Scheme::Opkg,
    }
}

impl World {
    /// The world of one composition: its packages, its firmware's, its kernel's and the UEFI stub's.
    pub fn of(recipe: &Recipe) -> World {
        let mut requests: Vec<String> = recipe
            .packages
            .iter()
            .chain(&recipe.firmware_packages)
            .map(|package| package.value.clone())
            .collect();
        requests.push(recipe.kernel.package.value.clone());
        requests.extend(recipe.kernel.efi_stub.iter().map(|stub| stub.value.package.clone()));
        requests.sort();
        requests.dedup();
        let stand_ins = recipe.stand_ins.iter();
        let stand_ins =
            stand_ins.map(|(name, stand_in)| (name.clone(), stand_in.value.version.clone()));
        World { requests, stand_ins: stand_ins.collect() }
    }

    /// Everything that can be chosen from `records` under this world's stand-ins.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for more packages than can be numbered.
    pub fn universe(&self, records: &Arc<[Package]>, recipe: &Recipe) -> Result<Universe, Error> {
        let scheme = scheme(recipe.format.value);
        let repository = resolve::Repository { tag: None, packages: Arc::clone(records) };
        let stand_ins = self
            .stand_ins
            .iter()
            .map(|(name, version)| StandIn { name: name.clone(), version: version.clone() });
        let architecture = Some(recipe.architecture.value.as_str());
        Universe::new(scheme, architecture, vec![repository], stand_ins.collect())
            .map_err(|error| Error::Unsupported(error.to_string()))
    }

    /// Resolves this world over `records`.
    ///
    /// # Errors
    /// [`Error::Unsatisfiable`], naming the composition.
    pub fn resolve(
        &self,
        records: &Arc<[Package]>,
        recipe: &Recipe,
    ) -> Result<(Universe, Vec<Request>, Solution), Error> {
        let universe = self.universe(records, recipe)?;
        let requests = requests(recipe, &self.requests)?;
        let solution = solve(&universe, &requests, recipe)?;
        Ok((universe, requests, solution))
    }
}

/// Reads dependencies in the syntax of the recipe's base.
///
/// # Errors
/// [`Error::Unsupported`] for one that is none.
pub fn requests(recipe: &Recipe, texts: &[String]) -> Result<Vec<Request>, Error> {
    let parse = |text: &String| {
        Request::parse(scheme(recipe.format.value), text)
            .map_err(|error| Error::Unsupported(error.to_string()))
    };
    texts.iter().map(parse).collect()
}

/// Resolves requests of `recipe`.
///
/// # Errors
/// [`Error::Unsatisfiable`], naming the composition.
pub fn solve(
    universe: &Universe,
    requests: &[Request],
    recipe: &Recipe,
) -> Result<Solution, Error> {
    resolve(universe, requests)
        .map_err(|source| Error::Unsatisfiable { composition: describe(recipe), source })
}

/// A composition in words, for errors.
pub fn describe(recipe: &Recipe) -> String {
    let features: Vec<&str> = recipe.features.iter().map(|f| f.value.as_str()).collect();
    let features =
        if features.is_empty() { String::new() } else { format!(" with {}", features.join(", ")) };
    format!(
        "{} {}, {} as {}{features}",
        recipe.base.value, recipe.release.value, recipe.flavor.value, recipe.role.value
    )
}

/// The records of a lock, as the solver takes them.
pub fn records(lock: &Lock) -> Arc<[Package]> {
    lock.packages.iter().map(|locked| locked.package.clone()).collect()
}

/// Resolves the recipe over the lock and fetches what was chosen.
///
/// # Errors
/// [`Error`].
pub fn choose(
    recipe: &Recipe,
    lock: &Lock,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Vec<ChosenPackage>, Error> {
    let (universe, requests, solution) = World::of(recipe).resolve(&records(lock), recipe)?;
    let mut artefacts = Vec::new();
    for chosen in &solution.packages {
        let record = universe.package(chosen.item);
        artefacts.push(artefact(recipe, lock, record, environment)?);
    }
    let files = fetcher.fetch_all(&artefacts, environment.jobs.get())?;
    let packages = solution.packages.iter().zip(files).map(|(chosen, file)| {
        let record = universe.package(chosen.item).clone();
        let replaces = record
            .replaces
            .split(',')
            .filter_map(|item| item.split_whitespace().next().map(str::to_owned));
        ChosenPackage {
            name: record.name.clone(),
            replaces: replaces.collect(),
            why: because(&universe, &requests, &chosen.because),
            record,
            file,
        }
    });
    Ok(packages.collect())
}

fn because(universe: &Universe, requests: &[Request], because: &Because) -> String {
    match because {
        Because::Request(number) => {
            let request = requests.get(*number).map(ToString::to_string).unwrap_or_default();
            format!("the recipe asks for {request}")
        }
        Because::Dependency { of, relation } => {
            format!("{} depends on {relation}", universe.package(*of).name)
        }
        Because::Conditions(conditions) => format!("its conditions are met: {conditions}"),
    }
}

fn artefact(
    recipe: &Recipe,
    lock: &Lock,
    record: &Package,
    environment: &Environment<'_>,
) -> Result<Artefact, Error> {
    let (name, version) = (record.name.clone(), record.version.clone());
    let locked = lock.packages.iter().find(|locked: &&LockedPackage| locked.package == *record);
    let repository = locked.map(|locked| locked.repository.as_str()).unwrap_or_default();
    let found = recipe.repositories.iter().find(|known| known.value.name == repository);
    let locations: Vec<Location> = match found {
        Some(known) => mirrors(&known.value, recipe.format.value, environment)?,
        None => return Err(Error::NoMirror { repository: repository.to_owned() }),
    };
    let Some(sha256) = record.sha256 else { return Err(Error::Unhashed { name, version }) };
    let artefact = Artefact::on_mirrors(format!("{name} {version}"), &locations, &record.path)
        .map_err(|error| Error::Mirror(format!("package {name}"), error))?;
    let size = (record.size > 0).then_some(record.size);
    Ok(artefact.expecting(size, sha256))
}

/// The chain that pulled `package` in, one line to a link, from the recipe to the package.
///
/// # Errors
/// [`Error::NotInGuest`], with the nearest name.
pub fn why(recipe: &Recipe, lock: &Lock, package: &str) -> Result<Vec<String>, Error> {
    let (universe, requests, solution) = World::of(recipe).resolve(&records(lock), recipe)?;
    let mut lines: Vec<String> = Vec::new();
    for chosen in solution.why(&universe, package).iter().rev() {
        let record = universe.package(chosen.item);
        let line = match &chosen.because {
            Because::Request(number) => {
                let text = requests.get(*number).map(ToString::to_string).unwrap_or_default();
                let asked = recipe.packages.iter().chain(&recipe.firmware_packages);
                let mut asked = asked.filter(|package| package.value == text);
                let origin = match asked.next() {
                    Some(package) => package.origin.to_string(),
                    None => recipe.kernel.package.origin.to_string(),
                };
                format!("{} {}  <- {text} in {origin}", record.name, record.version)
            }
            other => {
                let why = because(&universe, &requests, other);
                format!("{} {}  <- {why}", record.name, record.version)
            }
        };
        lines.push(line);
    }
    if !lines.is_empty() {
        return Ok(lines);
    }
    let stand_in = recipe.stand_ins.get(package);
    let near = match stand_in {
        Some(stand_in) => format!(
            ": the builder stands in for it ({}; {})",
            stand_in.value.reason, stand_in.origin
        ),
        None => {
            let names: Vec<&str> = solution
                .packages
                .iter()
                .map(|chosen| universe.package(chosen.item).name.as_str())
                .collect();
            nearest(package, &names)
                .map(|name| format!("; did you mean {name}?"))
                .unwrap_or_default()
        }
    };
    Err(Error::NotInGuest { package: package.to_owned(), near })
}
