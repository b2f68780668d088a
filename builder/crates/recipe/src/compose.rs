//! From what was asked for to one recipe: chooses the files, puts their parts in order, merges them
//! and checks the result.

use super::base::Base;
use super::catalog::Catalog;
use super::chosen::Chosen;
use super::composed::{DriverSet, FirmwareNeed, Recipe};
use super::document::Document;
use super::entries::{Entry, Map};
use super::error::RecipeError;
use super::fragment::Fragment;
use super::kernel_source::without_packages;
use super::kinds::InitSystem;
use super::located::{At, Sourced};
use super::machine::{Spelling, machine};
use super::merge::{Level, Merger};
use super::model::{Chipset, Flavor};
use super::on_releases::here;
use super::scalars::{Module, Pattern};
use super::selection::Selection;
use super::{check, choose, pin};

impl Catalog {
    /// The recipe that `selection` asks for.
    ///
    /// # Errors
    /// [`RecipeError::Choice`] if these recipes cannot make what is asked for, and
    /// [`RecipeError::Invalid`] if the files that it takes contradict each other.
    pub fn compose(&self, selection: &Selection) -> Result<Recipe, RecipeError> {
        let chosen = choose::choose(self, selection)?;
        let mut recipe = self.outline(&chosen, selection)?;
        let mut merger = Merger::new(&self.texts);
        for (level, file, fragment) in self.layers(&chosen) {
            merger.add(&mut recipe, level, &file, &fragment)?;
        }
        let spelling = Spelling(&chosen.architecture);
        for pattern in recipe.exclude.iter_mut().chain(&mut recipe.keep) {
            pattern.value = spelling.fill_pattern(&pattern.value);
        }
        check::own_services(&self.texts, &recipe, chosen.guest)?;
        if recipe.init_system.value != InitSystem::Supervised {
            recipe.services.clear();
        }
        pin::pin(&self.texts, &mut recipe)?;
        check::check(self, &recipe)?;
        if selection.firmware_archive {
            recipe.firmware_packages.clear();
        }
        Ok(recipe)
    }

    /// The parts of all chosen files, in the order in which they count.
    fn layers(&self, chosen: &Chosen<'_>) -> Vec<(Level, std::sync::Arc<str>, Fragment)> {
        let base = &chosen.base.name;
        let mut layers = vec![(Level::Guest, &self.guest.file, self.guest.value.fragment())];
        let started = chosen.base.value.init_system.as_ref().map(|given| given.value);
        let started = started.unwrap_or(InitSystem::Supervised);
        layers.extend(
            self.guest
                .value
                .started_by
                .get(&started)
                .map(|fragment| (Level::Guest, &self.guest.file, fragment.value.clone())),
        );
        layers.push((Level::Base, &chosen.base.file, chosen.base.value.fragment()));
        let mut more = |level, file, fragment: Option<Fragment>| {
            layers.extend(fragment.map(|fragment| (level, file, fragment)));
        };
        let other = chosen.base.value.architectures.get(&chosen.architecture.value);
        more(Level::Base, &chosen.base.file, other.map(|other| other.fragment()));
        let release = chosen.base.value.release(&chosen.release.value);
        more(Level::Base, &chosen.base.file, release.map(|(release, _)| release.fragment()));
        let kernel = chosen.kernel.value;
        let needs = &kernel.value.needs;
        let own = kernel.value.is_of(base);
        let other_kernel = (!own).then(|| chosen.base.value.with_other_kernel.clone());
        more(Level::Base, &chosen.base.file, other_kernel);
        let needs = if own { needs.clone() } else { without_packages(needs) };
        more(Level::Kernel, &kernel.file, Some(needs));
        more(Level::Kernel, &kernel.file, part(&kernel.value.under, &chosen.hypervisor.value.name));
        for (_, chipset) in self.chipsets_of(&chosen.flavors) {
            let packages = |lists| here(lists, chosen.base, &chosen.release);
            let firmware = packages(&chipset.value.packages);
            // Other kernels bring their modules themselves.
            let drivers = packages(&chipset.value.module_packages).filter(|_| own);
            let added = |list: Option<Vec<_>>| list.into_iter().flatten().map(Entry::Add).collect();
            let modules = [&chipset.value.modules[..], &chipset.value.runtime_modules].concat();
            let fragment = Fragment {
                modules,
                load_modules: chipset.value.load_modules.clone(),
                memory: chipset.value.memory.clone(),
                packages: added(drivers),
                firmware_packages: added(firmware),
                ..Fragment::default()
            };
            more(Level::Chipset, &chipset.file, Some(fragment));
        }
        for flavor in &chosen.flavors {
            more(Level::Flavor, &flavor.file, Some(flavor.value.fragment()));
            more(Level::Flavor, &flavor.file, part(&flavor.value.on, base));
            more(Level::Flavor, &flavor.file, part(&flavor.value.kernels, &kernel.name));
        }
        let role = chosen.role.value;
        more(Level::Role, &role.file, Some(role.value.fragment()));
        more(Level::Role, &role.file, part(&role.value.on, base));
        for feature in &chosen.features {
            let (file, feature) = (&feature.value.file, &feature.value.value);
            more(Level::Feature, file, Some(feature.fragment()));
            more(Level::Feature, file, part(&feature.on, base));
            if let Some(with_role) = feature.with_role.get(&role.name) {
                more(Level::Feature, file, Some(with_role.fragment()));
                more(Level::Feature, file, part(&with_role.on, base));
            }
        }
        let hypervisor = chosen.hypervisor.value;
        more(Level::Hypervisor, &hypervisor.file, Some(hypervisor.value.fragment()));
        let other = hypervisor.value.on_machine(machine(&chosen.architecture));
        more(Level::Hypervisor, &hypervisor.file, other.map(|other| other.fragment()));
        more(Level::Hypervisor, &hypervisor.file, part(&hypervisor.value.on, base));
        let layers = layers.into_iter().map(|(level, file, part)| (level, file.clone(), part));
        let project = chosen.guest.iter().flat_map(|guest| guest.fragments());
        layers.chain(project.map(|(file, part)| (Level::Project, file, part))).collect()
    }

