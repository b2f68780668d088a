//! The guests of a project, and what it says of each: the part that is for all guests, and the guest's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{Own, OwnFile, OwnFiles};
use super::model::{GuestPlan, OwnFirmware, ProjectFile, Settings};
use crate::error::{Problem, RecipeError};
use crate::fragment::Fragment;
use crate::kinds::RootCompressor;
use crate::located::{At, Origin, Sourced};
use crate::repository::Repository;
use crate::selection::Selection;
use wifibox_ground::device::DeviceId;
use wifibox_ground::path::GuestPath;

/// A project that was read, with the files that it names.
#[derive(Debug, Clone)]
pub struct Project {
    pub(super) file: Arc<str>,
    pub(super) written: ProjectFile,
    pub(super) guests: BTreeMap<String, ProjectGuest>,
}

/// One guest of a project.
#[derive(Debug, Clone)]
pub struct ProjectGuest {
    /// Its name; the only guest of a project may have none.
    pub(super) name: Option<String>,
    pub(super) file: Arc<str>,
    pub(super) place: Origin,
    /// From the part that is for all guests to the guest's own: the later one decides.
    pub(super) parts: Vec<Part>,
}

/// A part of the file, with the user's own files.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub plan: GuestPlan,
    pub own: OwnFiles,
}

impl Project {
    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What it says of the work as a whole.
    pub fn settings(&self) -> Settings {
        self.written.settings()
    }

    /// Its guests, by name.
    pub fn guests(&self) -> impl Iterator<Item = &ProjectGuest> {
        self.guests.values()
    }

    /// The guest of this name.
    ///
    /// # Errors
    /// [`RecipeError::Choice`] with the nearest name.
    pub fn guest(&self, name: &str) -> Result<&ProjectGuest, RecipeError> {
        self.guests.get(name).ok_or_else(|| {
            let names = self.guests.values().filter_map(|guest| guest.name.as_deref());
            let problem = Problem::new(format!("there is no guest \"{name}\" in {}", self.file));
            RecipeError::choice(match self.guests.contains_key("") {
                true => problem.help("it has one guest only, which has no name"),
                false => problem.expected(name, names),
            })
        })
    }

    /// Its further repositories.
    pub(crate) fn repositories(&self) -> impl Iterator<Item = (&str, Sourced<Repository>)> {
        self.written.repositories.iter().flat_map(|(base, list)| {
            list.iter().map(|given| {
                let mut repository = given.sourced(&self.file);
                repository.value.further = true;
                (base.as_str(), repository)
            })
        })
    }

    /// The bases that its further repositories are for.
    pub(crate) fn repository_bases(&self) -> impl Iterator<Item = (&At<String>, &Arc<str>)> {
        self.written.repositories.iter().map(|(base, _)| (base, &self.file))
    }
}

/// A choice that a guest's part makes, if it makes it.
type Pick<T> = fn(&GuestPlan) -> Option<&At<T>>;

impl ProjectGuest {
    /// Its name; none if it is the project's only guest and has none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The key under which a [`Selection`] names it.
    pub fn key(&self) -> String {
        self.name.clone().unwrap_or_default()
    }

    /// Where it is in the file.
    pub fn place(&self) -> &Origin {
        &self.place
    }

    /// A choice of one value, and where it is made.
    pub fn choice<T: Clone>(&self, pick: Pick<T>) -> Option<Sourced<T>> {
        let mut parts = self.parts.iter().rev();
        parts.find_map(|part| Some(pick(&part.plan)?.sourced(&self.file)))
    }

    /// The value of such a choice.
    pub fn value<T: Clone>(&self, pick: Pick<T>) -> Option<T> {
        self.choice(pick).map(|choice| choice.value)
    }

    /// A list, of which the guest's own part comes last.
    pub fn list<T: Clone>(&self, pick: fn(&GuestPlan) -> &Vec<At<T>>) -> Vec<Sourced<T>> {
        let lists = self.parts.iter().flat_map(|part| pick(&part.plan));
        lists.map(|item| item.sourced(&self.file)).collect()
    }

