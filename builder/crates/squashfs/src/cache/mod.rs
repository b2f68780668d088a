//! Compressed blocks of earlier images, on disk, so that a block is compressed once.
//!
//! A block's [key](crate::BlockKey) is a hash of everything that decides its compressed bytes.
//! The cache is a folder of a few large files (`pack.rs`), each written by one builder from front to
//! back and never changed afterwards: thousands of blocks are read with one system call each. Any number
//! of builders may use one folder, and any of them may be killed at any time: its blocks are found by
//! the next one. Every value has a seal, which is checked when it is read: it finds damage, and, made with a key that
//! others do not have, what others put in. One that does not fit is absent, and is removed when the builder is done.
//!
//! The cache is bounded. Blocks that are used while they are in the older half of it are written
//! anew, so that what is removed at the old end is what was not used for longest.

mod folder;
mod pack;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use folder::{Folder, Sealed};
use pack::Entry;

use crate::store::{BlockKey, BlockStore};

/// The size that the cache is kept below where nothing else is asked for: 2 GiB.
pub(crate) const DEFAULT_LIMIT: u64 = 2 << 30;

/// The key of a cache that only its user can write to: seals find damage, and nothing else.
pub(crate) const NO_KEY: [u8; 32] = [0; 32];

/// Why a cache folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {} of the block cache: {source}", path.display())]
pub struct CacheError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl CacheError {
    fn of<'p>(doing: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| CacheError { doing, path: path.to_owned(), source }
    }
}

/// How much is in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CacheSize {
    /// How many blocks, those that are there twice counted twice.
    pub blocks: u64,
    /// How many bytes the files take.
    pub bytes: u64,
    /// How many files they are in.
    pub files: u64,
}

/// Counts of the blocks that an open cache found, missed and took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CacheUse {
    /// Blocks that were asked for and there.
    pub found: u64,
    /// Blocks that were asked for and not there.
    pub missed: u64,
    /// Blocks that were found damaged, among those missed.
    pub damaged: u64,
    /// Blocks that were put in.
    pub added: u64,
}

/// The cache in a folder. Dropping it keeps what was put in; [`BlockCache::finish`] also keeps it
/// below its limit.
#[derive(Debug)]
pub struct BlockCache {
    folder: Folder,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    index: BTreeMap<BlockKey, Place>,
    /// The file that blocks are being put into.
    current: Option<Current>,
    /// Files in which a damaged block was found.
    damaged: BTreeSet<PathBuf>,
    /// Why nothing can be put in any more.
    failure: Option<CacheError>,
    used: CacheUse,
}

/// Where a value is.
#[derive(Debug, Clone)]
struct Place {
    file: Arc<File>,
    path: Arc<Path>,
    entry: Entry,
    /// In the half of the cache that goes first.
    old: bool,
}

#[derive(Debug)]
struct Current {
    file: Arc<File>,
    path: Arc<Path>,
    entries: Vec<Entry>,
    end: u32,
}

impl BlockCache {
    /// Opens the cache in `folder`, which is made if need be, and is kept below `limit` bytes.
    ///
    /// # Errors
    /// [`CacheError`]: the folder cannot be made, read or locked.
    pub fn open(folder: &Path, limit: u64) -> Result<Self, CacheError> {
        Self::open_sealed(folder, limit, NO_KEY)
    }

    /// The same; only blocks that were put in with the same `key` are found. Where others can write to the folder, a
    /// key that they do not have keeps them from putting blocks in.
    ///
    /// # Errors
    /// As [`BlockCache::open`].
    pub fn open_sealed(folder: &Path, limit: u64, key: [u8; 32]) -> Result<Self, CacheError> {
        let folder = Folder::open(folder, limit, key)?;
        let mut index = BTreeMap::new();
        let sealed = folder.sealed()?;
        let mut younger: u64 = sealed.iter().map(|sealed| sealed.length).sum();
        for Sealed { path, file, entries, length } in sealed {
            let (file, path) = (Arc::new(file), Arc::<Path>::from(path));
            let old = younger > limit / 2;
            younger = younger.saturating_sub(length);
            for entry in entries {
                // A younger file's record takes the place of an older one's.
                let place = Place { file: Arc::clone(&file), path: Arc::clone(&path), entry, old };
                index.insert(entry.key, place);
            }
        }
        let state = State {
            index,
            current: None,
            damaged: BTreeSet::new(),
            failure: None,
            used: CacheUse::default(),
        };
        Ok(BlockCache { folder, state: Mutex::new(state) })
    }

    /// The counts since this cache was opened.
    pub fn used(&self) -> CacheUse {
        self.lock().used
    }

