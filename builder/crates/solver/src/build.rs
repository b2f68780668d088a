//! Makes a [`Universe`]: numbers packages and names and lays the providers of each name side by side.

use std::collections::HashMap;
use std::sync::Arc;

use super::policy::Policy;
use super::universe::{
    Entry, Item, Name, Provided, Provider, Repository, StandIn, Tags, UNTAGGED, Universe,
    UniverseError,
};
use wifibox_formats::Package;
use wifibox_ground::version::Scheme;

impl Universe {
    /// Collects the packages of `repositories`, the first being preferred where all else is equal.
    /// With an `architecture`, packages of others cannot be chosen; those for all (`all`, `noarch`,
    /// or not said) always can.
    ///
    /// # Errors
    /// [`UniverseError`] for more tags or packages than can be numbered.
    pub fn new(
        scheme: Scheme,
        architecture: Option<&str>,
        repositories: Vec<Repository>,
        stand_ins: Vec<StandIn>,
    ) -> Result<Self, UniverseError> {
        let universe = Universe {
            scheme,
            policy: Policy::of(scheme),
            architecture: architecture.map(str::to_owned),
            stand_ins,
            repositories: Vec::new(),
            tags: Vec::new(),
            entries: Vec::new(),
            names: HashMap::new(),
            texts: Vec::new(),
            providers: Vec::new(),
            starts: Vec::new(),
        };
        let mut builder = Builder::new(universe)?;
        for (at, repository) in repositories.iter().enumerate() {
            let tag = builder.tag(repository.tag.as_deref())?;
            let at = u16::try_from(at).map_err(|_| UniverseError::TooManyPackages)?;
            for (index, package) in repository.packages.iter().enumerate() {
                let index = number(index)?;
                builder.add(package, Entry { repository: at, index, tags: tag, unusable: None })?;
            }
        }
        let mut universe = builder.finish();
        universe.repositories = repositories;
        Ok(universe)
    }
}

impl Universe {
    /// The universe that the lock file would make: of these packages only, sorted by name within each
    /// repository.
    pub(super) fn restricted(&self, items: &[Item]) -> Result<Universe, UniverseError> {
        let mut sorted = items.to_vec();
        sorted.sort_by_key(|item| {
            let package = self.package(*item);
            (self.repository(*item), &package.name, &package.version)
        });
        let architecture = self.architecture.as_deref();
        let mut universe =
            Universe::new(self.scheme, architecture, vec![], self.stand_ins.clone())?;
        universe.tags.clone_from(&self.tags);
        let mut builder = Builder::new(universe)?;
        for item in sorted {
            let entry = &self.entries[item.at()];
            let (repository, index, tags) = (entry.repository, entry.index, entry.tags);
            builder.add(self.package(item), Entry { repository, index, tags, unusable: None })?;
        }
        let mut universe = builder.finish();
        universe.repositories.clone_from(&self.repositories);
        Ok(universe)
    }
}

/// `count` as a number of a package or name.
fn number(count: usize) -> Result<u32, UniverseError> {
    let number = u32::try_from(count).ok().filter(|n| *n < u32::MAX / 2);
    number.ok_or(UniverseError::TooManyPackages)
}

struct Builder {
    universe: Universe,
    found: Vec<(Name, Provider)>,
    /// apk: the package of each identity.
    known: HashMap<Vec<u8>, Item>,
}

impl Builder {
    fn new(universe: Universe) -> Result<Self, UniverseError> {
        let mut builder = Builder { universe, found: Vec::new(), known: HashMap::new() };
        // Conditions may speak of them even where no package provides them.
        for stand_in in builder.universe.stand_ins.clone() {
            builder.intern(&stand_in.name)?;
        }
        Ok(builder)
    }

    fn tag(&mut self, tag: Option<&str>) -> Result<Tags, UniverseError> {
        let Some(tag) = tag else { return Ok(UNTAGGED) };
        let tags = &mut self.universe.tags;
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
        self.universe
            .tag(tag)
            .filter(|_| self.universe.tags.len() < 64)
            .ok_or(UniverseError::TooManyTags)
    }

    fn add(&mut self, package: &Package, mut entry: Entry) -> Result<(), UniverseError> {
        let item = Item(number(self.universe.entries.len())?);
        let apk = self.universe.scheme == Scheme::Apk;
        if let Some(identity) = package.identity.as_ref().filter(|_| apk) {
            if let Some(same) = self.known.get(identity.key()) {
                self.universe.entries[same.at()].tags |= entry.tags;
                return Ok(());
            }
            self.known.insert(identity.key().to_vec(), item);
        }
        let fits = self.fits(package);
        let unread = self.add_providers(item, package)?;
        entry.unusable = package.refused.clone().or(unread).map(Arc::from);
        if entry.unusable.is_none() && !fits {
            entry.unusable = Some(format!("it is for {}", package.architecture).into());
        }
        self.universe.entries.push(entry);
        Ok(())
    }

    fn fits(&self, package: &Package) -> bool {
        let neutral: &[&str] = match self.universe.scheme {
            Scheme::Apk => &["noarch", ""],
            Scheme::Dpkg => &["all", ""],
            Scheme::Opkg => &["all", "noarch", ""],
        };
        let own = package.architecture.as_str();
        let wanted = self.universe.architecture.as_deref();
        wanted.is_none_or(|wanted| own == wanted || neutral.contains(&own))
    }

    /// Notes what `package` provides; gives the reason why that cannot be read, if so.
    fn add_providers(
        &mut self,
        item: Item,
        package: &Package,
    ) -> Result<Option<String>, UniverseError> {
        let own = Provider { item, own_name: true, version: Provided::Own };
        let name = self.intern(&package.name)?;
        self.found.push((name, own));
        let provides = match package.provides(self.universe.scheme) {
            Ok(provides) => provides,
            Err(error) => return Ok(Some(error.to_string())),
        };
        for provide in provides {
            let version = match provide.version {
                _ if self.universe.policy.provided_as_own_version => Provided::Own,
                None => Provided::Unversioned,
                Some(version) => {
                    let start = version.as_ptr().addr() - package.provides.as_ptr().addr();
                    Provided::Text { start: number(start)?, end: number(start + version.len())? }
                }
            };
            let name = self.intern(provide.name)?;
            self.found.push((name, Provider { item, own_name: false, version }));
        }
        Ok(None)
    }

    fn intern(&mut self, text: &str) -> Result<Name, UniverseError> {
        let universe = &mut self.universe;
        if let Some(name) = universe.names.get(text) {
            return Ok(*name);
        }
        let name = Name(number(universe.texts.len())?);
        let text: Arc<str> = text.into();
        universe.texts.push(text.clone());
        universe.names.insert(text, name);
        Ok(name)
    }

    /// Lays the providers out by name, each name's in the order in which they were found.
    fn finish(self) -> Universe {
        let Builder { mut universe, mut found, .. } = self;
        found.sort_by_key(|(name, _)| *name);
        universe.starts = vec![0; universe.texts.len() + 1];
        for (name, _) in &found {
            universe.starts[name.at() + 1] += 1;
        }
        for at in 1..universe.starts.len() {
            universe.starts[at] += universe.starts[at - 1];
        }
        universe.providers = found.into_iter().map(|(_, provider)| provider).collect();
        universe
    }
}
