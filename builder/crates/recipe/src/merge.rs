//! How the parts of recipe files become one: lists add up and shrink, maps merge, memory is the
//! largest.
//!
//! Files have a level, in the order of [`Level`]. In a map a file of a later level replaces what an
//! earlier one says; within one file the more special part does. Two files of one level that
//! disagree are an error, for nothing says which of them should win.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use super::composed::Recipe;
use super::entries::{Entry, Item, Map};
use super::error::{Problem, RecipeError, Texts};
use super::fragment::Fragment;
use super::located::{At, Sourced};

/// The order in which files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `recipes/guest.yaml`.
    Guest,
    /// The base, and its release.
    Base,
    /// The kernel's descriptor.
    Kernel,
    /// Chipsets of firmware.
    Chipset,
    /// The flavor.
    Flavor,
    /// The role.
    Role,
    /// Features.
    Feature,
    /// The hypervisor.
    Hypervisor,
    /// The user's project.
    Project,
}

/// Adds fragments to a recipe, and remembers the level of every file.
pub(crate) struct Merger<'a> {
    texts: &'a Texts,
    levels: BTreeMap<Arc<str>, Level>,
}

impl<'a> Merger<'a> {
    /// A merger that shows places from these texts.
    pub fn new(texts: &'a Texts) -> Self {
        Merger { texts, levels: BTreeMap::new() }
    }

    /// Adds what `fragment`, a part of `file`, says.
    ///
    /// # Errors
    /// [`RecipeError::Invalid`] if it removes what is not there, or contradicts an equal.
    pub fn add(
        &mut self,
        into: &mut Recipe,
        level: Level,
        file: &Arc<str>,
        fragment: &Fragment,
    ) -> Result<(), RecipeError> {
        self.levels.insert(file.clone(), level);
        self.list(&mut into.packages, file, &fragment.packages)?;
        self.map("stand-in", &mut into.stand_ins, file, &fragment.stand_ins)?;
        self.list(&mut into.firmware_packages, file, &fragment.firmware_packages)?;
        self.list(&mut into.initramfs_modules, file, &fragment.initramfs_modules)?;
        self.list(&mut into.load_modules, file, &fragment.load_modules)?;
        self.list(&mut into.modules, file, &fragment.modules)?;
        self.list(&mut into.overlays, file, &fragment.overlays)?;
        self.list(&mut into.services, file, &fragment.services)?;
        for (level, services) in fragment.runlevels.iter() {
            let level = into.runlevels.entry(level.value.clone()).or_default();
            self.list(level, file, &services.value)?;
        }
        self.list(&mut into.services_off, file, &fragment.services_off)?;
        self.list(&mut into.users, file, &fragment.accounts.users)?;
        self.list(&mut into.groups, file, &fragment.accounts.groups)?;
        self.list(&mut into.directories, file, &fragment.directories)?;
        self.map("link", &mut into.links, file, &fragment.links)?;
        self.map("file", &mut into.files, file, &fragment.files)?;
        self.list(&mut into.applets, file, &fragment.applets)?;
        self.list(&mut into.shares, file, &fragment.shares)?;
        self.list(&mut into.exclude, file, &fragment.exclude)?;
        self.list(&mut into.keep, file, &fragment.keep)?;
        self.list(&mut into.cmdline, file, &fragment.cmdline)?;
        self.list(&mut into.scripts, file, &fragment.scripts)?;
        largest(&mut into.memory_smallest, file, fragment.memory.smallest.as_ref());
        largest(&mut into.memory_recommended, file, fragment.memory.recommended.as_ref());
        if let Some(region) = &fragment.region {
            into.region = Some(region.sourced(file));
        }
        Ok(())
    }

    fn list<T: Item>(
        &self,
        into: &mut Vec<Sourced<T>>,
        file: &Arc<str>,
        entries: &[Entry<T>],
    ) -> Result<(), RecipeError> {
        for entry in entries {
            match entry {
                Entry::Add(item) => self.add_item(into, item.sourced(file))?,
                Entry::Remove(name) => self.remove_item(into, name, file)?,
            }
        }
        Ok(())
    }

    fn add_item<T: Item>(
        &self,
        into: &mut Vec<Sourced<T>>,
        item: Sourced<T>,
    ) -> Result<(), RecipeError> {
        let Some(there) = into.iter_mut().find(|there| there.key() == item.key()) else {
            into.push(item);
            return Ok(());
        };
        if let Some(united) = there.value.unite(&item.value) {
            there.value = united;
            return Ok(());
        }
        Err(RecipeError::invalid(
            Problem::new(format!(
                "the {} \"{}\" is declared twice, in different ways",
                T::WHAT,
                item.key()
            ))
            .at(self.texts.place(&item.origin))
            .also("it is first declared here", self.texts.place(&there.origin))
            .help(format!("remove the first with \"-{}\" to replace it", item.key())),
        ))
    }

    fn remove_item<T: Item>(
        &self,
        into: &mut Vec<Sourced<T>>,
        name: &At<String>,
        file: &Arc<str>,
    ) -> Result<(), RecipeError> {
        let key = T::removal_key(name);
        if let Some(position) = into.iter().position(|there| there.key() == key) {
            into.remove(position);
            return Ok(());
        }
        let names: Vec<String> = into.iter().map(|there| there.key()).collect();
        Err(RecipeError::invalid(
            Problem::new(format!("no {} \"{}\" to remove: no earlier file adds it", T::WHAT, key))
                .at(self.texts.place(&name.origin(file)))
                .expected(&key, names.iter().map(String::as_str)),
        ))
    }

    fn map<K: Ord + Clone + Display, V: Clone + PartialEq>(
        &self,
        what: &str,
        into: &mut BTreeMap<K, Sourced<V>>,
        file: &Arc<str>,
        map: &Map<K, V>,
    ) -> Result<(), RecipeError> {
        for (key, value) in map.iter() {
            let new = Sourced { value: value.value.clone(), origin: key.origin(file) };
            if let Some(old) = into.get(&key.value) {
                if old.value == new.value {
                    continue;
                }
                let level = |file| self.levels.get(file).copied();
                if old.origin.file != *file && level(&old.origin.file) >= level(file) {
                    return Err(RecipeError::invalid(
                        Problem::new(format!("two recipes disagree on the {what} {}", key.value))
                            .at(self.texts.place(&new.origin))
                            .also("the other one says", self.texts.place(&old.origin)),
                    ));
                }
            }
            into.insert(key.value.clone(), new);
        }
        Ok(())
    }
}

fn largest(into: &mut Option<Sourced<u32>>, file: &Arc<str>, given: Option<&At<u32>>) {
    if let Some(given) = given
        && into.as_ref().is_none_or(|there| there.value < given.value)
    {
        *into = Some(given.sourced(file));
    }
}
