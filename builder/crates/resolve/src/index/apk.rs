//! Alpine's repositories: one signed index per suite, component and architecture. An index knows its
//! packages by apk's own identity, so the SHA-256 that the lock pins is found by fetching them.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use super::{Offered, fingerprints, key_files, no_keys, point_release, v3};
use crate::artefact::unhashed_artefact;
use crate::lock::{LockedIndex, LockedPackage};
use crate::mirrors::mirrors;
use crate::source::Source;
use crate::{Context, Error};
use wifibox_fetch::{FetchError, Fetcher};
use wifibox_formats::adb::is_adb;
use wifibox_formats::apk::keys::{Fingerprint, Keyring};
use wifibox_formats::apk::{Trust, index};
use wifibox_formats::keys_of_package;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{OpenPackage, Package, PackageError, PackageFormat};
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

const INDEX: &str = "APKINDEX.tar.gz";

/// The largest index that is read, in bytes. Alpine's largest has some 2 MB.
const INDEX_LIMIT: u64 = 64 << 20;

/// The largest package of keys that is read, in bytes.
const KEYS_LIMIT: u64 = 4 << 20;

/// Adds what the suites and components of `repository` offer.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature or a record is wrong.
pub fn load(
    source: &Source,
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    let mirrors = mirrors(repository, source.format, context)?;
    let pinned: Vec<Fingerprint> = fingerprints(repository)?;
    let mut keyring = keyring(repository, context)?;
    for (folder, bytes) in indexes(source, repository, &mirrors, context, fetcher)? {
        let what = format!("{folder}/{INDEX}");
        if is_adb(&bytes) {
            let keys = v3::keyring(repository, context)?;
            let packages = v3::records(&what, &bytes, &keys, repository, context)?;
            v3::offer(repository, &folder, &bytes, packages, offered);
            continue;
        }
        if !has_all_pinned(&keyring, &pinned) {
            keyring.extend(packaged_keys(
                repository,
                &folder,
                &bytes,
                &mirrors,
                fetcher,
                context.packages,
            )?);
        }
        if !keyring.has_any(&pinned) {
            let package = repository.key_package.iter().map(|name| format!("the package {name}"));
            let package: Vec<String> = package.collect();
            return Err(no_keys(Format::Apk, repository, context, &package));
        }
        let verified =
            index::read_signed(&what, &bytes, &Trust { keyring: &keyring, pinned: &pinned })?;
        let newest = verified.packages.iter().map(|package| package.build_time).max();
        let date = newest.and_then(|time| u32::try_from(time).ok()).unwrap_or_default();
        offered.packages.extend(verified.packages.iter().map(|package| {
            let mut package = package.clone();
            package.path = format!("{folder}/{}.apk", package.full_name());
            LockedPackage { repository: repository.name.clone(), package }
        }));
        let version = point_release(repository, verified.packages.iter());
        let (repository, sha256) = (repository.name.clone(), Sha256::of(&bytes));
        offered.indexes.push(LockedIndex {
            repository,
            suite: folder,
            sha256,
            date,
            version,
            priority: None,
        });
    }
    Ok(())
}

