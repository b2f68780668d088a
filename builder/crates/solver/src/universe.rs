//! Everything that could be chosen: the packages of all repositories and who provides which name.
//!
//! [`build`](super::build) makes one, touching every name once; dependencies are read only for
//! packages that a resolution reaches.

use std::collections::HashMap;
use std::sync::Arc;

use super::policy::Policy;
use wifibox_formats::{Constraint, MultiArch, Package};
use wifibox_ground::version::Scheme;

/// One repository: its packages and, for apk, the tag under which it is used.
#[derive(Clone, Debug)]
pub struct Repository {
    /// `None`: always used. Otherwise only where the tag is asked for (`name@tag`).
    pub tag: Option<String>,
    /// What apt calls its pin priority: of the versions of a package that of the highest priority is taken,
    /// and the newest of these. The other ecosystems take no account of it.
    pub priority: i16,
    /// Its index.
    pub packages: Arc<[Package]>,
}

impl Repository {
    /// The priority of a repository of which nothing else is known.
    pub const USUAL_PRIORITY: i16 = 500;
    /// The priority of the one that is asked for: apt's `--target-release`.
    pub const TARGET_PRIORITY: i16 = 990;

    /// A repository that counts as most do, and has no tag.
    pub fn new(packages: Arc<[Package]>) -> Self {
        Repository { tag: None, priority: Repository::USUAL_PRIORITY, packages }
    }
}

/// A name that the builder itself provides for, so that nothing is installed to satisfy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The name of a package, or one that packages provide.
    pub name: String,
    /// The version it stands for; `None` satisfies any demand.
    pub version: Option<String>,
}

/// Why a [`Universe`] cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UniverseError {
    /// There are more repository tags than can be told apart.
    #[error("there are more than 63 repository tags; use fewer")]
    TooManyTags,
    /// There are more packages or names than can be numbered.
    #[error("the repositories hold more packages or names than the 2^31 that can be numbered")]
    TooManyPackages,
}

/// A package of a [`Universe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item(pub(super) u32);

/// A name that some package has or provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(pub(super) u32);

impl Item {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

impl Name {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A set of repository tags; bit 0 stands for the repositories without one.
pub(super) type Tags = u64;

/// The repositories without a tag.
pub(super) const UNTAGGED: Tags = 1;

/// One way in which a name is provided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provider {
    pub(super) item: Item,
    /// Whether the name is the package's own.
    pub(super) own_name: bool,
    pub(super) version: Provided,
}

/// The version in which a name is provided.
#[derive(Clone, Copy, Debug)]
pub(super) enum Provided {
    Unversioned,
    /// The version of the package.
    Own,
    /// A part of the package's `provides`.
    Text {
        start: u32,
        end: u32,
    },
}

impl Provider {
    /// Whether the name is provided without a version.
    pub(super) fn is_unversioned(self) -> bool {
        matches!(self.version, Provided::Unversioned)
    }
}

pub(super) struct Entry {
    pub(super) repository: u16,
    pub(super) index: u32,
    pub(super) tags: Tags,
    /// Why it can never be chosen.
    pub(super) unusable: Option<Arc<str>>,
}

/// Everything that could be chosen, ready to be resolved over any number of times.
pub struct Universe {
    pub(super) scheme: Scheme,
    pub(super) policy: Policy,
    pub(super) architecture: Option<String>,
    pub(super) stand_ins: Vec<StandIn>,
    pub(super) repositories: Vec<Repository>,
    pub(super) tags: Vec<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) names: HashMap<Arc<str>, Name>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) providers: Vec<Provider>,
    /// Where the providers of each name start; one more entry than names.
    pub(super) starts: Vec<u32>,
}

impl Universe {
    /// The ecosystem.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The record of a package.
    pub fn package(&self, item: Item) -> &Package {
        let entry = &self.entries[item.at()];
        &self.repositories[usize::from(entry.repository)].packages[entry.index as usize]
    }

    /// The repository that a package is taken from, as its place in the list given to
    /// [`Universe::new`].
    pub fn repository(&self, item: Item) -> usize {
        usize::from(self.entries[item.at()].repository)
    }

    /// The priority of the repository that a package is taken from.
    pub(super) fn priority(&self, item: Item) -> i16 {
        self.repositories.get(self.repository(item)).map_or(0, |known| known.priority)
    }

