//! From a repository's name to its verified records.

mod apk;
mod dpkg;
mod loose;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::source::Source;
use super::{Environment, Error};
use crate::fetch::{FetchError, Fetcher, Location};
use crate::lock::{LockedIndex, LockedPackage};
use crate::recipe::{Format, Repository};
use crate::repo::deb::apt_sources;

/// Everything that the repositories of a recipe offer, now.
pub struct Offered {
    /// The signed indexes.
    pub indexes: Vec<LockedIndex>,
    /// The records.
    pub packages: Vec<LockedPackage>,
}

/// Fetches and verifies the indexes of all repositories of `source`.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong.
pub fn load(
    source: &Source,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Offered, Error> {
    let mut offered = Offered { indexes: Vec::new(), packages: Vec::new() };
    for repository in &source.repositories {
        let load = match source.format {
            _ if !repository.packages.is_empty() => loose::load,
            Format::Dpkg => dpkg::load,
            Format::Apk => apk::load,
            Format::Opkg => {
                return Err(Error::Unsupported(format!(
                    "base {}: opkg repositories cannot be read yet",
                    source.target.base
                )));
            }
        };
        load(source, repository, environment, fetcher, &mut offered).map_err(|error| {
            let Error::Fetch(fetch) = error else { return error };
            match fetch {
                FetchError::Network { .. } | FetchError::NotFound { .. } => Error::Unreachable {
                    base: source.target.base.clone(),
                    repository: repository.name.clone(),
                    others: Vec::new(),
                    source: fetch,
                },
                other => Error::Fetch(other),
            }
        })?;
    }
    Ok(offered)
}

/// The pinned fingerprints of a repository's keys, in the form of its kind of signature.
fn fingerprints<F: FromStr<Err: ToString>>(repository: &Repository) -> Result<Vec<F>, Error> {
    let parse = |key: &crate::recipe::Key| {
        key.fingerprint.parse::<F>().map_err(|error| Error::BadKey {
            repository: repository.name.clone(),
            why: error.to_string(),
        })
    };
    repository.keys.iter().map(parse).collect()
}

/// Files of this machine that hold keys of `repository`.
pub fn key_files(
    format: Format,
    repository: &Repository,
    environment: &Environment<'_>,
) -> Vec<PathBuf> {
    // Keys of all formats are given in one way: a build may take packages from two.
    let ours = |path: &&PathBuf| is_pem(path).is_none_or(|pem| pem == (format != Format::Dpkg));
    let named = environment.trust_keys.iter().filter(ours).cloned();
    let on_host = repository.keyrings.iter().map(PathBuf::from);
    let mut places: Vec<PathBuf> = named.chain(on_host).collect();
    if format != Format::Dpkg {
        // In folders of downloaded files (and bundles) keys have their own names.
        for folder in &environment.fetch.distdirs {
            let keys = repository.keys.iter().map(|key| &key.name);
            places
                .extend(keys.flat_map(|name| [folder.join(name), folder.join("keys").join(name)]));
        }
    }
    places.retain(|path| path.is_file());
    places
}

/// Whether a file holds a public key in PEM, as apk's are, and not OpenPGP certificates; `None` if it
/// cannot be read, which whoever reads it next will say.
fn is_pem(path: &Path) -> Option<bool> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(4096).read_to_end(&mut head).ok()?;
    let mark = b"-----BEGIN PUBLIC KEY-----";
    Some(head.windows(mark.len()).any(|window| window == mark))
}

/// Gives records of an index without SHA-256 the one that the lock knew of the same package.
pub fn remember_hashes(offered: &mut [LockedPackage], old: &[LockedPackage]) {
    let known: BTreeMap<String, &LockedPackage> =
        old.iter().map(|locked| (locked.package.full_name(), locked)).collect();
    for locked in offered.iter_mut().filter(|locked| locked.package.sha256.is_none()) {
        let Some(old) = known.get(&locked.package.full_name()) else { continue };
        let mut same = locked.package.clone();
        same.sha256 = old.package.sha256;
        if old.repository == locked.repository && old.package == same {
            locked.package = same;
        }
    }
}

/// Finds the SHA-256 of packages whose index has none, by fetching and checking them.
///
/// # Errors
/// [`Error`]: a package cannot be had, or is not the one of the index.
pub fn complete(
    source: &Source,
    packages: Vec<&mut LockedPackage>,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<(), Error> {
    match source.format {
        Format::Apk => apk::complete(source, packages, environment, fetcher),
        Format::Dpkg | Format::Opkg => Ok(()),
    }
}

/// The mirrors of a repository: the user's own, else the host's, else the recipe's.
///
/// # Errors
/// [`Error::NoMirror`], [`Error::Mirror`].
pub fn mirrors(
    repository: &Repository,
    format: Format,
    environment: &Environment<'_>,
) -> Result<Vec<Location>, Error> {
    let named = environment.mirrors.iter().filter(|(name, _)| *name == repository.name);
    let named: Vec<Location> = named.map(|(_, location)| location.clone()).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    if let (Format::Dpkg, Some(folder)) = (format, &environment.apt_folder)
        && let Some(mirror) = apt_sources::debian_mirror(folder)
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
