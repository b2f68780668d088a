//! What verbs take from the machine: recipes, cache folder, clock, environment variables, Ctrl-C.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::options::{Compressor, GlobalArgs, SelectArgs, SourceArgs};
use super::render::failure::Failure;
use super::render::printer::Printer;
use wifibox_fetch::{Access, HttpOptions, Network, Options as FetchOptions, ProxyChoice, Remote};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::location::Location;
use wifibox_ground::nearest::nearest;
use wifibox_ground::progress::Progress as _;
use wifibox_ground::work::Work;
use wifibox_host::detect::table::Table;
use wifibox_pipeline::{Caches, Environment};
use wifibox_recipe::{Catalog, RootCompressor, Selection, Sources};
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
    /// All recipes, checked.
    pub catalog: Catalog,
}

/// Where the table of devices is among the recipes.
const DEVICES: &str = "firmware-blobs/devices.tsv";

impl Context {
    /// The table of devices of the recipes in use, or the program's own where they have none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn devices(&self) -> Result<Table, Failure> {
        let bytes = self.sources.read(DEVICES).or_else(|_| Sources::embedded().read(DEVICES))?;
        let bad = |error: &dyn std::fmt::Display| Failure::failed(format!("{DEVICES}: {error}"));
        let text = std::str::from_utf8(&bytes).map_err(|error| bad(&error))?;
        Table::parse(text).map_err(|error| bad(&error))
    }

    /// Reads the recipes and takes over Ctrl-C.
    ///
    /// # Errors
    /// The recipes are wrong.
    pub fn new(
        args: &GlobalArgs,
        printer: Printer,
        cancel: Cancel,
    ) -> Result<Self, (Printer, Failure)> {
        let load = || {
            let sources = match &args.recipes {
                Some(folder) => Sources::folder(folder)?,
                None => Sources::embedded(),
            };
            let catalog = Catalog::load(&sources)?;
            Ok::<_, wifibox_recipe::RecipeError>((sources, catalog))
        };
        match load() {
            Ok((sources, catalog)) => {
                for warning in catalog.warnings() {
                    printer.warn(&warning.to_string());
                }
                Ok(Context { printer, cancel, sources, catalog })
            }
            Err(error) => Err((printer, error.into())),
        }
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

    /// The one composition that the arguments ask for.
    ///
    /// # Errors
    /// A name that cannot be one, or several flavors.
    pub fn selection(&self, args: &SelectArgs) -> Result<Selection, Failure> {
        match args.flavor.as_slice() {
            [flavor] => Ok(Selection { flavor: flavor.clone(), ..self.composition(args)? }),
            [] => Err(Failure::usage(
                "--all-flavors does not work here: name one flavor with --flavor",
            )),
            _ => Err(Failure::usage("several flavors are given: this command takes one")),
        }
    }

    /// The composition that the arguments ask for, but for the flavor, which is left empty.
    ///
    /// # Errors
    /// A name that cannot be one.
    pub fn composition(&self, args: &SelectArgs) -> Result<Selection, Failure> {
        let compression = args.compression.map(|compressor| match compressor {
            Compressor::Xz => RootCompressor::Xz,
            Compressor::Zstd => RootCompressor::Zstd,
            Compressor::Gzip => RootCompressor::Gzip,
            Compressor::Lz4 => RootCompressor::Lz4,
        });
        Ok(Selection {
            base: self.base(args.target.base.as_ref())?,
            release: args.target.release.clone(),
            architecture: args.target.arch.clone(),
            flavor: String::new(),
            role: args.role.clone(),
            with: {
                let persistent = args.persistent.then(|| "persistent".to_owned());
                args.with.iter().cloned().chain(persistent).collect()
            },
            without: args.without.clone(),
            kernel: args.kernel.clone(),
            hypervisor: args.hypervisor.clone(),
            compression,
            firmware_archive: false,
        })
    }

    /// A mirror that was named.
    fn mirror(&self, name: &str, text: &str) -> Result<(String, Location), Failure> {
        let known = self.catalog.repositories();
        if !known.contains(&name) {
            let failure =
                Failure::usage(format!("--mirror {name}={text}: there is no repository {name}"));
            return Err(failure
                .with_near(nearest(name, &known))
                .with_hint(format!("the repositories are: {}", known.join(", "))));
        }
        let location = Location::parse(text);
        let location =
            location.map_err(|error| Failure::usage(format!("--mirror {name}={text}: {error}")));
        Ok((name.to_owned(), location?))
    }

    /// The environment of a build.
    ///
    /// # Errors
    /// No cache folder can be found, or a variable or mirror makes no sense.
    pub fn environment(&self, args: &SourceArgs) -> Result<Environment<'_>, Failure> {
        let mirrors = args.mirror.iter().map(|(name, text)| self.mirror(name, text));
        let mirrors = mirrors.collect::<Result<_, _>>()?;
        for file in &args.trust_key {
            let opened = std::fs::File::open(file).and_then(|file| file.metadata());
            let why = match opened {
                Ok(data) if data.is_dir() => "it is a folder".to_owned(),
                Ok(_) => continue,
                Err(error) => error.to_string(),
            };
            let file = file.display();
            return Err(Failure::usage(format!(
                "cannot read the keys in --trust-key {file}: {why}"
            )));
        }
        let available = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let jobs = args.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into())).unwrap_or(available);
        let offline = args.offline || args.frozen;
        let apt = Path::new(APT_FOLDER);
        let cache = cache_folder(args.cache_dir.as_deref())?;
        let http = HttpOptions { proxy: ProxyChoice::System, ..HttpOptions::default() };
        let remote = match &args.remote_cache {
            Some(url) if !offline && !url.is_empty() => {
                let aws = env::vars_os().filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                });
                let aws = aws.filter(|(name, _)| name.starts_with("AWS_")).collect();
                let remote = Remote::new(url, &aws, &http);
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
                trust_keys: args.trust_key.clone(),
                allow_expired_index: args.dangerously_allow_expired_index,
                fetch: FetchOptions {
                    network: if offline { Network::Offline } else { Network::Online },
                    distdirs: args.distdir.clone(),
                    http,
                    remote: remote.clone(),
                    ..FetchOptions::default()
                },
                now: now(),
            },
            work: Work { jobs, progress: &self.printer, cancel: &self.cancel },
            caches: Caches::new(&cache, limit, blocks, tool(), &self.printer).shared_by(remote),
            lock: LockChoice {
                file: args.lock_file.clone(),
                mode: if args.locked || args.frozen { LockMode::Locked } else { LockMode::Update },
            },
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
pub fn cache_folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|h| h.join(".cache")));
    cache.map(|cache| cache.join("wifibox-build")).ok_or_else(|| {
        Failure::usage("there is no home folder to keep downloads in: name one with --cache-dir")
    })
}
