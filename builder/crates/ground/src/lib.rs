//! The vocabulary of all stages: plain data and small tools, without knowledge of any format but their own.
//!
//! Digests, guest paths, version orders, the addresses and ids of PCI cards, the contents of files, the
//! description of a guest ([`guest::Guest`]); progress, cancellation, parallel work, bounded decompression.

pub mod address;
pub mod artefact;
pub mod cancel;
pub mod codec;
pub mod content;
pub mod device;
pub mod digest;
pub mod digests;
pub mod entry;
pub mod failure;
pub mod guest;
pub mod location;
pub mod memo;
pub mod meter;
pub mod nearest;
pub mod output;
pub mod packed;
pub mod parallel;
pub mod path;
pub mod progress;
pub mod regular;
pub mod secret;
pub mod sums;
pub mod version;
pub mod work;