    /// The chipsets of these flavors, each once, with the place where a flavor names it.
    pub(super) fn chipsets_of<'a>(
        &'a self,
        flavors: &[&'a Document<Flavor>],
    ) -> Vec<(Sourced<String>, &'a Document<Chipset>)> {
        let mut all: Vec<(Sourced<String>, &Document<Chipset>)> = Vec::new();
        for flavor in flavors {
            for named in &flavor.value.chipsets {
                let Some(chipset) = self.chipsets.get(&named.value) else { continue };
                if !all.iter().any(|(known, _)| known.value == named.value) {
                    all.push((named.sourced(&flavor.file), chipset));
                }
            }
        }
        all
    }

    pub(super) fn firmware(
        &self,
        flavors: &[&Document<Flavor>],
        base: &Document<Base>,
        release: &str,
    ) -> Vec<FirmwareNeed> {
        let mut needs = Vec::new();
        for (named, chipset) in self.chipsets_of(flavors) {
            let Some(firmware) = &chipset.value.firmware else { continue };
            let file = &chipset.file;
            let all = |list: &[At<Pattern>]| list.iter().map(|glob| glob.sourced(file)).collect();
            let packages = here(&chipset.value.packages, base, release).unwrap_or_default();
            let broken = here(&chipset.value.not_promised, base, release).unwrap_or_default();
            let promises = firmware.promises.iter().filter(|promise| {
                broken.iter().all(|broken| broken.value != promise.value.to_string())
            });
            needs.push(FirmwareNeed {
                chipset: named,
                packages: packages.into_iter().map(|package| package.value).collect(),
                rule: firmware.rule.sourced(file),
                include: all(&firmware.include),
                exclude: all(&firmware.exclude),
                promises: promises.map(|promise| promise.sourced(file)).collect(),
                optional: all(&firmware.optional),
                boards: all(&firmware.boards),
            });
        }
        needs
    }

    pub(super) fn drivers(&self, flavors: &[&Document<Flavor>]) -> Vec<DriverSet> {
        let added = |lists: &[&[Entry<Module>]]| {
            let entries = lists.iter().flat_map(|list| list.iter());
            entries
                .filter_map(|entry| match entry {
                    Entry::Add(module) => Some(module.value.clone()),
                    _ => None,
                })
                .collect()
        };
        let set = |(named, chipset): (Sourced<String>, &Document<Chipset>)| {
            let (file, value) = (&chipset.file, &chipset.value);
            DriverSet {
                chipset: named,
                modules: added(&[&value.modules]),
                runtime_modules: added(&[&value.runtime_modules, &value.load_modules]),
                devices: value.devices.as_ref().map(|devices| devices.sourced(file)),
            }
        };
        self.chipsets_of(flavors).into_iter().map(set).collect()
    }

    pub(super) fn licences(&self, flavors: &[&Document<Flavor>]) -> Vec<Sourced<String>> {
        let mut licences: Vec<Sourced<String>> = Vec::new();
        for (_, chipset) in self.chipsets_of(flavors) {
            for licence in &chipset.value.licences {
                if !licences.iter().any(|known| known.value == licence.value) {
                    licences.push(licence.sourced(&chipset.file));
                }
            }
        }
        licences
    }
}

fn part(on: &Map<String, Fragment>, base: &str) -> Option<Fragment> {
    on.get(base).map(|fragment| fragment.value.clone())
}
