//! All recipes, read and checked against each other, whether a build asks for them or not.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::base::Base;
use super::document::{Document, Documents};
use super::entries::Map;
use super::error::{Problem, Texts};
use super::kernel::Kernel;
use super::located::At;
use super::machine::PC;
use super::model::{Chipset, Feature, FirmwareArchive, Flavor, Guest, Hypervisor, Role};
use super::project::Project;
use super::selection::Selection;
use wifibox_ground::digest::Sha256;

/// All recipes. Every reference from one file to another was followed and found good.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(super) guest: Document<Guest>,
    pub(super) bases: Documents<Base>,
    pub(super) kernels: Documents<Kernel>,
    pub(super) flavors: Documents<Flavor>,
    pub(super) chipsets: Documents<Chipset>,
    pub(super) roles: Documents<Role>,
    pub(super) features: Documents<Feature>,
    pub(super) hypervisors: Documents<Hypervisor>,
    /// Files of each folder of `overlays/`, relative to it.
    pub(super) overlays: BTreeMap<String, BTreeSet<String>>,
    /// The user's project.
    pub(super) project: Option<Project>,
    pub(super) texts: Texts,
    pub(super) warnings: Vec<Problem>,
}

/// One line of the list of what can be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// Name, as used on the command line.
    pub name: String,
    /// One line that says what it is.
    pub summary: String,
    /// Where it applies: bases, roles or releases, by kind of thing; empty if everywhere.
    pub only_with: Vec<String>,
    /// The bases or roles with which it is taken without being asked for.
    pub default_with: Vec<String>,
    /// Of bases and kernels, the architectures as the base calls them, and of hypervisors the
    /// machines; the default is the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
}

/// The recipes by kind; each list is sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listing {
    /// Bases; `only_with` holds their releases.
    pub bases: Vec<Listed>,
    /// Kernels; `only_with` holds their base.
    pub kernels: Vec<Listed>,
    /// Flavors.
    pub flavors: Vec<Listed>,
    /// Roles.
    pub roles: Vec<Listed>,
    /// Features; `only_with` holds roles.
    pub features: Vec<Listed>,
    /// Hypervisors.
    pub hypervisors: Vec<Listed>,
}

impl Catalog {
    /// Words in the files that the next release will not understand any more.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The hash of all recipes, kernels and chipsets as they were read; overlays are not in it.
    pub fn fingerprint(&self) -> Sha256 {
        self.texts.fingerprint()
    }

    /// The base that is meant where none is asked for: the one that the recipes name, or their only
    /// one.
    pub fn default_base(&self) -> Option<&str> {
        let named = self.guest.value.default_base.as_ref().map(|base| base.as_str());
        let only = || self.bases.keys().next().filter(|_| self.bases.len() == 1);
        named.or_else(|| only().map(String::as_str))
    }

    /// The series whose point release `selection` leaves open, and the architecture, as the base calls it.
    pub fn series(&self, selection: &Selection) -> Option<(&str, &str)> {
        let base = &self.bases.get(&selection.base)?.value;
        let asked = selection.release.as_deref().unwrap_or(&base.default.release.value);
        let architecture = match &selection.architecture {
            Some(wanted) => base.architecture_like(wanted)?,
            None => &base.architecture,
        };
        Some((base.series(asked)?, &architecture.value))
    }

    /// The archive of linux-firmware that the recipes pin.
    pub fn firmware_archive(&self) -> Option<&FirmwareArchive> {
        self.guest.value.firmware_archive.as_ref().map(|archive| &archive.value)
    }

    /// The names of the repositories of all bases, of kernels that have one of their own, and of the project, in order.
    pub fn repositories(&self) -> Vec<String> {
        let all = self.bases.values().flat_map(|base| &base.value.repositories);
        let own = self.kernels.values().filter_map(|kernel| kernel.value.published.as_ref());
        let all = all.chain(own.map(|published| &published.repository));
        let further = self.project.iter().flat_map(Project::repositories);
        let further = further.map(|(_, repository)| repository.value.name);
        let names: BTreeSet<String> =
            all.map(|repository| repository.value.name.clone()).chain(further).collect();
        names.into_iter().collect()
    }

    /// The user's project.
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// The recipes by kind, for showing.
    pub fn list(&self) -> Listing {
        let names = |list: &[At<String>]| list.iter().map(|name| name.value.clone()).collect();
        let defaults = |pick: fn(&Base) -> &str, name: &str| -> Vec<String> {
            let chosen = self.bases.values().filter(|base| pick(&base.value) == name);
            chosen.map(|base| base.name.clone()).collect()
        };
        let mut listing = Listing {
            bases: listed(&self.bases, |base| {
                let releases = keys(&base.value.releases);
                (&base.value.summary, releases, Vec::new())
            }),
            kernels: listed(&self.kernels, |kernel| {
                let default = defaults(|base| &base.default.kernel, &kernel.name);
                (&kernel.value.summary, self.bases_with(kernel), default)
            }),
            flavors: listed(&self.flavors, |flavor| {
                (&flavor.value.summary, names(&flavor.value.bases), Vec::new())
            }),
            roles: listed(&self.roles, |role| {
                let default = defaults(|base| &base.default.role, &role.name);
                (&role.value.summary, names(&role.value.bases), default)
            }),
            features: listed(&self.features, |feature| {
                let on = |role: &&String| feature.value.default.with(role);
                let default = self.roles.keys().filter(on).cloned().collect();
                (&feature.value.summary, names(&feature.value.roles), default)
            }),
            hypervisors: listed(&self.hypervisors, |hypervisor| {
                let default = defaults(|base| &base.default.hypervisor, &hypervisor.name);
                (&hypervisor.value.summary, names(&hypervisor.value.bases), default)
            }),
        };
        for (line, base) in listing.bases.iter_mut().zip(self.bases.values()) {
            line.architectures =
                base.value.every_architecture().map(|name| name.value.clone()).collect();
        }
        for (line, kernel) in listing.kernels.iter_mut().zip(self.kernels.values()) {
            line.architectures = kernel.value.architecture.0.clone();
        }
        for (line, hypervisor) in listing.hypervisors.iter_mut().zip(self.hypervisors.values()) {
            line.architectures =
                [PC.to_owned()].into_iter().chain(keys(&hypervisor.value.machines)).collect();
        }
        listing
    }
}

fn keys<V>(map: &Map<String, V>) -> Vec<String> {
    map.iter().map(|(name, _)| name.value.clone()).collect()
}

fn listed<'a, T>(
    documents: &'a Documents<T>,
    describe: impl Fn(&'a Document<T>) -> (&'a String, Vec<String>, Vec<String>),
) -> Vec<Listed> {
    let line = |document: &'a Document<T>| {
        let (summary, only_with, default_with) = describe(document);
        let (name, summary) = (document.name.clone(), summary.clone());
        Listed { name, summary, only_with, default_with, architectures: Vec::new() }
    };
    documents.values().map(line).collect()
}
