//! Whether a file changed, without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use serde::{Deserialize, Serialize};

/// File systems may tell times in steps as long as this, in nanoseconds: those that show no
/// fractions of a second in steps of one or two seconds, others of a clock tick.
const COARSE_STEP: i128 = 2_000_000_000;
const FINE_STEP: i128 = 50_000_000;

/// The metadata of a file by which a change shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    device: u64,
    inode: u64,
    pub mode: u32,
    pub size: u64,
    /// Nanoseconds since 1970, of content and of metadata.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    /// The state of a file that was looked at.
    pub fn of(metadata: &Metadata) -> Self {
        State {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a later change may have left the same state, if it was looked at when the file
    /// system's clock showed `now`.
    pub(crate) fn may_hide_changes(&self, now: (i64, i64)) -> bool {
        let nanoseconds = |(s, ns): (i64, i64)| i128::from(s) * 1_000_000_000 + i128::from(ns);
        let step = if self.changed.1 == 0 { COARSE_STEP } else { FINE_STEP };
        nanoseconds(self.changed) + step >= nanoseconds(now)
    }
}
