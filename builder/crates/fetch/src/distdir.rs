//! Folders of downloaded files (`--distdir`): plain files, found by name or by their path below a
//! mirror, recognised by digest and
//! used where they are. A ports tree fetches into such a folder before a build without a network.

use std::path::Path;

use super::error::{FetchError, Outcome, Tried};
use super::fetched::Fetched;
use super::store::open_and_hash;
use wifibox_ground::artefact::{Artefact, Found};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::location::Location;
use wifibox_ground::progress::Progress;

/// Looks for `artefact` in `folder`. A file of its name that is not it is left alone, with a
/// warning. The inner error is what the folder said.
pub(super) fn look(
    artefact: &Artefact,
    folder: &Path,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Result<Fetched, Tried>, FetchError> {
    let flat = folder.join(&artefact.file_name);
    // A bundle has the layout of a mirror.
    let nested = folder.join(&artefact.path);
    let path = if !flat.is_file() && nested.is_file() { nested } else { flat };
    let trial = |outcome| Ok(Err(Tried { location: path.display().to_string(), outcome }));
    // A name out of an index must not lead out of the folder.
    let climbs = Location::File(folder.to_owned()).join(&artefact.path).is_err();
    if climbs
        || matches!(&*artefact.file_name, "" | "." | "..")
        || artefact.file_name.contains(['/', '\\'])
    {
        return trial(Outcome::Refused("not a file name".to_owned()));
    }
    if !path.is_file() {
        return trial(Outcome::NotFound("no such file".to_owned()));
    }
    let length = path.metadata().map_or(0, |data| data.len());
    if let Some(size) = artefact.identity.size.filter(|size| *size != length) {
        let found = Found { size: length, sha256: None };
        progress.warn(&format!(
            "{} is not used: it holds {found}; expected {size} bytes",
            path.display()
        ));
        return trial(Outcome::Mismatch(found));
    }
    match open_and_hash(&path, cancel) {
        Ok(Some((file, found))) if artefact.identity.accepts(&found) => match found {
            Found { size, sha256: Some(sha256) } => Ok(Ok(Fetched::of(path, size, sha256, &file)?)),
            Found { sha256: None, .. } => trial(Outcome::Mismatch(found)),
        },
        Ok(Some((_, found))) => {
            progress.warn(&format!(
                "{} is not used: it holds {found}; expected {}",
                path.display(),
                artefact.identity
            ));
            trial(Outcome::Mismatch(found))
        }
        Ok(None) => trial(Outcome::NotFound("no such file".to_owned())),
        Err(FetchError::Disk { source, .. }) => trial(Outcome::Refused(source.to_string())),
        Err(error) => Err(error),
    }
}
