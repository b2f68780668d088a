//! The result of composing recipes: every value of one build, with the place that says so.

use std::collections::BTreeMap;

use serde::Serialize;

use super::base::Initramfs;
use super::fragment::FirmwareRule;
use super::kernel::{BootsWith, EfiStub};
use super::kinds::{AccountsFrom, Format, InitSystem, RootCompressor};
use super::located::Sourced;
use super::model::Devices;
use super::project::{Own, OwnFile};
use super::records::{Applets, Directory, FileText, Group, Share, User};
use super::region::Region;
use super::repository::Repository;
use super::scalars::{Module, Pattern};
use super::scripts::{ScriptRule, StandIn};
use wifibox_ground::guest::{AppConfig, Nic, ShareTransport};
use wifibox_ground::path::GuestPath;

/// The kernel of a build, and how to find its parts in its packages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelChoice {
    /// Name of its descriptor.
    pub name: Sourced<String>,
    /// The package that brings it, as a dependency in the base's syntax.
    pub package: Sourced<String>,
    /// The repository of its base that it comes from, with what goes with it.
    pub archive: Option<Sourced<String>>,
    /// The kernel image.
    pub image: Sourced<Pattern>,
    /// Its configuration, if it has one.
    pub config: Option<Sourced<Pattern>>,
    /// The folder of its modules.
    pub modules: Sourced<Pattern>,
    /// Modules that are built in, where its packages do not list them.
    pub built_in: Vec<Sourced<Module>>,
    /// How it gets at its root file system.
    pub boots_with: Sourced<BootsWith>,
    /// The stub that starts it under UEFI, if it needs one.
    pub efi_stub: Option<Sourced<EfiStub>>,
    /// Where its packages come from, if not from the guest's own base.
    pub from: Option<KernelSource>,
}

/// Another place than the guest's own base, which a kernel is taken from: another base, or its own repository.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelSource {
    /// The base; of a kernel that is published by itself, its own name.
    pub base: Sourced<String>,
    /// Package format.
    pub format: Sourced<Format>,
    /// Architecture, as that base calls it.
    pub architecture: Sourced<String>,
    /// Release: that base's default.
    pub release: Sourced<String>,
    /// Repositories, with the release filled in.
    pub repositories: Vec<Sourced<Repository>>,
    /// The repository that the kernel comes from, with what goes with it.
    pub archive: Option<Sourced<String>>,
    /// The kernel's package, that of what starts it under UEFI, and what it needs besides.
    pub packages: Vec<Sourced<String>>,
    /// Packages that the builder stands in for.
    pub stand_ins: BTreeMap<String, Sourced<StandIn>>,
    /// Whether the kernel is published by itself, and belongs to no base.
    pub published: bool,
}

/// The hypervisor of a build.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HypervisorChoice {
    /// Name of its recipe.
    pub name: Sourced<String>,
    /// How 9P shares reach the guest.
    pub share_transport: Sourced<ShareTransport>,
    /// The network card towards the host.
    pub nic: Sourced<Nic>,
    /// The console, a name in /dev.
    pub console: Sourced<String>,
    /// The disk that holds the root image, a name in /dev.
    pub root_disk: Sourced<String>,
    /// The name of the machine that guests see, if it has one.
    pub board: Option<Sourced<String>>,
}

/// The firmware that one chipset asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FirmwareNeed {
    /// Name of the chipset.
    pub chipset: Sourced<String>,
    /// The packages of the base that hold its files.
    pub packages: Vec<String>,
    /// How files are chosen.
    pub rule: Sourced<FirmwareRule>,
    /// Files that come in although no module names them.
    pub include: Vec<Sourced<Pattern>>,
    /// Files that stay out although a module names them.
    pub exclude: Vec<Sourced<Pattern>>,
    /// Globs of which each must match a file that came in.
    pub promises: Vec<Sourced<Pattern>>,
    /// Files that come in where a user has them.
    pub optional: Vec<Sourced<Pattern>>,
    /// Files that get a link by the machine's name.
    pub boards: Vec<Sourced<Pattern>>,
}

/// The drivers of one chipset, for builds that keep those of one card only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriverSet {
    /// Name of the chipset.
    pub chipset: Sourced<String>,
    /// Its drivers.
    pub modules: Vec<Module>,
    /// Modules that drivers ask for while they run, and those that are loaded at boot for them.
    pub runtime_modules: Vec<Module>,
    /// The needs of single cards.
    pub devices: Option<Sourced<Devices>>,
}

