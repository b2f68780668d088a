//! The file `wifibox.yaml` as it is written. Keys that an option of the command line has, too, have its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entries::{Entry, Map};
use crate::fragment::{Accounts, Fragment, Memory};
use crate::kinds::RootCompressor;
use crate::located::At;
use crate::machine::Names;
use crate::records::Directory;
use crate::region::Region;
use crate::repository::Repository;
use crate::scalars::{Mode, Module, Pattern};
use crate::scripts::{ScriptRule, StandIn};
use wifibox_ground::device::DeviceId;
use wifibox_ground::path::GuestPath;

/// A file of the user's own: its text, or where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// The content itself.
    #[serde(default)]
    pub text: Option<String>,
    /// The file that holds it, below the project's folder.
    #[serde(default)]
    pub from: Option<String>,
    /// Permissions; 0755 for programs and for what begins with `#!`, else 0644.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// It is meant to hold a secret, which everybody sees who has the output.
    #[serde(default)]
    pub secret: bool,
}

/// What a folder of the user's own is laid over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// The guest's root.
    #[default]
    Root,
    /// The samples of the host's configuration: `etc/wifibox` of the output.
    Samples,
}

/// A folder of the user's own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderSource {
    /// The folder, below the project's.
    pub from: String,
    /// What it is laid over; `root` if not given.
    #[serde(default)]
    pub over: Over,
    /// Permissions of the files that match, by glob; the first one counts.
    #[serde(default)]
    pub modes: Map<Pattern, Mode>,
    /// Files that are meant to hold secrets.
    #[serde(default)]
    pub secrets: Vec<Pattern>,
}

/// A firmware file of the user's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnFirmware {
    /// The file, below the project's folder.
    pub from: String,
    /// Its name below lib/firmware; found by what drivers ask for if it is not given.
    #[serde(default)]
    pub name: Option<String>,
}

/// Declares a part of the file that speaks of guests: its own keys, and after them those of every such part.
macro_rules! guest_part {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Where packages come from.
            pub base: Option<At<String>>,
            /// The base's release.
            pub release: Option<At<String>>,
            /// The architecture, as the base or as `uname -m` calls it.
            pub arch: Option<At<String>>,
            /// The flavor, or several.
            pub flavor: Option<At<Names>>,
            /// What the guest does.
            pub role: Option<At<String>>,
            /// Features to have although they are not on by default.
            pub with: Vec<At<String>>,
            /// Features not to have although they are on by default.
            pub without: Vec<At<String>>,
            /// The kernel.
            pub kernel: Option<At<String>>,
            /// What the guest runs under.
            pub hypervisor: Option<At<String>>,
            /// Compressor of root.img.
            pub compression: Option<At<RootCompressor>>,
            /// The only card that the guest is for.
            pub device: Option<At<DeviceId>>,
            /// Globs over firmware names: of those that modules want only these come in.
            pub firmware_file: Vec<At<String>>,
            /// `upstream`, or an archive of linux-firmware: firmware comes from it instead of packages.
            pub firmware_archive: Option<At<String>>,
            /// Chipsets to whose licence you agree.
            pub accept_licence: Vec<At<String>>,
            /// Block size of root.img in KiB.
            pub block_size: Option<At<u32>>,
            /// The output folder.
            pub out: Option<At<String>>,
            /// Packages to install, as dependencies in the base's own syntax.
            pub packages: Vec<Entry<String>>,
            /// Packages that the builder itself stands in for, each with the reason.
            pub stand_ins: Map<String, StandIn>,
            /// Kernel modules in the initramfs, loaded there in this order.
            pub initramfs_modules: Vec<Entry<Module>>,
            /// Kernel modules that the guest loads when it boots, in this order.
            pub load_modules: Vec<Entry<Module>>,
            /// Kernel modules that are there, and loaded on demand.
            pub modules: Vec<Entry<Module>>,
            /// Folders of `overlays/` of the recipes, laid over the packages.
            pub overlays: Vec<Entry<String>>,
            /// Services kept running, on bases without an init system of their own: `etc/sv/NAME`.
            pub services: Vec<Entry<String>>,
            /// Services that OpenRC starts, by runlevel.
            pub runlevels: Map<String, Vec<Entry<String>>>,
            /// Init scripts of packages that procd does not start.
            pub services_off: Vec<Entry<String>>,
            /// Users and groups.
            pub accounts: Accounts,
            /// Directories to make.
            pub directories: Vec<Entry<Directory>>,
            /// Paths of packages that do not come into the guest.
            pub exclude: Vec<Entry<Pattern>>,
            /// Paths that come in although they are excluded, and libraries that stay unneeded.
            pub keep: Vec<Entry<Pattern>>,
            /// Arguments of the kernel's command line.
            pub cmdline: Vec<Entry<String>>,
            /// Known scripts of packages, and what is done instead of evaluating them.
            pub scripts: Vec<Entry<ScriptRule>>,
            /// How much memory the guest needs.
            pub memory: Memory,
            /// What the access point may do on the air, whatever its host configures.
            pub region: Option<At<Region>>,
            /// Files of your own, by path in the guest, laid over everything else.
            pub files: Map<GuestPath, FileSource>,
            /// Links, by path in the guest: where they lead.
            pub links: Map<GuestPath, String>,
            /// Folders of your own.
            pub folders: Vec<At<FolderSource>>,
            /// Samples of the host's configuration, by path below etc/wifibox of the output.
            pub samples: Map<GuestPath, FileSource>,
            /// Firmware of your own.
            pub firmware: Vec<At<OwnFirmware>>,
        }
    };
}

