//! All recipes, read and checked against each other, whether a build asks for them or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::base::{Base, Kernel};
use super::entries::Map;
use super::error::{Problem, RecipeError, Texts};
use super::located::{At, Origin};
use super::machine::PC;
use super::model::{Feature, FirmwareArchive, Flavor, Guest, Hypervisor, Manifest, Role};
use super::sources::Sources;
use super::{references, yaml};
use wifibox_ground::digest::Sha256;

/// One file, and what it says.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// Its name: that of the file, without `.yaml`.
    pub name: String,
    /// Its path within the sources.
    pub file: Arc<str>,
    /// What it says.
    pub value: T,
}

/// The documents of one kind, by name.
pub type Documents<T> = BTreeMap<String, Document<T>>;

/// All recipes. Every reference from one file to another was followed and found good.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(super) guest: Document<Guest>,
    pub(super) bases: Documents<Base>,
    pub(super) kernels: Documents<Kernel>,
    pub(super) flavors: Documents<Flavor>,
    pub(super) manifests: Documents<Manifest>,
    pub(super) roles: Documents<Role>,
    pub(super) features: Documents<Feature>,
    pub(super) hypervisors: Documents<Hypervisor>,
    /// Files of each folder of `overlays/`, relative to it.
    pub(super) overlays: BTreeMap<String, BTreeSet<String>>,
    pub(super) texts: Texts,
}

/// One line of the list of what can be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// What can be built, by kind; each list is sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// Reads every recipe of `sources` and checks what they say about each other.
    ///
    /// # Errors
    /// [`RecipeError`] with the place of the first thing that is wrong, in the order of kinds, then
    /// of names.
    pub fn load(sources: &Sources) -> Result<Self, RecipeError> {
        let mut texts = Texts::default();
        let mut overlays = BTreeMap::new();
        for name in sources.folders("overlays")? {
            let files = sources.files_below(&format!("overlays/{name}"))?;
            overlays.insert(name, files.into_iter().collect());
        }
        let catalog = Catalog {
            guest: read(sources, "recipes/guest.yaml", &mut texts)?,
            bases: read_all(sources, "recipes/bases", &mut texts)?,
            kernels: read_all(sources, "kernels", &mut texts)?,
            flavors: read_all(sources, "recipes/flavors", &mut texts)?,
            manifests: read_all(sources, "firmware-blobs", &mut texts)?,
            roles: read_all(sources, "recipes/roles", &mut texts)?,
            features: read_all(sources, "recipes/features", &mut texts)?,
            hypervisors: read_all(sources, "recipes/hypervisors", &mut texts)?,
            overlays,
            texts,
        };
        references::check(&catalog)?;
        Ok(catalog)
    }

    /// The hash of all recipes, kernels and manifests as they were read; overlays are not in it.
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

    /// The archive of linux-firmware that the recipes pin.
    pub fn firmware_archive(&self) -> Option<&FirmwareArchive> {
        self.guest.value.firmware_archive.as_ref().map(|archive| &archive.value)
    }

    /// The names of the repositories of all bases, in order.
    pub fn repositories(&self) -> Vec<&str> {
        let all = self.bases.values().flat_map(|base| &base.value.repositories);
        let names: BTreeSet<&str> = all.map(|repository| &*repository.value.name).collect();
        names.into_iter().collect()
    }

    /// What can be built, for showing.
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
                (&kernel.value.summary, vec![kernel.value.base.value.clone()], default)
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

fn read<T: for<'a> Deserialize<'a>>(
    sources: &Sources,
    path: &str,
    texts: &mut Texts,
) -> Result<Document<T>, RecipeError> {
    let bytes = sources.read(path)?.into_owned();
    let text = String::from_utf8(bytes).map_err(|error| RecipeError::Unfit {
        path: path.to_owned(),
        why: format!("is not UTF-8 from byte {}", error.utf8_error().valid_up_to()),
    })?;
    let file: Arc<str> = path.into();
    let text: Arc<str> = text.into();
    texts.keep(file.clone(), text.clone());
    let value = yaml::parse(&file, &text)?;
    let stem = path.rsplit('/').next().unwrap_or(path);
    let name = stem.strip_suffix(".yaml").unwrap_or(stem).to_owned();
    Ok(Document { name, file, value })
}

fn read_all<T: for<'a> Deserialize<'a>>(
    sources: &Sources,
    folder: &str,
    texts: &mut Texts,
) -> Result<Documents<T>, RecipeError> {
    // A flavor names a variant of the FreeBSD port, which allows no hyphen.
    let dash = if folder == "recipes/flavors" { "" } else { "-" };
    let mut documents = BTreeMap::new();
    for entry in sources.list(folder)? {
        let path = format!("{folder}/{entry}");
        let Some(name) = entry.strip_suffix(".yaml") else {
            if entry.ends_with(".yml") {
                let why = "is not read: the names of recipes end in .yaml".to_owned();
                return Err(RecipeError::Unfit { path, why });
            }
            continue;
        };
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(|c| good(c) || dash.contains(c)) {
            let origin = Origin::whole(path);
            return Err(RecipeError::invalid(
                Problem::new(format!("\"{name}\" cannot be the name of a recipe"))
                    .at(texts.place(&origin))
                    .help(format!("expected lower-case letters, digits and _{dash}")),
            ));
        }
        documents.insert(name.to_owned(), read(sources, &path, texts)?);
    }
    Ok(documents)
}
