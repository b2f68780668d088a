//! OpenWrt's feeds: folders of packages with a signed index, `Packages.gz` and `Packages.sig` (opkg) or
//! `packages.adb` (apk v3), in the layout of a release or one by one.

use super::{KeyFile, Offered, key_files, v3};
use crate::lock::{LockedIndex, LockedPackage};
use crate::source::Source;
use crate::{Context, Error};
use wifibox_fetch::{FetchError, Fetcher};
use wifibox_formats::adb;
use wifibox_formats::opkg::feeds::{IndexPlan, Packing};
use wifibox_formats::opkg::{self, Fingerprint, Keyring, Trust};
use wifibox_formats::{Package, PublicKey as _};
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_recipe::{Format, Repository};

/// The largest index that is read, in bytes, as it comes. OpenWrt's largest has some 1 MB.
const INDEX_LIMIT: u64 = 64 << 20;

/// The largest signature that is read, in bytes.
const SIGNATURE_LIMIT: u64 = 64 << 10;

/// Everything needed to read the feeds of a repository.
pub(crate) struct Feeds<'a> {
    pub source: &'a Source,
    pub repository: &'a Repository,
    pub mirrors: Vec<Location>,
    pub packing: Packing,
    pub context: &'a Context<'a>,
    pub fetcher: &'a Fetcher<'a>,
    /// Keys of usign: they sign the feeds of opkg, and the sums of every target.
    pub usign: Keyring,
    pub pinned: Vec<Fingerprint>,
    /// Keys of apk.
    pub pem: adb::Keyring,
}

/// The records of one feed.
pub struct Feed {
    /// Its folder on the mirror.
    pub folder: String,
    /// SHA-256 of the signed file.
    pub sha256: Sha256,
    /// Its packages, with paths from the mirror on.
    pub packages: Vec<Package>,
}

impl Feeds<'_> {
    /// Whether there is a pinned key for what signs the feeds.
    pub(crate) fn has_keys(&self) -> bool {
        match self.packing {
            Packing::Opkg => self.has_usign(),
            Packing::Apk => {
                let pinned: Vec<String> = self.pinned.iter().map(ToString::to_string).collect();
                let mut keys = self.pem.keys();
                keys.any(|key| pinned.contains(&key.fingerprint().to_string()))
            }
        }
    }

    /// Whether there is a pinned key of usign.
    pub(crate) fn has_usign(&self) -> bool {
        self.usign.has_any(&self.pinned)
    }

    /// Whose signatures by usign are trusted.
    pub fn trust(&self) -> Trust<'_> {
        Trust { keyring: &self.usign, pinned: &self.pinned }
    }

    /// The index of a feed that stands alone in a folder.
    pub fn plan(&self, folder: &str) -> Result<IndexPlan, Error> {
        let name = &self.repository.name;
        let file = |file: &str| {
            let what = format!("{file} of {name}, feed {folder}");
            let path = if folder == "." { file.to_owned() } else { format!("{folder}/{file}") };
            let mut artefact = Artefact::on_mirrors(what.clone(), &self.mirrors, &path)
                .map_err(|error| Error::Mirror(what, error))?;
            artefact.file_name = format!("{name}_{}_{file}", folder.replace('/', "-"));
            Ok::<_, Error>(artefact)
        };
        let (index, signature) = match self.packing {
            Packing::Opkg => (file("Packages.gz")?, Some(file("Packages.sig")?)),
            Packing::Apk => (file("packages.adb")?, None),
        };
        Ok(IndexPlan { feed: folder.to_owned(), folder: folder.to_owned(), index, signature })
    }

    /// Fetches and verifies the index of a feed.
    ///
    /// # Errors
    /// [`Error`].
    pub fn read(&self, plan: &IndexPlan) -> Result<Feed, Error> {
        self.context.work.check()?;
        let name = &plan.index.path;
        let bytes = self.fetcher.read_unverified(&plan.index, INDEX_LIMIT)?;
        let mut packages = match &plan.signature {
            Some(signature) => {
                let signature = self.read_signature(signature)?;
                let trust = self.trust();
                opkg::read_signed(name, &bytes, signature.as_deref(), &trust)?.to_vec()
            }
            None => {
                let (repository, context) = (self.repository, self.context);
                v3::records(name, &bytes, &self.pem, repository, context)?
            }
        };
        for package in &mut packages {
            let file = package.path.trim_start_matches('/');
            let file = file.strip_prefix("./").unwrap_or(file);
            package.path = if plan.folder == "." {
                file.to_owned()
            } else {
                format!("{}/{file}", plan.folder)
            };
        }
        Ok(Feed { folder: plan.folder.clone(), sha256: Sha256::of(&bytes), packages })
    }

    /// A signature file; `None` where the mirror has none.
    ///
    /// # Errors
    /// [`Error::Fetch`].
    pub(crate) fn read_signature(&self, artefact: &Artefact) -> Result<Option<Vec<u8>>, Error> {
        match self.fetcher.read_unverified(artefact, SIGNATURE_LIMIT) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FetchError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds what a feed offers; it was made at `date`, in seconds since 1970, and is of the release `version`, if that is known.
    pub fn offer(&self, feed: Feed, date: u32, version: Option<String>, offered: &mut Offered) {
        let newest = feed.packages.iter().map(|package| package.build_time).max();
        let newest = newest.and_then(|time| u32::try_from(time).ok()).unwrap_or_default();
        offered.indexes.push(LockedIndex {
            repository: self.repository.name.clone(),
            suite: feed.folder,
            sha256: feed.sha256,
            date: newest.max(date),
            version,
            priority: None,
        });
        self.offer_packages(feed.packages, offered);
    }

    /// Adds packages that no feed lists.
    pub(crate) fn offer_packages(&self, packages: Vec<Package>, offered: &mut Offered) {
        let repository = &self.repository.name;
        let locked = |package| LockedPackage { repository: repository.clone(), package };
        offered.packages.extend(packages.into_iter().map(locked));
    }
}

/// The keys of usign that the recipe quotes and those in files of this machine.
pub fn keyring(
    format: Format,
    repository: &Repository,
    context: &Context<'_>,
) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    for key in &repository.keys {
        if let Some(line) = key.public_key.as_ref().filter(|line| line.starts_with("RW")) {
            keyring.add(&format!("the key {} in the recipe", key.name), line.as_bytes())?;
        }
    }
    for path in key_files(format, repository, context) {
        if KeyFile::of(&path) != Some(KeyFile::Usign) {
            continue;
        }
        let bytes = std::fs::read(&path)
            .map_err(|source| Error::ReadKeyring { path: path.clone(), source })?;
        keyring.add(&path.display().to_string(), &bytes)?;
    }
    Ok(keyring)
}
