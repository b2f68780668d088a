//! OpenWrt's opkg feeds (releases up to 24.10): signed `Packages` indexes, and what `.ipk` packages say
//! of themselves.
//!
//! Formats: usign (OpenWrt's reduced form of OpenBSD's `signify`), the control fields that OpenWrt's
//! `package-pack.mk` writes, and the archives that its `ipkg-build` makes and opkg reads.

mod control;
mod error;
pub mod feeds;
pub mod index;
pub mod kernel;
mod trust;
pub mod usign;

pub use control::Control;
pub use error::IpkError;
pub use index::{FeedError, read_signed, read_sums};
pub use kernel::{KernelId, KernelMismatch};
pub use trust::{Keyring, KeyringError, SignatureError, Trust};
pub use usign::Fingerprint;
