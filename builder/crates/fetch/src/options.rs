//! How artefacts are fetched, as values: nothing here is read from the environment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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

/// How requests are made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a server may keep silent before the connection counts as dead.
    pub stall_timeout: Duration,
    /// Redirects followed for one request.
    pub redirects: usize,
    /// Which proxy is used.
    pub proxy: ProxyChoice,
    /// What the client calls itself.
    pub user_agent: String,
}

/// Which proxy requests go through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProxyChoice {
    /// None.
    #[default]
    Direct,
    /// What the system says (`http_proxy`, `https_proxy`, `no_proxy`, or its settings).
    System,
    /// This one, for everything.
    Url(String),
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            redirects: 8,
            proxy: ProxyChoice::Direct,
            user_agent: concat!("wifibox-build/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
