//! From a recipe and a lock to the package files: resolution, explanation, fetching.

use super::controls::{self, Said};
use super::index::mirrors;
use super::locking::{Locked, ensure};
use super::package_file::PackageFile;
use super::source::Source;
use super::world::Records;
use super::{Composed, Environment, Error};
use wifibox_fetch::Fetcher;
use wifibox_formats::Package;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;
use wifibox_ground::nearest::near;
use wifibox_recipe::{Format, Recipe};
use wifibox_resolve::lock::LockedPackage;
use wifibox_resolve::{Because, Request, Universe};

/// A package of the guest, fetched and checked.
#[derive(Debug, Clone)]
pub struct ChosenPackage {
    /// Name.
    pub name: String,
    /// How to read it.
    pub format: Format,
    /// Whether it comes from the kernel's base, which is not the guest's: only the kernel's files
    /// are taken from it.
    pub of_kernel: bool,
    /// Its record.
    pub record: Package,
    /// In words, who asked for it.
    pub why: String,
    /// The file.
    pub file: PackageFile,
    /// What it says of itself, where that is known from an earlier build.
    pub said: Option<Said>,
}

/// What of the chosen packages is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Their files.
    Files,
    /// What is in them: a file of which all is in the caches need not be there.
    Contents,
}

/// Resolves what is asked of each source over its lock, and fetches what is needed of what was chosen.
///
/// # Errors
/// [`Error`].
pub fn choose(
    locks: &[Locked],
    need: Need,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Vec<ChosenPackage>, Error> {
    let mut packages = Vec::new();
    let mut artefacts = Vec::new();
    for (number, Locked { source, lock, .. }) in locks.iter().enumerate() {
        let records = Records::new(source, &lock.packages);
        let (universe, requests, solution) = source.world.resolve(&records, source)?;
        for package in &solution.packages {
            let place = records.place(&universe, package.item);
            let Some(locked) = place.and_then(|place| lock.packages.get(place)) else { continue };
            let artefact = artefact(source, locked, environment)?;
            let record = locked.package.clone();
            let sha256 = digest(&record)?;
            let mut chosen = ChosenPackage {
                name: record.name.clone(),
                format: source.format,
                of_kernel: number > 0,
                why: because(&universe, &requests, &package.because),
                file: PackageFile::unneeded(sha256, record.size),
                said: None,
                record,
            };
            if need == Need::Contents {
                chosen.said = controls::known(&chosen, environment);
            }
            if chosen.said.is_none() {
                artefacts.push(artefact);
            }
            packages.push(chosen);
        }
    }
    let mut files = fetcher.fetch_all(&artefacts, environment.jobs.get())?.into_iter();
    for package in packages.iter_mut().filter(|package| package.said.is_none()) {
        if let Some(file) = files.next() {
            package.file = file.into();
        }
    }
    Ok(packages)
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

/// Where the file of a locked package may be had, and how it is recognised.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Unhashed`], [`Error::Mirror`].
pub fn artefact(
    source: &Source,
    locked: &LockedPackage,
    environment: &Environment<'_>,
) -> Result<Artefact, Error> {
    let LockedPackage { repository, package } = locked;
    let sha256 = digest(package)?;
    let size = (package.size > 0).then_some(package.size);
    Ok(unhashed_artefact(source, repository, package, environment)?.expecting(size, sha256))
}

fn digest(package: &Package) -> Result<Sha256, Error> {
    let unhashed = || {
        let (name, version) = (package.name.clone(), package.version.clone());
        Error::Unhashed { name, version }
    };
    package.sha256.ok_or_else(unhashed)
}

/// The same, for a package whose SHA-256 is not known.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Mirror`].
pub fn unhashed_artefact(
    source: &Source,
    repository: &str,
    package: &Package,
    environment: &Environment<'_>,
) -> Result<Artefact, Error> {
    let known = source.repositories.iter().find(|known| known.name == repository);
    let Some(known) = known else {
        return Err(Error::NoMirror { repository: repository.to_owned() });
    };
    let locations = mirrors(known, source.format, environment)?;
    let name = format!("{} {}", package.name, package.version);
    Artefact::on_mirrors(name, &locations, &package.path)
        .map_err(|error| Error::Mirror(format!("package {}", package.name), error))
}

/// The chain that pulled `package` into a guest, one line to a link, from the recipe to the package.
///
/// # Errors
/// [`Error::NotInGuest`], with the names that may have been meant.
pub fn why(
    composed: &Composed<'_>,
    package: &str,
    environment: &Environment<'_>,
) -> Result<Vec<String>, Error> {
    let locks = ensure(composed.catalog, &composed.recipe, environment)?;
    chain(&composed.recipe, &locks, package)
}

fn chain(recipe: &Recipe, locks: &[Locked], package: &str) -> Result<Vec<String>, Error> {
    let mut lines: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for Locked { source, lock, .. } in locks {
        let records = Records::new(source, &lock.packages);
        let (universe, requests, solution) = source.world.resolve(&records, source)?;
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
        let chosen = solution.packages.iter();
        names.extend(chosen.map(|chosen| universe.package(chosen.item).name.clone()));
    }
    if !lines.is_empty() {
        return Ok(lines);
    }
    let known =
        |lock: &Locked| lock.lock.packages.iter().any(|known| known.package.name == package);
    let why = match recipe.stand_ins.get(package) {
        Some(stand_in) => {
            let (reason, origin) = (&stand_in.value.reason, &stand_in.origin);
            format!(": the builder does its work ({reason}; {origin})")
        }
        None if locks.iter().any(known) => ": the lock has it for other guests".to_owned(),
        None => String::new(),
    };
    let near = near(package, names.iter().map(String::as_str));
    let near = near.into_iter().map(str::to_owned).collect();
    Err(Error::NotInGuest { package: package.to_owned(), why, near })
}
