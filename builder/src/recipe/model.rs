//! The kinds of recipe files. A file's name without `.yaml` is the name of what it describes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::fragment::{Accounts, FirmwareRule, Fragment, Memory, RoleFragment, recipe_file};
use super::located::{At, Entry, Map};
use super::words::{Applets, Directory, FileText, Module, Pattern, ScriptRule, Share, StandIn};
use crate::path::GuestPath;

/// A package format, and with it a package manager's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Debian's.
    Dpkg,
    /// Alpine's, and OpenWrt's from 25.12.
    Apk,
    /// OpenWrt's up to 24.10.
    Opkg,
}

/// A compressor of the root image.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// LZMA2 in .xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// Deflate.
    Gzip,
    /// LZ4.
    Lz4,
    /// LZO.
    Lzo,
}

/// How 9P shares reach the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShareTransport {
    /// virtio-9p: the mount option `trans=virtio`.
    Virtio,
    /// Xen's 9pfs: the mount option `trans=xen`.
    Xen,
}

/// The network card that the guest has towards its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nic {
    /// An emulated Intel 82540/82545.
    E1000,
    /// virtio-net.
    VirtioNet,
    /// Xen's netfront.
    XenNetfront,
}

/// The daemon whose configuration is the share `app_config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppConfig {
    /// wpa_supplicant, in /etc/wpa_supplicant.
    WpaSupplicant,
    /// hostapd, in /etc/hostapd.
    Hostapd,
}

/// What a base takes unless it is told otherwise.
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
    pub compression: At<Compression>,
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
    /// Suites or folders within it; `{release}` stands for the release.
    pub suites: Vec<String>,
    /// Components of each suite, where the format has them.
    #[serde(default)]
    pub components: Vec<String>,
    /// The keys of which one must have signed its index.
    pub keys: Vec<Key>,
    /// Files on the host that may hold those keys; they are trusted for nothing but that.
    #[serde(default)]
    pub keyrings: Vec<String>,
}

/// What becomes the initramfs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Initramfs {
    /// Folder of `overlays/` whose files it holds, `init` among them.
    pub overlay: String,
    /// Programs of the guest that it holds too; they must not need libraries.
    pub programs: Vec<GuestPath>,
}

recipe_file! {
    /// What every guest has, whatever it is made of: `recipes/guest.yaml`.
    pub struct Guest {
        /// One line that says what this is.
        pub summary: String,
    }
}

recipe_file! {
    /// One release of a base.
    pub struct Release {
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
        /// Architecture, as the distribution calls it.
        pub architecture: At<String>,
        /// What is taken unless something else is asked for.
        pub default: Defaults,
        /// The releases that this recipe is known to work with, and what each adds.
        pub releases: Map<String, Release>,
        /// Where packages come from.
        pub repositories: Vec<At<Repository>>,
        /// Kernels that go with this base, by the names of their descriptors.
        pub kernels: Vec<At<String>>,
        /// The first program of the root file system.
        pub init: At<GuestPath>,
        /// What the initramfs is made of, for kernels that boot with one.
        #[serde(default)]
        pub initramfs: Option<At<Initramfs>>,
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
    /// Its path in that package.
    pub path: GuestPath,
}

/// A kernel: `kernels/NAME.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// One line that says what this is.
    pub summary: String,
    /// The base whose repositories hold it.
    pub base: At<String>,
    /// Architecture, as the base calls it.
    pub architecture: At<String>,
    /// The package that brings it, as a dependency in the base's syntax.
    pub package: At<String>,
    /// The kernel image, among the files of its packages.
    pub image: At<Pattern>,
    /// Its configuration; without one, what it can do is read from its list of built-in modules.
    #[serde(default)]
    pub config: Option<At<Pattern>>,
    /// The folder of its modules.
    pub modules: At<Pattern>,
    /// How it gets at its root file system.
    pub boots_with: At<BootsWith>,
    /// What starts it under UEFI; none if it is started as it is.
    #[serde(default)]
    pub efi_stub: Option<At<EfiStub>>,
    /// What this kernel needs in the guest.
    #[serde(default)]
    pub needs: Fragment,
}

recipe_file! {
    /// A chipset, or a set of chipsets: `recipes/flavors/NAME.yaml`.
    pub struct Flavor {
        /// One line that says what this is.
        pub summary: String,
        /// The manifests of `firmware-blobs/` that it is made of.
        pub manifests: Vec<At<String>>,
        /// The bases that it exists on; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// What it adds on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
    }
}

