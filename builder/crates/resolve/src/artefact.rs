//! The files of locked packages: where each may be had, and how it is recognised.

use wifibox_formats::Package;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;

use crate::lock::LockedPackage;
use crate::mirrors::mirrors;
use crate::{Context, Error, Source};

/// Where the file of a locked package may be had, and how it is recognised.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Unhashed`], [`Error::Mirror`].
pub fn artefact(
    source: &Source,
    locked: &LockedPackage,
    context: &Context<'_>,
) -> Result<Artefact, Error> {
    let LockedPackage { repository, package } = locked;
    let sha256 = digest(package)?;
    let size = (package.size > 0).then_some(package.size);
    Ok(unhashed_artefact(source, repository, package, context)?.expecting(size, sha256))
}

/// The SHA-256 of a package.
///
/// # Errors
/// [`Error::Unhashed`].
pub fn digest(package: &Package) -> Result<Sha256, Error> {
    let unhashed = || {
        let (name, version) = (package.name.clone(), package.version.clone());
        Error::Unhashed { name, version }
    };
    package.sha256.ok_or_else(unhashed)
}

/// The same, for a package whose SHA-256 is not known.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Mirror`].
pub(crate) fn unhashed_artefact(
    source: &Source,
    repository: &str,
    package: &Package,
    context: &Context<'_>,
) -> Result<Artefact, Error> {
    let known = source.repositories.iter().find(|known| known.name == repository);
    let Some(known) = known else {
        return Err(Error::NoMirror { repository: repository.to_owned() });
    };
    let locations = mirrors(known, source.format, context)?;
    let name = format!("{} {}", package.name, package.version);
    Artefact::on_mirrors(name, &locations, &package.path)
        .map_err(|error| Error::Mirror(format!("package {}", package.name), error))
}
