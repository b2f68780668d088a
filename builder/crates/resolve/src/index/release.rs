//! A release of OpenWrt for one target: its feeds, what only its signed `sha256sums` list (libc and the
//! kernel, which no index of opkg names), and whether kernel and modules belong together.

use std::collections::BTreeMap;
use std::io::BufReader;

use super::Offered;
use super::feeds::{Feed, Feeds};
use crate::Error;
use crate::lock::Target;
use wifibox_fetch::FetchError;
use wifibox_formats::opkg::feeds::{Build, IndexPlan, Packing, Target as Profiles, plans};
use wifibox_formats::opkg::{self, KernelId, kernel};
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{Package, PackageFormat};
use wifibox_ground::artefact::Artefact;
use wifibox_ground::digest::Sha256;
use wifibox_recipe::FeedTarget;

/// The largest `sha256sums` or `profiles.json` that is read, in bytes.
const TARGET_LIMIT: u64 = 16 << 20;

/// The package that holds the kernel's image. OpenWrt has no such package: the image lies beside the
/// feeds.
const IMAGE_PACKAGE: &str = "kernel-image";

/// Adds what the feeds of a release and its target offer.
///
/// # Errors
/// [`Error`]: a mirror, a key, a signature, a hash or a record is wrong, or kernel and modules do not
/// belong together.
pub fn load(feeds: &Feeds<'_>, target: &FeedTarget, offered: &mut Offered) -> Result<(), Error> {
    for folder in &feeds.repository.suites {
        Work::new(feeds, folder, target).load(target, offered)?;
    }
    Ok(())
}

/// Whether the mirrors have this release, as its signed sums and the profiles.json that they list say.
///
/// # Errors
/// [`Error`]: what they have under its name is not signed, or is another release.
pub fn is_there(feeds: &Feeds<'_>, target: &FeedTarget) -> Result<bool, Error> {
    for folder in &feeds.repository.suites {
        let work = Work::new(feeds, folder, target);
        let Some(sums) = work.signed_sums()? else { return Ok(false) };
        if work.profiles(&sums)?.is_none() {
            return Ok(false);
        }
    }
    Ok(!feeds.repository.suites.is_empty())
}

struct Work<'a> {
    feeds: &'a Feeds<'a>,
    build: Build,
}

impl<'a> Work<'a> {
    fn new(feeds: &'a Feeds<'a>, folder: &str, target: &FeedTarget) -> Self {
        let Target { release, architecture, .. } = &feeds.source.target;
        Work {
            feeds,
            build: Build {
                release: release.clone(),
                folder: folder.to_owned(),
                packing: feeds.packing,
                target: target.name.clone(),
                architecture: architecture.clone(),
            },
        }
    }

