//! Every guest of a base at once: of which files each combination of flavor, kernel, role and features is
//! made, by the lock. For package systems that fetch by a list and build without a network.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Records;
use super::limits::Limits;
use super::locked::Locked;
use super::locking::ensure;
use super::source::Source;
use super::world::StandsIn;
use super::{Context, Error, LockMode, index};
use crate::lock::Target;
use wifibox_ground::digest::Sha256;
use wifibox_recipe::{Axes, Catalog, Composed, Recipe, Selection, Sources};

/// The name of the archive of linux-firmware among repositories, as `--mirror` calls it.
const FIRMWARE_ARCHIVE: &str = "linux-firmware";

/// A file that some variant is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantFile {
    /// The repository's name in the recipe.
    pub repository: String,
    /// The mirrors of the recipe (never the user's or the host's own).
    pub mirrors: Vec<String>,
    /// Its path below each of them, and below a folder of downloaded files (`--distdir`).
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
}

/// One guest, by its places in [`Axes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Place in `flavors`.
    pub flavor: usize,
    /// Place in `kernels`.
    pub kernel: usize,
    /// Place in `roles`.
    pub role: usize,
    /// For each of `features`, whether it is on.
    pub features: Vec<bool>,
    /// Places in [`Variants::files`].
    pub files: BTreeSet<usize>,
    /// Place in [`Variants::host_files`].
    pub host_files: usize,
}

/// All guests of a base, in one release and for one architecture.
#[derive(Debug, Clone)]
pub struct Variants {
    /// Base, release and architecture.
    pub target: Target,
    /// The choices of flavor, kernel, role and features that were combined.
    pub axes: Axes,
    /// The files of all of them, by path.
    pub files: Vec<VariantFile>,
    /// The guests, in the order of the axes.
    pub variants: Vec<Variant>,
    /// Sets of files of the host's side (`etc/wifibox/...`, `var/...`), as the output folder has them.
    pub host_files: Vec<BTreeSet<String>>,
    /// Names and texts of the locks, the base's own first: with these and the files, every variant
    /// builds without a network.
    pub locks: Vec<(String, String)>,
    /// The newest time that anything locked was made.
    pub source_date_epoch: u32,
}

/// The requests and stand-ins of a world.
type Question = (Vec<String>, Vec<StandsIn>);

/// A lock, with its records as the solver takes them.
struct Solver {
    locked: Locked,
    records: Records,
    /// The places of what was chosen so far, by what was asked for.
    answers: BTreeMap<Question, BTreeSet<usize>>,
}

impl Solver {
    fn choose(&mut self, source: &Source) -> Result<BTreeSet<usize>, Error> {
        let world = &source.world;
        let key = (world.requests.clone(), world.stand_ins.clone());
        if let Some(answer) = self.answers.get(&key) {
            return Ok(answer.clone());
        }
        let (universe, _, solution) = world.resolve(&self.records, source)?;
        let chosen = solution.packages.iter();
        let places: BTreeSet<usize> =
            chosen.filter_map(|chosen| self.records.place(&universe, chosen.item)).collect();
        self.answers.insert(key, places.clone());
        Ok(places)
    }
}

