//! The interface to a store of compressed blocks, kept from one image to the next.

/// The key of a compressed block: the SHA-256 of everything that decides its bytes, which are the codec with its
/// options, the versions of the libraries, the block size, and the block before compression.
pub type BlockKey = [u8; 32];

/// Something that keeps compressed blocks: `BlockCache` does in a folder. No call can fail: what cannot be
/// kept is compressed again. All are called from several threads.
pub trait BlockStore: Send + Sync {
    /// The value that was put under this key. It is believed: a store that may be damaged checks what it gives.
    fn get(&self, key: &BlockKey) -> Option<Vec<u8>>;

    /// Keeps `value`, of at most 1 MiB, under `key`. An empty value says that the block does not shrink.
    fn put(&self, key: &BlockKey, value: &[u8]);

    /// A value from a source that is not trusted: the writer decompresses and compares it before it is used.
    fn foreign(&self, _key: &BlockKey) -> Option<Vec<u8>> {
        None
    }

    /// Keeps a value that [`BlockStore::foreign`] gave and that turned out to be right.
    fn adopt(&self, key: &BlockKey, value: &[u8]) {
        self.put(key, value);
    }
}
