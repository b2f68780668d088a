//! The host's side of an output: configuration samples, the skeleton of the share `var`, and the files
//! of each hypervisor in `host/`.

use std::collections::BTreeMap;

use super::{Composed, Error};
use wifibox_ground::guest::Guest;
use wifibox_report::folder::OutputFolder;

/// The modes of host-side files: configuration may hold passwords.
const CONFIGURATION_MODE: u32 = 0o640;

/// The files of the overlays for the host, by their paths in the output folder: configuration samples,
/// and the skeleton of `var`, in which `/.keep` stands for an empty folder.
///
/// # Errors
/// [`Error::Recipe`].
pub fn files(composed: &Composed<'_>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files = BTreeMap::new();
    for overlay in &composed.recipe.overlays {
        let host = format!("overlays/{}/host", overlay.value);
        for file in composed.sources.files_below(&host)? {
            let bytes = composed.sources.read(&format!("{host}/{file}"))?.into_owned();
            // A later overlay's file takes the place of an earlier one's.
            files.insert(file, bytes);
        }
    }
    Ok(files)
}

/// Writes them.
///
/// # Errors
/// [`Error`].
pub fn write(composed: &Composed<'_>, guest: &Guest, folder: &OutputFolder) -> Result<(), Error> {
    folder.make_folder("var")?;
    let files = files(composed)?;
    for (file, bytes) in files {
        match file.strip_suffix("/.keep") {
            // An empty file that keeps a folder in version control.
            Some(empty) => folder.make_folder(empty)?,
            None => {
                let mode = if file.ends_with(".sample") { CONFIGURATION_MODE } else { 0o644 };
                folder.write_bytes(&file, mode, &bytes)?;
            }
        }
    }
    for file in wifibox_host::all_files(guest)? {
        folder.write_bytes(&format!("host/{}", file.path), file.mode, &file.contents)?;
    }
    Ok(())
}