guest_part! {
    /// What a project says of one guest, or of all.
    pub struct GuestPlan {}
}

guest_part! {
    /// A project: which guests are wanted, and what is in them besides the recipes. `wifibox.yaml`.
    pub struct ProjectFile {
        /// The guests, by name, where there are several; what stands outside is for all of them.
        pub guests: Map<String, GuestPlan>,
        /// Further repositories, by base.
        pub repositories: Map<String, Vec<At<Repository>>>,
        /// A folder of recipes that are added to the built-in ones, and replace single files of them.
        pub recipes: Option<At<String>>,
        /// The mirror of a repository, or several, by the repository's name.
        pub mirror: Map<String, Names>,
        /// Folders with package files.
        pub distdir: Vec<At<String>>,
        /// Files with signing keys.
        pub trust_key: Vec<At<String>>,
        /// The lock file, for a project with one.
        pub lock_file: Option<At<String>>,
        /// Where downloads are kept.
        pub cache_dir: Option<At<String>>,
        /// A cache that is shared with other machines.
        pub remote_cache: Option<At<String>>,
    }
}

/// What a project says of the work as a whole. Paths start at the project's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Repositories and their mirrors.
    pub mirrors: Vec<(String, String)>,
    /// Folders with package files.
    pub distdirs: Vec<String>,
    /// Files with signing keys, those that further repositories name among them.
    pub trust_keys: Vec<String>,
    /// The lock file.
    pub lock_file: Option<String>,
    /// Where downloads are kept.
    pub cache_dir: Option<String>,
    /// A cache that is shared with other machines.
    pub remote_cache: Option<String>,
}

impl ProjectFile {
    /// What it says of the work as a whole.
    pub fn settings(&self) -> Settings {
        let text = |given: &Option<At<String>>| given.as_ref().map(|given| given.value.clone());
        let texts = |given: &[At<String>]| given.iter().map(|given| given.value.clone()).collect();
        let mirrors = self.mirror.iter().flat_map(|(name, urls)| {
            urls.value.0.iter().map(|url| (name.value.clone(), url.clone()))
        });
        let mut trust_keys: Vec<String> = texts(&self.trust_key);
        let further = self.repositories.iter().flat_map(|(_, list)| list.iter());
        let named = further.flat_map(|repository| repository.keyrings.iter().cloned());
        trust_keys.extend(named.filter(|file| !file.starts_with('/') && !file.contains('{')));
        Settings {
            mirrors: mirrors.collect(),
            distdirs: texts(&self.distdir),
            trust_keys,
            lock_file: text(&self.lock_file),
            cache_dir: text(&self.cache_dir),
            remote_cache: text(&self.remote_cache),
        }
    }

    /// The part that is for all guests.
    pub fn shared(&self) -> GuestPlan {
        let all = self.clone();
        GuestPlan {
            base: all.base,
            release: all.release,
            arch: all.arch,
            flavor: all.flavor,
            role: all.role,
            with: all.with,
            without: all.without,
            kernel: all.kernel,
            hypervisor: all.hypervisor,
            compression: all.compression,
            device: all.device,
            firmware_file: all.firmware_file,
            firmware_archive: all.firmware_archive,
            accept_licence: all.accept_licence,
            block_size: all.block_size,
            out: all.out,
            packages: all.packages,
            stand_ins: all.stand_ins,
            initramfs_modules: all.initramfs_modules,
            load_modules: all.load_modules,
            modules: all.modules,
            overlays: all.overlays,
            services: all.services,
            runlevels: all.runlevels,
            services_off: all.services_off,
            accounts: all.accounts,
            directories: all.directories,
            exclude: all.exclude,
            keep: all.keep,
            cmdline: all.cmdline,
            scripts: all.scripts,
            memory: all.memory,
            region: all.region,
            files: all.files,
            links: all.links,
            folders: all.folders,
            samples: all.samples,
            firmware: all.firmware,
        }
    }
}

impl GuestPlan {
    /// What it adds in the way of a recipe; the user's own files come besides.
    pub(crate) fn fragment(&self) -> Fragment {
        let plan = self.clone();
        Fragment {
            packages: plan.packages,
            stand_ins: plan.stand_ins,
            initramfs_modules: plan.initramfs_modules,
            load_modules: plan.load_modules,
            modules: plan.modules,
            overlays: plan.overlays,
            services: plan.services,
            runlevels: plan.runlevels,
            services_off: plan.services_off,
            accounts: plan.accounts,
            directories: plan.directories,
            exclude: plan.exclude,
            keep: plan.keep,
            cmdline: plan.cmdline,
            scripts: plan.scripts,
            memory: plan.memory,
            region: plan.region,
            ..Fragment::default()
        }
    }
}
