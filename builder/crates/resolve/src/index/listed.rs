//! Sets of package files that nobody signed: a list says which there are, the lock pins each by its hash, and the user
//! says when new ones may be pinned.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

use super::{Before, Offered};
use crate::lock::{LockedIndex, LockedPackage};
use crate::mirrors::{mirrors, named};
use crate::source::Source;
use crate::{Context, Error, LockMode};
use wifibox_fetch::{FetchError, Fetched, Fetcher};
use wifibox_formats::listing::{Listed, Listing};
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{OpenPackage, Package, PackageError, PackageFormat};
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

/// The largest list that is read, in bytes.
const LIST_LIMIT: u64 = 16 << 20;

/// The list in a mirror that the user names.
const DISTINFO: &str = "distinfo";

/// Files that come with a package and never into a guest.
const LEFT_OUT: [&str; 3] = ["-dev", "-doc", "-dbg"];

/// A file of the list that is the newest of its package.
struct File {
    file: String,
    name: String,
    version: String,
    listed: Listed,
}

/// Adds what the lock has of the set; at an upgrade, or without a lock, the newest of each package that is listed.
///
/// # Errors
/// [`Error::NewPins`] where packages would be pinned that the user has not agreed to; [`Error`]: the list or a package
/// cannot be had or read.
pub fn load(
    source: &Source,
    repository: &Repository,
    before: &Before<'_>,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    if source.format != Format::Apk {
        let why = "packages without a signed index are read in the format apk only";
        return Err(Error::Unsupported(format!("repository {}: {why}", repository.name)));
    }
    let held = before.packages.iter().filter(|locked| locked.repository == repository.name);
    if !before.upgrade && held.clone().next().is_some() {
        offered.packages.extend(held.cloned());
        let own = before.indexes.iter().filter(|index| index.repository == repository.name);
        offered.indexes.extend(own.cloned());
        return Ok(());
    }
    let (listing, index) = list(repository, context, fetcher)?;
    offered.indexes.push(index);
    let mut new = Vec::new();
    for file in newest(source, listing) {
        match held.clone().find(|locked| is_same(&locked.package, &file)) {
            Some(locked) => offered.packages.push(locked.clone()),
            None => new.push(file),
        }
    }
    // What is only looked at is not trusted.
    let may_pin = context.lock.new_pins || context.lock.mode == LockMode::Look;
    if !new.is_empty() && !may_pin {
        let files = new.iter().map(|file| file.file.clone()).collect();
        let (repository, target) = (repository.name.clone(), source.target.clone());
        let published = source.published;
        return Err(Error::NewPins { repository, target, files, published });
    }
    for (file, fetched) in fetch(&new, source, repository, context, fetcher)? {
        let package = record(file, &fetched, context)?;
        let was = held.clone().find(|locked| locked.package.path == file.file);
        offered.pins.push(pin(repository, file, &fetched, was));
        offered.packages.push(LockedPackage { repository: repository.name.clone(), package });
    }
    Ok(())
}

/// What is to be said of a new pin.
fn pin(
    repository: &Repository,
    file: &File,
    fetched: &Fetched,
    was: Option<&LockedPackage>,
) -> String {
    let Fetched { size, sha256, .. } = fetched;
    let by = if file.listed.sha256.is_some() { "as its list says" } else { "as it was served" };
    let was = was.and_then(|was| was.package.sha256);
    let was = was.map(|was| format!("; under this name the lock had {was}")).unwrap_or_default();
    format!("{}: {}, {size} bytes, SHA-256 {sha256}, {by}{was}", repository.name, file.file)
}

/// The list of all files, and what the lock says of it.
fn list(
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<(Listing, LockedIndex), Error> {
    let location = |error| Error::Mirror(repository.name.clone(), error);
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut missing = None;
    let own = named(repository, context);
    for mirror in &own {
        let artefact = Artefact::on_mirrors(DISTINFO, std::slice::from_ref(mirror), DISTINFO);
        match (fetcher.read_unverified(&artefact.map_err(location)?, LIST_LIMIT), mirror) {
            (Ok(bytes), _) => texts.push((format!("{mirror}/{DISTINFO}"), bytes)),
            (Err(FetchError::NotFound { .. }), Location::File(folder)) => {
                texts.push((folder.display().to_string(), of_folder(folder)?));
            }
            (Err(error @ FetchError::NotFound { .. }), _) => missing = Some(error),
            (Err(error), _) => return Err(error.into()),
        }
    }
    // One list may be for the files of several folders.
    if let Some(error) = missing.filter(|_| texts.is_empty()) {
        return Err(error.into());
    }
    for list in repository.lists.iter().filter(|_| own.is_empty()) {
        let place = Location::parse(list).map_err(location)?;
        let name = format!("list of {}", repository.name);
        let (file_name, path) = (DISTINFO.to_owned(), DISTINFO.to_owned());
        let locations = vec![place];
        let artefact = Artefact { name, file_name, path, locations, identity: Default::default() };
        texts.push((list.clone(), fetcher.read_unverified(&artefact, LIST_LIMIT)?));
    }
    let mut all = Listing::default();
    for (name, bytes) in &texts {
        let listing = Listing::parse(name, bytes)?;
        all.files.extend(listing.files);
        all.date = all.date.max(listing.date);
    }
    let bytes: Vec<u8> = texts.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let index = LockedIndex {
        repository: repository.name.clone(),
        suite: DISTINFO.to_owned(),
        sha256: Sha256::of(&bytes),
        date: all.date.unwrap_or_default(),
        version: None,
        priority: None,
    };
    Ok((all, index))
}

/// The files of a folder on this machine, in the form of a list.
fn of_folder(folder: &Path) -> Result<Vec<u8>, Error> {
    let read = |source| Error::ReadBack { what: folder.display().to_string(), source };
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let metadata = entry.metadata().map_err(read)?;
        if metadata.is_file() && name.ends_with(".apk") {
            lines.push(format!("SIZE ({name}) = {}\n", metadata.len()));
        }
    }
    lines.sort();
    Ok(lines.concat().into_bytes())
}

