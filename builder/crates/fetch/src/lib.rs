//! The only module that touches the network, and the content-addressed store.
//!
//! Files are described by an [`Artefact`](wifibox_ground::artefact::Artefact): locations to try in
//! order, and how its bytes are recognised. [`Fetcher`] looks for it in the [`Store`], then in
//! folders of downloaded files, then at its locations, with retries and resumption. Only bytes of
//! the right size and SHA-256 come out; the one exception, [`Fetcher::read_unverified`], is for
//! signed indexes and says so in its name.

mod access;
mod batch;
mod distdir;
mod error;
mod fetched;
mod fetcher;
mod http;
mod http_options;
mod ledger;
mod options;
mod partial;
pub mod registry;
mod remote;
mod retry;
mod servers;
mod stoppable;
mod store;
mod transfer;

pub use access::Access;
pub use error::{FetchError, Outcome, Tried};
pub use fetched::Fetched;
pub use fetcher::Fetcher;
pub use http_options::{HttpOptions, ProxyChoice, SlowServer};
pub use ledger::{Got, Ledger};
pub use options::{Network, Options};
pub use remote::{Remote, RemoteError, RemoteUse};
pub use retry::RetryPolicy;
pub use store::Store;
