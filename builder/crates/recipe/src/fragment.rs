//! The part that every kind of recipe file has in common: what it adds to the guest.
//!
//! Keys of the fragment stand at the top level of a file, beside the keys of its own kind. The
//! macro below writes them into each type, rather than serde's `flatten`, which would lose the
//! lines and columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::{Entry, Map};
use super::located::At;
use super::records::{Group, User};

/// Users and groups that a file adds or removes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Users.
    pub users: Vec<Entry<User>>,
    /// Groups.
    pub groups: Vec<Entry<Group>>,
}

/// How much memory a guest needs, in MiB. Over all files the largest number counts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// With less the guest does not come up.
    pub smallest: Option<At<u32>>,
    /// With this it works well.
    pub recommended: Option<At<u32>>,
}

/// Declares a type of recipe file: its own keys, and after them those of the fragment.
macro_rules! recipe_file {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Packages to install, as dependencies in the base's own syntax.
            #[serde(default)]
            pub packages: Vec<$crate::Entry<String>>,
            /// Packages that the builder itself stands in for, each with the reason.
            #[serde(default)]
            pub stand_ins: $crate::Map<String, $crate::StandIn>,
            /// Packages of which only the firmware that is needed comes into the guest.
            #[serde(default)]
            pub firmware_packages: Vec<$crate::Entry<String>>,
            /// Kernel modules in the initramfs, loaded there in this order.
            #[serde(default)]
            pub initramfs_modules: Vec<$crate::Entry<$crate::Module>>,
            /// Kernel modules that the guest loads when it boots, in this order.
            #[serde(default)]
            pub load_modules: Vec<$crate::Entry<$crate::Module>>,
            /// Kernel modules that are there, and loaded on demand.
            #[serde(default)]
            pub modules: Vec<$crate::Entry<$crate::Module>>,
            /// Folders of `overlays/` laid over the packages, in this order.
            #[serde(default)]
            pub overlays: Vec<$crate::Entry<String>>,
            /// Services kept running; an overlay holds `root/etc/sv/NAME` for each.
            #[serde(default)]
            pub services: Vec<$crate::Entry<String>>,
            /// Services that OpenRC starts, by runlevel, on bases that have it.
            #[serde(default)]
            pub runlevels: $crate::Map<String, Vec<$crate::Entry<String>>>,
            /// Init scripts of packages that are not enabled, on bases that procd starts.
            #[serde(default)]
            pub services_off: Vec<$crate::Entry<String>>,
            /// Users and groups.
            #[serde(default)]
            pub accounts: $crate::Accounts,
            /// Directories to make.
            #[serde(default)]
            pub directories: Vec<$crate::Entry<$crate::Directory>>,
            /// Symbolic links, path to target, made before packages are unpacked.
            #[serde(default)]
            pub links: $crate::Map<wifibox_ground::path::GuestPath, String>,
            /// Small files, by path.
            #[serde(default)]
            pub files: $crate::Map<wifibox_ground::path::GuestPath, $crate::FileText>,
            /// Programs with applets that get a link each.
            #[serde(default)]
            pub applets: Vec<$crate::Entry<$crate::Applets>>,
            /// 9P shares that the guest mounts.
            #[serde(default)]
            pub shares: Vec<$crate::Entry<$crate::Share>>,
            /// Paths of packages that do not come into the guest.
            #[serde(default)]
            pub exclude: Vec<$crate::Entry<$crate::Pattern>>,
            /// Paths that come into the guest although they are excluded, and libraries that stay
            /// although nothing seems to need them.
            #[serde(default)]
            pub keep: Vec<$crate::Entry<$crate::Pattern>>,
            /// Arguments of the kernel's command line.
            #[serde(default)]
            pub cmdline: Vec<$crate::Entry<String>>,
            /// Known scripts of packages, and what is done instead of running them.
            #[serde(default)]
            pub scripts: Vec<$crate::Entry<$crate::ScriptRule>>,
            /// How much memory the guest needs.
            #[serde(default)]
            pub memory: $crate::Memory,
            /// What the access point may do on the air, whatever its host configures.
            #[serde(default)]
            pub region: Option<$crate::At<$crate::Region>>,
        }

        impl $name {
            /// The part that this adds to the guest.
            pub fn fragment(&self) -> $crate::Fragment {
                $crate::Fragment {
                    packages: self.packages.clone(),
                    stand_ins: self.stand_ins.clone(),
                    firmware_packages: self.firmware_packages.clone(),
                    initramfs_modules: self.initramfs_modules.clone(),
                    load_modules: self.load_modules.clone(),
                    modules: self.modules.clone(),
                    overlays: self.overlays.clone(),
                    services: self.services.clone(),
                    runlevels: self.runlevels.clone(),
                    services_off: self.services_off.clone(),
                    accounts: self.accounts.clone(),
                    directories: self.directories.clone(),
                    links: self.links.clone(),
                    files: self.files.clone(),
                    applets: self.applets.clone(),
                    shares: self.shares.clone(),
                    exclude: self.exclude.clone(),
                    keep: self.keep.clone(),
                    cmdline: self.cmdline.clone(),
                    scripts: self.scripts.clone(),
                    memory: self.memory.clone(),
                    region: self.region.clone(),
                }
            }
        }
    };
}
pub(super) use recipe_file;

recipe_file! {
    /// The additions of a recipe file to the guest.
    #[derive(Default)]
    pub struct Fragment {}
}

recipe_file! {
    /// The additions of a feature with one role.
    pub struct RoleFragment {
        /// Additions on one base only.
        #[serde(default)]
        pub on: Map<String, Fragment>,
    }
}

/// A rule by which firmware files are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareRule {
    /// The files that the modules name, and no others.
    Exact,
    /// Of files that differ in a version only, the newest that exists up to the one named: what
    /// drivers do that try older firmware when the newest is not there.
    NewestUpToNamed,
}
