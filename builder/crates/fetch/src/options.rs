//! How artefacts are fetched, as values: nothing here is read from the environment.

use std::path::PathBuf;
use std::sync::Arc;

use super::http_options::HttpOptions;
use super::remote::Remote;
use super::retry::RetryPolicy;

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// It may.
    #[default]
    Online,
    /// It may not: only the store and files of this machine are read.
    Offline,
}

/// How artefacts are fetched.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether the network may be used.
    pub network: Network,
    /// Folders of downloaded files, looked into by file name before any location is asked.
    pub distdirs: Vec<PathBuf>,
    /// How requests are made.
    pub http: HttpOptions,
    /// When a location is asked again.
    pub retry: RetryPolicy,
    /// A cache that is shared with other machines.
    pub remote: Option<Arc<Remote>>,
    /// The most bytes that an artefact of unknown size may have in the store.
    pub unknown_size_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            network: Network::Online,
            distdirs: Vec::new(),
            http: HttpOptions::default(),
            retry: RetryPolicy::default(),
            remote: None,
            unknown_size_limit: 2 << 30,
        }
    }
}