/// Everything that one build is made of. Lists are in the order in which they count: that of the
/// layers guest, base, release, kernel, flavor, role, features, hypervisor, project.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Base.
    pub base: Sourced<String>,
    /// Package format.
    pub format: Sourced<Format>,
    /// Architecture, as the base calls it.
    pub architecture: Sourced<String>,
    /// Release.
    pub release: Sourced<String>,
    /// The series by whose name it was asked for, where it is a point release.
    pub series: Option<String>,
    /// The day after which nobody mends holes of the release.
    pub end_of_life: Option<Sourced<String>>,
    /// Flavor.
    pub flavor: Sourced<String>,
    /// Role.
    pub role: Sourced<String>,
    /// The daemon that the host configures.
    pub app_config: Sourced<AppConfig>,
    /// Features that are on, sorted.
    pub features: Vec<Sourced<String>>,
    /// Kernel.
    pub kernel: KernelChoice,
    /// Hypervisor.
    pub hypervisor: HypervisorChoice,
    /// Compressor of the root image.
    pub compression: Sourced<RootCompressor>,
    /// The first program of the root file system.
    pub init: Sourced<GuestPath>,
    /// The init system that starts its services.
    pub init_system: Sourced<InitSystem>,
    /// Where the guest's accounts come from.
    pub accounts_from: Sourced<AccountsFrom>,
    /// Whether directories come in although nothing is left in them.
    pub keep_empty_directories: Sourced<bool>,
    /// Whether the guest must hold the wireless regulatory database.
    pub regulatory_database: Sourced<bool>,
    /// The packages that have programs which scripts call, by program.
    pub programs: BTreeMap<String, Sourced<String>>,
    /// The contents of the initramfs; `None` if the kernel boots without one.
    pub initramfs: Option<Sourced<Initramfs>>,
    /// Repositories, with the release filled in.
    pub repositories: Vec<Sourced<Repository>>,
    /// Packages to install, the kernel's not among them.
    pub packages: Vec<Sourced<String>>,
    /// Packages that the builder stands in for.
    pub stand_ins: BTreeMap<String, Sourced<StandIn>>,
    /// Packages of which only the needed firmware comes in.
    pub firmware_packages: Vec<Sourced<String>>,
    /// The firmware that is needed, by chipset.
    pub firmware: Vec<FirmwareNeed>,
    /// The flavor's drivers, by chipset.
    pub drivers: Vec<DriverSet>,
    /// The terms that users must agree to, by chipset.
    pub agreements: BTreeMap<String, Sourced<String>>,
    /// Licences of that firmware.
    pub licences: Vec<Sourced<String>>,
    /// Modules in the initramfs, in order.
    pub initramfs_modules: Vec<Sourced<Module>>,
    /// Modules loaded at boot, in order.
    pub load_modules: Vec<Sourced<Module>>,
    /// Modules loaded on demand.
    pub modules: Vec<Sourced<Module>>,
    /// Folders of overlays, in order.
    pub overlays: Vec<Sourced<String>>,
    /// Services kept running.
    pub services: Vec<Sourced<String>>,
    /// Services that OpenRC starts, by runlevel.
    pub runlevels: BTreeMap<String, Vec<Sourced<String>>>,
    /// Init scripts of packages that are not enabled.
    pub services_off: Vec<Sourced<String>>,
    /// Users; no two have one name or one uid.
    pub users: Vec<Sourced<User>>,
    /// Groups; no two have one name or one gid.
    pub groups: Vec<Sourced<Group>>,
    /// Directories to make.
    pub directories: Vec<Sourced<Directory>>,
    /// Links to make before packages are unpacked.
    pub links: BTreeMap<GuestPath, Sourced<String>>,
    /// Small files.
    pub files: BTreeMap<GuestPath, Sourced<FileText>>,
    /// The user's own files and links, laid over everything else.
    pub own: BTreeMap<GuestPath, Sourced<Own>>,
    /// The user's own samples of the host's configuration, by path below it.
    pub samples: BTreeMap<GuestPath, Sourced<OwnFile>>,
    /// Programs with applets.
    pub applets: Vec<Sourced<Applets>>,
    /// 9P shares that the guest mounts.
    pub shares: Vec<Sourced<Share>>,
    /// Paths of packages that stay out.
    pub exclude: Vec<Sourced<Pattern>>,
    /// Paths of packages that come in although they are excluded.
    pub keep: Vec<Sourced<Pattern>>,
    /// Kernel arguments.
    pub cmdline: Vec<Sourced<String>>,
    /// Known scripts of packages.
    pub scripts: Vec<Sourced<ScriptRule>>,
    /// Memory without which the guest does not come up, in MiB.
    pub memory_smallest: Option<Sourced<u32>>,
    /// Memory with which it works well, in MiB.
    pub memory_recommended: Option<Sourced<u32>>,
    /// What the access point may do on the air.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Sourced<Region>>,
}
