//! A repository of a registry, and how it is waited for.
//!
//! What is asked of it runs on a runtime of this thread. The side that waits looks at the cancellation flag many times a
//! second, and gives up when nothing has moved for the stall time.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::time::Instant;

use oci_client::RegistryOperation;
use oci_client::client::{Client as Blobs, ClientConfig, ClientProtocol};
use reqwest::header::HeaderValue;
use tokio::runtime::{Builder, Runtime};

use super::{Login, Reference, RegistryError};
use crate::http::redirects;
use crate::http_options::{HttpOptions, ProxyChoice};
use crate::options::{Network, Options};
use wifibox_ground::cancel::{Cancel, LOOK_EVERY};
use wifibox_ground::progress::Progress;

/// What a registry is asked for: the rights that a login is to give follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Only to read.
    Pull,
    /// To read and to write.
    Push,
}

/// How a registry is asked.
pub struct Settings<'a> {
    /// Whether the network may be used, and how.
    pub options: &'a Options,
    /// Who asks.
    pub login: Option<Login>,
    /// Whether it is spoken to without TLS, although it is not on this machine.
    pub plain_http: bool,
    /// Who is told how it goes.
    pub progress: &'a dyn Progress,
    /// Ends the work early.
    pub cancel: &'a Cancel,
}

/// A repository of a registry.
pub struct Registry<'a> {
    pub(super) reference: Reference,
    pub(super) settings: Settings<'a>,
    runtime: Runtime,
    /// For manifests and referrers.
    pub(super) requests: reqwest::Client,
    /// For blobs.
    pub(super) blobs: Blobs,
    pub(super) image: oci_client::Reference,
    pub(super) operation: RegistryOperation,
    pub(super) scheme: &'static str,
    /// What says to the registry who asks.
    pub(super) authorization: RefCell<Option<HeaderValue>>,
}

impl<'a> Registry<'a> {
    /// The repository of `reference`, of which nothing is asked yet.
    pub(super) fn new(
        reference: &Reference,
        purpose: Purpose,
        settings: Settings<'a>,
    ) -> Result<Self, RegistryError> {
        if settings.options.network == Network::Offline {
            return Err(RegistryError::Offline { what: reference.to_string() });
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| RegistryError::Unable(error.to_string()))?;
        let plain = settings.plain_http || reference.is_local();
        let protocol = if plain { ClientProtocol::Http } else { ClientProtocol::Https };
        // As in `http`: whoever installed one first wins, and it is the only one that is compiled in.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = &settings.options.http;
        let blobs = Blobs::try_from(config(http, protocol))
            .map_err(|error| RegistryError::Unable(error.to_string()))?;
        let requests = client(http).map_err(RegistryError::Unable)?;
        let (host, repository) = (reference.host.clone(), reference.repository.clone());
        let image = oci_client::Reference::with_tag(host, repository, String::new());
        Ok(Registry {
            reference: reference.clone(),
            settings,
            runtime,
            requests,
            blobs,
            image,
            operation: match purpose {
                Purpose::Pull => RegistryOperation::Pull,
                Purpose::Push => RegistryOperation::Push,
            },
            scheme: if plain { "http" } else { "https" },
            authorization: RefCell::new(None),
        })
    }

    /// The address of something of the registry: `path` is below `/v2/`.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}://{}/v2/{path}", self.scheme, self.image.resolve_registry())
    }

    /// The address of something of the repository.
    pub(super) fn own_address(&self, path: &str) -> String {
        self.address(&format!("{}/{path}", self.reference.repository))
    }

    /// The repository, for messages: `HOST/REPOSITORY`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.reference.host, self.reference.repository)
    }

    /// Waits for something. `moved` counts what has moved meanwhile: as long as it changes, nothing stalls.
    pub(super) fn wait<T>(
        &self,
        what: &str,
        moved: impl Fn() -> u64,
        work: impl Future<Output = T>,
    ) -> Result<T, RegistryError> {
        let stall = self.settings.options.http.stall_timeout;
        self.runtime.block_on(async {
            let mut work = pin!(work);
            let (mut count, mut since) = (moved(), Instant::now());
            loop {
                if let Ok(done) = tokio::time::timeout(LOOK_EVERY, &mut work).await {
                    return Ok(done);
                }
                if self.settings.cancel.is_cancelled() {
                    return Err(RegistryError::Interrupted { what: what.to_owned() });
                }
                let now = moved();
                if now != count {
                    (count, since) = (now, Instant::now());
                } else if since.elapsed() >= stall {
                    let why = format!("no answer for {} s", stall.as_secs_f32());
                    return Err(RegistryError::Network { what: what.to_owned(), why });
                }
            }
        })
    }
}

/// How blobs are asked for.
fn config(http: &HttpOptions, protocol: ClientProtocol) -> ClientConfig {
    // Without a proxy of its own the client takes the system's.
    let (proxy, no_proxy) = match &http.proxy {
        ProxyChoice::System => (None, None),
        ProxyChoice::Direct => (Some("http://127.0.0.1:9".to_owned()), Some("*".to_owned())),
        ProxyChoice::Url(url) => (Some(url.clone()), None),
    };
    ClientConfig {
        protocol,
        // One request for a blob: the form that every registry takes.
        use_monolithic_push: true,
        platform_resolver: None,
        connect_timeout: Some(http.connect_timeout),
        user_agent: concat!("wifibox-build/", env!("CARGO_PKG_VERSION")),
        https_proxy: proxy.clone(),
        http_proxy: proxy,
        no_proxy,
        ..ClientConfig::default()
    }
}

/// How manifests are asked for: as all else by this crate.
fn client(http: &HttpOptions) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .user_agent(&http.user_agent)
        .connect_timeout(http.connect_timeout)
        .redirect(redirects(http.redirects))
        .referer(false)
        .retry(reqwest::retry::never());
    let builder = match &http.proxy {
        ProxyChoice::System => builder,
        ProxyChoice::Direct => builder.no_proxy(),
        ProxyChoice::Url(url) => {
            let proxy =
                reqwest::Proxy::all(url).map_err(|error| format!("proxy {url:?}: {error}"))?;
            builder.no_proxy().proxy(proxy)
        }
    };
    builder.build().map_err(crate::http::chain)
}
