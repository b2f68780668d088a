//! The library behind `wifibox-build`: from a recipe to a bootable Wi-Fi router guest.
//!
//! Data flows one way: [`recipe`] -> [`resolve`] -> [`lock`] -> [`fetch`] -> [`tree`] (with
//! [`kernel`] and [`firmware`]) -> [`image`] -> outputs ([`host`], [`report`]). `docs/ARCHITECTURE.md`
//! is the map and lists the invariants.
//!
//! The library never prints, never reads the environment and never touches `$HOME`; `cli` does,
//! and passes values in.

pub mod cli;
pub mod detect;
pub mod device;
pub mod digest;
pub mod export;
pub mod fetch;
pub mod firmware;
pub mod host;
pub mod image;
pub mod kernel;
pub mod lint;
pub mod lock;
pub mod meter;
pub mod output;
mod parallel;
pub mod path;
pub mod pipeline;
pub mod progress;
pub mod recipe;
pub mod repo;
pub mod report;
pub mod resolve;
pub mod tree;
pub mod unpacked;
pub mod version;
