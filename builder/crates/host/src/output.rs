//! The host's side of an output: configuration samples, the skeleton of the share `var`, and the files
//! of each hypervisor in `host/`.

use wifibox_ground::failure::Kind;
use wifibox_ground::guest::Guest;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_recipe::{Composed, HostFile, RecipeError};

use crate::{HostError, all_files};

/// Why the host's side of an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sample cannot be read.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A hypervisor's file cannot be made.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The output folder cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(error) => error.kind(),
            Error::Host(error) => error.kind(),
            Error::Output(_) => Kind::Failed,
        }
    }
}

/// The modes of host-side files: configuration may hold passwords.
const CONFIGURATION_MODE: u32 = 0o640;

/// Writes them.
///
/// # Errors
/// [`Error`].
pub fn write(composed: &Composed<'_>, guest: &Guest, folder: &OutputFolder) -> Result<(), Error> {
    folder.make_folder("var")?;
    let files = composed.host_files()?;
    for (file, HostFile { bytes, mode }) in files {
        match file.strip_suffix("/.keep") {
            // An empty file that keeps a folder in version control.
            Some(empty) => folder.make_folder(empty)?,
            None => {
                let usual = if file.ends_with(".sample") { CONFIGURATION_MODE } else { 0o644 };
                let mode = mode.map_or(usual, |mode| mode.0.into());
                folder.write_bytes(&file, mode, &bytes)?;
            }
        }
    }
    for (path, target) in composed.host_links()? {
        folder.make_link(&path, &target)?;
    }
    for file in all_files(guest)? {
        folder.write_bytes(&format!("host/{}", file.path), file.mode, &file.contents)?;
    }
    Ok(())
}
