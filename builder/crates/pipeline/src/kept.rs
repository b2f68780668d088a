//! The cache folder, which is kept between builds, and ways to shrink it: downloads, unpacked packages, compressed
//! blocks. Any number of builds may be running.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_fetch::{FetchError, Store};
use wifibox_ground::secret::Secret;
use wifibox_squashfs::{BlockCache, CacheSize};
use wifibox_tree::cache::FOLDER as UNPACKED;
use wifibox_tree::unpacked::{Unpacked, UnpackedError};

use crate::caches::{BLOCKS, block_key};

/// Why the cache folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The downloads cannot be read or removed.
    #[error(transparent)]
    Downloads(#[from] FetchError),
    /// The compressed blocks cannot be read or removed.
    #[error("{0}")]
    Blocks(Box<dyn std::error::Error + Send + Sync>),
    /// The unpacked packages cannot be read or removed.
    #[error(transparent)]
    Unpacked(#[from] UnpackedError),
}

/// How many things, and how many bytes they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// How much is in a cache folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Kept {
    /// The folder.
    pub folder: PathBuf,
    /// Package files and indexes.
    pub downloads: Amount,
    /// Unpacked packages.
    pub unpacked: Amount,
    /// Compressed blocks of images.
    pub blocks: Amount,
}

impl Kept {
    /// Measures `folder`, which need not exist.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn of(folder: &Path) -> Result<Self, KeptError> {
        let downloads = match folder.join("store").is_dir() {
            true => Store::open(folder)?.entries()?,
            false => Vec::new(),
        };
        let bytes = downloads.iter().map(|(_, size)| size).sum();
        let blocks = match key(folder)? {
            Some(key) => BlockCache::size(&folder.join(BLOCKS), key).map_err(of_blocks)?,
            None => CacheSize::default(),
        };
        let unpacked = Unpacked::size(&folder.join(UNPACKED))?;
        Ok(Kept {
            folder: folder.to_owned(),
            downloads: Amount { count: downloads.len() as u64, bytes },
            unpacked: Amount { count: unpacked.packages, bytes: unpacked.bytes },
            blocks: Amount { count: blocks.blocks, bytes: blocks.bytes },
        })
    }

    /// Removes what was not used for longest until blocks and unpacked packages take no more than these many
    /// bytes; downloads stay. What is left is the answer.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn pruned(folder: &Path, blocks: u64, unpacked: u64) -> Result<Self, KeptError> {
        if let Some(key) = key(folder)? {
            BlockCache::prune(&folder.join(BLOCKS), blocks, key).map_err(of_blocks)?;
        }
        Unpacked::prune(&folder.join(UNPACKED), unpacked)?;
        Kept::of(folder)
    }
}

/// The key of the blocks in `folder`, if there are any.
fn key(folder: &Path) -> Result<Option<[u8; 32]>, KeptError> {
    if !folder.join(BLOCKS).is_dir() {
        return Ok(None);
    }
    Ok(Some(block_key(&Secret::of_folder(folder).map_err(of_blocks)?)))
}

fn of_blocks(error: impl std::error::Error + Send + Sync + 'static) -> KeptError {
    KeptError::Blocks(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::pruned(&folder.path().join("none"), 0, 0).expect("read");
        let nothing = Amount::default();
        assert_eq!((kept.downloads, kept.unpacked, kept.blocks), (nothing, nothing, nothing));
        assert!(!folder.path().join("none").exists());
    }
}
