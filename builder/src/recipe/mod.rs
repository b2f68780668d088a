//! Recipes: the YAML model, its composition and validation.
//!
//! Small files compose: a build is base x kernel x flavor x role x features x hypervisor. This
//! module reads `recipes/`, `kernels/` and `firmware-blobs/` (and the names of what is in
//! `overlays/`) from [`Sources`], checks them all as a [`Catalog`], and composes what a
//! [`Selection`] asks for into one [`Recipe`], in which every value knows where it comes from. The
//! JSON schemas of the files are in `docs/schema`.

mod catalog;
mod check;
mod choose;
mod compose;
mod composed;
mod error;
mod every;
mod filter;
mod fragment;
mod located;
mod merge;
mod model;
mod references;
mod schema;
mod show;
mod sources;
mod words;
mod yaml;

pub use catalog::{Catalog, Document, Documents, Listed, Listing};
pub use composed::{FirmwareNeed, HypervisorChoice, KernelChoice, Recipe, Selection};
pub use error::{Place, Problem, RecipeError, nearest};
pub use filter::PathFilter;
pub use fragment::{Accounts, FirmwareRule, Fragment, Memory, RoleFragment};
pub use located::{At, Entry, Item, Map, Origin, Sourced};
pub use model::{
    AppConfig, Base, BootsWith, Compression, Defaults, EfiStub, Feature, Firmware, Flavor, Format,
    Guest, Hypervisor, Initramfs, Kernel, Key, Manifest, Nic, OnByDefault, Release, Repository,
    Role, ShareTransport,
};
pub use schema::schemas;
pub use show::{Row, Shape, Show};
pub use sources::Sources;
pub use words::{
    Access, Applets, Directory, EffectAccounts, Effects, FileText, Group, Mode, Module, Password,
    Pattern, ScriptName, ScriptRule, Share, StandIn, User,
};
