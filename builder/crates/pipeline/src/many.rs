//! Several guests of one base in one go.
//!
//! They are built one after another, so that memory is bounded by the largest; each stage works with all
//! threads. What is equal is done once: locks are checked, packages unpacked, modules read, blocks
//! compressed for the first guest that needs them, and are in the caches for the others. An output does
//! not depend on what it was built together with.

use wifibox_ground::cancel::Interrupted;
use wifibox_recipe::{Catalog, Composed, Recipe, Selection, Sources};

use crate::build::{FetchReport, build, fetch};
use crate::{BuildReport, BuildRequest, Environment, Error};

/// The result for one guest.
#[derive(Debug)]
pub enum Outcome {
    /// It is there.
    Built(Box<BuildReport>),
    /// It could not be built.
    Failed(Error),
    /// It was not asked for by name, and needs something that only the user can give; in words.
    LeftOut(String),
}

/// A guest that was asked for.
#[derive(Debug)]
pub struct Guest {
    /// Its name: that of the flavor, or in a project its own.
    pub name: String,
    /// Its composition; or why it cannot be built without the user.
    pub wanted: Result<Selection, String>,
}

impl Guest {
    /// The guest of this composition.
    pub fn of(selection: Selection) -> Self {
        Guest { name: selection.flavor.clone(), wanted: Ok(selection) }
    }
}

/// All flavors of the base of `selection`, its own flavor aside; `default` is the first. Those that ask for
/// the user's agreement, which is not among `accepted`, and those whose firmware no package has, are left
/// out, the latter unless the user brings firmware.
///
/// # Errors
/// [`Error::Recipe`].
pub fn all_flavors(
    catalog: &Catalog,
    selection: &Selection,
    accepted: &[String],
    brings_firmware: bool,
) -> Result<Vec<Guest>, Error> {
    let of = |flavor: &str| Selection { flavor: flavor.to_owned(), ..selection.clone() };
    let listing = catalog.list();
    // Any flavor will do: what can be chosen does not depend on it.
    let mut error = None;
    for listed in &listing.flavors {
        let recipe = match catalog.compose(&of(&listed.name)) {
            Ok(recipe) => recipe,
            Err(problem) => {
                error.get_or_insert(problem);
                continue;
            }
        };
        let flavors = catalog.axes(&recipe)?.flavors.into_iter().map(|flavor| {
            let agreement = flavor.agreements.iter().find(|name| !accepted.contains(name));
            let bring = flavor.firmware_of_users.first().filter(|_| !brings_firmware);
            let name = flavor.choice.name;
            let wanted = match (agreement, bring) {
                // The one that holds everything does without what is not there.
                _ if name == "default" => Ok(of(&name)),
                (Some(manifest), _) => {
                    Err(format!("its licence asks for your agreement: --accept-licence {manifest}"))
                }
                (None, Some(_)) => {
                    Err("no package has its firmware: bring it with --firmware-add".to_owned())
                }
                (None, None) => Ok(of(&name)),
            };
            Guest { name, wanted }
        });
        return Ok(flavors.collect());
    }
    error.map_or_else(|| Ok(Vec::new()), |error| Err(error.into()))
}

/// How far the work on several guests is.
#[derive(Debug)]
pub enum Step<'a> {
    /// The guest of this name is next.
    Begun(&'a str, &'a Recipe),
    /// This is what became of the guest of this name.
    Ended(&'a str, &'a Outcome),
}

/// What is asked of a guest besides its recipe, once there is that.
pub type RequestOf = Box<dyn Fn(&Recipe) -> BuildRequest>;

/// Builds `guests` in their order. One that fails
/// does not keep the others from being built; an interruption does.
pub fn build_many(
    sources: &Sources,
    catalog: &Catalog,
    guests: Vec<(Guest, RequestOf)>,
    environment: &Environment<'_>,
    told: &mut dyn FnMut(Step<'_>),
) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    for (Guest { name, wanted }, request) in guests {
        let outcome = match wanted {
            Err(why) => Outcome::LeftOut(why),
            Ok(_) if environment.work.cancel.is_cancelled() => Outcome::Failed(Interrupted.into()),
            Ok(selection) => {
                let composed = Composed::new(sources, catalog, &selection).map_err(Error::from);
                let built = composed.and_then(|composed| {
                    told(Step::Begun(&name, &composed.recipe));
                    build(&composed, &request(&composed.recipe), environment)
                });
                match built {
                    Ok(report) => Outcome::Built(Box::new(report)),
                    Err(error) => Outcome::Failed(error),
                }
            }
        };
        told(Step::Ended(&name, &outcome));
        outcomes.push((name, outcome));
    }
    environment.caches.tidy();
    outcomes
}

/// Fills the store with what the builds of `guests` need; those that cannot be built without the user are
/// passed over. A package that several need is counted once.
///
/// # Errors
/// [`Error`]; what was fetched until then stays.
pub fn fetch_many(
    sources: &Sources,
    catalog: &Catalog,
    guests: Vec<Guest>,
    environment: &Environment<'_>,
) -> Result<FetchReport, Error> {
    let mut all = FetchReport { packages: Vec::new(), locks: Vec::new() };
    for selection in guests.into_iter().filter_map(|guest| guest.wanted.ok()) {
        let composed = Composed::new(sources, catalog, &selection)?;
        let report = fetch(&composed, environment)?;
        all.locks.extend(report.locks);
        all.packages.extend(report.packages);
    }
    all.packages.sort_unstable();
    all.packages.dedup();
    Ok(all)
}
