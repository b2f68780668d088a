//! Why a package is in a guest: the chain from the recipe to it.

use wifibox_ground::nearest::near;
use wifibox_recipe::{Composed, Recipe};
use wifibox_solver::{Because, Request, Universe};

use crate::{Context, Error, Locked, Records, ensure};

/// In words, who asked for a package.
pub fn because(universe: &Universe, requests: &[Request], because: &Because) -> String {
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

/// The chain that pulled `package` into a guest, one line to a link, from the recipe to the package.
///
/// # Errors
/// [`Error::NotInGuest`], with the names that may have been meant.
pub fn why(
    composed: &Composed<'_>,
    package: &str,
    context: &Context<'_>,
) -> Result<Vec<String>, Error> {
    let locks = ensure(composed.catalog, &composed.recipe, context)?;
    chain(&composed.recipe, &locks, package)
}

fn chain(recipe: &Recipe, locks: &[Locked], package: &str) -> Result<Vec<String>, Error> {
    let mut lines: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for Locked { source, lock, .. } in locks {
        let records = Records::new(source, lock.stock());
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
