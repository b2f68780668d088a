//! The choices that one base offers, in every combination: for exports that must serve all of them at once.

use super::catalog::Catalog;
use super::choose::{feature_unfit, flavor_on};
use super::composed::Recipe;
use super::error::RecipeError;
use super::kinds::RootCompressor;

/// Something that can be chosen, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name on the command line.
    pub name: String,
    /// One line that says what it is.
    pub summary: String,
}

/// A chipset, or a set of chipsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlavorChoice {
    /// Name and summary.
    pub choice: Choice,
    /// Its chipsets.
    pub chipsets: Vec<String>,
    /// Its chipsets whose firmware no package of any base has: users bring it.
    pub firmware_of_users: Vec<String>,
    /// Its chipsets to whose licence users must agree.
    pub agreements: Vec<String>,
    /// The kernels that it exists with; all of them if there is none.
    pub kernels: Vec<String>,
}

impl FlavorChoice {
    /// Whether it exists with the kernel of this name.
    #[must_use]
    pub fn goes_with(&self, kernel: &str) -> bool {
        self.kernels.is_empty() || self.kernels.iter().any(|known| known == kernel)
    }
}

/// Something that a guest can have or not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureChoice {
    /// Name and summary.
    pub choice: Choice,
    /// Whether it is on by itself with the base's own role.
    pub default: bool,
    /// The roles of this base that it goes with.
    pub roles: Vec<String>,
    /// Features without which it cannot be.
    pub requires: Vec<String>,
    /// Features that it cannot be together with.
    pub conflicts: Vec<String>,
}

/// All that can be chosen of a base, in one release and for one architecture. Lists are in the order of
/// names, but that the default is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axes {
    /// Flavors; `default` is the first where there is one.
    pub flavors: Vec<FlavorChoice>,
    /// Kernels.
    pub kernels: Vec<Choice>,
    /// Roles.
    pub roles: Vec<Choice>,
    /// Features.
    pub features: Vec<FeatureChoice>,
    /// Compressors of the root image.
    pub compressions: Vec<RootCompressor>,
    /// Whether any chipset's firmware is in packages of this base. Where it is not, it comes from the
    /// archive of linux-firmware.
    pub has_firmware_packages: bool,
}

/// The compressions that root.img may have.
const COMPRESSIONS: [RootCompressor; 5] = [
    RootCompressor::Xz,
    RootCompressor::Zstd,
    RootCompressor::Gzip,
    RootCompressor::Lz4,
    RootCompressor::Lzo,
];

impl Catalog {
    /// The choices for the base, release and architecture of `recipe`, under its hypervisor. `recipe` is one with all
    /// the base's defaults.
    ///
    /// # Errors
    /// Never for a recipe that this catalog composed.
    pub fn axes(&self, recipe: &Recipe) -> Result<Axes, RecipeError> {
        let base = super::chosen::document("base", &self.bases, &recipe.base.value)?;
        let default = &base.value.default;
        let choice = |name: &str, summary: &str| Choice {
            name: name.to_owned(),
            summary: summary.trim_end().to_owned(),
        };
        let first = |list: &mut Vec<Choice>, default: &str| {
            list.sort_by_key(|choice| (choice.name != default, choice.name.clone()));
        };
        let here = |names: &[super::located::At<String>]| {
            names.is_empty() || names.iter().any(|name| name.value == base.name)
        };

        let mut flavors = Vec::new();
        for flavor in self
            .flavors
            .values()
            .filter(|flavor| flavor_on(self, flavor, base, &recipe.release).is_ok())
        {
            let names = flavor.value.chipsets.iter();
            let chipsets: Vec<_> =
                names.filter_map(|name| self.chipsets.get(&name.value)).collect();
            let nowhere = |chipset: &&&super::document::Document<super::model::Chipset>| {
                chipset.value.firmware.as_ref().is_some_and(|rule| !rule.value.promises.is_empty())
                    && chipset.value.packages.iter().all(|(_, packages)| packages.value.is_empty())
            };
            flavors.push(FlavorChoice {
                choice: choice(&flavor.name, &flavor.value.summary),
                chipsets: chipsets.iter().map(|chipset| chipset.name.clone()).collect(),
                firmware_of_users: chipsets
                    .iter()
                    .filter(nowhere)
                    .map(|m| m.name.clone())
                    .collect(),
                agreements: chipsets
                    .iter()
                    .filter(|chipset| chipset.value.agreement.is_some())
                    .map(|chipset| chipset.name.clone())
                    .collect(),
                kernels: flavor.value.kernels.iter().map(|(name, _)| name.value.clone()).collect(),
            });
        }
        flavors.sort_by_key(|f| (f.choice.name != "default", f.choice.name.clone()));

        let known = base.value.kernels_of(&recipe.release.value);
        let mut kernels: Vec<Choice> = known
            .iter()
            .filter_map(|name| self.kernels.get(&name.value))
            .filter(|kernel| kernel.value.architecture_like(&recipe.architecture.value).is_some())
            .map(|kernel| choice(&kernel.name, &kernel.value.summary))
            .collect();
        first(&mut kernels, &default.kernel.value);

        let roles = self.roles.values().filter(|role| here(&role.value.bases));
        let mut roles: Vec<Choice> =
            roles.map(|role| choice(&role.name, &role.value.summary)).collect();
        first(&mut roles, &default.role.value);

        let features = self.features.values().filter_map(|feature| {
            let fit = |role: &&Choice| feature_unfit(feature, &base.name, &role.name).is_none();
            let fit: Vec<String> = roles.iter().filter(fit).map(|role| role.name.clone()).collect();
            let names = |list: &[super::located::At<String>]| {
                list.iter().map(|name| name.value.clone()).collect()
            };
            (!fit.is_empty()).then(|| FeatureChoice {
                choice: choice(&feature.name, &feature.value.summary),
                default: fit.contains(&default.role.value)
                    && feature.value.default.with(&default.role.value),
                roles: fit,
                requires: names(&feature.value.requires),
                conflicts: names(&feature.value.conflicts),
            })
        });
        let features: Vec<FeatureChoice> = features.collect();

        let own = recipe.compression.value;
        let mut compressions = COMPRESSIONS.to_vec();
        compressions.sort_by_key(|compression| *compression != own);

        let has_packages = |chipset: &super::document::Document<super::model::Chipset>| {
            let packages = chipset.value.packages.get(&base.name);
            packages.is_some_and(|packages| !packages.value.is_empty())
        };
        let has_firmware_packages = self.chipsets.values().any(has_packages);
        Ok(Axes { flavors, kernels, roles, features, compressions, has_firmware_packages })
    }
}
