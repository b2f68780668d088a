//! Guests to and from a registry: what `push`, `pull` and `install oci://` do.
//!
//! A folder is checked before it is pushed, and after it was pulled before it gets its place. Before anything large is
//! fetched, the signature over `SHA256SUMS` is held against the key, and what the registry lists against `SHA256SUMS`:
//! from there on every blob is known by its hash.

mod about;
mod choose;
mod error;
mod pull;
mod push;
mod sources;

use wifibox_fetch::Access;
use wifibox_fetch::registry::{Login, Purpose, Reference, Registry, Settings};
use wifibox_ground::work::Work;

pub use about::Cosign;
pub use error::TransferError;
pub use pull::{PullReport, PullRequest, Pulled, pull};
pub use push::{PushReport, PushRequest, Pushed, push};

/// How a registry is asked.
#[derive(Debug, Clone, Default)]
pub struct RegistryChoice {
    /// Who asks.
    pub login: Option<Login>,
    /// Whether it is spoken to without TLS, although it is not on this machine.
    pub plain_http: bool,
}

/// Connects to the registry of `reference`.
fn connect<'a>(
    reference: &Reference,
    purpose: Purpose,
    choice: &RegistryChoice,
    access: &'a Access,
    work: &Work<'a>,
) -> Result<Registry<'a>, TransferError> {
    let settings = Settings {
        options: &access.fetch,
        login: choice.login.clone(),
        plain_http: choice.plain_http,
        progress: work.progress,
        cancel: work.cancel,
    };
    Ok(Registry::connect(reference, purpose, settings)?)
}
