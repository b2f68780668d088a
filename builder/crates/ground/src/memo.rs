//! Facts that earlier runs established, so that this one need not establish them again.

use crate::digest::Sha256;

/// Remembers facts between runs, each by the hash of all that decides it. Forgetting one costs time only.
pub trait Memo {
    /// Whether the fact was noted.
    fn knows(&self, key: &Sha256) -> bool;
    /// Notes the fact.
    fn note(&self, key: &Sha256);
}
