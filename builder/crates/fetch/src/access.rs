//! How this machine comes to packages: its mirrors, keys, downloaded files and store.

use std::path::PathBuf;

use wifibox_ground::location::Location;
use wifibox_ground::work::Work;

use crate::{FetchError, Fetcher, Options, Store};

/// How this machine comes to packages.
#[derive(Debug, Clone)]
pub struct Access {
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
    /// How files are fetched: network, distdirs, retries.
    pub fetch: Options,
    /// The present time, in seconds since 1970-01-01 UTC: an index may be past its end.
    pub now: i64,
}

impl Access {
    /// The store of fetched files.
    ///
    /// # Errors
    /// [`FetchError`]: its folder cannot be made.
    pub fn store(&self) -> Result<Store, FetchError> {
        Store::open(&self.cache)
    }

    /// A fetcher that fills `store`, with this machine's options.
    pub fn fetcher<'s>(&'s self, store: &'s Store, work: &Work<'s>) -> Fetcher<'s> {
        Fetcher::new(store, &self.fetch, work.progress, work.cancel)
    }
}
