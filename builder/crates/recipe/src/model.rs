//! The kinds of recipe files, but for bases and kernels. A file's name without `.yaml` is the name
//! of what it describes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::entries::{Entry, Map};
use super::fragment::{FirmwareRule, Fragment, Memory, RoleFragment, recipe_file};
use super::kinds::InitSystem;
use super::located::At;
use super::machine::PC;
use super::on_releases::ByBase;
use super::scalars::{Module, Pattern};
use wifibox_ground::device::DeviceId;
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::{AppConfig, Nic, ShareTransport};

recipe_file! {
    /// The parts of every guest, whatever it is made of: `recipes/guest.yaml`.
    pub struct Guest {
        /// One line that says what this is.
        pub summary: String,
        /// Parts of guests that are started in one way only.
        #[serde(default)]
        pub started_by: Map<InitSystem, Fragment>,
        /// The base that is meant where none is asked for; needed as soon as there are several.
        #[serde(default)]
        pub default_base: Option<At<String>>,
        /// The archive of linux-firmware that is taken where one is asked for.
        #[serde(default)]
        pub firmware_archive: Option<At<FirmwareArchive>>,
    }
}

/// An archive as its publisher has it, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirmwareArchive {
    /// Folders that it can be fetched from; the first that answers is used.
    pub mirrors: Vec<String>,
    /// Its file name.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
}

recipe_file! {
    /// A chipset, or a set of chipsets: `recipes/flavors/NAME.yaml`.
    pub struct Flavor {
        /// One line that says what this is.
        pub summary: String,
        /// The chipsets of `firmware-blobs/` that it is made of.
        pub chipsets: Vec<At<String>>,
        /// The bases that it exists on; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// The kernels that it exists with, and its additions with each: a driver that is not part of Linux is
        /// built for one kernel. All kernels if there is none.
        #[serde(default)]
        pub kernels: Map<String, Fragment>,
        /// Additions on one base only.
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
    /// Globs of which each must match a file that came in: what this chipset promises.
    #[serde(default)]
    pub promises: Vec<At<Pattern>>,
    /// Files that only their users have (calibration, settings of a board): they come in where they
    /// are there, and nothing is said where they are not.
    #[serde(default)]
    pub optional: Vec<At<Pattern>>,
    /// Files that the driver asks for under the machine's name first: each that came in gets a link
    /// with the name that the hypervisor gives its guests.
    #[serde(default)]
    pub boards: Vec<At<Pattern>>,
}

/// Which firmware each card needs, for drivers whose metadata does not tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// Where this is known from.
    pub source: String,
    /// The cards. One that is not here gets all firmware that its modules name.
    pub cards: Vec<Card>,
}

/// Cards that need the same files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Their name.
    pub name: String,
    /// Their PCI ids, `VENDOR:DEVICE` or `VENDOR:DEVICE:SUBVENDOR:SUBDEVICE`.
    pub ids: Vec<DeviceId>,
    /// Their firmware: at least one file must come in for these.
    pub firmware: Vec<Pattern>,
    /// Of the chipset's `runtime_modules`, those that they need; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
}

/// A chipset's modules, firmware and licences: `firmware-blobs/NAME.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chipset {
    /// One line that says what this is.
    pub summary: String,
    /// Drivers, loaded when the guest finds a device that they know.
    pub modules: Vec<Entry<Module>>,
    /// Modules that drivers ask for by name while they run, which no dependency shows.
    #[serde(default)]
    pub runtime_modules: Vec<Entry<Module>>,
    /// Modules loaded when the guest boots, because the device that they drive shows itself late or
    /// not at all.
    #[serde(default)]
    pub load_modules: Vec<Entry<Module>>,
    /// The firmware that the drivers want; none if they want none.
    #[serde(default)]
    pub firmware: Option<At<Firmware>>,
    /// Needs of single cards.
    #[serde(default)]
    pub devices: Option<At<Devices>>,
    /// The packages that hold the firmware, by base. A base that is not here does not have it.
    #[serde(default)]
    pub packages: ByBase,
    /// The packages that hold the drivers, by base, where the kernel's own package does not: they are for
    /// the base's own kernel.
    #[serde(default)]
    pub module_packages: ByBase,
    /// Of the firmware's `promises`, those that the packages of a base do not keep.
    #[serde(default)]
    pub not_promised: ByBase,
    /// Chipsets that no guest can have besides, because a driver keeps theirs away.
    #[serde(default)]
    pub conflicts: Vec<At<String>>,
    /// SPDX identifiers, or the names of licence files, under which the firmware may be passed on.
    #[serde(default)]
    pub licences: Vec<At<String>>,
    /// The licence that users must agree to before they may use the firmware, if there is one.
    #[serde(default)]
    pub agreement: Option<At<String>>,
    /// How much memory the guest needs with it.
    #[serde(default)]
    pub memory: Memory,
}

recipe_file! {
    /// The guest's use of its radio: `recipes/roles/NAME.yaml`.
    pub struct Role {
        /// One line that says what this is.
        pub summary: String,
        /// The daemon that the host configures by the share `app_config`.
        pub app_config: At<AppConfig>,
        /// The bases that it exists on; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// Additions on one base only.
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
        /// Additions on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
        /// Additions with one role only.
        #[serde(default, rename = "for")]
        pub with_role: Map<String, RoleFragment>,
    }
}

recipe_file! {
    /// Differences where a hypervisor runs on another machine than a PC.
    pub struct HypervisorMachine {
        /// The network card that the guest has towards its host, if it is another one.
        #[serde(default)]
        pub nic: Option<At<Nic>>,
        /// The guest's console, if it is another one.
        #[serde(default)]
        pub console: Option<At<String>>,
        /// The disk that holds the root image, if it is another one.
        #[serde(default)]
        pub root_disk: Option<At<String>>,
        /// The name of the machine that guests see; none if there is no SMBIOS.
        #[serde(default)]
        pub board: Option<At<String>>,
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
        /// The name of the machine that guests see: the SMBIOS texts `VENDOR-PRODUCT`, as brcmfmac
        /// puts them together. None if there is no SMBIOS.
        #[serde(default)]
        pub board: Option<At<String>>,
        /// The other machines than PCs (x86_64) that it runs on, as `uname -m` says, and what each
        /// changes.
        #[serde(default)]
        pub machines: Map<String, HypervisorMachine>,
        /// The bases that it works with; all of them if there is none.
        #[serde(default)]
        pub bases: Vec<At<String>>,
        /// Additions on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
    }
}

impl Hypervisor {
    /// Whether it runs on this machine.
    pub(crate) fn runs_on(&self, machine: &str) -> bool {
        machine == PC || self.machines.get(machine).is_some()
    }

    /// The changes for this machine; `None` if there are none.
    pub(crate) fn on_machine(&self, machine: &str) -> Option<&HypervisorMachine> {
        self.machines.get(machine).map(|found| &found.value)
    }
}
