//! The requests of all builds that the recipes allow, for locking them all at once.

use super::base::Base;
use super::catalog::Catalog;
use super::choose::{feature_unfit, flavor_on, flavor_with};
use super::document::Document;
use super::located::At;
use super::machine::machine;
use super::model::{Feature, Flavor, Role};
use super::selection::Selection;

/// The features that are on, and those that are off.
type FeatureSet = (Vec<String>, Vec<String>);

impl Catalog {
    /// Compositions for `base` in `release` on `architecture` that together ask for everything that any one asks for: every
    /// flavor with each kernel, and one flavor with all roles, sets of features, kernels and
    /// hypervisors, which name their features in full, as `with` and `without`; and the guests of the
    /// user's project. In a fixed order; none
    /// if there is no such base, release or architecture.
    pub fn spanning_compositions(
        &self,
        base: &str,
        release: &str,
        architecture: &str,
    ) -> Vec<Selection> {
        let Some(base) = self.base_with(base, release) else { return Vec::new() };
        let Some(architecture) = base.value.architecture_like(architecture) else {
            return Vec::new();
        };
        let flavors = self.flavors_on(base, release);
        let kernels: Vec<_> = self.kernels_on(base, release, architecture).collect();
        let with_defaults = flavors.iter().flat_map(|flavor| {
            let goes = |kernel: &&&At<String>| flavor_with(self, flavor, kernel).is_ok();
            kernels.iter().filter(goes).map(|kernel| Selection {
                base: base.name.clone(),
                release: Some(release.to_owned()),
                architecture: Some(architecture.value.clone()),
                flavor: flavor.name.clone(),
                kernel: Some(kernel.value.clone()),
                ..Selection::default()
            })
        });
        let own = self.project_compositions(base, release, architecture);
        let first = flavors.iter().find(|flavor| flavor.value.kernels.iter().next().is_none());
        let others = first
            .into_iter()
            .flat_map(|flavor| self.compositions_of(base, release, architecture, &flavor.name));
        with_defaults.chain(others).chain(own).collect()
    }

    /// Those of the guests of the user's project.
    fn project_compositions(
        &self,
        base: &Document<Base>,
        release: &str,
        architecture: &str,
    ) -> Vec<Selection> {
        let guests = self.project.iter().flat_map(|project| project.guests());
        let all = guests.flat_map(|guest| guest.selections(self.default_base()));
        let number = |name: &str| base.value.release(name).map(|(_, number)| number);
        let here = |selection: &Selection| {
            let of = selection.release.as_deref().unwrap_or(&base.value.default.release.value);
            let on = selection.architecture.as_deref().unwrap_or(&base.value.architecture.value);
            selection.base == base.name
                && number(of) == number(release)
                && machine(on) == machine(architecture)
        };
        all.filter(here).collect()
    }

    fn base_with(&self, base: &str, release: &str) -> Option<&Document<Base>> {
        self.bases.get(base).filter(|base| base.value.release(release).is_some())
    }

    /// The kernels of `base` in `release` that exist for `architecture`. Of those that are published by themselves one
    /// stands for all, unless a flavor is for one of them: they ask nothing of the base.
    fn kernels_on<'a>(
        &'a self,
        base: &'a Document<Base>,
        release: &str,
        architecture: &'a str,
    ) -> impl Iterator<Item = &'a At<String>> {
        let mut has_published = false;
        base.value.kernels_of(release).iter().filter(move |name| {
            let Some(kernel) = self.kernels.get(&name.value) else { return false };
            if kernel.value.architecture_like(architecture).is_none() {
                return false;
            }
            let of_flavors =
                || self.flavors.values().any(|f| f.value.kernels.get(&name.value).is_some());
            let is_one_of_many = kernel.value.published.is_some() && !of_flavors();
            !(is_one_of_many && std::mem::replace(&mut has_published, true))
        })
    }

    fn flavors_on(&self, base: &Document<Base>, release: &str) -> Vec<&Document<Flavor>> {
        let fit = |flavor: &&Document<Flavor>| flavor_on(self, flavor, base, release).is_ok();
        self.flavors.values().filter(fit).collect()
    }

    /// One flavor with all roles, sets of features, kernels and hypervisors.
    fn compositions_of(
        &self,
        base: &Document<Base>,
        release: &str,
        architecture: &str,
        flavor: &str,
    ) -> Vec<Selection> {
        let goes = |bases: &[At<String>]| {
            bases.is_empty() || bases.iter().any(|name| name.value == base.name)
        };
        let mut selections = Vec::new();
        for role in self.roles.values().filter(|role| goes(&role.value.bases)) {
            for (with, without) in self.feature_sets(base, role) {
                for kernel in self.kernels_on(base, release, architecture) {
                    for hypervisor in self.hypervisors.values() {
                        if !goes(&hypervisor.value.bases)
                            || !hypervisor.value.runs_on(machine(architecture))
                        {
                            continue;
                        }
                        selections.push(Selection {
                            base: base.name.clone(),
                            release: Some(release.to_owned()),
                            point: None,
                            architecture: Some(architecture.to_owned()),
                            flavor: flavor.to_owned(),
                            role: Some(role.name.clone()),
                            with: with.clone(),
                            without: without.clone(),
                            kernel: Some(kernel.value.clone()),
                            hypervisor: Some(hypervisor.name.clone()),
                            compression: None,
                            firmware_archive: false,
                            guest: None,
                        });
                    }
                }
            }
        }
        selections
    }

    /// The sets of features that go with `role`.
    fn feature_sets(&self, base: &Document<Base>, role: &Document<Role>) -> Vec<FeatureSet> {
        let fit: Vec<&Document<Feature>> = self
            .features
            .values()
            .filter(|feature| feature_unfit(feature, &base.name, &role.name).is_none())
            .collect();
        let mut sets = vec![(Vec::new(), Vec::new())];
        for feature in &fit {
            let mut doubled: Vec<FeatureSet> = Vec::new();
            for (on, off) in sets {
                doubled.push((on.clone(), [off.clone(), vec![feature.name.clone()]].concat()));
                doubled.push(([on, vec![feature.name.clone()]].concat(), off));
            }
            sets = doubled;
        }
        sets.retain(|(on, _)| {
            let has = |name: &str| on.iter().any(|other| other == name);
            fit.iter().filter(|feature| has(&feature.name)).all(|feature| {
                feature.value.requires.iter().all(|name| has(name))
                    && !feature.value.conflicts.iter().any(|name| has(name))
            })
        });
        sets
    }
}
