//! The kernel's source: a package of Debian, chosen from signed indexes and pinned in a lock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use wifibox_fetch::{Access, HttpOptions, Network, Options, ProxyChoice};
use wifibox_formats::reader::{OpenOptions, OpenPackage as _, PackageFormat};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::digest::Sha256;
use wifibox_ground::entry::EntryKind;
use wifibox_ground::progress::Silent;
use wifibox_ground::work::Work;
use wifibox_packages::Readers;
use wifibox_recipe::{Catalog, Selection, Sources};
use wifibox_resolve::index::{self, Before};
use wifibox_resolve::lock::{Lock, LockedPackage};
use wifibox_resolve::{Context, LockChoice, Source as Archives, artefact};
use wifibox_tree::cache::Cache;

use super::{Arguments, Failure};

/// A source package that is there.
pub struct Source {
    /// Its name.
    pub name: String,
    /// Debian's version, `6.12.118-1`.
    pub version: String,
    /// Of the `.deb`.
    pub sha256: Sha256,
    /// The `.deb`.
    path: PathBuf,
}

/// What there is of a source.
pub enum Found {
    /// The package.
    Here(Source),
    /// Its versions, where nothing else is asked.
    Newest {
        /// That of the lock.
        locked: Option<String>,
        /// The newest one that the signed indexes have.
        offered: String,
    },
}

/// Finds the package in the lock, or makes the lock of the newest that the signed indexes have, and fetches it.
pub fn find(arguments: &Arguments) -> Result<Found, Failure> {
    let out = &arguments.out;
    let network = if arguments.offline { Network::Offline } else { Network::Online };
    let http = HttpOptions { proxy: ProxyChoice::System, ..HttpOptions::default() };
    let apt = Path::new("/etc/apt");
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let access = Access {
        cache: arguments.cache_dir.clone().unwrap_or_else(|| out.join("cache")),
        mirrors: arguments.mirror.clone(),
        apt_folder: apt.is_dir().then(|| apt.to_owned()),
        trust_keys: Vec::new(),
        allow_expired_index: false,
        fetch: Options { network, distdirs: arguments.distdir.clone(), http, ..Options::default() },
        now: i64::try_from(now)?,
    };
    let cancel = Cancel::new();
    let work = Work { jobs: NonZeroUsize::MIN, progress: &Silent, cancel: &cancel };
    let lock = LockChoice::default();
    let kept = Cache::none("xtask kernel".to_owned(), &Silent);
    let (packages, memo, tool) = (&Readers, &kept, "xtask kernel");
    let context = Context { access: &access, work, lock: &lock, packages, memo, tool };

    let archives = archives(&arguments.release)?;
    let own_lock = out.join("source.lock");
    let file = arguments.lock_file.as_deref().unwrap_or(&own_lock);
    let known = Lock::read(file, &archives.target)?;
    let known = known.and_then(|lock| named(&lock.packages, &archives, &arguments.source));
    let locked = match known {
        Some(locked) if !arguments.upgrade => locked,
        known => {
            let store = access.store()?;
            let before = Before { indexes: &[], packages: &[], upgrade: true };
            let offered =
                index::load(&archives, &before, &context, &access.fetcher(&store, &work))?;
            let Some(newest) = named(&offered.packages, &archives, &arguments.source) else {
                let (name, target) = (&arguments.source, &archives.target);
                return Err(
                    format!("{target} has no package {name}: name another with --source").into()
                );
            };
            if arguments.dry_run {
                let locked = known.map(|locked| locked.package.version);
                return Ok(Found::Newest { locked, offered: newest.package.version });
            }
            let packages = vec![newest.clone()];
            Lock::new(archives.target.clone(), offered.indexes, packages).write(file)?;
            newest
        }
    };
    let store = access.store()?;
    let wanted = artefact::artefact(&archives, &locked, &context)?;
    let fetched = access.fetcher(&store, &work).fetch(&wanted)?;
    let package = locked.package;
    Ok(Found::Here(Source {
        name: package.name,
        version: package.version,
        sha256: fetched.sha256,
        path: fetched.path,
    }))
}