    fn load(&self, target: &FeedTarget, offered: &mut Offered) -> Result<(), Error> {
        let sums = self.sums()?;
        let described = match &sums {
            Some(sums) => self.profiles(sums)?,
            None => None,
        };
        let date = described.as_ref().and_then(|target| target.source_date_epoch).unwrap_or(0);
        let version = described.as_ref().map(|target| target.release.clone());
        let mut parts: Vec<(String, KernelId)> = Vec::new();
        if let Some(kernel) = described.and_then(|target| target.kernel) {
            parts.push(("profiles.json of the target".to_owned(), kernel));
        }
        let names: Vec<&str> =
            self.feeds.repository.components.iter().map(String::as_str).collect();
        let all = |kernel: Option<&KernelId>| {
            plans(&self.build, kernel, &names, &self.feeds.mirrors)
                .map_err(|error| Error::Mirror(self.feeds.repository.name.clone(), error))
        };
        let mut loaded: Vec<Feed> = Vec::new();
        let first = all(None)?;
        let (core, others) = match first.split_first() {
            Some((core, others)) => (core, others),
            None => return Ok(()),
        };
        loaded.push(self.checked(core, &mut parts)?);
        // The kernel modules of a release are kept apart, by kernel, so that an older one stays there.
        if let Some((_, kernel)) = parts.first().cloned() {
            let with_modules = all(Some(&kernel))?;
            for plan in with_modules.iter().filter(|plan| plan.feed == "kmods") {
                match self.checked(plan, &mut parts) {
                    Ok(feed) => loaded.push(feed),
                    Err(Error::Fetch(FetchError::NotFound { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for plan in others {
            loaded.push(self.checked(plan, &mut parts)?);
        }
        let mut unlisted = Vec::new();
        if let Some(sums) = &sums {
            let listed = |name: &str| {
                loaded.iter().any(|feed| feed.packages.iter().any(|package| package.name == name))
            };
            for name in ["kernel", "libc"].into_iter().filter(|name| !listed(name)) {
                unlisted.extend(self.unlisted(name, sums)?);
            }
            let kernel = unlisted.iter().find(|package| package.name == "kernel");
            if let Some(id) = kernel.and_then(|package| package.version.parse().ok()) {
                parts.push(("the package kernel".to_owned(), id));
            }
            unlisted.extend(self.image(target, sums, &loaded, &unlisted));
        }
        kernel::agree(&parts).map_err(|source| Error::KernelMismatch {
            repository: self.feeds.repository.name.clone(),
            source,
        })?;
        for feed in loaded {
            self.feeds.offer(feed, date, version.clone(), offered);
        }
        self.feeds.offer_packages(unlisted, offered);
        Ok(())
    }

    /// A feed, and in `parts` the kernel that its modules are for.
    fn checked(
        &self,
        plan: &IndexPlan,
        parts: &mut Vec<(String, KernelId)>,
    ) -> Result<Feed, Error> {
        let feed = self.feeds.read(plan)?;
        let scheme = self.feeds.source.scheme();
        let found = kernel::of_feed(&plan.feed, scheme, &feed.packages).map_err(|source| {
            Error::KernelMismatch { repository: self.feeds.repository.name.clone(), source }
        })?;
        parts.extend(found.map(|kernel| (format!("feed {}", plan.feed), kernel)));
        Ok(feed)
    }

    fn file(&self, name: &str) -> Result<Artefact, Error> {
        self.build
            .target_file(name, &self.feeds.mirrors)
            .map_err(|error| Error::Mirror(self.feeds.repository.name.clone(), error))
    }

    /// The SHA-256 of each file in the target's folder, by path; `None` where a mirror has feeds
    /// only, or where no key could vouch for the list and none is needed.
    fn sums(&self) -> Result<Option<BTreeMap<String, Sha256>>, Error> {
        let progress = self.feeds.context.work.progress;
        if !self.feeds.has_usign() {
            progress.note("no usign key is there: the target's sha256sums are not looked at");
            return Ok(None);
        }
        let sums = self.signed_sums()?;
        if sums.is_none() {
            progress.warn(&format!(
                "the mirror has no {}/sha256sums: libc and the kernel, which no feed lists, are not known",
                self.build.target_folder()
            ));
        }
        Ok(sums)
    }

    /// The same, of a folder that may not be there.
    fn signed_sums(&self) -> Result<Option<BTreeMap<String, Sha256>>, Error> {
        let artefact = self.file("sha256sums")?;
        let text = match self.feeds.fetcher.read_unverified(&artefact, TARGET_LIMIT) {
            Ok(text) => text,
            Err(FetchError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let signature = self.feeds.read_signature(&self.file("sha256sums.sig")?)?;
        let trust = self.feeds.trust();
        let sums = opkg::read_sums(&artefact.path, &text, signature.as_deref(), &trust)?;
        Ok(Some((*sums).clone()))
    }

    /// `profiles.json`, if the target has one: it says which kernel the release has.
    fn profiles(&self, sums: &BTreeMap<String, Sha256>) -> Result<Option<Profiles>, Error> {
        let Some(sha256) = sums.get("profiles.json") else { return Ok(None) };
        let artefact = self.file("profiles.json")?.expecting(None, *sha256);
        let file = self.feeds.fetcher.fetch(&artefact)?;
        let bytes = file.read()?;
        let target = Profiles::parse(&artefact.path, &bytes)?;
        target.check(&artefact.path, &self.build)?;
        Ok(Some(target))
    }

    /// A package that no index of opkg lists, as it describes itself.
    fn unlisted(
        &self,
        name: &str,
        sums: &BTreeMap<String, Sha256>,
    ) -> Result<Option<Package>, Error> {
        if self.build.packing != Packing::Opkg {
            return Ok(None);
        }
        let begin = format!("packages/{name}_");
        let found =
            sums.iter().find(|(path, _)| path.starts_with(&begin) && path.ends_with(".ipk"));
        let Some((path, sha256)) = found else { return Ok(None) };
        let mut artefact = self.file(path)?.expecting(None, *sha256);
        artefact.file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let file = self.feeds.fetcher.fetch(&artefact)?;
        let input = Box::new(BufReader::new(file.open()?));
        let readers = self.feeds.context.packages;
        let ipk = readers.open(PackageFormat::Ipk, path, input, OpenOptions::default())?;
        let package = ipk.record()?;
        if package.name != name {
            let why = format!("{path} is the package {}", package.name);
            return Err(Error::Unsupported(format!("{}: {why}", self.build.label())));
        }
        let (path, size) = (artefact.path, file.size);
        Ok(Some(Package { path, size, sha256: Some(*sha256), ..package }))
    }

    /// The kernel's image as a package, which goes with exactly the kernel of the release.
    fn image(
        &self,
        target: &FeedTarget,
        sums: &BTreeMap<String, Sha256>,
        feeds: &[Feed],
        unlisted: &[Package],
    ) -> Option<Package> {
        let name = target.kernel_image.as_ref()?;
        let sha256 = sums.get(name)?;
        let listed = feeds.iter().flat_map(|feed| &feed.packages);
        let kernel = listed.chain(unlisted).find(|package| package.name == "kernel");
        let opkg = self.build.packing == Packing::Opkg;
        let on = |version: &str| match opkg {
            true => format!("kernel (= {version})"),
            false => format!("kernel={version}"),
        };
        Some(Package {
            name: IMAGE_PACKAGE.to_owned(),
            version: kernel.map_or_else(|| self.build.release.clone(), |k| k.version.clone()),
            architecture: self.build.architecture.clone(),
            path: format!("{}/{name}", self.build.target_folder()),
            sha256: Some(*sha256),
            depends: kernel.map(|kernel| on(&kernel.version)).unwrap_or_default(),
            license: "GPL-2.0-only".to_owned(),
            description: "The image of the kernel".to_owned(),
            ..Package::default()
        })
    }
}