    /// Leaves of the packages of this name only those of the repository with this place in the list given to
    /// [`Universe::new`]. `why` says so where nothing is left to choose.
    pub fn only_from(&mut self, name: &str, repository: usize, why: &str) {
        let Some(name) = self.name(name) else { return };
        let own = self.providers(name).iter().filter(|p| p.own_name).map(|p| p.item);
        let others: Vec<Item> = own.filter(|item| self.repository(*item) != repository).collect();
        for item in others {
            if let Some(entry) = self.entries.get_mut(item.at()) {
                entry.unusable.get_or_insert_with(|| Arc::from(why));
            }
        }
    }

    /// The place of a package in the list of its repository.
    pub fn index(&self, item: Item) -> usize {
        self.entries[item.at()].index as usize
    }

    /// How many packages there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item> + use<> {
        (0..self.entries.len() as u32).map(Item)
    }

    pub(super) fn unusable(&self, item: Item) -> Option<&str> {
        self.entries[item.at()].unusable.as_deref()
    }

    pub(super) fn tags_of(&self, item: Item) -> Tags {
        self.entries[item.at()].tags
    }

    /// The tag's bit; `None` when no repository has the tag.
    pub(super) fn tag(&self, text: &str) -> Option<Tags> {
        self.tags.iter().position(|known| known == text).map(|at| 2 << at)
    }

    /// The tags of a set, as they are written: `@testing`.
    pub(super) fn tag_texts(&self, tags: Tags) -> Vec<String> {
        let with_bit = self.tags.iter().enumerate().filter(|(at, _)| tags & (2 << at) != 0);
        with_bit.map(|(_, tag)| format!("@{tag}")).collect()
    }

    pub(super) fn name(&self, text: &str) -> Option<Name> {
        self.names.get(text).copied()
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.texts[name.at()]
    }

    /// Everything that provides `name`, in index order.
    pub(super) fn providers(&self, name: Name) -> &[Provider] {
        let (start, end) = (self.starts[name.at()], self.starts[name.at() + 1]);
        &self.providers[start as usize..end as usize]
    }

    /// Everything that provides the name of `constraint`, whether or not it satisfies it.
    pub(super) fn offered(&self, constraint: &Constraint<'_>) -> &[Provider] {
        self.name(constraint.name).map_or(&[], |name| self.providers(name))
    }

    /// Every name that a package provides, its own first.
    pub(super) fn names_of(&self, item: Item) -> Vec<Name> {
        let package = self.package(item);
        let provides = package.provides(self.scheme).unwrap_or_default();
        let all = std::iter::once(package.name.as_str()).chain(provides.iter().map(|p| p.name));
        all.filter_map(|text| self.name(text)).collect()
    }

    /// The version in which `provider` provides its name.
    pub(super) fn version(&self, provider: Provider) -> Option<&str> {
        let package = self.package(provider.item);
        match provider.version {
            Provided::Unversioned => None,
            Provided::Own => Some(&package.version),
            Provided::Text { start, end } => package.provides.get(start as usize..end as usize),
        }
    }

    /// Whether `provider`, which provides the name of `constraint`, satisfies the rest of it.
    pub(super) fn satisfies(&self, provider: Provider, constraint: &Constraint<'_>) -> bool {
        let package = self.package(provider.item);
        if constraint.is_identity() {
            let identity = constraint.version.parse().ok();
            return identity.is_some() && identity == package.identity;
        }
        let architecture = match constraint.qualifier.filter(|_| self.scheme == Scheme::Dpkg) {
            None | Some("native") => true,
            Some("any") => package.multi_arch == MultiArch::Allowed,
            Some(wanted) => {
                let native = self.architecture.as_deref().unwrap_or(wanted) == wanted;
                package.architecture == wanted || (package.architecture == "all" && native)
            }
        };
        architecture && constraint.accepts(self.version(provider))
    }

    /// The stand-in that satisfies `constraint`, if there is one.
    pub(super) fn stand_in(&self, constraint: &Constraint<'_>) -> Option<usize> {
        let satisfies = |stand_in: &StandIn| {
            stand_in.name == constraint.name
                && stand_in
                    .version
                    .as_deref()
                    .is_none_or(|version| constraint.accepts(Some(version)))
        };
        self.stand_ins.iter().position(satisfies)
    }
}
