//! The files that a fetcher got, by their paths below its mirrors: a bundle is made of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::Fetched;

/// One file that was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// A small file that is not kept anywhere: an index.
    Bytes(Vec<u8>),
    /// A file that is in the store, or in a folder of downloaded files.
    File(Fetched),
}

/// Files by their paths below a mirror. Threads may write to it at once.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<String, Got>>);

impl Ledger {
    pub(super) fn note(&self, path: &str, got: Got) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), got);
    }

    /// All files, sorted by path.
    pub fn into_files(self) -> BTreeMap<String, Got> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
