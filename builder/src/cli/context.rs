//! What verbs take from the machine: recipes, cache folder, clock, environment variables, Ctrl-C.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::named_file::readable;
use super::options::{Compressor, GlobalArgs, ProjectArgs, SelectArgs, SourceArgs};
use super::project_file::Place;
use super::render::failure::Failure;
use super::render::printer::Printer;
use wifibox_fetch::{Access, HttpOptions, Network, Options as FetchOptions, ProxyChoice, Remote};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::location::Location;
use wifibox_ground::nearest::nearest;
use wifibox_ground::progress::Progress as _;
use wifibox_ground::work::Work;
use wifibox_pipeline::{Caches, Environment};
use wifibox_recipe::{
    At, Catalog, GuestPlan, Project, ProjectGuest, RootCompressor, Selection, Settings, Sources,
};
use wifibox_resolve::{LockChoice, LockMode};
use wifibox_tree::cache::LIMIT as UNPACKED_LIMIT;

/// Where a Debian host keeps its apt configuration.
const APT_FOLDER: &str = "/etc/apt";

/// Printer, folders and limits, for every verb.
pub struct Context {
    /// The only way to say anything.
    pub printer: Printer,
    /// Set by Ctrl-C.
    pub cancel: Cancel,
    /// Where the recipes are.
    pub sources: Sources,
    /// All recipes, checked, and the project.
    pub catalog: Catalog,
    /// The project's folder; empty without one, or if it is the working directory.
    folder: PathBuf,
    /// The lock file that the command line names.
    lock_file: Option<PathBuf>,
}

impl Context {
    /// Reads the recipes, and the project of a verb that may have one.
    ///
    /// # Errors
    /// They are wrong.
    pub fn new(
        args: &GlobalArgs,
        project: Option<&ProjectArgs>,
        lock_file: Option<&Path>,
        printer: Printer,
        cancel: Cancel,
    ) -> Result<Self, (Printer, Failure)> {
        let load = || {
            let mut sources = match &args.recipes {
                Some(folder) => Sources::folder(folder)?,
                None => Sources::embedded(),
            };
            let place = match project {
                Some(args) => Place::find(args.project.as_deref(), args.no_project, &args.guest)?,
                None => None,
            };
            if let Some(place) = &place {
                sources = place.add_to(sources, args.recipes.is_some())?;
            }
            let catalog = Catalog::load(&sources)?;
            Ok::<_, Failure>((sources, catalog, place))
        };
        match load() {
            Ok((sources, catalog, place)) => {
                for warning in catalog.warnings() {
                    printer.warn(&warning.to_string());
                }
                let folder = place.map(|place| place.folder).unwrap_or_default();
                let lock_file = lock_file.map(Path::to_owned);
                Ok(Context { printer, cancel, sources, catalog, folder, lock_file })
            }
            Err(failure) => Err((printer, failure)),
        }
    }

    /// The project's folder; empty without one, or if it is the working directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path that a project names.
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// The base that is meant where none is named: the recipes' default, or their only one.
    ///
    /// # Errors
    /// There are several, and none is the default.
    pub fn base(&self, named: Option<&String>) -> Result<String, Failure> {
        if let Some(base) = named {
            return Ok(base.clone());
        }
        if let Some(base) = self.catalog.default_base() {
            return Ok(base.to_owned());
        }
        let listing = self.catalog.list();
        let names: Vec<&str> = listing.bases.iter().map(|base| base.name.as_str()).collect();
        Err(Failure::usage(format!(
            "these recipes have several bases and none is the default: name one of {} with --base",
            names.join(", ")
        )))
    }

