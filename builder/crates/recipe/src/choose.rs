//! Chooses the files of a build: what is asked for, the base's defaults for the rest, and whether
//! they go together.

use std::collections::{BTreeMap, BTreeSet};

use super::base::Base;
use super::catalog::Catalog;
use super::chosen::{Chosen, document, origin_of};
use super::document::Document;
use super::error::{Problem, RecipeError};
use super::kernel::Kernel;
use super::located::{At, Origin, Sourced};
use super::machine::{PC, machine};
use super::model::{Feature, Flavor};
use super::on_releases::here;
use super::project::{GuestPlan, ProjectGuest};
use super::selection::Selection;

/// Chooses the files that `selection` asks for.
///
/// # Errors
/// [`RecipeError::Choice`] for unknown names and for what does not go together.
pub(super) fn choose<'a>(
    catalog: &'a Catalog,
    selection: &Selection,
) -> Result<Chosen<'a>, RecipeError> {
    let guest = match (&selection.guest, &catalog.project) {
        (Some(name), Some(project)) => Some(project.guest(name)?),
        _ => None,
    };
    let base = document("base", &catalog.bases, &selection.base)?;
    let default = &base.value.default;
    let asked = |asked: &Option<String>, default, pick: Pick| match asked {
        Some(value) => Sourced { value: value.clone(), origin: origin_of(guest, value, pick) },
        None => At::sourced(default, &base.file),
    };
    let mut release = asked(&selection.release, &default.release, |plan| plan.release.as_ref());
    let series = base.value.series(&release.value).map(str::to_owned);
    match base.value.release(&release.value) {
        Some((_, number)) => {
            let point = selection.point.clone().filter(|_| series.is_some());
            release.value = point.unwrap_or(number);
        }
        None => {
            let known = base.value.releases.iter().map(|(name, _)| name.as_str());
            return Err(RecipeError::choice(
                Problem::new(format!("{} has no release \"{}\"", base.name, release.value))
                    .expected(&release.value, known),
            ));
        }
    }
    let mut architecture = architecture(catalog, base, selection.architecture.as_ref())?;
    if let Some(value) = &selection.architecture {
        architecture.origin = origin_of(guest, value, |plan| plan.arch.as_ref());
    }
    let flavors = flavors(catalog, &selection.flavor)?;
    for flavor in &flavors {
        flavor_on(catalog, flavor, base, &release.value)?;
    }
    let names: Vec<&str> = flavors.iter().map(|flavor| flavor.name.as_str()).collect();
    let flavor = names.join("+");
    let role = asked(&selection.role, &default.role, |plan| plan.role.as_ref());
    let role = found(role, |name| document("role", &catalog.roles, name))?;
    only_on(catalog, "role", role.value, &role.value.value.bases, base)?;
    let kernel = asked(&selection.kernel, &default.kernel, |plan| plan.kernel.as_ref());
    let kernels = base.value.kernels_of(&release.value);
    if !kernels.iter().any(|known| known.value == kernel.value) {
        let of = format!("{} {} has no kernel \"{}\"", base.name, release.value, kernel.value);
        let known = kernels.iter().map(|name| name.as_str());
        return Err(RecipeError::choice(Problem::new(of).expected(&kernel.value, known)));
    }
    let kernel = found(kernel, |name| document("kernel", &catalog.kernels, name))?;
    for flavor in &flavors {
        flavor_with(catalog, flavor, &kernel.value.name)?;
    }
    if kernel.value.value.architecture_like(&architecture).is_none() {
        let (document, machines) = (kernel.value, &kernel.value.value.architecture);
        let what = format!(
            "the kernel \"{}\" does not exist for {}",
            document.name,
            machine(&architecture)
        );
        return Err(RecipeError::choice(
            Problem::new(what)
                .at(catalog.texts.place(&machines.origin(&document.file)))
                .help(format!("it exists for: {}", machines.value)),
        ));
    }
    let hypervisor =
        asked(&selection.hypervisor, &default.hypervisor, |plan| plan.hypervisor.as_ref());
    let hypervisor = found(hypervisor, |name| document("hypervisor", &catalog.hypervisors, name))?;
    only_on(catalog, "hypervisor", hypervisor.value, &hypervisor.value.value.bases, base)?;
    if !hypervisor.value.value.runs_on(machine(&architecture)) {
        let others = hypervisor.value.value.machines.iter().map(|(name, _)| name.as_str());
        let machines: Vec<&str> = std::iter::once(PC).chain(others).collect();
        return Err(RecipeError::choice(
            Problem::new(format!(
                "the hypervisor \"{}\" is not known to run {} guests",
                hypervisor.value.name,
                machine(&architecture)
            ))
            .help(format!("it runs: {}", machines.join(", "))),
        ));
    }
    let features = features(catalog, (selection, guest), base, &role.value.name)?;
    Ok(Chosen {
        base,
        release,
        series,
        architecture,
        flavor,
        flavors,
        role,
        features,
        kernel,
        hypervisor,
        guest,
    })
}

