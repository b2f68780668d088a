//! Where the files of a repository may be had.

use wifibox_formats::deb::apt_sources;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

use crate::{Context, Error};

/// The mirrors that the user names for a repository, else those for the one whose mirrors hold it.
pub fn named(repository: &Repository, context: &Context<'_>) -> Vec<Location> {
    let names = [Some(&repository.name), repository.mirrors_of.as_ref()];
    let of = |name: &String| -> Vec<Location> {
        let own = context.access.mirrors.iter().filter(|(known, _)| known == name);
        own.map(|(_, location)| location.clone()).collect()
    };
    names.into_iter().flatten().map(of).find(|named| !named.is_empty()).unwrap_or_default()
}

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
    let named = named(repository, context);
    if !named.is_empty() {
        return Ok(named);
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
