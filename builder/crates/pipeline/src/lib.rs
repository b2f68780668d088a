//! The order of the stages: recipe, locks, packages, root, drivers, images, outputs.
//!
//! Each stage is a crate, or a module of one, with its own input, output and error. This crate calls them and
//! hands on what they make: [`build`] for one guest, [`build_many`] for several, [`fetch_many`] and [`bundle`] for
//! what a build needs of the network. What depends on the machine (clock, home, terminal) comes in by
//! [`Environment`].

mod build;
mod bundle;
mod caches;
mod error;
mod fresh;
mod inputs;
mod kept;
mod many;
mod request;
mod state;
pub mod transfer;

use wifibox_fetch::Access;
use wifibox_ground::meter::Meter;
use wifibox_ground::work::Work;
use wifibox_packages::Readers;
use wifibox_resolve::{self as resolve, LockChoice};

pub use build::{FetchReport, build, default_out};
pub use bundle::{BundleReport, bundle};
pub use caches::Caches;
pub use error::Error;
pub use kept::{Amount, Kept, KeptError};
pub use many::{Guest, Outcome, RequestOf, Step, all_flavors, build_many, fetch_many};
pub use request::{BuildReport, BuildRequest};

/// Everything that a build takes from the machine that it runs on; each stage gets its own part of it.
pub struct Environment<'a> {
    /// Mirrors, keys and the store.
    pub access: Access,
    /// Threads, progress, cancellation.
    pub work: Work<'a>,
    /// The caches that builds share.
    pub caches: Caches<'a>,
    /// The lock file.
    pub lock: LockChoice,
    /// `SOURCE_DATE_EPOCH`, where it is set.
    pub source_date_epoch: Option<u32>,
    /// Measures the stages, where that is asked for.
    pub meter: Option<&'a dyn Meter>,
}

impl Environment<'_> {
    /// The part of it for making a lock.
    pub fn locking(&self) -> resolve::Context<'_> {
        resolve::Context {
            access: &self.access,
            work: self.work,
            lock: &self.lock,
            packages: &Readers,
            memo: &self.caches.contents,
            tool: self.caches.contents.tool(),
        }
    }

    /// The part of it for reading packages and making root, drivers and images.
    fn making(&self) -> wifibox_tree::Context<'_> {
        wifibox_tree::Context { work: self.work, packages: &Readers, kept: &self.caches.contents }
    }
}