/// Debian's archives, as the recipes know them.
fn archives(release: &str) -> Result<Archives, Failure> {
    let catalog = Catalog::load(&Sources::embedded())?;
    let selection = Selection {
        base: "debian".to_owned(),
        flavor: "hwsim".to_owned(),
        release: Some(release.to_owned()),
        ..Selection::default()
    };
    let all = Archives::all(&catalog.compose(&selection)?);
    all.into_iter().next().ok_or_else(|| "the base debian has no archives".into())
}

/// The newest package of this name.
fn named(packages: &[LockedPackage], archives: &Archives, name: &str) -> Option<LockedPackage> {
    let scheme = archives.scheme();
    let of_name = packages.iter().filter(|locked| locked.package.name == name);
    let newest = of_name.max_by(|a, b| {
        scheme.compare(&a.package.version, &b.package.version).unwrap_or(std::cmp::Ordering::Equal)
    });
    newest.cloned()
}

impl Source {
    /// The version of Linux, `6.12.118`.
    pub fn linux(&self) -> &str {
        self.version.split('-').next().unwrap_or(&self.version)
    }

    /// Debian's revision of it: the `1` of `6.12.118-1~deb12u1`.
    pub fn revision(&self) -> u32 {
        let revision = self.version.rsplit_once('-').map_or("", |(_, revision)| revision);
        let digits = revision.find(|c: char| !c.is_ascii_digit()).unwrap_or(revision.len());
        revision[..digits].parse().unwrap_or(0)
    }

    /// Unpacks the kernel's tree into `folder`, unless this very one is there.
    pub fn unpack(&self, folder: &Path) -> Result<Tree, Failure> {
        let mark = folder.join(".unpacked");
        let archive = folder.with_extension("tar.xz");
        if let Ok(text) = fs::read_to_string(&mark)
            && let Some((sha256, time)) = text.trim().split_once(' ')
            && sha256 == self.sha256.to_string()
        {
            return Ok(Tree { folder: folder.to_owned(), time: time.parse()? });
        }
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let time = self.extract(&archive)?;
        let mut tar = Command::new("tar");
        tar.arg("-xJf").arg(&archive).arg("-C").arg(folder).arg("--strip-components=1");
        tar.arg("--no-same-owner");
        if !tar.status()?.success() {
            return Err(format!("tar cannot unpack {}", archive.display()).into());
        }
        fs::remove_file(&archive)?;
        fs::write(&mark, format!("{} {time}\n", self.sha256))?;
        Ok(Tree { folder: folder.to_owned(), time })
    }

    /// Writes the archive that the package holds, and gives back its time.
    fn extract(&self, archive: &Path) -> Result<u32, Failure> {
        let reader = io::BufReader::new(File::open(&self.path)?);
        let (format, options) = (PackageFormat::Deb, OpenOptions::default());
        let package = Readers.open(format, &self.name, Box::new(reader), options)?;
        let wanted = format!("usr/src/{}.tar.xz", self.name);
        let mut time = None;
        package.read_data::<Failure>(&mut |mut entry| {
            if entry.path.to_string().trim_start_matches('/') == wanted {
                time = Some(entry.mtime);
                let mut out = File::create(archive)?;
                match (&mut entry.kind, &entry.held) {
                    (_, Some(held)) => io::copy(&mut held.open(), &mut out)?,
                    (EntryKind::File { content, .. }, None) => io::copy(content, &mut out)?,
                    _ => return Err(format!("{wanted} is no file").into()),
                };
            }
            Ok(())
        })?;
        time.ok_or_else(|| format!("{} has no {wanted}", self.name).into())
    }
}

/// The kernel's tree.
pub struct Tree {
    /// Where it is.
    pub folder: PathBuf,
    /// When Debian packed it, in seconds since 1970-01-01 UTC: the date of all that is made of it.
    pub time: u32,
}

/// The licence texts of the kernel, by path below the licences of the guest.
pub fn licences(tree: &Tree) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let files = ["COPYING", "LICENSES/preferred/GPL-2.0", "LICENSES/exceptions/Linux-syscall-note"];
    let read = |name: &str| {
        let path = tree.folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((name.rsplit('/').next().unwrap_or(name).to_owned(), bytes))
    };
    files.into_iter().map(read).collect()
}
