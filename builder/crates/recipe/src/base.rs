//! The files that describe distributions (`recipes/bases`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Map;
use super::fragment::{Fragment, recipe_file};
use super::kernel::EfiStub;
use super::kinds::{AccountsFrom, Format, InitSystem, RootCompressor};
use super::located::{At, Sourced};
use super::machine::machine;
use super::repository::{Repository, is_of_release};
use wifibox_ground::path::GuestPath;

/// The defaults of a base.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Release of the distribution.
    pub release: At<String>,
    /// Kernel, by the name of its descriptor.
    pub kernel: At<String>,
    /// Role.
    pub role: At<String>,
    /// Hypervisor.
    pub hypervisor: At<String>,
    /// Compressor of the root image.
    pub compression: At<RootCompressor>,
}

/// The defaults of a base that an architecture has otherwise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherDefaults {
    /// Release of the distribution.
    #[serde(default)]
    pub release: Option<At<String>>,
    /// Kernel, by the name of its descriptor.
    #[serde(default)]
    pub kernel: Option<At<String>>,
    /// Hypervisor.
    #[serde(default)]
    pub hypervisor: Option<At<String>>,
}

/// The parts of the initramfs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Initramfs {
    /// Folder of `overlays/` whose files it holds, `init` among them.
    pub overlay: String,
    /// Programs of the guest that it holds too; they must not need libraries.
    pub programs: Vec<GuestPath>,
}

recipe_file! {
    /// One release of a base.
    pub struct Release {
        /// One line that says what this is.
        pub summary: String,
        /// The point release that is meant by the name of this one: `24.10.8` of `24.10`. Others of
        /// its series may be asked for by their numbers (`24.10.2`). None if there are no such.
        #[serde(default)]
        pub point: Option<At<String>>,
        /// The day after which nobody mends its holes any more, `2028-08-09`: a lock or build after it says so.
        #[serde(default)]
        pub end_of_life: Option<At<String>>,
        /// Package format, if it is not that of the base.
        #[serde(default)]
        pub format: Option<At<Format>>,
        /// The kernels that go with it, if not all of the base's.
        #[serde(default)]
        pub kernels: Vec<At<String>>,
        /// The UEFI stub of this base's own kernels in this release, if it is not the one that their
        /// descriptors name.
        #[serde(default)]
        pub efi_stub: Option<At<EfiStub>>,
    }
}

recipe_file! {
    /// Another architecture of a base.
    pub struct Architecture {
        /// One line that says what this is.
        pub summary: String,
        /// The releases that it is there for; all of them if this is not given.
        #[serde(default)]
        pub releases: Vec<At<String>>,
        /// The day after which nobody mends its holes any more, where that is before the release's.
        #[serde(default)]
        pub end_of_life: Option<At<String>>,
        /// The defaults that are others than the base's.
        #[serde(default)]
        pub default: OtherDefaults,
    }
}

recipe_file! {
    /// A distribution that packages come from: `recipes/bases/NAME.yaml`.
    pub struct Base {
        /// One line that says what this is.
        pub summary: String,
        /// Package format.
        pub format: At<Format>,
        /// Architecture that is meant where none is asked for, as the distribution calls it.
        pub architecture: At<String>,
        /// The other architectures that this recipe is known to work with, as the distribution calls
        /// them, and what each adds.
        #[serde(default)]
        pub architectures: Map<String, Architecture>,
        /// The defaults.
        pub default: Defaults,
        /// The releases that this recipe is known to work with, and what each adds.
        pub releases: Map<String, Release>,
        /// Where packages come from.
        pub repositories: Vec<At<Repository>>,
        /// Kernels that go with this base, by the names of their descriptors.
        pub kernels: Vec<At<String>>,
        /// The first program of the root file system.
        pub init: At<GuestPath>,
        /// The program that starts the guest's services; `supervised` if not given.
        #[serde(default)]
        pub init_system: Option<At<InitSystem>>,
        /// Where the guest's accounts come from; `recipes` if not given.
        #[serde(default)]
        pub accounts_from: Option<At<AccountsFrom>>,
        /// Whether directories come into the guest although nothing is left in them, as package
        /// managers leave them.
        #[serde(default)]
        pub keep_empty_directories: Option<At<bool>>,
        /// Whether the guest must hold the wireless regulatory database, without which the kernel keeps
        /// to the channels that are allowed everywhere; it must if this is not given.
        #[serde(default)]
        pub regulatory_database: Option<At<bool>>,
        /// The packages that have the programs which the guest's own scripts call, by program: an error names
        /// the package of one that is missing.
        #[serde(default)]
        pub programs: Map<String, String>,
        /// The parts of the initramfs, for kernels that boot with one.
        #[serde(default)]
        pub initramfs: Option<At<Initramfs>>,
        /// Additions to a guest with the kernel of another base.
        #[serde(default)]
        pub with_other_kernel: Fragment,
    }
}

