//! The architecture of a build: by any of its names, and where it is not there, what is missing.

use super::base::Base;
use super::catalog::Catalog;
use super::document::Document;
use super::error::{Problem, RecipeError};
use super::kernel::Kernel;
use super::located::{Origin, Sourced};
use super::machine::machine;

/// The architecture that is asked for, in the base's own spelling.
pub(super) fn architecture(
    catalog: &Catalog,
    base: &Document<Base>,
    asked: Option<&String>,
) -> Result<Sourced<String>, RecipeError> {
    let Some(asked) = asked else { return Ok(base.value.architecture.sourced(&base.file)) };
    match base.value.architecture_like(asked) {
        Some(known) => Ok(Sourced { value: known.value.clone(), origin: Origin::command_line() }),
        None => {
            let known = base.value.every_architecture().map(|name| name.as_str());
            let problem = Problem::new(format!("{} has no architecture \"{asked}\"", base.name))
                .expected(asked, known);
            Err(RecipeError::choice(match to_be_added(catalog, base, asked) {
                Some(help) => problem.help(help),
                None => problem,
            }))
        }
    }
}

/// A release that an architecture is not there for.
pub(super) fn not_on(
    catalog: &Catalog,
    base: &Document<Base>,
    release: &str,
    architecture: &str,
) -> RecipeError {
    let releases = base.value.releases_on(architecture);
    let names: Vec<&str> = releases.iter().map(|name| name.as_str()).collect();
    let problem =
        Problem::new(format!("{} {release} has no architecture \"{architecture}\"", base.name))
            .help(format!("releases that have it: {}", names.join(", ")));
    RecipeError::choice(match releases.first() {
        Some(first) => problem.at(catalog.texts.place(&first.origin(&base.file))),
        None => problem,
    })
}

/// The entries of recipes that are missing for an architecture of which only the packages are
/// known; `None` if not even these are. It may be called by its feeds' target, too.
fn to_be_added(catalog: &Catalog, base: &Document<Base>, asked: &str) -> Option<String> {
    let mut targets = base.value.repositories.iter().flat_map(|known| &known.value.targets);
    let (name, target) = targets.find(|(name, target)| {
        *name == asked
            || machine(name) == asked
            || target.name == asked
            || target.name.split('/').next() == Some(asked)
    })?;
    let mut missing = vec![format!("\"{name}\" among the \"architectures\" of {}", base.file)];
    let runs = |kernel: &&Document<Kernel>| kernel.value.architecture_like(name).is_some();
    let own = base.value.kernels.iter().filter_map(|kernel| catalog.kernels.get(&kernel.value));
    if own.filter(runs).count() == 0 {
        missing.push("a kernel of this base that is for it".to_owned());
    }
    let hypervisors = catalog.hypervisors.values();
    let fit: Vec<&str> = hypervisors
        .filter(|hypervisor| hypervisor.value.runs_on(machine(name)))
        .map(|hypervisor| hypervisor.name.as_str())
        .collect();
    let on = match fit.as_slice() {
        [] => {
            missing.push(format!("a hypervisor with the machine \"{}\"", machine(name)));
            String::new()
        }
        fit => format!(" (it would run on {})", fit.join(", ")),
    };
    Some(format!(
        "its packages are known as those of the target {}{on}; what is missing: {}",
        target.name,
        missing.join(", ")
    ))
}
