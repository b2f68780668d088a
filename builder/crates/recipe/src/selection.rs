//! The user's choices.

use serde::{Deserialize, Serialize};

use super::kinds::RootCompressor;

/// The user's choices for a build, from the command line and the project; each `None` is left to the base.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Selection {
    /// Base.
    pub base: String,
    /// Release of the base.
    pub release: Option<String>,
    /// The point release that is meant where `release` names a series, or leaves it to a base whose default is one: that
    /// of a lock. If `None`, the one that the recipe names.
    #[serde(default)]
    pub point: Option<String>,
    /// Architecture, as the base or as `uname -m` calls it.
    pub architecture: Option<String>,
    /// Flavor.
    pub flavor: String,
    /// Role.
    pub role: Option<String>,
    /// Features to have although they are not on by default.
    pub with: Vec<String>,
    /// Features not to have although they are on by default.
    pub without: Vec<String>,
    /// Kernel.
    pub kernel: Option<String>,
    /// Hypervisor.
    pub hypervisor: Option<String>,
    /// Compressor of the root image.
    pub compression: Option<RootCompressor>,
    /// Firmware comes from an archive of linux-firmware: no package is asked for it.
    #[serde(default)]
    pub firmware_archive: bool,
    /// The guest of the project whose additions it has; `""` for the only one.
    #[serde(default)]
    pub guest: Option<String>,
}
