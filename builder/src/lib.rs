//! The command line of `wifibox-build`. What it calls is in the crates below `builder/crates`; see
//! `docs/ARCHITECTURE.md`.

pub mod cli;
