//! The caches that builds keep between them, opened when the first one is wanted.
//!
//! No cache decides a byte of an output: what is in it is checked when it is read, and what cannot be
//! read or kept is made again. So their failures are warnings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wifibox_fetch::Remote;
use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Progress;
use wifibox_image::block_cache::{BlockCache, BlockStore};
use wifibox_tree::unpacked::Unpacked;

/// The size that the cache of unpacked packages is kept below where nothing else is asked for: 4 GiB.
pub const UNPACKED_LIMIT: u64 = 4 << 30;

/// The folder of unpacked packages, below the cache folder.
pub(super) const UNPACKED: &str = "unpacked";

/// The folder of compressed blocks of images, below the cache folder.
pub(super) const BLOCKS: &str = "blocks";

/// The caches of one run of the program; all its builds share them.
#[derive(Debug)]
pub struct Caches {
    folder: Option<PathBuf>,
    limit: u64,
    unpacked: OnceLock<Option<Unpacked>>,
    block_limit: u64,
    blocks: OnceLock<Option<SharedBlocks>>,
    remote: Option<Arc<Remote>>,
}

/// The blocks of this machine, and those of others behind them.
#[derive(Debug)]
struct SharedBlocks {
    own: BlockCache,
    remote: Option<Arc<Remote>>,
}

impl BlockStore for SharedBlocks {
    fn get(&self, key: &Sha256) -> Option<Vec<u8>> {
        self.own.get(key)
    }

    fn put(&self, key: &Sha256, value: &[u8]) {
        self.own.put(key, value);
        // That a block does not shrink is found out again sooner than asked for.
        if let (Some(remote), false) = (&self.remote, value.is_empty()) {
            remote.keep_block(key, value);
        }
    }

    fn foreign(&self, key: &Sha256) -> Option<Vec<u8>> {
        self.remote.as_ref()?.block(key)
    }

    fn adopt(&self, key: &Sha256, value: &[u8]) {
        self.own.put(key, value);
    }
}

impl Caches {
    /// Caches below `folder`; the one of unpacked packages is kept below `limit` bytes, that of
    /// compressed blocks below `block_limit`; 0 turns the latter off.
    pub fn new(folder: &Path, limit: u64, block_limit: u64) -> Self {
        let (unpacked, blocks) = (OnceLock::new(), OnceLock::new());
        let folder = Some(folder.to_owned());
        Caches { folder, limit, unpacked, block_limit, blocks, remote: None }
    }

    /// No caches at all.
    pub fn none() -> Self {
        let (unpacked, blocks) = (OnceLock::new(), OnceLock::new());
        Caches { folder: None, limit: 0, unpacked, block_limit: 0, blocks, remote: None }
    }

    /// The same, with blocks taken from and given to other machines.
    #[must_use]
    pub fn shared_by(mut self, remote: Option<Arc<Remote>>) -> Self {
        self.remote = remote;
        self
    }

    /// Where the caches are, if there are any.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The cache of unpacked packages, if it can be had.
    pub fn unpacked(&self, progress: &dyn Progress) -> Option<&Unpacked> {
        let open = || {
            let folder = self.folder.as_ref()?.join(UNPACKED);
            match Unpacked::open(&folder) {
                Ok(cache) => Some(cache),
                Err(error) => {
                    progress.warn(&format!("{error}: the build goes on without it"));
                    None
                }
            }
        };
        self.unpacked.get_or_init(open).as_ref()
    }

    /// The cache of compressed blocks, if it can be had.
    pub fn blocks(&self, progress: &dyn Progress) -> Option<&dyn BlockStore> {
        let open = || {
            let folder = self.folder.as_ref().filter(|_| self.block_limit > 0)?.join(BLOCKS);
            match BlockCache::open(&folder, self.block_limit) {
                Ok(own) => Some(SharedBlocks { own, remote: self.remote.clone() }),
                Err(error) => {
                    progress.warn(&format!("{error}: the build goes on without it"));
                    None
                }
            }
        };
        self.blocks.get_or_init(open).as_ref().map(|cache| cache as &dyn BlockStore)
    }

    /// A content that is made of `inputs`: a hash of all that decides its bytes. It is taken from
    /// the cache, or made and kept.
    ///
    /// # Errors
    /// What `make` reports.
    pub fn content<E>(
        &self,
        inputs: &Sha256,
        progress: &dyn Progress,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Content, E> {
        let cache = self.unpacked(progress);
        if let Some(known) = cache.and_then(|cache| cache.content(inputs)) {
            return Ok(known);
        }
        let bytes = make()?;
        let kept = cache.and_then(|cache| match cache.keep(inputs, &bytes) {
            Ok(content) => Some(content),
            Err(error) => {
                progress.note(&format!("not kept for the next build: {error}"));
                None
            }
        });
        Ok(kept.unwrap_or_else(|| Content::from_bytes(bytes)))
    }

    /// Whether something was noted that `key` stands for.
    pub fn knows(&self, key: &Sha256, progress: &dyn Progress) -> bool {
        self.unpacked(progress).is_some_and(|cache| cache.content(key).is_some())
    }

    /// Notes what `key` stands for. Where that fails it is found out again.
    pub fn note(&self, key: &Sha256, progress: &dyn Progress) {
        drop(self.unpacked(progress).map(|cache| cache.keep(key, b"")));
    }

    /// Whether what was built met a damaged content, which is gone now: another attempt is worth it.
    pub fn damaged(&self) -> bool {
        self.unpacked.get().and_then(Option::as_ref).is_some_and(Unpacked::damaged)
    }

    /// Keeps the caches below their limits. Call it when the work is done.
    pub fn tidy(&self, progress: &dyn Progress) {
        if let Some(remote) = &self.remote {
            remote.tell_failure(progress);
            let used = remote.used();
            progress.note(&format!(
                "remote cache: {} found, {} not there, {} wrong, {} added",
                used.found, used.missed, used.wrong, used.added
            ));
        }
        if let Some(cache) = self.unpacked.get().and_then(Option::as_ref)
            && let Err(error) = cache.tidy(self.limit)
        {
            progress.warn(&error.to_string());
        }
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