/// The flavor of this name, or those of a name with `+` in it: sorted, each once.
fn flavors<'a>(
    catalog: &'a Catalog,
    names: &str,
) -> Result<Vec<&'a Document<Flavor>>, RecipeError> {
    let names: BTreeSet<&str> = names.split('+').collect();
    let flavors = names.into_iter().map(|name| document("flavor", &catalog.flavors, name));
    let flavors: Vec<&Document<Flavor>> = flavors.collect::<Result<_, _>>()?;
    let chipsets = flavors.iter().flat_map(|flavor| &flavor.value.chipsets);
    let chipsets: BTreeSet<&str> = chipsets.map(|chipset| chipset.as_str()).collect();
    for name in &chipsets {
        let chipset = document("chipset", &catalog.chipsets, name)?;
        let conflicts = &chipset.value.conflicts;
        if let Some(other) = conflicts.iter().find(|other| chipsets.contains(other.as_str())) {
            let what =
                format!("the chipsets \"{name}\" and \"{}\" cannot be in one guest", other.value);
            return Err(RecipeError::choice(
                Problem::new(what)
                    .at(catalog.texts.place(&other.origin(&chipset.file)))
                    .help("one of their drivers keeps the other away; build a guest for each"),
            ));
        }
    }
    Ok(flavors)
}

/// Whether `flavor` exists with the kernel of this name.
pub(super) fn flavor_with(
    catalog: &Catalog,
    flavor: &Document<Flavor>,
    kernel: &str,
) -> Result<(), RecipeError> {
    let with = &flavor.value.kernels;
    let Some((first, _)) = with.iter().next() else { return Ok(()) };
    if with.get(kernel).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
    Err(RecipeError::choice(
        Problem::new(format!(
            "the flavor \"{}\" does not exist with the kernel \"{kernel}\"",
            flavor.name
        ))
        .at(catalog.texts.place(&first.origin(&flavor.file)))
        .help(format!("it exists with: {}", names.join(", "))),
    ))
}

/// A choice that a part of a project makes.
type Pick = fn(&GuestPlan) -> Option<&At<String>>;

/// The architecture that is asked for, in the base's own spelling.
fn architecture(
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

fn found<'a, T>(
    name: Sourced<String>,
    find: impl Fn(&str) -> Result<&'a Document<T>, RecipeError>,
) -> Result<Sourced<&'a Document<T>>, RecipeError> {
    Ok(Sourced { value: find(&name.value)?, origin: name.origin })
}

fn only_on<T>(
    catalog: &Catalog,
    what: &str,
    document: &Document<T>,
    bases: &[At<String>],
    base: &Document<Base>,
) -> Result<(), RecipeError> {
    let Some(first) = bases.first() else { return Ok(()) };
    if bases.iter().any(|name| name.value == base.name) {
        return Ok(());
    }
    Err(RecipeError::choice(
        Problem::new(format!("the {what} \"{}\" does not exist on {}", document.name, base.name))
            .at(catalog.texts.place(&first.origin(&document.file)))
            .help(format!(
                "it exists on: {}",
                bases.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
            )),
    ))
}

/// Whether `flavor` exists on `base`: it may name its bases, and the firmware of each chipset must
/// have a package there.
pub(super) fn flavor_on(
    catalog: &Catalog,
    flavor: &Document<Flavor>,
    base: &Document<Base>,
    release: &str,
) -> Result<(), RecipeError> {
    only_on(catalog, "flavor", flavor, &flavor.value.bases, base)?;
    for name in &flavor.value.chipsets {
        let Some(chipset) = catalog.chipsets.get(&name.value) else { continue };
        let Some(firmware) = &chipset.value.firmware else { continue };
        let all = chipset.value.packages.get(&base.name);
        let packages = |release: &str| here(&chipset.value.packages, base, release);
        // A base may leave the firmware to its users; a release that has no package of it does not.
        let is_user = all.is_some_and(|all| all.value.is_empty());
        if !is_user && packages(release).is_none_or(|packages| packages.is_empty()) {
            let releases = base.value.releases.iter().map(|(name, _)| name.as_str());
            let has =
                |release: &&str| packages(release).is_some_and(|packages| !packages.is_empty());
            let elsewhere: Vec<&str> = releases.filter(has).collect();
            let base_release =
                if all.is_some() { format!("{} {release}", base.name) } else { base.name.clone() };
            return Err(RecipeError::choice(
                Problem::new(format!(
                    "the flavor \"{}\" needs firmware, and its chipset \"{}\" names no package of \
                     {base_release} that holds it",
                    flavor.name, chipset.name
                ))
                .at(catalog.texts.place(&firmware.rule.origin(&chipset.file)))
                .help(match elsewhere.as_slice() {
                    [] => {
                        format!("expected \"{}\" under \"packages\" in {}", base.name, chipset.file)
                    }
                    releases => format!("releases that have it: {}", releases.join(", ")),
                }),
            ));
        }
    }
    Ok(())
}

