//! What a lock is for.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SIZE_LIMIT;
use wifibox_ground::regular;

/// The base, release and architecture that a lock is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Base.
    pub base: String,
    /// Release.
    pub release: String,
    /// Architecture, in the base's own spelling.
    pub architecture: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.base, self.release, self.architecture)
    }
}

impl Target {
    /// The base, release and architecture that the lock file at `path` says it is for; `None` if there is no lock that can
    /// be read.
    pub(crate) fn of_lock(path: &Path) -> Option<Self> {
        let text = regular::read(path, SIZE_LIMIT).ok()?;
        let Head { base, release, architecture } = serde_json::from_slice(&text).ok()?;
        Some(Target { base, release, architecture })
    }

    /// The lock file's usual place: `locks/BASE-RELEASE-ARCHITECTURE.lock`.
    pub(crate) fn default_path(&self) -> PathBuf {
        let Target { base, release, architecture } = self;
        Path::new("locks").join(format!("{base}-{release}-{architecture}.lock"))
    }
}

#[derive(Deserialize)]
struct Head {
    base: String,
    release: String,
    architecture: String,
}
