//! The files that describe distributions (`recipes/bases`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Map;
use super::fragment::{Fragment, recipe_file};
use super::kernel::EfiStub;
use super::kinds::{AccountsFrom, Format, InitSystem, RootCompressor};
use super::located::{At, Sourced};
use super::machine::machine;
use super::repository::Repository;
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
        let here = self.repositories.iter().filter(|given| given.value.is_for(release));
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
