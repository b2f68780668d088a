//! The machine's side of making a lock: access to packages, threads, the lock file.

use std::path::PathBuf;

use wifibox_fetch::Access;
use wifibox_formats::OpenPackage;
use wifibox_ground::memo::Memo;
use wifibox_ground::work::Work;

/// Whether a build may change the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMode {
    /// It is made or changed when it must be.
    #[default]
    Update,
    /// It must exist and be up to date (`--locked`).
    Locked,
    /// What it would be is only looked at: no file is written.
    Look,
}

/// Which lock file, and what may become of it.
#[derive(Debug, Clone, Default)]
pub struct LockChoice {
    /// The file; its usual place if `None`.
    pub file: Option<PathBuf>,
    /// The folder that the usual place, `locks/`, is in; empty for the working directory.
    pub folder: PathBuf,
    /// Whether the build may change it.
    pub mode: LockMode,
    /// Whether an index may be older than the one that the lock was made of.
    pub rollback: bool,
    /// Whether files that nobody signed may be pinned as they are served now.
    pub new_pins: bool,
}

/// The machine's side of making a lock.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Mirrors, keys and the store.
    pub access: &'a Access,
    /// Threads, progress, cancellation.
    pub work: Work<'a>,
    /// The lock file.
    pub lock: &'a LockChoice,
    /// The readers of package files.
    pub packages: &'a dyn OpenPackage,
    /// Which locks were found whole by earlier runs.
    pub memo: &'a dyn Memo,
    /// Which program this is: another one may choose otherwise.
    pub tool: &'a str,
}
