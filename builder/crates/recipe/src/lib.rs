//! Recipes: the YAML model, its composition and validation.
//!
//! Small files compose: a build is base x kernel x flavor x role x features x hypervisor. This
//! module reads `recipes/`, `kernels/` and `firmware-blobs/` (and the names of what is in
//! `overlays/`) from [`Sources`], checks them all as a [`Catalog`], and composes what a
//! [`Selection`] asks for into one [`Recipe`], in which every value knows where it comes from. A user's project
//! (`wifibox.yaml`) is one more layer of it. The
//! JSON schemas of the files are in `docs/schema`.

mod axes;
mod base;
mod catalog;
mod check;
mod choose;
mod chosen;
mod compose;
mod composed;
mod compositions;
mod document;
mod entries;
mod error;
mod filter;
mod fragment;
mod kernel;
mod kernel_source;
mod kinds;
mod load;
mod located;
mod machine;
mod merge;
mod model;
mod on_releases;
mod outline;
mod pin;
mod project;
mod records;
mod references;
mod region;
mod repository;
mod request;
mod scalars;
mod schema;
mod scripts;
mod selection;
mod show;
mod sources;
#[cfg(test)]
mod tests;
mod yaml;

pub use axes::{Axes, Choice, FeatureChoice, FlavorChoice};
pub use base::{Architecture, Base, Defaults, Initramfs, Release};
pub use catalog::{Catalog, Listed, Listing};
pub use composed::{DriverSet, FirmwareNeed, HypervisorChoice, KernelChoice, KernelSource, Recipe};
pub use document::{Document, Documents};
pub use entries::{Entry, Item, Map};
pub use error::{Place, Problem, RecipeError};
pub use filter::PathFilter;
pub use fragment::{Accounts, FirmwareRule, Fragment, Memory, RoleFragment};
pub use kernel::{BootsWith, EfiStub, Kernel, Published};
pub use kinds::{AccountsFrom, Format, InitSystem, RootCompressor};
pub use located::{At, Origin, Sourced};
pub use machine::{Names, PC, machine};
pub use model::{
    Card, Chipset, Devices, Feature, Firmware, FirmwareArchive, Flavor, Guest, Hypervisor,
    HypervisorMachine, OnByDefault, Role,
};
pub use on_releases::OnReleases;
pub use project::{
    GuestPlan, Own, OwnContent, OwnFile, OwnFirmware, Project, ProjectFile, ProjectGuest, Settings,
};
pub use records::{
    Access, AppletLinks, Applets, Directory, FileText, Group, Password, Share, User,
};
pub use region::Region;
pub use repository::{FeedTarget, Key, LoosePackage, Repository};
pub use request::{Composed, HostFile};
pub use scalars::{Mode, Module, Pattern};
pub use schema::{schema, schemas};
pub use scripts::{EffectAccounts, Effects, ScriptName, ScriptRule, StandIn};
pub use selection::Selection;
pub use show::{Row, Shape, Show};
pub use sources::Sources;