/// Why `feature` cannot be had with `role` on `base`; `None` if it can.
pub(super) fn feature_unfit(
    feature: &Document<Feature>,
    base: &str,
    role: &str,
) -> Option<&'static str> {
    let has = |names: &[At<String>], name: &str| {
        names.is_empty() || names.iter().any(|known| known.value == name)
    };
    if !has(&feature.value.roles, role) {
        Some("role")
    } else if !has(&feature.value.bases, base) {
        Some("base")
    } else {
        None
    }
}

fn features<'a>(
    catalog: &'a Catalog,
    (selection, guest): (&Selection, Option<&ProjectGuest>),
    base: &Document<Base>,
    role: &str,
) -> Result<Vec<Sourced<&'a Document<Feature>>>, RecipeError> {
    let mut on = BTreeMap::new();
    for feature in catalog.features.values() {
        if feature_unfit(feature, &base.name, role).is_none() && feature.value.default.with(role) {
            let origin = feature.value.default.origin(&feature.file);
            on.insert(&feature.name, Sourced { value: feature, origin });
        }
    }
    for name in &selection.with {
        let feature = document("feature", &catalog.features, name)?;
        if let Some(what) = feature_unfit(feature, &base.name, role) {
            let (found, only) = match what {
                "role" => (role, &feature.value.roles),
                _ => (base.name.as_str(), &feature.value.bases),
            };
            let only: Vec<&str> = only.iter().map(|name| name.as_str()).collect();
            return Err(RecipeError::choice(
                Problem::new(format!("the feature \"{name}\" does not go with the {what} {found}"))
                    .help(format!("it goes with: {}", only.join(", "))),
            ));
        }
        let said = guest.map(|guest| guest.list(|plan| &plan.with)).unwrap_or_default();
        let said = said.into_iter().rfind(|said| said.value == *name);
        let origin = said.map_or_else(Origin::command_line, |said| said.origin);
        on.entry(&feature.name).or_insert(Sourced { value: feature, origin });
    }
    for name in &selection.without {
        let feature = document("feature", &catalog.features, name)?;
        if selection.with.contains(name) {
            return Err(RecipeError::choice(
                Problem::new(format!("the feature \"{name}\" is asked for and refused at once"))
                    .help(format!("give either --with {name} or --without {name}")),
            ));
        }
        on.remove(&feature.name);
    }
    let on: Vec<_> = on.into_values().collect();
    together(catalog, &on)?;
    Ok(on)
}

/// Whether every feature has what it requires and none that it conflicts with.
fn together(catalog: &Catalog, on: &[Sourced<&Document<Feature>>]) -> Result<(), RecipeError> {
    let find = |name: &str| on.iter().find(|feature| feature.value.name == name);
    for feature in on {
        let (name, file) = (&feature.value.name, &feature.value.file);
        for required in &feature.value.value.requires {
            if find(required).is_none() {
                return Err(RecipeError::choice(
                    Problem::new(format!("the feature \"{name}\" requires \"{}\"", required.value))
                        .at(catalog.texts.place(&required.origin(file)))
                        .help(format!("add --with {}, or --without {name}", required.value)),
                ));
            }
        }
        for conflicting in &feature.value.value.conflicts {
            if let Some(other) = find(conflicting) {
                return Err(RecipeError::choice(
                    Problem::new(format!(
                        "the features \"{name}\" and \"{}\" exclude each other",
                        conflicting.value
                    ))
                    .at(catalog.texts.place(&conflicting.origin(file)))
                    .also("the other one is on because of", catalog.texts.place(&other.origin))
                    .help(format!("add --without {name} or --without {}", conflicting.value)),
                ));
            }
        }
    }
    Ok(())
}
