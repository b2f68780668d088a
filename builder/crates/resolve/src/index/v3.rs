//! Indexes and packages of apk's format v3 (ADB): OpenWrt's from 25.12, and whatever a repository of
//! Alpine publishes in it.

use super::{KeyFile, Offered, fingerprints, key_files, no_keys, point_release};
use crate::lock::{LockedIndex, LockedPackage};
use crate::{Context, Error};
use wifibox_formats::Package;
use wifibox_formats::adb::{AdbLimits, Fingerprint, Index, Keyring};
use wifibox_ground::digest::Sha256;
use wifibox_recipe::{Format, Repository};

/// The PEM texts of the keys that the recipe quotes, with the names of the keys.
pub fn quoted(repository: &Repository) -> impl Iterator<Item = (String, String)> {
    let quoted = |key: &wifibox_recipe::Key| {
        let body = key.public_key.as_ref()?;
        // The other kind that a recipe quotes, usign's, is known by its algorithm `Ed`.
        (!body.starts_with("RW")).then(|| {
            let (begin, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
            (key.name.clone(), format!("{begin}\n{}\n{end}\n", lines(body)))
        })
    };
    repository.keys.iter().filter_map(quoted).collect::<Vec<_>>().into_iter()
}

/// Base64 in lines of 64 characters, as PEM has it (RFC 7468).
fn lines(body: &str) -> String {
    let digits: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
    let lines: Vec<String> = digits.chunks(64).map(|line| line.iter().collect()).collect();
    lines.join("\n")
}

/// The keys that the recipe quotes and those in files of this machine.
///
/// # Errors
/// [`Error`]: a file cannot be read, or is no key.
pub fn keyring(repository: &Repository, context: &Context<'_>) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    for (name, text) in quoted(repository) {
        keyring.extend(Keyring::parse(&name, text.as_bytes())?);
    }
    for path in key_files(Format::Adb, repository, context) {
        if KeyFile::of(&path) != Some(KeyFile::Pem) {
            continue;
        }
        let bytes = std::fs::read(&path)
            .map_err(|source| Error::ReadKeyring { path: path.clone(), source })?;
        keyring.extend(Keyring::parse(&path.display().to_string(), &bytes)?);
    }
    Ok(keyring)
}

/// The records of the index `what`, which one of the repository's keys signed, with paths from
/// its folder on.
///
/// # Errors
/// [`Error`]: no key is there, the signature does not fit, or a record cannot be read.
pub fn records(
    what: &str,
    bytes: &[u8],
    keyring: &Keyring,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Vec<Package>, Error> {
    let pinned: Vec<Fingerprint> = fingerprints(repository)?;
    if !keyring.has_any(&pinned) {
        return Err(no_keys(Format::Adb, repository, context, &[]));
    }
    let index = Index::read(what, bytes, &AdbLimits::default(), keyring, &pinned)?;
    let placed = |package: &Package| {
        let mut package = package.clone();
        if package.path.is_empty() {
            package.path = format!("{}.apk", package.full_name());
        }
        package
    };
    Ok(index.packages().map(placed).collect())
}

/// Adds the records of an index in `folder`, whose signed file is `bytes`.
pub fn offer(
    repository: &Repository,
    folder: &str,
    bytes: &[u8],
    mut packages: Vec<Package>,
    offered: &mut Offered,
) {
    for package in &mut packages {
        package.path = format!("{folder}/{}", package.path);
    }
    let newest = packages.iter().map(|package| package.build_time).max();
    let version = point_release(repository, packages.iter());
    offered.indexes.push(LockedIndex {
        repository: repository.name.clone(),
        suite: folder.to_owned(),
        sha256: Sha256::of(bytes),
        date: newest.and_then(|time| u32::try_from(time).ok()).unwrap_or_default(),
        version,
        priority: None,
    });
    let locked = |package| LockedPackage { repository: repository.name.clone(), package };
    offered.packages.extend(packages.into_iter().map(locked));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_keys_become_pem() {
        let text = lines(&"ab ".repeat(33));
        assert_eq!(text, format!("{}\nab", "ab".repeat(32)));
    }
}
