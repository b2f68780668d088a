//! From a repository's name to its verified records.

mod apk;
mod dpkg;
mod feeds;
mod listed;
mod loose;
mod openwrt;
mod release;
pub mod v3;

pub(crate) use openwrt::has_release;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::source::Source;
use super::{Context, Error};
use crate::lock::Stock;
use crate::lock::{LockedIndex, LockedPackage};
use wifibox_fetch::{FetchError, Fetcher};
use wifibox_formats::Package;
use wifibox_formats::dpkg_index;
use wifibox_formats::opkg::usign::PublicKey;
use wifibox_recipe::{Format, Repository};

/// Everything that the repositories of a recipe offer, now.
pub struct Offered {
    /// The signed indexes.
    pub indexes: Vec<LockedIndex>,
    /// The records.
    pub packages: Vec<LockedPackage>,
    /// Which names Debian's indexes mention, in their order.
    pub mentions: dpkg_index::Mentions,
    /// What was pinned that nobody signed, in words.
    pub pins: Vec<String>,
}

/// What is locked already: sets that nobody signed change at an upgrade only, and what is pinned needs no new agreement.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// The indexes of the lock.
    pub indexes: &'a [LockedIndex],
    /// Its packages.
    pub packages: &'a [LockedPackage],
    /// Whether newer ones are asked for.
    pub upgrade: bool,
}

impl Offered {
    /// The records, for the solver.
    pub fn stock(&self) -> Stock<'_> {
        Stock { packages: &self.packages, indexes: &self.indexes }
    }
}

/// Fetches and verifies the indexes of all repositories of `source`.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong.
pub fn load(
    source: &Source,
    before: &Before<'_>,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Offered, Error> {
    let mut offered = Offered {
        indexes: Vec::new(),
        packages: Vec::new(),
        mentions: Default::default(),
        pins: Vec::new(),
    };
    for repository in &source.repositories {
        let load = match source.format {
            _ if !repository.packages.is_empty() => loose::load,
            Format::Dpkg => dpkg::load,
            Format::Apk => apk::load,
            Format::Opkg | Format::Adb => openwrt::load,
        };
        let first = offered.packages.len();
        let loaded = if repository.lists.is_empty() {
            load(source, repository, context, fetcher, &mut offered)
        } else {
            listed::load(source, repository, before, context, fetcher, &mut offered)
        };
        if !repository.only.is_empty() {
            let only = only(repository)?;
            let wanted = |locked: &LockedPackage| only.is_match(&locked.package.name);
            let own = offered.packages.split_off(first.min(offered.packages.len()));
            offered.packages.extend(own.into_iter().filter(wanted));
        }
        loaded.map_err(|error| {
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

/// The point release that an index is of: the version of the package that says so, without its revision.
fn point_release<'a>(
    repository: &Repository,
    mut packages: impl Iterator<Item = &'a Package>,
) -> Option<String> {
    let name = repository.release_package.as_ref()?;
    let package = packages.find(|package| package.name == *name)?;
    let version =
        package.version.rsplit_once("-r").map_or(&*package.version, |(version, _)| version);
    Some(version.to_owned())
}

/// The names of packages that are taken from a repository.
fn only(repository: &Repository) -> Result<GlobSet, Error> {
    let build = || {
        let mut all = GlobSetBuilder::new();
        for glob in &repository.only {
            all.add(Glob::new(glob)?);
        }
        all.build()
    };
    build().map_err(|error| {
        Error::Unsupported(format!("recipe, repository {}: {error}", repository.name))
    })
}

/// The pinned fingerprints of a repository's keys, in the form of its kind of signature.
fn fingerprints<F: FromStr<Err: ToString>>(repository: &Repository) -> Result<Vec<F>, Error> {
    let parse = |key: &wifibox_recipe::Key| {
        key.fingerprint.parse::<F>().map_err(|error| Error::BadKey {
            repository: repository.name.clone(),
            why: error.to_string(),
        })
    };
    repository.keys.iter().map(parse).collect()
}

/// Files of this machine that hold keys of `repository`.
pub fn key_files(format: Format, repository: &Repository, context: &Context<'_>) -> Vec<PathBuf> {
    // Keys of all formats are given in one way: a build may take packages from two.
    let ours = |path: &&PathBuf| match KeyFile::of(path) {
        Some(KeyFile::OpenPgp) => format == Format::Dpkg,
        Some(KeyFile::Pem) => matches!(format, Format::Apk | Format::Adb),
        // OpenWrt signs the sums of a target with usign in all its releases.
        Some(KeyFile::Usign) => matches!(format, Format::Opkg | Format::Adb),
        None => true,
    };
    let named = context.access.trust_keys.iter().filter(ours).cloned();
    let on_host = repository.keyrings.iter().map(PathBuf::from);
    let mut places: Vec<PathBuf> = named.chain(on_host).collect();
    if format != Format::Dpkg {
        // In folders of downloaded files (and bundles) keys have their own names.
        for folder in &context.access.fetch.distdirs {
            let keys = repository.keys.iter().map(|key| &key.name);
            places
                .extend(keys.flat_map(|name| [folder.join(name), folder.join("keys").join(name)]));
        }
    }
    places.retain(|path| path.is_file());
    places
}

/// The kind of key that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFile {
    /// OpenPGP certificates.
    OpenPgp,
    /// A public key in PEM, as apk's are.
    Pem,
    /// A public key of usign, OpenWrt's.
    Usign,
}

impl KeyFile {
    /// Looks at the first 4 KiB of a file; `None` if it cannot be read, which its next reader
    /// reports.
    pub fn of(path: &Path) -> Option<KeyFile> {
        let mut head = Vec::new();
        File::open(path).ok()?.take(4096).read_to_end(&mut head).ok()?;
        let pem = b"-----BEGIN PUBLIC KEY-----";
        Some(if head.windows(pem.len()).any(|window| window == pem) {
            KeyFile::Pem
        } else if PublicKey::parse(&head).is_ok() || head.starts_with(b"untrusted comment:") {
            KeyFile::Usign
        } else {
            KeyFile::OpenPgp
        })
    }
}

/// That none of the keys of `repository` is there, `more` said after where they were looked for.
pub(crate) fn no_keys(
    format: Format,
    repository: &Repository,
    context: &Context<'_>,
    more: &[String],
) -> Error {
    let there: Vec<String> = key_files(format, repository, context)
        .iter()
        .map(|path| path.display().to_string())
        .chain(more.iter().cloned())
        .collect();
    let (mut looked, mut missing) = (there.join(", "), repository.keyrings.clone());
    missing.retain(|path| !there.contains(path));
    if looked.is_empty() {
        "no file with keys is given".clone_into(&mut looked);
    } else {
        looked.insert_str(0, "they are not in ");
    }
    if !missing.is_empty() {
        looked += &format!(", and there is no {}", missing.join(" or "));
    }
    let wanted: Vec<String> =
        repository.keys.iter().map(|key| format!("{} ({})", key.name, key.fingerprint)).collect();
    Error::NoKeys { repository: repository.name.clone(), looked, wanted: wanted.join(", ") }
}

/// Gives records of an index without SHA-256 the one that the lock knew of the same package.
pub(crate) fn remember_hashes(offered: &mut [LockedPackage], old: &[LockedPackage]) {
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
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<(), Error> {
    match source.format {
        Format::Apk | Format::Adb => apk::complete(source, packages, context, fetcher),
        Format::Dpkg | Format::Opkg => Ok(()),
    }
}