impl Base {
    /// The repositories of a release for one architecture, with the place of each in the recipe.
    pub(super) fn repositories_of(
        &self,
        release: &str,
        architecture: &str,
        file: &std::sync::Arc<str>,
    ) -> Vec<Sourced<Repository>> {
        let is_there = |given: &&At<Repository>| given.value.is_there(release, architecture);
        let here = self.repositories.iter().filter(is_there);
        let repository = |given: &At<Repository>| {
            let mut value = given.value.of(release, architecture);
            let other = |name: &String| self.repositories.iter().find(|r| r.value.name == *name);
            if let Some(other) = value.mirrors_of.as_ref().and_then(other) {
                value.mirrors.extend(other.value.of(release, architecture).mirrors);
            }
            Sourced { value, origin: given.origin(file) }
        };
        here.map(repository).collect()
    }

    /// The release that is called `name`, and its full number: a release by its own name, or a point
    /// release of its series.
    pub fn release(&self, name: &str) -> Option<(&At<Release>, String)> {
        if let Some(release) = self.releases.get(name) {
            let point = release.value.point.as_ref().map_or(name, |point| &point.value);
            return Some((release, point.to_owned()));
        }
        let of_series = |(series, release): &(&At<String>, &At<Release>)| {
            let rest = name.strip_prefix(&*series.value).and_then(|rest| rest.strip_prefix('.'));
            release.value.point.is_some()
                && rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        self.releases.iter().find(of_series).map(|(_, release)| (release, name.to_owned()))
    }

    /// The series of this name: a release of which there are point releases.
    pub(crate) fn series(&self, name: &str) -> Option<&str> {
        let has_points = |(series, release): &(&At<String>, &At<Release>)| {
            series.value == name && release.value.point.is_some()
        };
        self.releases.iter().find(has_points).map(|(series, _)| series.value.as_str())
    }

    /// The package format of `release`.
    pub(crate) fn format_of(&self, release: &str) -> &At<Format> {
        let own = self.release(release).and_then(|(release, _)| release.value.format.as_ref());
        own.unwrap_or(&self.format)
    }

    /// The kernels that go with `release`.
    pub(crate) fn kernels_of(&self, release: &str) -> &[At<String>] {
        match self.release(release).map(|(release, _)| release) {
            Some(release) if !release.value.kernels.is_empty() => &release.value.kernels,
            _ => &self.kernels,
        }
    }

    /// The defaults on one architecture, as the base calls it.
    pub(crate) fn defaults_on(&self, architecture: &str) -> Defaults {
        let mut defaults = self.default.clone();
        if let Some(other) = self.architectures.get(architecture) {
            let OtherDefaults { release, kernel, hypervisor } = other.value.default.clone();
            defaults.release = release.unwrap_or(defaults.release);
            defaults.kernel = kernel.unwrap_or(defaults.kernel);
            defaults.hypervisor = hypervisor.unwrap_or(defaults.hypervisor);
        }
        defaults
    }

    /// The releases that one architecture, as the base calls it, is there for; all of them if there is none.
    pub(crate) fn releases_on(&self, architecture: &str) -> &[At<String>] {
        self.architectures.get(architecture).map_or(&[], |other| &other.value.releases)
    }

    /// Whether a release is there for one architecture, as the base calls it.
    pub(crate) fn has_on(&self, release: &str, architecture: &str) -> bool {
        let releases = self.releases_on(architecture);
        releases.is_empty() || releases.iter().any(|own| is_of_release(release, own))
    }

    /// The day after which nobody mends the holes of a release on one architecture.
    pub(crate) fn end_of_life(&self, release: &str, architecture: &str) -> Option<&At<String>> {
        let of_release =
            self.release(release).and_then(|(found, _)| found.value.end_of_life.as_ref());
        let other = self.architectures.get(architecture);
        let of_architecture = other.and_then(|other| other.value.end_of_life.as_ref());
        of_release.into_iter().chain(of_architecture).min_by(|a, b| a.value.cmp(&b.value))
    }

    /// The architectures that there are, the default one first.
    pub(crate) fn every_architecture(&self) -> impl Iterator<Item = &At<String>> {
        let others = self.architectures.iter().map(|(name, _)| name);
        std::iter::once(&self.architecture).chain(others)
    }

    /// The architecture that runs on the same machine as `wanted`, which any distribution may have
    /// named.
    pub(crate) fn architecture_like(&self, wanted: &str) -> Option<&At<String>> {
        self.every_architecture().find(|known| machine(known) == machine(wanted))
    }
}
