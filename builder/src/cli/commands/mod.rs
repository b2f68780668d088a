//! The verbs, one to a file. Each has its arguments and a `run` that makes of them what a function of a crate
//! below is asked for, and hands its answer to `render`. None knows another.

pub mod boot;
pub mod build;
pub mod bundle;
pub mod cache;
pub mod completions;
pub mod config_disk;
pub mod detect;
pub mod diff;
pub mod doctor;
pub mod export;
pub mod fetch;
pub mod host;
pub mod init;
pub mod inspect;
pub mod install;
pub mod lint;
pub mod list;
pub mod lock;
pub mod outdated;
pub mod pull;
pub mod push;
pub mod report;
pub mod show;
pub mod status;
pub mod uninstall;
pub mod verify;
pub mod why;
