//! Every build that the recipes allow, for locking them all at once.

use super::base::Base;
use super::catalog::{Catalog, Document};
use super::choose::{feature_unfit, flavor_on};
use super::composed::Selection;
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
        let known = self.bases.get(base);
        let known = known.filter(|base| base.value.releases.get(release).is_some());
        match known {
            Some(base) => Box::new(self.every_on(base, release)),
            None => Box::new(std::iter::empty()),
        }
    }

    fn every_on<'a>(
        &'a self,
        base: &'a Document<Base>,
        release: &'a str,
    ) -> impl Iterator<Item = Selection> + 'a {
        let goes = |bases: &[super::located::At<String>]| {
            bases.is_empty() || bases.iter().any(|name| name.value == base.name)
        };
        let flavors: Vec<_> = self
            .flavors
            .values()
            .filter(|flavor| flavor_on(self, flavor, base).is_ok())
            .map(|flavor| &flavor.name)
            .collect();
        let roles: Vec<_> = self.roles.values().filter(|role| goes(&role.value.bases)).collect();
        let hypervisors: Vec<_> =
            self.hypervisors.values().filter(|h| goes(&h.value.bases)).map(|h| &h.name).collect();
        let sets: Vec<(&Document<Role>, Vec<FeatureSet>)> =
            roles.into_iter().map(|role| (role, self.feature_sets(base, role))).collect();
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
