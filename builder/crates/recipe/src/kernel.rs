//! The files that describe kernels (`kernels`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Map;
use super::fragment::Fragment;
use super::kinds::RootCompressor;
use super::located::At;
use super::machine::{Names, Spelling, machine};
use super::repository::Repository;
use super::scalars::{Module, Pattern};
use wifibox_ground::path::GuestPath;

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

/// A kernel that belongs to no distribution: its packages are those of apk v2, in one repository.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Which of its series: each has a lock of its own.
    pub release: At<String>,
    /// Where its packages are.
    pub repository: At<Repository>,
}

/// A kernel: `kernels/NAME.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// One line that says what this is.
    pub summary: String,
    /// The base whose repositories hold it. A kernel has either this or `published`.
    #[serde(default)]
    pub base: Option<At<String>>,
    /// Where it is published by itself, for the guests of every base that names it.
    #[serde(default)]
    pub published: Option<Published>,
    /// Architecture, or a list of them, as the base calls them; as `uname -m` says, of a kernel that is published by
    /// itself.
    pub architecture: At<Names>,
    /// The package that brings it, as a dependency in the base's syntax; `{architecture}` stands for
    /// the architecture as the base calls it.
    pub package: At<String>,
    /// The repository of its base that it comes from, with all else that this one holds: that goes before what
    /// the others have, whatever their priorities are. If this is not given, priorities decide.
    #[serde(default)]
    pub archive: Option<At<String>>,
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
    /// The compression of its guests' root images, where nobody asks for another; if this is not given, the base's
    /// default.
    #[serde(default)]
    pub compression: Option<At<RootCompressor>>,
    /// Needs of this kernel in the guest.
    #[serde(default)]
    pub needs: Fragment,
    /// Further needs under one hypervisor only: how it is started decides how much memory that takes.
    #[serde(default)]
    pub under: Map<String, Fragment>,
}

impl Kernel {
    /// Whether the repositories of this base hold it.
    pub(crate) fn is_of(&self, base: &str) -> bool {
        self.base.as_ref().is_some_and(|own| own.value == base)
    }

    /// The architecture for which it is there and that runs on the same machine as `wanted`, which
    /// any distribution may have named.
    pub(crate) fn architecture_like(&self, wanted: &str) -> Option<&str> {
        let mut names = self.architecture.value.0.iter().map(String::as_str);
        names.find(|known| machine(known) == machine(wanted))
    }
}
