//! A kernel's capabilities, which limit what an image may hold.
//!
//! The answers come from the kernel's configuration, its list of built-in modules and the modules
//! that its packages bring. A `check_...` refuses a pair that cannot work, and names both sides:
//! what was chosen, and what the kernel lacks. Where neither file is there, the answer is
//! [`Presence::Unknown`], which is no refusal: the kernel's descriptor can state the fact instead.

use std::collections::BTreeSet;
use std::fmt;

use super::builtin::Builtin;
use super::config::{KernelConfig, Value};
use super::feature::Feature;
use super::name::ModuleName;
use wifibox_ground::codec::Compression;

mod codecs;

/// Where in a kernel something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Linked into the kernel.
    BuiltIn,
    /// A module that a package brings.
    Module,
    /// Built as a module, but no package that was given brings it.
    NotPackaged,
    /// Not there.
    Absent,
    /// Neither a configuration nor a list of modules says.
    Unknown,
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Presence::BuiltIn => "built in",
            Presence::Module => "a module",
            Presence::NotPackaged => "a module that no chosen package brings",
            Presence::Absent => "absent",
            Presence::Unknown => "unknown",
        })
    }
}

/// Something that was chosen and that this kernel cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{choice} needs {need}, but kernel {kernel} has {found}; {cure}")]
pub struct Impossible {
    /// The choice, in the user's words.
    pub choice: String,
    /// The feature of the kernel that it needs.
    pub need: String,
    /// The kernel's name and version.
    pub kernel: String,
    /// The state of that feature in the kernel.
    pub found: String,
    /// The advice to the user.
    pub cure: String,
}

/// The capabilities of one kernel.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// The kernel's name and version, for messages.
    pub kernel: String,
    /// Its configuration, where that is known.
    pub config: Option<KernelConfig>,
    /// Its built-in modules, where they are known.
    pub builtin: Option<Builtin>,
    /// The modules that its packages bring.
    pub modules: BTreeSet<ModuleName>,
}

/// How a kernel treats devtmpfs at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devtmpfs {
    /// Mounted over the root's `/dev` by the kernel itself (not behind an initramfs).
    Mounted,
    /// There, but not mounted by the kernel.
    Available,
    /// Not there: the image must hold `/dev/console` itself.
    Absent,
    /// Not known.
    Unknown,
}

impl Capabilities {
    /// Where a module is.
    pub fn module(&self, name: &ModuleName) -> Presence {
        if self.modules.contains(name) {
            return Presence::Module;
        }
        match &self.builtin {
            Some(builtin) if builtin.contains(name) => Presence::BuiltIn,
            Some(_) => Presence::Absent,
            None => Presence::Unknown,
        }
    }

    /// The state of a symbol by the configuration alone: a module need not be packaged.
    pub fn symbol(&self, symbol: &str) -> Presence {
        match self.config.as_ref().map(|config| config.get(symbol)) {
            None => Presence::Unknown,
            Some(Value::No) => Presence::Absent,
            Some(Value::Module) => Presence::NotPackaged,
            Some(_) => Presence::BuiltIn,
        }
    }

    /// Where a feature is: a packaged module, else what the list of built-in modules or the
    /// configuration says.
    pub fn feature(&self, feature: Feature) -> Presence {
        let by_module = match feature.module() {
            Some(text) => ModuleName::new(text).map_or(Presence::Unknown, |n| self.module(&n)),
            None => Presence::Unknown,
        };
        match (by_module, self.symbol(feature.symbol())) {
            (known @ (Presence::Module | Presence::BuiltIn), _) => known,
            (by_module, Presence::Unknown) => by_module,
            (_, by_config) => by_config,
        }
    }

    /// Requires a feature for something that was chosen (`hypervisor bhyve`, `the squashfs root`).
    ///
    /// # Errors
    /// [`Impossible`] when the kernel does not have it.
    pub fn check_feature(&self, choice: &str, feature: Feature) -> Result<Presence, Impossible> {
        let presence = self.feature(feature);
        let cure = match presence {
            Presence::NotPackaged => match feature.module() {
                Some(module) => format!("add the package that holds {module}.ko"),
                None => "add the package that holds it".to_owned(),
            },
            Presence::Absent => "choose another kernel or leave this out".to_owned(),
            _ => return Ok(presence),
        };
        Err(Impossible {
            choice: choice.to_owned(),
            need: format!("{feature} ({})", feature.symbol()),
            kernel: self.kernel.clone(),
            found: format!("{} {presence}", feature.symbol()),
            cure,
        })
    }

    /// The suffix that this kernel's build gives its modules; `None` when it is not known.
    pub fn module_compression(&self) -> Option<Compression> {
        let config = self.config.as_ref()?;
        let on = |symbol: &str| config.is_yes(symbol);
        Some(match () {
            () if on("MODULE_COMPRESS_GZIP") => Compression::Gzip,
            () if on("MODULE_COMPRESS_XZ") => Compression::Xz,
            () if on("MODULE_COMPRESS_ZSTD") => Compression::Zstd,
            () => Compression::None,
        })
    }

    /// Whether the kernel unpacks modules itself (`MODULE_DECOMPRESS`), as finit_module asks for.
    pub fn unpacks_modules(&self) -> Option<bool> {
        self.config.as_ref().map(|config| config.is_yes("MODULE_DECOMPRESS"))
    }

    /// Whether modules load without a valid signature; `None` when it is not known.
    pub fn takes_unsigned_modules(&self) -> Option<bool> {
        self.config.as_ref().map(|config| !config.is_yes("MODULE_SIG_FORCE"))
    }

    /// The command line that was built into the kernel, and whether it wins over a given one.
    pub fn builtin_cmdline(&self) -> Option<(&str, bool)> {
        let config = self.config.as_ref()?;
        let text = config.text("CMDLINE").filter(|text| !text.is_empty())?;
        // x86 has a switch of its own; elsewhere a text is enough.
        if config.mentions("CMDLINE_BOOL") && !config.is_yes("CMDLINE_BOOL") {
            return None;
        }
        let wins = config.is_yes("CMDLINE_OVERRIDE") || config.is_yes("CMDLINE_FORCE");
        Some((text, wins))
    }

    /// How the kernel treats devtmpfs at boot, by its configuration.
    pub fn devtmpfs(&self) -> Devtmpfs {
        match &self.config {
            None => Devtmpfs::Unknown,
            Some(config) if !config.is_yes("DEVTMPFS") => Devtmpfs::Absent,
            Some(config) if config.is_yes("DEVTMPFS_MOUNT") => Devtmpfs::Mounted,
            Some(_) => Devtmpfs::Available,
        }
    }

    /// Of these features, the ones that are modules: an initramfs must load them before the root.
    pub(crate) fn modules_among(&self, features: &[Feature]) -> Vec<Feature> {
        features.iter().copied().filter(|f| self.feature(*f) == Presence::Module).collect()
    }
}

#[cfg(test)]
mod tests;
