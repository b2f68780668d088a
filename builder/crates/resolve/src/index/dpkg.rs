//! Debian's repositories: a signed Release file per suite, and the Packages files that it lists.

use std::io::BufReader;
use std::path::Path;

use jiff::Timestamp;

use super::{KeyFile, Offered, fingerprints, no_keys};
use crate::lock::{LockedIndex, LockedPackage};
use crate::mirrors::mirrors;
use crate::source::Source;
use crate::{Context, Error};
use wifibox_fetch::{FetchError, Fetcher};
use wifibox_formats::deb::index::{ReleaseFiles, plans};
use wifibox_formats::deb::release::{self, Freshness, Trust};
use wifibox_formats::deb::{Fingerprint, Keyring, Release};
use wifibox_formats::{Verified, dpkg_index};
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

/// Adds what the suites of `repository` offer.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong.
pub fn load(
    source: &Source,
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    let mirrors = mirrors(repository, source.format, context)?;
    let keyring = keyring(repository, context)?;
    let pinned: Vec<Fingerprint> = fingerprints(repository)?;
    let freshness = if context.access.allow_expired_index {
        Freshness::WaivedAllowingReplayOfOldPackages
    } else {
        Freshness::Required
    };
    let architecture = &source.target.architecture;
    let now = Timestamp::from_second(context.access.now).unwrap_or(Timestamp::UNIX_EPOCH);
    let trust = Trust { keyring: &keyring, pinned: &pinned, now, freshness };
    for suite in &repository.suites {
        context.work.check()?;
        let (release, sha256) = release_of(suite, &mirrors, &trust, repository, fetcher)?;
        let date = u32::try_from(release.date.as_second()).unwrap_or(u32::MAX);
        let usual = wifibox_solver::Repository::USUAL_PRIORITY;
        let priority = Some(release.automatic.priority()).filter(|priority| *priority != usual);
        same_priority(repository, suite, priority, offered)?;
        let components = repository.components.clone();
        let (repository, suite) = (repository.name.clone(), suite.clone());
        for component in &components {
            for plan in plans(&release, &suite, component, architecture, &mirrors)? {
                let file = fetcher.fetch(&plan.artefact)?;
                let name = plan.artefact.name.clone();
                let records = |source| Error::Records { name: name.clone(), source };
                let reader = plan
                    .reader(file.open()?)
                    .map_err(|source| Error::ReadBack { what: name.clone(), source })?;
                let reader = BufReader::with_capacity(1 << 16, reader);
                let packages =
                    dpkg_index::parse_after(&mut offered.mentions, reader).map_err(records)?;
                let locked = packages
                    .into_iter()
                    .map(|package| LockedPackage { repository: repository.clone(), package });
                offered.packages.extend(locked);
            }
        }
        let version = release.version.clone().filter(|version| is_point(version));
        let index = LockedIndex { repository, suite, sha256, date, version, priority };
        offered.indexes.push(index);
    }
    Ok(())
}

/// Whether a version is that of a point release: `13.8`, and neither `13` (security) nor `13-updates`.
fn is_point(version: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    version.contains('.') && version.split('.').all(is_number)
}

/// A lock knows the repository of a package, and not the suite: all suites of one count alike.
fn same_priority(
    repository: &Repository,
    suite: &str,
    priority: Option<i16>,
    offered: &Offered,
) -> Result<(), Error> {
    let mut own = offered.indexes.iter().filter(|index| index.repository == repository.name);
    let other = own.find(|index| index.priority != priority && repository.priority.is_none());
    other.map_or(Ok(()), |other| {
        Err(Error::Unsupported(format!(
            "repository {}: the suites {} and {suite} have different priorities: give each a \
             repository of its own, or this one a priority",
            repository.name, other.suite
        )))
    })
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

/// Key material from the files that the user names and from the host's keyrings.
fn keyring(repository: &Repository, context: &Context<'_>) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    // Keys of other kinds are for repositories of the other formats.
    let other = |path: &Path| matches!(KeyFile::of(path), Some(KeyFile::Pem | KeyFile::Usign));
    let ours = context.access.trust_keys.iter().filter(|path| !other(path));
    for path in ours {
        keyring.extend(read_keyring(path)?);
    }
    for path in repository.keyrings.iter().map(Path::new) {
        if path.exists() {
            keyring.extend(read_keyring(path)?);
        }
    }
    let pinned: Vec<Fingerprint> = fingerprints(repository)?;
    if !keyring.has_any(&pinned) {
        return Err(no_keys(Format::Dpkg, repository, context, &[]));
    }
    Ok(keyring)
}

fn read_keyring(path: &Path) -> Result<Keyring, Error> {
    let bytes = std::fs::read(path)
        .map_err(|source| Error::ReadKeyring { path: path.to_owned(), source })?;
    Ok(Keyring::parse(&path.display().to_string(), &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_release_has_two_numbers() {
        assert!(is_point("13.8") && is_point("8.11.1"));
        for other in ["13", "13-updates", "13.8-updates", "", ".", "forky/sid"] {
            assert!(!is_point(other), "{other}");
        }
    }
}