    /// The composition that the arguments ask for, where they leave it open that of the project's `guest`; but for the
    /// flavor, which is left empty.
    ///
    /// # Errors
    /// A name that cannot be one.
    pub fn composition(
        &self,
        args: &SelectArgs,
        guest: Option<&ProjectGuest>,
    ) -> Result<Selection, Failure> {
        let compression = args.compression.map(|compressor| match compressor {
            Compressor::Xz => RootCompressor::Xz,
            Compressor::Zstd => RootCompressor::Zstd,
            Compressor::Gzip => RootCompressor::Gzip,
            Compressor::Lz4 => RootCompressor::Lz4,
            Compressor::Lzo => RootCompressor::Lzo,
        });
        let said = |given: &Option<String>, pick: fn(&GuestPlan) -> Option<&At<String>>| {
            given.clone().or_else(|| guest?.value(pick))
        };
        let base = said(&args.target.base, |plan| plan.base.as_ref());
        let (mut with, mut without) = guest.map(ProjectGuest::features).unwrap_or_default();
        with.retain(|name| !args.without.contains(name));
        without.retain(|name| !args.with.contains(name));
        with.extend(args.with.iter().cloned());
        with.extend(args.persistent.then(|| "persistent".to_owned()));
        without.extend(args.without.iter().cloned());
        Ok(self.as_locked(Selection {
            base: self.base(base.as_ref())?,
            release: said(&args.target.release, |plan| plan.release.as_ref()),
            point: None,
            architecture: said(&args.target.arch, |plan| plan.arch.as_ref()),
            flavor: String::new(),
            role: said(&args.role, |plan| plan.role.as_ref()),
            with,
            without,
            kernel: said(&args.kernel, |plan| plan.kernel.as_ref()),
            hypervisor: said(&args.hypervisor, |plan| plan.hypervisor.as_ref()),
            compression: compression.or_else(|| guest?.compression()),
            firmware_archive: said(&None, |plan| plan.firmware_archive.as_ref()).is_some(),
            guest: guest.map(ProjectGuest::key),
        }))
    }

    /// The selection with the point release of its lock, where it asks for a series.
    pub fn as_locked(&self, selection: Selection) -> Selection {
        let lock = self.lock(LockMode::Look, false);
        wifibox_resolve::as_locked(&self.catalog, selection, &lock)
    }

    /// The lock file: the one that the command line names, or the project, or that in its usual place.
    fn lock(&self, mode: LockMode, rollback: bool) -> LockChoice {
        let own = || self.catalog.project().and_then(|project| project.settings().lock_file);
        let file = self.lock_file.clone().or_else(|| own().map(|file| self.at(file)));
        LockChoice { file, folder: self.folder.clone(), mode, rollback, new_pins: false }
    }

    /// A mirror that was named, on the command line or in the project.
    fn mirror(&self, said: &str, name: &str, text: &str) -> Result<(String, Location), Failure> {
        let known = self.catalog.repositories();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        if !known.contains(&name) {
            let failure = Failure::usage(format!("{said}: there is no repository {name}"));
            return Err(failure
                .with_near(nearest(name, &known))
                .with_hint(format!("the repositories are: {}", known.join(", "))));
        }
        let location = Location::parse(text);
        let location = location.map_err(|error| Failure::usage(format!("{said}: {error}")));
        Ok((name.to_owned(), location?))
    }

    /// The mirrors of repositories: those of the command line, and the project's of the others.
    fn mirrors(
        &self,
        args: &SourceArgs,
        settings: &Settings,
    ) -> Result<Vec<(String, Location)>, Failure> {
        let mut mirrors = Vec::new();
        for (name, text) in &args.mirror {
            mirrors.push(self.mirror(&format!("--mirror {name}={text}"), name, text)?);
        }
        let is_named = |name: &String| args.mirror.iter().any(|(named, _)| named == name);
        for (name, text) in settings.mirrors.iter().filter(|(name, _)| !is_named(name)) {
            let file = self.catalog.project().map(Project::file).unwrap_or_default();
            let said = format!("{file}: mirror: {name}: {text}");
            // A folder is the project's.
            let is_path = !text.contains("://");
            let text = if is_path { self.at(text).display().to_string() } else { text.clone() };
            mirrors.push(self.mirror(&said, name, &text)?);
        }
        Ok(mirrors)
    }

