//! The stages in their order: recipe, lock, packages, tree, images, outputs.
//!
//! This module calls the others and hands on what they make; it knows no format and no file system
//! of its own. What depends on the machine (clock, home, terminal) comes in by [`Environment`].

mod accounts;
mod archive;
mod assemble;
mod build;
mod bundle;
mod caches;
mod capable;
mod controls;
mod coverage;
mod device;
mod effects;
mod error;
pub mod export;
mod firmware;
mod firmware_archive;
mod firmware_form;
mod fresh;
mod generated;
mod host_side;
mod index;
mod kept;
mod kernel;
mod kin;
mod libraries;
mod locking;
mod many;
mod missing;
mod openrc;
mod openwrt;
mod outputs;
mod own_firmware;
mod package_file;
mod packages;
mod pinning;
mod replaces;
mod reports;
mod source;
mod unpack;
mod variants;
mod world;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use wifibox_fetch::{Fetcher, Options as FetchOptions, Store};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::location::Location;
use wifibox_ground::meter::Meter;
use wifibox_ground::progress::Progress;
use wifibox_recipe::{Catalog, Recipe, Selection, Sources};

pub use build::{BuildReport, FetchReport, Wishes, build, default_out};
pub use bundle::{BundleReport, bundle};
pub use caches::{Caches, UNPACKED_LIMIT};
pub use error::{Error, Kind};
pub use firmware_archive::ArchiveChoice;
pub use kept::{Amount, Kept, KeptError};
pub use locking::{LockChange, LockMode, Locked, lock};
pub use many::{Guest, Outcome, Step, all_flavors, build_many, fetch_many};
pub use own_firmware::FirmwareAdd;
pub use packages::why;
pub use variants::{Limits, Variant, VariantFile, Variants, variants};

/// Everything that a build takes from the machine that it runs on.
pub struct Environment<'a> {
    /// The cache folder: the store is in it.
    pub cache: PathBuf,
    /// Mirrors by repository name, in the order of trial; they go before all others.
    pub mirrors: Vec<(String, Location)>,
    /// The host's apt configuration (`/etc/apt`), where there is one.
    pub apt_folder: Option<PathBuf>,
    /// Files with signing keys, besides the keyrings that the recipe names.
    pub trust_keys: Vec<PathBuf>,
    /// Whether an index past its Valid-Until is accepted.
    pub allow_expired_index: bool,
    /// How files are fetched: access, distdirs, retries.
    pub fetch: FetchOptions,
    /// Threads and parallel downloads. No output depends on it.
    pub jobs: NonZeroUsize,
    /// The present time, in seconds since 1970-01-01 UTC.
    pub now: i64,
    /// `SOURCE_DATE_EPOCH`, where it is set.
    pub source_date_epoch: Option<u32>,
    /// The lock file; its usual place if `None`.
    pub lock_file: Option<PathBuf>,
    /// What may become of the lock.
    pub lock_mode: LockMode,
    /// Who is told how it goes.
    pub progress: &'a dyn Progress,
    /// What builds keep between them.
    pub caches: Caches,
    /// Measures the stages, where that is asked for.
    pub meter: Option<&'a dyn Meter>,
    /// Which program this is: another one may make other bytes of the same inputs.
    pub tool: String,
    /// Ends the work early.
    pub cancel: &'a Cancel,
}

impl Environment<'_> {
    fn store(&self) -> Result<Store, Error> {
        Ok(Store::open(&self.cache)?)
    }

    fn fetcher<'s>(&'s self, store: &'s Store) -> Fetcher<'s> {
        Fetcher::new(store, &self.fetch, self.progress, self.cancel)
    }

    fn check_cancelled(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// The catalog of recipes and the composition that was asked for.
pub struct Composed<'a> {
    /// Where the recipes are.
    pub sources: &'a Sources,
    /// All recipes.
    pub catalog: &'a Catalog,
    /// The composition.
    pub recipe: Recipe,
}

impl<'a> Composed<'a> {
    /// Composes `selection`.
    ///
    /// # Errors
    /// [`Error::Recipe`].
    pub fn new(
        sources: &'a Sources,
        catalog: &'a Catalog,
        selection: &Selection,
    ) -> Result<Self, Error> {
        Ok(Composed { sources, catalog, recipe: catalog.compose(selection)? })
    }
}
