//! How HTTP requests are made, as values: nothing here is read from the environment.

use std::time::Duration;

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
    /// The `User-Agent` header.
    pub user_agent: String,
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
            redirects: 8,
            proxy: ProxyChoice::Direct,
            user_agent: concat!("wifibox-build/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