/// Of each package that may come into a guest the newest file.
fn newest(source: &Source, listing: Listing) -> Vec<File> {
    let mut newest: BTreeMap<String, File> = BTreeMap::new();
    for (file, listed) in listing.files {
        let Some((name, version)) = super::loose::name_and_version(&file) else { continue };
        if LEFT_OUT.iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let newer = |known: &File| {
            source.scheme().compare(&version, &known.version).is_some_and(|o| o.is_gt())
        };
        if newest.get(name).is_none_or(newer) {
            let name = name.to_owned();
            newest.insert(name.clone(), File { name, version, listed, file });
        }
    }
    newest.into_values().collect()
}

/// Whether the lock has this very file.
fn is_same(package: &Package, File { file, listed, .. }: &File) -> bool {
    package.path == *file
        && package.sha256.is_some_and(|own| listed.sha256.is_none_or(|sha256| sha256 == own))
        && listed.size.is_none_or(|size| size == package.size)
}

/// Fetches the files: those whose hash the list has by it, others as they are served.
fn fetch<'f>(
    files: &'f [File],
    source: &Source,
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Vec<(&'f File, Fetched)>, Error> {
    let mirrors = mirrors(repository, source.format, context)?;
    let artefact = |file: &File| {
        let name = format!("{} {}", file.name, file.version);
        let mut artefact = Artefact::on_mirrors(name, &mirrors, &file.file)
            .map_err(|error| Error::Mirror(format!("package {}", file.file), error))?;
        artefact.identity.size = file.listed.size;
        artefact.identity.sha256 = file.listed.sha256;
        Ok::<_, Error>(artefact)
    };
    let (hashed, others): (Vec<&File>, Vec<&File>) =
        files.iter().partition(|file| file.listed.sha256.is_some());
    let jobs = context.work.jobs.get();
    let known: Vec<Artefact> =
        hashed.iter().map(|file| artefact(file)).collect::<Result<_, _>>()?;
    let mut fetched = fetcher.fetch_all(&known, jobs)?;
    let unknown: Vec<(Artefact, &File)> =
        others.iter().map(|file| Ok((artefact(file)?, *file))).collect::<Result<_, Error>>()?;
    let check = |file: &&File, path: &Path| {
        whole(file, path, context.packages).map_err(|error| error.to_string())
    };
    fetched.extend(fetcher.fetch_all_checked(&unknown, &check, jobs)?);
    Ok(hashed.into_iter().chain(others).zip(fetched).collect())
}

/// That a file is a package that can be read to its end.
fn whole(File { file, .. }: &File, path: &Path, packages: &dyn OpenPackage) -> Result<(), Error> {
    let read = |source| Error::ReadBack { what: path.display().to_string(), source };
    let reader = BufReader::new(std::fs::File::open(path).map_err(read)?);
    let (format, options) = (PackageFormat::Apk, OpenOptions::default());
    let apk = packages.open(format, file, Box::new(reader), options)?;
    apk.read_data(&mut |_| Ok::<(), PackageError>(()))?;
    Ok(())
}

/// What a package says of itself, which must be what its file is called.
fn record(file: &File, fetched: &Fetched, context: &Context<'_>) -> Result<Package, Error> {
    let reader = BufReader::new(fetched.open()?);
    let (format, options) = (PackageFormat::Apk, OpenOptions::default());
    let mut package =
        context.packages.open(format, &file.file, Box::new(reader), options)?.record()?;
    if (&package.name, &package.version) != (&file.name, &file.version) {
        let found = package.full_name();
        return Err(Error::Unsupported(format!("the file {} is the package {found}", file.file)));
    }
    package.path = file.file.clone();
    package.size = fetched.size;
    package.sha256 = Some(fetched.sha256);
    Ok(package)
}
