//! From a repository's name to its verified records.

use std::io::BufReader;
use std::path::Path;

use jiff::Timestamp;

use super::{Environment, Error};
use crate::digest::Sha256;
use crate::fetch::{FetchError, Fetcher, Location};
use crate::lock::{LockedIndex, LockedPackage};
use crate::recipe::{Format, Recipe, Repository};
use crate::repo::deb::index::{ReleaseFiles, plans};
use crate::repo::deb::release::{self, Freshness, Trust};
use crate::repo::deb::{Fingerprint, Keyring, Release, apt_sources};
use crate::repo::{Verified, dpkg_index};

/// Everything that the repositories of a recipe offer, now.
pub struct Offered {
    /// The signed indexes.
    pub indexes: Vec<LockedIndex>,
    /// The records.
    pub packages: Vec<LockedPackage>,
}

/// Fetches and verifies the indexes of all repositories of `recipe`.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong.
pub fn load(
    recipe: &Recipe,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Offered, Error> {
    let mut offered = Offered { indexes: Vec::new(), packages: Vec::new() };
    for repository in &recipe.repositories {
        match recipe.format.value {
            Format::Dpkg => dpkg(recipe, &repository.value, environment, fetcher, &mut offered)?,
            other => {
                return Err(Error::Unsupported(format!(
                    "base {}: repositories of the format {other:?} cannot be read yet",
                    recipe.base.value
                )));
            }
        }
    }
    Ok(offered)
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

fn dpkg(
    recipe: &Recipe,
    repository: &Repository,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    let mirrors = mirrors(repository, recipe.format.value, environment)?;
    let keyring = keyring(repository, environment)?;
    let pinned = fingerprints(repository)?;
    let freshness = if environment.allow_expired_index {
        Freshness::WaivedAllowingReplayOfOldPackages
    } else {
        Freshness::Required
    };
    let now = Timestamp::from_second(environment.now).unwrap_or(Timestamp::UNIX_EPOCH);
    let trust = Trust { keyring: &keyring, pinned: &pinned, now, freshness };
    for suite in &repository.suites {
        environment.check_cancelled()?;
        let (release, sha256) = release_of(suite, &mirrors, &trust, repository, fetcher)?;
        let date = u32::try_from(release.date.as_second()).unwrap_or(u32::MAX);
        let (repository, suite) = (repository.name.clone(), suite.clone());
        for component in &recipe_components(recipe, &repository) {
            for plan in plans(&release, &suite, component, &recipe.architecture.value, &mirrors)? {
                let file = fetcher.fetch(&plan.artefact)?;
                let name = plan.artefact.name.clone();
                let records = |source| Error::Records { name: name.clone(), source };
                let reader = plan
                    .reader(file.open()?)
                    .map_err(|source| Error::ReadBack { what: name.clone(), source })?;
                let reader = BufReader::with_capacity(1 << 16, reader);
                let packages = dpkg_index::parse(reader).map_err(records)?;
                let locked = packages
                    .into_iter()
                    .map(|package| LockedPackage { repository: repository.clone(), package });
                offered.packages.extend(locked);
            }
        }
        offered.indexes.push(LockedIndex { repository, suite, sha256, date });
    }
    Ok(())
}

fn recipe_components(recipe: &Recipe, repository: &str) -> Vec<String> {
    let found = recipe.repositories.iter().find(|candidate| candidate.value.name == repository);
    found.map(|repository| repository.value.components.clone()).unwrap_or_default()
}

/// The verified Release file of a suite, and the hash of the file that was signed.
fn release_of(
    suite: &str,
    mirrors: &[Location],
    trust: &Trust<'_>,
    repository: &Repository,
    fetcher: &Fetcher<'_>,
) -> Result<(Verified<Release>, Sha256), Error> {
    let location = |error| Error::Mirror(repository.name.clone(), error);
    let files = ReleaseFiles::of(suite, mirrors).map_err(location)?;
    let limit = release::SIZE_LIMIT;
    match fetcher.read_unverified(&files.inrelease, limit) {
        Ok(bytes) => {
            let name = &files.inrelease.name;
            Ok((release::read_inrelease(name, &bytes, trust)?, Sha256::of(&bytes)))
        }
        Err(FetchError::NotFound { .. }) => {
            let bytes = fetcher.read_unverified(&files.release, limit)?;
            let signature = fetcher.read_unverified(&files.signature, limit)?;
            let name = &files.release.name;
            let release = release::read_detached(name, &bytes, &signature, trust)?;
            Ok((release, Sha256::of(&bytes)))
        }
        Err(error) => Err(error.into()),
    }
}

fn fingerprints(repository: &Repository) -> Result<Vec<Fingerprint>, Error> {
    let parse = |key: &crate::recipe::Key| {
        key.fingerprint.parse::<Fingerprint>().map_err(|error| Error::BadKey {
            repository: repository.name.clone(),
            why: error.to_string(),
        })
    };
    repository.keys.iter().map(parse).collect()
}

/// Key material from the files that the user names and from the host's keyrings.
fn keyring(repository: &Repository, environment: &Environment<'_>) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    let mut looked = Vec::new();
    for path in &environment.trust_keys {
        looked.push(path.display().to_string());
        keyring.extend(read_keyring(path)?);
    }
    for path in repository.keyrings.iter().map(Path::new) {
        looked.push(path.display().to_string());
        if path.exists() {
            keyring.extend(read_keyring(path)?);
        }
    }
    let pinned = fingerprints(repository)?;
    if !keyring.keys().any(|(fingerprint, _)| pinned.contains(&fingerprint)) {
        let wanted: Vec<String> = repository
            .keys
            .iter()
            .map(|key| format!("{} ({})", key.fingerprint, key.name))
            .collect();
        return Err(Error::NoKeys {
            repository: repository.name.clone(),
            looked: looked.join(", "),
            wanted: wanted.join(", "),
        });
    }
    Ok(keyring)
}

fn read_keyring(path: &Path) -> Result<Keyring, Error> {
    let bytes = std::fs::read(path)
        .map_err(|source| Error::ReadKeyring { path: path.to_owned(), source })?;
    Ok(Keyring::parse(&path.display().to_string(), &bytes)?)
}
