//! Compresses one block, or takes its compressed form from a cache.
//!
//! A block that was just compressed is decompressed again at once and compared, so that neither an
//! image nor a cache ever holds a block that does not give back its input.

use crate::codec::{Codec, Encoder};
use crate::store::BlockStore;
use crate::{Error, key};

/// A block as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// Nothing but zeros.
    Zeros,
    /// Compressed.
    Packed(Vec<u8>),
    /// As it is: compression does not shrink it.
    Stored(Vec<u8>),
}

/// The compressor of one thread, with its cache.
pub(crate) struct Press<'c> {
    encoder: Encoder,
    codec: Codec,
    block_size: u32,
    cache: Option<&'c dyn BlockStore>,
    check: Vec<u8>,
}

impl<'c> Press<'c> {
    /// For blocks of up to `block_size` bytes.
    ///
    /// # Errors
    /// [`Error::Compress`]: the codec cannot be set up.
    pub fn new(
        codec: Codec,
        block_size: u32,
        cache: Option<&'c dyn BlockStore>,
    ) -> Result<Self, Error> {
        let encoder = codec.encoder(block_size).map_err(Error::Compress)?;
        Ok(Press { encoder, codec, block_size, cache, check: Vec::new() })
    }

    /// A block of file contents.
    ///
    /// # Errors
    /// [`Error::Compress`], [`Error::RoundTrip`].
    pub(crate) fn block(&mut self, block: &[u8]) -> Result<Pressed, Error> {
        if block.iter().all(|byte| *byte == 0) { Ok(Pressed::Zeros) } else { self.bytes(block) }
    }

    /// Bytes that are stored even where they are zeros: metadata.
    ///
    /// # Errors
    /// As for [`Press::block`].
    pub(crate) fn bytes(&mut self, block: &[u8]) -> Result<Pressed, Error> {
        let key = self.cache.map(|cache| (cache, key::of(self.codec, self.block_size, block)));
        if let Some(known) = key.as_ref().and_then(|(cache, key)| cache.get(key)) {
            if known.is_empty() {
                return Ok(Pressed::Stored(block.to_vec()));
            }
            // Never longer, whatever a cache says: readers have no room for it.
            if known.len() < block.len() {
                return Ok(Pressed::Packed(known));
            }
        }
        if let Some((cache, key)) = &key
            && let Some(foreign) = cache.foreign(key)
            && foreign.len() < block.len()
            && self.encoder.decompress(&foreign, &mut self.check, block.len()).is_ok()
            && self.check == block
        {
            cache.adopt(key, &foreign);
            return Ok(Pressed::Packed(foreign));
        }
        let packed = self.encoder.compress(block).map_err(Error::Compress)?;
        let shrinks = packed.len() < block.len();
        if shrinks {
            self.encoder
                .decompress(&packed, &mut self.check, block.len())
                .map_err(Error::Compress)?;
            if self.check != block {
                return Err(Error::RoundTrip { codec: self.codec.to_string() });
            }
        }
        if let Some((cache, key)) = key {
            cache.put(&key, if shrinks { &packed } else { &[] });
        }
        Ok(if shrinks { Pressed::Packed(packed) } else { Pressed::Stored(block.to_vec()) })
    }
}