    /// The environment of a build.
    ///
    /// # Errors
    /// No cache folder can be found, or a variable or mirror makes no sense.
    pub fn environment(&self, args: &SourceArgs) -> Result<Environment<'_>, Failure> {
        let settings = self.catalog.project().map(Project::settings).unwrap_or_default();
        let mirrors = self.mirrors(args, &settings)?;
        let further = settings.trust_keys.iter().map(|file| self.at(file));
        let trust_keys: Vec<PathBuf> = args.trust_key.iter().cloned().chain(further).collect();
        let further = settings.distdirs.iter().map(|folder| self.at(folder));
        let distdirs = args.distdir.iter().cloned().chain(further).collect();
        for file in &trust_keys {
            readable("the signing keys in", file)?;
        }
        let available = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let jobs = args.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into())).unwrap_or(available);
        let offline = args.offline || args.frozen;
        let apt = Path::new(APT_FOLDER);
        let own_cache = settings.cache_dir.as_ref().map(|folder| self.at(folder));
        let cache = cache_folder(args.cache_dir.as_deref().or(own_cache.as_deref()))?;
        let http = HttpOptions { proxy: ProxyChoice::System, ..HttpOptions::default() };
        let remote = match args.remote_cache.as_ref().or(settings.remote_cache.as_ref()) {
            Some(url) if !offline && !url.is_empty() => {
                let aws = env::vars_os().filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                });
                let aws = aws.filter(|(name, _)| name.starts_with("AWS_")).collect();
                let read_only = args.remote_cache_read_only;
                let remote = Remote::new(url, read_only, &aws, &http, &self.cancel);
                Some(Arc::new(remote.map_err(|error| Failure::usage(error.to_string()))?))
            }
            _ => None,
        };
        let (limit, blocks) = (UNPACKED_LIMIT, mebibytes(args.block_cache));
        Ok(Environment {
            access: Access {
                cache: cache.clone(),
                mirrors,
                apt_folder: apt.is_dir().then(|| apt.to_owned()),
                trust_keys,
                allow_expired_index: args.dangerously_allow_expired_index,
                fetch: FetchOptions {
                    network: if offline { Network::Offline } else { Network::Online },
                    distdirs,
                    http,
                    remote: remote.clone(),
                    ..FetchOptions::default()
                },
                now: now(),
            },
            work: Work { jobs, progress: &self.printer, cancel: &self.cancel },
            caches: Caches::new(&cache, limit, blocks, tool(), &self.printer).shared_by(remote),
            lock: self.lock(
                if args.locked || args.frozen { LockMode::Locked } else { LockMode::Update },
                args.dangerously_allow_rollback,
            ),
            source_date_epoch: source_date_epoch()?,
            meter: None,
        })
    }
}

/// This program as a file: another build of it is another file.
pub fn tool() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let version = concat!("wifibox-build ", env!("CARGO_PKG_VERSION"));
    match env::current_exe().and_then(std::fs::metadata) {
        Ok(file) => format!(
            "{version} {}:{} {} bytes of {}.{:09} and {}.{:09}",
            file.dev(),
            file.ino(),
            file.size(),
            file.mtime(),
            file.mtime_nsec(),
            file.ctime(),
            file.ctime_nsec()
        ),
        Err(_) => version.to_owned(),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>
fn source_date_epoch() -> Result<Option<u32>, Failure> {
    match env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(None),
        Ok(text) => text.parse().map(Some).map_err(|_| {
            Failure::usage(format!(
                "SOURCE_DATE_EPOCH is {text:?}; expected seconds since 1970, at most {}",
                u32::MAX
            ))
        }),
    }
}

/// As many bytes as these MiB.
pub fn mebibytes(count: u32) -> u64 {
    u64::from(count) << 20
}

/// `--cache-dir`, else `wifibox-build` below `XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
/// There is no home folder.
pub(crate) fn cache_folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|h| h.join(".cache")));
    cache.map(|cache| cache.join("wifibox-build")).ok_or_else(|| {
        Failure::usage("there is no home folder to keep downloads in: name one with --cache-dir")
    })
}
