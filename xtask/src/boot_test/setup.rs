//! The folders of one run, and what tests add to their files.

use std::fs;
use std::path::{Path, PathBuf};

use wifibox_host::shares::Share;

/// The folders of one run.
pub struct Setup {
    /// The share `config`.
    pub config: PathBuf,
    /// The share `app_config`.
    pub application: PathBuf,
    /// The share `e2e`.
    pub exchange: PathBuf,
    /// All shares.
    pub shares: Vec<Share>,
    /// The guest's architecture, as `uname -m` says.
    pub architecture: String,
}

/// Adds text to a file of the shares.
pub fn append(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot extend {}: {error}", path.display());
    let mut whole = fs::read_to_string(path).map_err(failed)?;
    whole.push_str(text);
    fs::write(path, whole).map_err(failed)
}