    /// Ends the file that was being written, removes damaged blocks, and what was not used for
    /// longest where the cache is above its limit. The cache may be used on.
    ///
    /// # Errors
    /// [`CacheError`]: also the first one that a [`BlockStore::put`] met.
    pub fn finish(&self) -> Result<(), CacheError> {
        let mut state = self.lock();
        if let Some(current) = state.current.take() {
            self.folder.seal(&current.file, &current.path, current.end, &current.entries)?;
        }
        let damaged = std::mem::take(&mut state.damaged);
        let failure = state.failure.take();
        drop(state);
        self.folder.tidy(&damaged)?;
        failure.map_or(Ok(()), Err)
    }

    /// How much is in the cache of `folder`; nothing where there is none.
    ///
    /// # Errors
    /// [`CacheError`]: the folder cannot be read.
    pub fn size(folder: &Path, key: [u8; 32]) -> Result<CacheSize, CacheError> {
        if !folder.is_dir() {
            return Ok(CacheSize::default());
        }
        let mut size = CacheSize::default();
        for sealed in Folder::open(folder, DEFAULT_LIMIT, key)?.sealed()? {
            size.files += 1;
            size.bytes += sealed.length;
            size.blocks += sealed.entries.len() as u64;
        }
        Ok(size)
    }

    /// Removes what was not used for longest until the cache of `folder` takes at most `limit`
    /// bytes. What builders are writing meanwhile is left alone.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn prune(folder: &Path, limit: u64, key: [u8; 32]) -> Result<(), CacheError> {
        if !folder.is_dir() {
            return Ok(());
        }
        Folder::open(folder, limit, key)?.tidy(&BTreeSet::new())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is made whole before the next begins, so a poisoned lock is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, state: &mut State, key: &BlockKey, value: &[u8]) -> Result<(), CacheError> {
        if state.current.as_ref().is_some_and(|c| u64::from(c.end) >= self.folder.file_limit())
            && let Some(full) = state.current.take()
        {
            self.folder.seal(&full.file, &full.path, full.end, &full.entries)?;
        }
        let current = match &mut state.current {
            Some(current) => current,
            none => {
                let (file, path) = self.folder.begin()?;
                let (file, path) = (Arc::new(file), Arc::from(path));
                let entries = Vec::new();
                none.insert(Current { file, path, entries, end: pack::BEGIN })
            }
        };
        let entry = pack::append(&current.file, self.folder.seal_key(), current.end, key, value)
            .map_err(CacheError::of("write", &current.path))?;
        current.end = current.end.saturating_add(u32::try_from(entry.size()).unwrap_or(u32::MAX));
        current.entries.push(entry);
        let (file, path) = (Arc::clone(&current.file), Arc::clone(&current.path));
        state.index.insert(*key, Place { file, path, entry, old: false });
        Ok(())
    }

    fn keep(&self, state: &mut State, key: &BlockKey, value: &[u8]) -> bool {
        if state.failure.is_some() || value.len() > pack::VALUE_LIMIT {
            return false;
        }
        match self.append(state, key, value) {
            Ok(()) => true,
            Err(error) => {
                state.failure = Some(error);
                false
            }
        }
    }
}

impl BlockStore for BlockCache {
    fn get(&self, key: &BlockKey) -> Option<Vec<u8>> {
        let place = {
            let mut state = self.lock();
            let place = state.index.get(key).cloned();
            if place.is_none() {
                state.used.missed += 1;
            }
            place?
        };
        // Reading and hashing need no lock.
        let value = pack::value(&place.file, self.folder.seal_key(), &place.entry);
        let mut state = self.lock();
        let Some(value) = value else {
            state.used.missed += 1;
            state.used.damaged += 1;
            state.damaged.insert(place.path.to_path_buf());
            // Unless another thread put a sound one in its place meanwhile.
            if state.index.get(key).is_some_and(|now| now.path == place.path) {
                state.index.remove(key);
            }
            return None;
        };
        state.used.found += 1;
        if place.old && state.index.get(key).is_some_and(|now| now.old) {
            self.keep(&mut state, key, &value);
        }
        Some(value)
    }

    fn put(&self, key: &BlockKey, value: &[u8]) {
        let mut state = self.lock();
        if !state.index.contains_key(key) && self.keep(&mut state, key, value) {
            state.used.added += 1;
        }
    }
}

impl Drop for BlockCache {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = state.current.take() {
            // Where this fails the next builder reads the file without an index.
            let _ = self.folder.seal(&current.file, &current.path, current.end, &current.entries);
        }
    }
}
