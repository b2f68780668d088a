//! The caches that builds keep between them: unpacked packages, and compressed blocks of images.
//!
//! No cache decides a byte of an output: what is in it is checked when it is read, by a seal that only this user can
//! make, and what cannot be read or kept is made again. So their failures are warnings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wifibox_fetch::Remote;
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Progress;
use wifibox_ground::secret::{LazySecret, Secret};
use wifibox_squashfs::{BlockCache, BlockKey, BlockStore};
use wifibox_tree::cache::Cache;

/// The folder of compressed blocks of images, below the cache folder.
pub(crate) const BLOCKS: &str = "blocks";

/// The caches of one run of the program; all its builds share them.
pub struct Caches<'p> {
    /// Where they are, if there are any.
    pub folder: Option<PathBuf>,
    /// What is kept counts only with its seal.
    secret: Arc<LazySecret>,
    /// Unpacked packages and other made contents.
    pub contents: Cache<'p>,
    block_limit: u64,
    blocks: OnceLock<Option<SharedBlocks>>,
    remote: Option<Arc<Remote>>,
    progress: &'p dyn Progress,
}

/// The blocks of this machine, and those of others behind them.
#[derive(Debug)]
struct SharedBlocks {
    own: BlockCache,
    remote: Option<Arc<Remote>>,
}

impl BlockStore for SharedBlocks {
    fn get(&self, key: &BlockKey) -> Option<Vec<u8>> {
        self.own.get(key)
    }

    fn put(&self, key: &BlockKey, value: &[u8]) {
        self.own.put(key, value);
        // That a block does not shrink is found out again sooner than asked for.
        if let (Some(remote), false) = (&self.remote, value.is_empty()) {
            remote.keep_block(&Sha256::from_bytes(*key), value);
        }
    }

    fn foreign(&self, key: &BlockKey) -> Option<Vec<u8>> {
        self.remote.as_ref()?.block(&Sha256::from_bytes(*key))
    }

    fn adopt(&self, key: &BlockKey, value: &[u8]) {
        self.own.put(key, value);
    }
}

/// The key that seals compressed blocks.
pub(crate) fn block_key(secret: &Secret) -> [u8; 32] {
    *secret.seal("the key of compressed blocks", &[]).as_bytes()
}

impl<'p> Caches<'p> {
    /// Caches below `folder`: of contents, kept below `limit` bytes, and of compressed blocks, kept below
    /// `block_limit`; 0 turns the latter off. `tool` says which program this is: another one may make
    /// other bytes of the same inputs.
    pub fn new(
        folder: &Path,
        limit: u64,
        block_limit: u64,
        tool: String,
        progress: &'p dyn Progress,
    ) -> Self {
        let secret = Arc::new(LazySecret::new(Some(folder)));
        let contents = Cache::new(folder, Arc::clone(&secret), limit, tool, progress);
        let (folder, blocks) = (Some(folder.to_owned()), OnceLock::new());
        Caches { folder, secret, contents, block_limit, blocks, remote: None, progress }
    }

    /// No caches at all.
    pub fn none(tool: String, progress: &'p dyn Progress) -> Self {
        let (contents, blocks) = (Cache::none(tool, progress), OnceLock::new());
        let secret = Arc::new(LazySecret::new(None));
        Caches { folder: None, secret, contents, block_limit: 0, blocks, remote: None, progress }
    }

    /// The same, with blocks taken from and given to other machines.
    #[must_use]
    pub fn shared_by(mut self, remote: Option<Arc<Remote>>) -> Self {
        self.remote = remote;
        self
    }

    /// The key by which what is kept is sealed, if it can be had.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.get(self.progress)
    }

    /// The cache of compressed blocks, if it can be had.
    pub fn blocks(&self) -> Option<&dyn BlockStore> {
        let open = || {
            let folder = self.folder.as_ref().filter(|_| self.block_limit > 0)?.join(BLOCKS);
            match BlockCache::open_sealed(&folder, self.block_limit, block_key(self.secret()?)) {
                Ok(own) => Some(SharedBlocks { own, remote: self.remote.clone() }),
                Err(error) => {
                    self.progress.warn(&format!("{error}: the build goes on without it"));
                    None
                }
            }
        };
        self.blocks.get_or_init(open).as_ref().map(|cache| cache as &dyn BlockStore)
    }

    /// Keeps the caches below their limits. Call it when the work is done.
    pub fn tidy(&self) {
        let progress = self.progress;
        if let Some(remote) = &self.remote {
            remote.tell_failure(progress);
            let used = remote.used();
            progress.note(&format!(
                "remote cache: {} found, {} not there, {} wrong, {} added",
                used.found, used.missed, used.wrong, used.added
            ));
        }
        self.contents.tidy();
        if let Some(cache) = self.blocks.get().and_then(Option::as_ref) {
            let used = cache.own.used();
            progress.note(&format!(
                "blocks of root.img: {} of the cache, {} compressed",
                used.found, used.missed
            ));
            if let Err(error) = cache.own.finish() {
                progress.warn(&error.to_string());
            }
        }
    }
}
