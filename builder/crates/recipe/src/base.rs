//! The files that describe distributions (`recipes/bases`) and their kernels (`kernels`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Map;
use super::fragment::{Fragment, recipe_file};
use super::kinds::{AccountsFrom, Format, InitSystem, RootCompressor};
use super::located::At;
use super::machine::{Names, Spelling, machine};
use super::scalars::{Module, Pattern};
use wifibox_ground::digest::Sha256;
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

/// A key that signs a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key's fingerprint, in the digits of its own kind (OpenPGP: 40 hexadecimal digits, spaces
    /// allowed). Trust rests on this.
    pub fingerprint: String,
    /// Whose key it is; for Alpine and OpenWrt the exact name of its file.
    pub name: String,
    /// The only architecture whose index it signs, as the distribution calls it; all of them if this
    /// is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The key itself, so that no file of it is needed: the line of base64 of a usign key, or the
    /// base64 between the marks of a PEM file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// The names that OpenWrt gives an architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedTarget {
    /// The target, `x86/64`: the folder below `targets/` of a release.
    pub name: String,
    /// The kernel image in that folder, which its signed `sha256sums` lists. It becomes a package of
    /// the name `kernel-image` that holds `boot/FILE`. `{release}` stands for the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_image: Option<String>,
}

/// A repository of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its name, as used by `--mirror NAME=URL`.
    pub name: String,
    /// Where it can be fetched from; the first that answers is used. `{release}` stands for the
    /// release. Without any, `--mirror NAME=URL` has to say.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// The tag under which its packages are asked for (`name@tag`, apk); without one they are used
    /// wherever they fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Suites or folders within it; `{release}` stands for the release.
    #[serde(default)]
    pub suites: Vec<String>,
    /// Components of each suite, where the format has them; with `targets`, feeds.
    #[serde(default)]
    pub components: Vec<String>,
    /// OpenWrt's own layout: the target of each architecture. Suites are then folders of a release
    /// (`releases/{release}`), and the feeds are those of the target and `components`. A feed of
    /// OpenWrt's formats without targets is each folder of `suites`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, FeedTarget>,
    /// The keys of which one must have signed its index.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// Files on the host that may hold those keys; they are trusted for nothing but that. `{key}`
    /// stands for the name of each key.
    #[serde(default)]
    pub keyrings: Vec<String>,
    /// The package of this repository that holds its keys (apk). A key that the host does not have is
    /// taken from there, if it has a fingerprint of `keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_package: Option<String>,
    /// Packages of a repository without an index, each pinned here. With these there are no suites
    /// and no keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<LoosePackage>,
}

impl Repository {
    /// The same for one release and architecture: `{release}` and `{key}` are filled in, and only the
    /// keys of that architecture are left.
    pub(super) fn of(&self, release: &str, architecture: &str) -> Repository {
        let fill =
            |list: &[String]| list.iter().map(|text| text.replace("{release}", release)).collect();
        let fits = |key: &&Key| key.architecture.as_ref().is_none_or(|only| only == architecture);
        let keys: Vec<Key> = self.keys.iter().filter(fits).cloned().collect();
        let mut keyrings = Vec::new();
        for keyring in &self.keyrings {
            if keyring.contains("{key}") {
                keyrings.extend(keys.iter().map(|key| keyring.replace("{key}", &key.name)));
            } else {
                keyrings.push(keyring.clone());
            }
        }
        let keys = keys.into_iter().map(|key| Key { architecture: None, ..key }).collect();
        let (mirrors, suites) = (fill(&self.mirrors), fill(&self.suites));
        let target = |(name, target): (&String, &FeedTarget)| {
            let image = target.kernel_image.as_ref();
            let kernel_image = image.map(|image| image.replace("{release}", release));
            (name.clone(), FeedTarget { kernel_image, ..target.clone() })
        };
        let own = self.targets.iter().filter(|(name, _)| *name == architecture);
        let targets = own.map(target).collect();
        Repository { mirrors, suites, targets, keys, keyrings, ..self.clone() }
    }
}

/// A package file of a repository without an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoosePackage {
    /// The file, relative to the mirror.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its dependencies, as its .PKGINFO says, if they are known here: then name and version are
    /// those of the file's name, and the file is fetched only for a guest that takes it. Without
    /// this all that it says of itself is read from the file.
    #[serde(default)]
    pub depends: Option<Vec<String>>,
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
        /// The point release that is meant by the name of this one: `24.10.4` of `24.10`. Others of
        /// its series may be asked for by their numbers (`24.10.2`). None if there are no such.
        #[serde(default)]
        pub point: Option<At<String>>,
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
        /// The parts of the initramfs, for kernels that boot with one.
        #[serde(default)]
        pub initramfs: Option<At<Initramfs>>,
        /// Additions to a guest with the kernel of another base.
        #[serde(default)]
        pub with_other_kernel: Fragment,
    }
}

impl Base {
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

/// How a kernel gets at its root file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BootsWith {
    /// By an initramfs that loads the drivers of the disk and the file system.
    Initramfs,
    /// By itself: both drivers are built in.
    Direct,
}

/// A program that starts a Linux kernel under UEFI, joined with it into one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EfiStub {
    /// The package that holds it, which does not come into the guest.
    pub package: String,
    /// Its path in that package; `{efi}` stands for UEFI's name of the machine (`x64`, `aa64`).
    pub path: GuestPath,
}

impl EfiStub {
    /// The same, for one architecture.
    pub(super) fn of(&self, spelling: &Spelling<'_>) -> EfiStub {
        let path = GuestPath::new(spelling.fill(&self.path.to_string()));
        EfiStub {
            package: spelling.fill(&self.package),
            path: path.unwrap_or_else(|_| self.path.clone()),
        }
    }
}

/// A kernel: `kernels/NAME.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// One line that says what this is.
    pub summary: String,
    /// The base whose repositories hold it.
    pub base: At<String>,
    /// Architecture, or a list of them, as the base calls them.
    pub architecture: At<Names>,
    /// The package that brings it, as a dependency in the base's syntax; `{architecture}` stands for
    /// the architecture as the base calls it.
    pub package: At<String>,
    /// The kernel image, among the files of its packages.
    pub image: At<Pattern>,
    /// Its configuration; without one, what it can do is read from its list of built-in modules.
    #[serde(default)]
    pub config: Option<At<Pattern>>,
    /// The folder of its modules.
    pub modules: At<Pattern>,
    /// Modules that are built in, for a kernel whose packages hold no list of them
    /// (`modules.builtin`).
    #[serde(default)]
    pub built_in: Vec<At<Module>>,
    /// How it gets at its root file system.
    pub boots_with: At<BootsWith>,
    /// The stub that starts it under UEFI; none if it is started as it is.
    #[serde(default)]
    pub efi_stub: Option<At<EfiStub>>,
    /// Needs of this kernel in the guest.
    #[serde(default)]
    pub needs: Fragment,
}

impl Kernel {
    /// The architecture for which it is there and that runs on the same machine as `wanted`, which
    /// any distribution may have named.
    pub(crate) fn architecture_like(&self, wanted: &str) -> Option<&str> {
        let mut names = self.architecture.value.0.iter().map(String::as_str);
        names.find(|known| machine(known) == machine(wanted))
    }
}