/// Resolves every variant of the base, release, architecture and hypervisor of `selection`.
///
/// # Errors
/// [`Error`]: a lock cannot be made, a variant cannot be had, a name is unknown.
pub fn variants(
    sources: &Sources,
    catalog: &Catalog,
    selection: &Selection,
    limits: &Limits,
    context: &Context<'_>,
) -> Result<Variants, Error> {
    let recipe = catalog.compose(selection)?;
    let mut axes = catalog.axes(&recipe)?;
    limits.keep(&mut axes, catalog, selection, context)?;

    let mut solvers: Vec<(Target, Solver)> = Vec::new();
    for kernel in &axes.kernels {
        let selection = Selection { kernel: Some(kernel.name.clone()), ..selection.clone() };
        for locked in ensure(catalog, &catalog.compose(&selection)?, context)? {
            let target = locked.lock.target.clone();
            solvers.retain(|(known, _)| *known != target);
            let records = Records::new(&locked.source, locked.lock.stock());
            solvers.push((target, Solver { locked, records, answers: BTreeMap::new() }));
        }
    }
    let own = recipe_target(&recipe);
    solvers.sort_by_key(|(target, _)| *target != own);

    let mut found = Vec::new();
    let mut host_sets: Vec<BTreeSet<String>> = Vec::new();
    for (place, selection) in selections(&axes, selection) {
        context.work.check()?;
        let composed = Composed::new(sources, catalog, &selection)?;
        let mut chosen = BTreeSet::new();
        for source in Source::all(&composed.recipe) {
            let solver = solvers.iter_mut().enumerate().find(|(_, (t, _))| *t == source.target);
            let Some((number, (_, solver))) = solver else { continue };
            chosen.extend(solver.choose(&source)?.into_iter().map(|place| (number, place)));
        }
        let mut host: BTreeSet<String> = composed.host_files()?.into_keys().collect();
        host.extend(composed.host_links()?.into_keys());
        let host_files = host_sets.iter().position(|set| *set == host).unwrap_or_else(|| {
            host_sets.push(host);
            host_sets.len() - 1
        });
        let archive =
            !axes.has_firmware_packages && wants_archive(&composed.recipe, &axes, place.0);
        found.push((place, chosen, host_files, archive));
    }

    pin_chosen(&mut solvers, found.iter().flat_map(|(_, chosen, ..)| chosen), context)?;
    let archive = catalog.firmware_archive().map(|archive| VariantFile {
        repository: FIRMWARE_ARCHIVE.to_owned(),
        mirrors: archive.mirrors.clone(),
        path: archive.file.clone(),
        size: archive.size,
        sha256: archive.sha256,
    });
    let mut files = Files::default();
    let mut variants = Vec::new();
    for ((flavor, kernel, role, features), chosen, host_files, wants) in found {
        let mut places = BTreeSet::new();
        for (number, place) in &chosen {
            let Some((_, solver)) = solvers.get(*number) else { continue };
            places.insert(files.add(package_file(&solver.locked, *place)?)?);
        }
        if wants {
            let Some(archive) = &archive else {
                return Err(Error::Unsupported(format!(
                    "no package of {} holds firmware, and these recipes pin no firmware archive",
                    own.base
                )));
            };
            places.insert(files.add(archive.clone())?);
        }
        variants.push(Variant { flavor, kernel, role, features, files: places, host_files });
    }
    let epoch = solvers.iter().map(|(_, solver)| solver.locked.lock.source_date_epoch()).max();
    let mut locks = Vec::new();
    for (target, Solver { locked, .. }) in &solvers {
        let name = target.default_path().file_name().unwrap_or_default().to_string_lossy().into();
        let text = locked.lock.to_text().map_err(|error| Error::Unsupported(error.to_string()))?;
        locks.push((name, text));
    }
    Ok(Variants {
        target: own,
        axes,
        files: files.list,
        variants,
        host_files: host_sets,
        locks,
        source_date_epoch: epoch.unwrap_or_default(),
    })
}

fn recipe_target(recipe: &Recipe) -> Target {
    Target {
        base: recipe.base.value.clone(),
        release: recipe.release.value.clone(),
        architecture: recipe.architecture.value.clone(),
    }
}

/// Whether the firmware of this guest has to come from the archive of linux-firmware.
fn wants_archive(recipe: &Recipe, axes: &Axes, flavor: usize) -> bool {
    let of_users = axes.flavors.get(flavor).map(|flavor| flavor.firmware_of_users.as_slice());
    let of_users = of_users.unwrap_or_default();
    let mut needs = recipe.firmware.iter();
    needs.any(|need| !need.promises.is_empty() && !of_users.contains(&need.chipset.value))
}

/// Places on the axes: flavor, kernel, role, features.
type Place = (usize, usize, usize, Vec<bool>);

/// Every combination that the recipes allow, in the order of the axes.
fn selections(axes: &Axes, base: &Selection) -> Vec<(Place, Selection)> {
    let mut all = Vec::new();
    for (flavor, of_flavor) in axes.flavors.iter().enumerate() {
        for (kernel, of_kernel) in axes.kernels.iter().enumerate() {
            if !of_flavor.goes_with(&of_kernel.name) {
                continue;
            }
            for (role, of_role) in axes.roles.iter().enumerate() {
                for features in feature_sets(axes, &of_role.name) {
                    let named = |wanted: bool| {
                        let both = axes.features.iter().zip(&features);
                        let wanted = both.filter(|(feature, on)| {
                            **on == wanted && feature.roles.contains(&of_role.name)
                        });
                        wanted.map(|(feature, _)| feature.choice.name.clone()).collect()
                    };
                    let selection = Selection {
                        flavor: of_flavor.choice.name.clone(),
                        kernel: Some(of_kernel.name.clone()),
                        role: Some(of_role.name.clone()),
                        with: named(true),
                        without: named(false),
                        ..base.clone()
                    };
                    all.push(((flavor, kernel, role, features), selection));
                }
            }
        }
    }
    all
}