    /// The values of such a list.
    pub fn values<T: Clone>(&self, pick: fn(&GuestPlan) -> &Vec<At<T>>) -> Vec<T> {
        self.list(pick).into_iter().map(|item| item.value).collect()
    }

    /// Features to have, and features not to have: the guest's own part decides.
    pub fn features(&self) -> (Vec<String>, Vec<String>) {
        let (mut with, mut without) = (Vec::<String>::new(), Vec::<String>::new());
        for part in &self.parts {
            let names = |list: &[At<String>]| -> Vec<String> {
                list.iter().map(|name| name.value.clone()).collect()
            };
            let (on, off) = (names(&part.plan.with), names(&part.plan.without));
            with.retain(|name| !off.contains(name));
            without.retain(|name| !on.contains(name));
            // Within one part both are kept, and found to contradict each other.
            with.extend(on);
            without.extend(off);
        }
        (with, without)
    }

    /// Its flavors.
    pub fn flavors(&self) -> Vec<String> {
        self.value(|plan| plan.flavor.as_ref()).map(|names| names.0).unwrap_or_default()
    }

    /// Its output folder: what is said for all guests of several holds a folder for each.
    pub fn out(&self) -> Option<String> {
        let own = self.parts.last().and_then(|part| part.plan.out.as_ref());
        match (own, &self.name) {
            (Some(own), _) => Some(own.value.clone()),
            (None, Some(name)) => {
                self.value(|plan| plan.out.as_ref()).map(|out| format!("{out}/{name}"))
            }
            (None, None) => None,
        }
    }

    /// The only card that it is for.
    pub fn device(&self) -> Option<DeviceId> {
        self.value(|plan| plan.device.as_ref())
    }

    /// Firmware of the user's own.
    pub fn firmware(&self) -> Vec<OwnFirmware> {
        self.values(|plan| &plan.firmware)
    }

    /// The compressor of root.img.
    pub fn compression(&self) -> Option<RootCompressor> {
        self.value(|plan| plan.compression.as_ref())
    }

    /// The compositions that it asks for, one for each flavor; `base` is meant where it names none.
    pub fn selections(&self, base: Option<&str>) -> Vec<Selection> {
        let base = self.value(|plan| plan.base.as_ref()).or(base.map(str::to_owned));
        let (with, without) = self.features();
        let selection = Selection {
            base: base.unwrap_or_default(),
            release: self.value(|plan| plan.release.as_ref()),
            point: None,
            architecture: self.value(|plan| plan.arch.as_ref()),
            flavor: String::new(),
            role: self.value(|plan| plan.role.as_ref()),
            with,
            without,
            kernel: self.value(|plan| plan.kernel.as_ref()),
            hypervisor: self.value(|plan| plan.hypervisor.as_ref()),
            compression: self.compression(),
            firmware_archive: self.value(|plan| plan.firmware_archive.as_ref()).is_some(),
            guest: Some(self.key()),
        };
        let of = |flavor| Selection { flavor, ..selection.clone() };
        self.flavors().into_iter().map(of).collect()
    }

    /// What it adds in the way of recipes, in the order in which it counts.
    pub(crate) fn fragments(&self) -> impl Iterator<Item = (Arc<str>, Fragment)> {
        self.parts.iter().map(|part| (self.file.clone(), part.plan.fragment()))
    }

    /// The user's own files and links, by path in the guest.
    pub(crate) fn own(&self) -> BTreeMap<GuestPath, Sourced<Own>> {
        self.parts.iter().flat_map(|part| part.own.root.clone()).collect()
    }

    /// The user's own samples, by path below the host's configuration.
    pub(crate) fn samples(&self) -> BTreeMap<GuestPath, Sourced<OwnFile>> {
        self.parts.iter().flat_map(|part| part.own.samples.clone()).collect()
    }
}