/// The index files with their folders. A mirror has the layout of the distribution's servers, or is
/// one repository itself, as the folder `apks` of Alpine's boot media is.
fn indexes(
    source: &Source,
    repository: &Repository,
    mirrors: &[Location],
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let architecture = &source.target.architecture;
    let mut folders = Vec::new();
    for suite in &repository.suites {
        let components = repository.components.iter();
        folders.extend(components.map(|component| format!("{suite}/{component}/{architecture}")));
        if repository.components.is_empty() {
            folders.push(format!("{suite}/{architecture}"));
        }
    }
    let mut found = Vec::new();
    for folder in &folders {
        context.work.check()?;
        match fetcher.read_unverified(&index_at(folder, mirrors)?, INDEX_LIMIT) {
            Ok(bytes) => found.push((folder.clone(), bytes)),
            Err(missing @ FetchError::NotFound { .. }) if found.is_empty() => {
                match fetcher.read_unverified(&index_at(architecture, mirrors)?, INDEX_LIMIT) {
                    Ok(bytes) => return Ok(vec![(architecture.clone(), bytes)]),
                    Err(FetchError::NotFound { .. }) => return Err(missing.into()),
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

fn index_at(folder: &str, mirrors: &[Location]) -> Result<Artefact, Error> {
    let path = format!("{folder}/{INDEX}");
    Artefact::on_mirrors(path.clone(), mirrors, &path).map_err(|error| Error::Mirror(path, error))
}

/// With several pinned keys, an index may be signed by any one of them.
fn has_all_pinned(keyring: &Keyring, pinned: &[Fingerprint]) -> bool {
    pinned.iter().all(|wanted| keyring.has_any(std::slice::from_ref(wanted)))
}

fn keyring(repository: &Repository, context: &Context<'_>) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    for (name, text) in v3::quoted(repository) {
        keyring.extend(Keyring::parse_pem(&name, text.as_bytes())?);
    }
    for path in key_files(Format::Apk, repository, context) {
        let bytes = std::fs::read(&path)
            .map_err(|source| Error::ReadKeyring { path: path.clone(), source })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        keyring.extend(Keyring::parse_pem(&name, &bytes)?);
    }
    Ok(keyring)
}

/// The keys that the repository's own package of keys holds. Nothing vouches for that package, and
/// nothing has to: only keys with a pinned fingerprint count.
fn packaged_keys(
    repository: &Repository,
    folder: &str,
    index: &[u8],
    mirrors: &[Location],
    fetcher: &Fetcher<'_>,
    packages: &dyn OpenPackage,
) -> Result<Keyring, Error> {
    let Some(name) = &repository.key_package else { return Ok(Keyring::default()) };
    let records = index::read_unsigned_records(&format!("{folder}/{INDEX}"), index)?;
    let Some(record) = records.unverified_packages.iter().find(|record| record.name == *name)
    else {
        return Ok(Keyring::default());
    };
    let path = format!("{folder}/{}.apk", record.full_name());
    let artefact = Artefact::on_mirrors(path.clone(), mirrors, &path)
        .map_err(|error| Error::Mirror(path, error))?;
    let bytes = fetcher.read_unverified(&artefact, KEYS_LIMIT)?;
    let input = Box::new(Cursor::new(bytes));
    let package = packages.open(PackageFormat::Apk, name, input, OpenOptions::default())?;
    Ok(keys_of_package(name, package)?)
}

/// Fetches the packages that have no SHA-256 yet, checks each against its record, and pins it.
///
/// # Errors
/// [`Error`]: a package cannot be had, or is not the one of the index.
pub fn complete(
    source: &Source,
    packages: Vec<&mut LockedPackage>,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<(), Error> {
    let unknown: Vec<&mut LockedPackage> =
        packages.into_iter().filter(|locked| locked.package.sha256.is_none()).collect();
    let mut wanted = Vec::new();
    for locked in &unknown {
        let LockedPackage { repository, package } = &**locked;
        let mut artefact = unhashed_artefact(source, repository, package, context)?;
        artefact.identity.size = (package.size > 0).then_some(package.size);
        wanted.push((artefact, package.clone()));
    }
    let check = |package: &Package, path: &Path| {
        matches(package, path, context.packages).map_err(|error| error.to_string())
    };
    let files = fetcher.fetch_all_checked(&wanted, &check, context.work.jobs.get())?;
    for (locked, file) in unknown.into_iter().zip(files) {
        locked.package.sha256 = Some(file.sha256);
    }
    Ok(())
}

/// Whether a file is the package of this record, all through.
fn matches(package: &Package, path: &Path, packages: &dyn OpenPackage) -> Result<(), Error> {
    let Some(identity) = &package.identity else {
        let (name, version) = (package.name.clone(), package.version.clone());
        return Err(Error::Unhashed { name, version });
    };
    let read = |source| Error::ReadBack { what: path.display().to_string(), source };
    let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(read)?);
    let options = OpenOptions { identity: Some(identity), ..OpenOptions::default() };
    let apk = packages.open(PackageFormat::Apk, &package.name, Box::new(file), options)?;
    apk.read_data(&mut |_| Ok::<(), PackageError>(()))?;
    Ok(())
}
