//! Where the files of a repository may be had.

use wifibox_formats::deb::apt_sources;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

use crate::{Context, Error};

/// The mirrors of a repository: those that the user names for it, else for the one whose mirrors hold it,
/// else the host's own, else the recipe's.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Mirror`].
pub fn mirrors(
    repository: &Repository,
    format: Format,
    context: &Context<'_>,
) -> Result<Vec<Location>, Error> {
    for name in [Some(&repository.name), repository.mirrors_of.as_ref()].into_iter().flatten() {
        let named = context.access.mirrors.iter().filter(|(known, _)| known == name);
        let named: Vec<Location> = named.map(|(_, location)| location.clone()).collect();
        if !named.is_empty() {
            return Ok(named);
        }
    }
    if let (Format::Dpkg, Some(folder), false) =
        (format, &context.access.apt_folder, repository.further)
        && let Some(suite) = repository.suites.first()
        && let Some(mirror) = apt_sources::debian_mirror(folder, suite)
    {
        return Ok(vec![mirror]);
    }
    let parse = |text: &String| {
        Location::parse(text).map_err(|error| Error::Mirror(repository.name.clone(), error))
    };
    let found: Vec<Location> = repository.mirrors.iter().map(parse).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(Error::NoMirror { repository: repository.name.clone() });
    }
    Ok(found)
}
