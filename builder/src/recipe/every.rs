//! Every build that the recipes allow, for locking them all at once.

use std::collections::BTreeSet;

use super::base::Base;
use super::catalog::{Catalog, Document};
use super::choose::{feature_unfit, flavor_on};
use super::composed::Selection;
use super::entries::{Entry, Map};
use super::fragment::Fragment;
use super::model::{Feature, Role};

/// The features that are on, and those that are off.
type FeatureSet = (Vec<String>, Vec<String>);

impl Catalog {
    /// Every selection that can be composed for `base` in `release`: all flavors, roles, sets of
    /// features, kernels and hypervisors, in a fixed order. Each names its features in full, as
    /// `with` and `without`. None if there is no such base or release.
    pub fn every_composition<'a>(
        &'a self,
        base: &str,
        release: &'a str,
    ) -> Box<dyn Iterator<Item = Selection> + 'a> {
        self.every(base, release, false)
    }

    /// Of [`Catalog::every_composition`], enough to have every set of packages: of flavors and
    /// hypervisors that ask for the same packages only the first, and of features only those that ask
    /// for some, or stand in for some.
    pub fn every_world<'a>(
        &'a self,
        base: &str,
        release: &'a str,
    ) -> Box<dyn Iterator<Item = Selection> + 'a> {
        self.every(base, release, true)
    }

    fn every<'a>(
        &'a self,
        base: &str,
        release: &'a str,
        worlds_only: bool,
    ) -> Box<dyn Iterator<Item = Selection> + 'a> {
        let known = self.bases.get(base);
        let known = known.filter(|base| base.value.releases.get(release).is_some());
        match known {
            Some(base) => Box::new(self.every_on(base, release, worlds_only)),
            None => Box::new(std::iter::empty()),
        }
    }

    fn every_on<'a>(
        &'a self,
        base: &'a Document<Base>,
        release: &'a str,
        worlds_only: bool,
    ) -> impl Iterator<Item = Selection> + 'a {
        let mut asked = BTreeSet::new();
        let goes = |bases: &[super::located::At<String>]| {
            bases.is_empty() || bases.iter().any(|name| name.value == base.name)
        };
        let flavors: Vec<_> = self
            .flavors
            .values()
            .filter(|flavor| flavor_on(self, flavor, base).is_ok())
            .filter(|flavor| {
                let manifests = flavor.value.manifests.iter();
                let manifests = manifests.filter_map(|name| self.manifests.get(&name.value));
                let mut packages: BTreeSet<String> = manifests
                    .filter_map(|manifest| manifest.value.packages.get(&base.name))
                    .flat_map(|packages| packages.value.iter().map(|name| name.value.clone()))
                    .collect();
                packages.extend(packages_of(&flavor.value.fragment()));
                packages.extend(on_base(&flavor.value.on, base));
                !worlds_only || asked.insert(packages)
            })
            .map(|flavor| &flavor.name)
            .collect();
        let roles: Vec<_> = self.roles.values().filter(|role| goes(&role.value.bases)).collect();
        let mut asked = BTreeSet::new();
        let hypervisors: Vec<_> = self
            .hypervisors
            .values()
            .filter(|hypervisor| goes(&hypervisor.value.bases))
            .filter(|hypervisor| {
                let mut packages = packages_of(&hypervisor.value.fragment());
                packages.extend(on_base(&hypervisor.value.on, base));
                !worlds_only || asked.insert(packages)
            })
            .map(|hypervisor| &hypervisor.name)
            .collect();
        let sets: Vec<(&Document<Role>, Vec<FeatureSet>)> = roles
            .into_iter()
            .map(|role| (role, self.feature_sets(base, role, worlds_only)))
            .collect();
        flavors.into_iter().flat_map(move |flavor| {
            let mut selections = Vec::new();
            for (role, sets) in &sets {
                for (with, without) in sets {
                    for kernel in &base.value.kernels {
                        for hypervisor in &hypervisors {
                            selections.push(Selection {
                                base: base.name.clone(),
                                release: Some(release.to_owned()),
                                flavor: flavor.clone(),
                                role: Some(role.name.clone()),
                                with: with.clone(),
                                without: without.clone(),
                                kernel: Some(kernel.value.clone()),
                                hypervisor: Some((*hypervisor).clone()),
                                compression: None,
                            });
                        }
                    }
                }
            }
            selections
        })
    }

    /// The sets of features that go with `role`.
    fn feature_sets(
        &self,
        base: &Document<Base>,
        role: &Document<Role>,
        worlds_only: bool,
    ) -> Vec<FeatureSet> {
        let fit: Vec<&Document<Feature>> = self
            .features
            .values()
            .filter(|feature| feature_unfit(feature, &base.name, &role.name).is_none())
            .collect();
        // A feature that another one requires or excludes decides about that one's packages.
        let matters = |feature: &Document<Feature>| {
            let mut packages = packages_of(&feature.value.fragment());
            packages.extend(on_base(&feature.value.on, base));
            if let Some(with_role) = feature.value.with_role.get(&role.name) {
                packages.extend(packages_of(&with_role.fragment()));
                packages.extend(on_base(&with_role.on, base));
            }
            let named = |other: &&&Document<Feature>| {
                let value = &other.value;
                value.requires.iter().chain(&value.conflicts).any(|name| name.value == feature.name)
            };
            !packages.is_empty() || fit.iter().find(named).is_some()
        };
        let mut sets = vec![(Vec::new(), Vec::new())];
        for feature in &fit {
            if worlds_only && !matters(feature) {
                sets.iter_mut().for_each(|(_, off)| off.push(feature.name.clone()));
                continue;
            }
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

/// What a part of a recipe asks of the solver: packages that it adds or removes, and stand-ins.
fn packages_of(fragment: &Fragment) -> BTreeSet<String> {
    let entries = fragment.packages.iter().chain(&fragment.firmware_packages);
    let entries = entries.map(|entry| match entry {
        Entry::Add(name) => name.value.clone(),
        Entry::Remove(name) => format!("-{}", name.value),
    });
    let stand_ins = fragment.stand_ins.iter();
    let stand_ins = stand_ins.map(|(name, stand_in)| {
        format!("{} stands in as {:?}", name.value, stand_in.value.version)
    });
    entries.chain(stand_ins).collect()
}

fn on_base(on: &Map<String, Fragment>, base: &Document<Base>) -> BTreeSet<String> {
    on.get(&base.name).map(|fragment| packages_of(&fragment.value)).unwrap_or_default()
}