/// Every set of features that can be together with `role`.
fn feature_sets(axes: &Axes, role: &str) -> Vec<Vec<bool>> {
    let mut sets: Vec<Vec<bool>> = vec![Vec::new()];
    for feature in &axes.features {
        let values: &[bool] =
            if feature.roles.iter().any(|known| known == role) { &[false, true] } else { &[false] };
        sets = sets
            .iter()
            .flat_map(|set| values.iter().map(|on| [set.as_slice(), &[*on]].concat()))
            .collect();
    }
    sets.retain(|set| {
        let on = |name: &String| {
            let mut both = axes.features.iter().zip(set);
            both.any(|(feature, on)| *on && feature.choice.name == *name)
        };
        let mut both = axes.features.iter().zip(set);
        both.all(|(feature, is_on)| {
            !is_on || (feature.requires.iter().all(on) && !feature.conflicts.iter().any(on))
        })
    });
    sets
}

/// Finds the SHA-256 of those that a lock has without.
fn pin_chosen<'a>(
    solvers: &mut [(Target, Solver)],
    chosen: impl Iterator<Item = &'a (usize, usize)>,
    context: &Context<'_>,
) -> Result<(), Error> {
    let chosen: BTreeSet<(usize, usize)> = chosen.copied().collect();
    let store = context.access.store()?;
    let fetcher = context.access.fetcher(&store, &context.work);
    for (number, (_, Solver { locked, .. })) in solvers.iter_mut().enumerate() {
        let Locked { source, lock, path, .. } = locked;
        let packages = lock.packages.iter_mut().enumerate();
        let unknown: Vec<_> = packages
            .filter(|(place, locked)| {
                locked.package.sha256.is_none() && chosen.contains(&(number, *place))
            })
            .map(|(_, locked)| locked)
            .collect();
        if unknown.is_empty() {
            continue;
        }
        index::complete(source, unknown, context, &fetcher)?;
        if context.lock.mode == LockMode::Update {
            lock.write(path)?;
        }
    }
    Ok(())
}

fn package_file(locked: &Locked, place: usize) -> Result<VariantFile, Error> {
    let Some(found) = locked.lock.packages.get(place) else {
        return Err(Error::Unsupported(format!("the lock has no package number {place}")));
    };
    let package = &found.package;
    let unknown = |what: &str| {
        Error::Unsupported(format!(
            "package {} {}: its {what} is not known",
            package.name, package.version
        ))
    };
    let repository = locked.source.repositories.iter().find(|r| r.name == found.repository);
    let mirrors = repository.map(|repository| repository.mirrors.clone()).unwrap_or_default();
    if mirrors.is_empty() {
        return Err(Error::NoMirror { repository: found.repository.clone() });
    }
    Ok(VariantFile {
        repository: found.repository.clone(),
        mirrors,
        path: package.path.clone(),
        size: (package.size > 0).then_some(package.size).ok_or_else(|| unknown("size"))?,
        sha256: package.sha256.ok_or_else(|| unknown("SHA-256"))?,
    })
}

/// Files by path, each once.
#[derive(Default)]
struct Files {
    list: Vec<VariantFile>,
    places: BTreeMap<String, usize>,
}

impl Files {
    fn add(&mut self, file: VariantFile) -> Result<usize, Error> {
        if let Some(place) = self.places.get(&file.path).copied() {
            return match self.list.get(place) {
                Some(known) if known.sha256 == file.sha256 => Ok(place),
                known => Err(Error::Unsupported(format!(
                    "{} is the path of two files: of {} and of {}",
                    file.path,
                    known.map_or("", |known| &known.repository),
                    file.repository
                ))),
            };
        }
        self.places.insert(file.path.clone(), self.list.len());
        self.list.push(file);
        Ok(self.list.len() - 1)
    }
}
