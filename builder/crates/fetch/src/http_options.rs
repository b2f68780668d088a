//! How HTTP requests are made, as values: nothing here is read from the environment.

use std::time::Duration;

/// How requests are made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a server may keep silent before the connection counts as dead.
    pub stall_timeout: Duration,
    /// Which server is left for another one that has the same file.
    pub slow: SlowServer,
    /// Redirects followed for one request.
    pub redirects: usize,
    /// Which proxy is used.
    pub proxy: ProxyChoice,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// A server that is slow: measured over so long a time, it sends fewer bytes a second than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlowServer {
    /// How long it is watched, and again.
    pub time: Duration,
    /// Bytes a second.
    pub rate: u64,
}

/// Which proxy requests go through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProxyChoice {
    /// None.
    #[default]
    Direct,
    /// The system's (`http_proxy`, `https_proxy`, `no_proxy`, or its proxy settings).
    System,
    /// This one, for everything.
    Url(String),
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            slow: SlowServer { time: Duration::from_secs(8), rate: 50_000 },
            redirects: 8,
            proxy: ProxyChoice::Direct,
            user_agent: concat!("wifibox-build/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
