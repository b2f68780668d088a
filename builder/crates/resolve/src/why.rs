//! Why a package is in a guest: the chain from the recipe to it.

use wifibox_ground::nearest::nearest;
use wifibox_recipe::Recipe;

use crate::{Because, Error, Locked, Records, Request, Universe};

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

/// The chain that pulled `package` in, one line to a link, from the recipe to the package.
///
/// # Errors
/// [`Error::NotInGuest`], with the nearest name.
pub fn why(recipe: &Recipe, locks: &[Locked], package: &str) -> Result<Vec<String>, Error> {
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
    let stand_in = recipe.stand_ins.get(package);
    let near = match stand_in {
        Some(stand_in) => format!(
            ": the builder stands in for it ({}; {})",
            stand_in.value.reason, stand_in.origin
        ),
        None => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            nearest(package, &names)
                .map(|name| format!("; did you mean {name}?"))
                .unwrap_or_default()
        }
    };
    Err(Error::NotInGuest { package: package.to_owned(), near })
}