/// Which firmware a chipset's drivers want.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    /// How files are chosen from those that the modules name.
    pub rule: At<FirmwareRule>,
    /// Files that come in although no module names them, relative to the firmware folder.
    #[serde(default)]
    pub include: Vec<At<Pattern>>,
    /// Files that stay out although a module names them.
    #[serde(default)]
    pub exclude: Vec<At<Pattern>>,
    /// Globs of which each must match a file that came in: what this manifest promises.
    #[serde(default)]
    pub promises: Vec<At<Pattern>>,
}

/// A chipset's modules, firmware and licences: `firmware-blobs/NAME.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One line that says what this is.
    pub summary: String,
    /// Drivers, loaded when the guest finds a device that they know.
    pub modules: Vec<Entry<Module>>,
    /// Modules that drivers ask for by name while they run, which no dependency shows.
    #[serde(default)]
    pub runtime_modules: Vec<Entry<Module>>,
    /// The firmware that the drivers want; none if they want none.
    #[serde(default)]
    pub firmware: Option<At<Firmware>>,
    /// The packages that hold the firmware, by base. A base that is not here does not have it.
    #[serde(default)]
    pub packages: Map<String, Vec<At<String>>>,
    /// SPDX identifiers, or the names of licence files, under which the firmware may be passed on.
    #[serde(default)]
    pub licences: Vec<At<String>>,
    /// How much memory the guest needs with it.
    #[serde(default)]
    pub memory: Memory,
}

recipe_file! {
    /// What the guest does with its radio: `recipes/roles/NAME.yaml`.
    pub struct Role {
        /// One line that says what this is.
        pub summary: String,
        /// The daemon that the host configures by the share `app_config`.
        pub app_config: At<AppConfig>,
        /// The bases that it exists on; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// What it adds on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
    }
}

/// Whether a feature is on by itself: for all roles, or for each.
#[derive(Debug, Clone, PartialEq)]
pub enum OnByDefault {
    /// For all roles.
    Always(bool),
    /// For the roles named; off for the others.
    ByRole(Map<String, bool>),
}

impl OnByDefault {
    /// Whether the feature is on by itself with `role`.
    pub fn with(&self, role: &str) -> bool {
        match self {
            OnByDefault::Always(on) => *on,
            OnByDefault::ByRole(roles) => roles.get(role).is_some_and(|on| on.value),
        }
    }
}

impl<'de> Deserialize<'de> for OnByDefault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = OnByDefault;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a map from roles to true or false")
            }
            fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<OnByDefault, E> {
                Ok(OnByDefault::Always(on))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<OnByDefault, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Map::deserialize(map).map(OnByDefault::ByRole)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for OnByDefault {
    fn schema_name() -> Cow<'static, str> {
        "OnByDefault".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Whether it is on by itself: for all roles, or for each.",
            "anyOf": [
                { "type": "boolean" },
                { "type": "object", "additionalProperties": { "type": "boolean" } }
            ]
        })
    }
}

recipe_file! {
    /// Something that a guest can have or not have: `recipes/features/NAME.yaml`.
    pub struct Feature {
        /// One line that says what this is.
        pub summary: String,
        /// Whether it is on by itself.
        pub default: At<OnByDefault>,
        /// The roles that it goes with; all of them if there is none.
        #[serde(default)]
        pub roles: Vec<At<String>>,
        /// The bases that it exists on; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// Features without which this one cannot be.
        #[serde(default)]
        pub requires: Vec<At<String>>,
        /// Features that cannot be together with this one.
        #[serde(default)]
        pub conflicts: Vec<At<String>>,
        /// What it adds on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
        /// What it adds with one role only.
        #[serde(default, rename = "for")]
        pub with_role: Map<String, RoleFragment>,
    }
}

recipe_file! {
    /// A hypervisor that the guest runs under: `recipes/hypervisors/NAME.yaml`.
    pub struct Hypervisor {
        /// One line that says what this is.
        pub summary: String,
        /// How 9P shares reach the guest.
        pub share_transport: At<ShareTransport>,
        /// The network card that the guest has towards its host.
        pub nic: At<Nic>,
        /// The guest's console, a name in /dev.
        pub console: At<String>,
        /// The disk that holds the root image, a name in /dev.
        pub root_disk: At<String>,
        /// The bases that it works with; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// What it adds on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
    }
}
