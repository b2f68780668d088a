//! Our codecs as backhand's compressor.
//!
//! backhand wants a `&'static` compressor and gives it nothing but the block. The one static here
//! finds the codec, and the workers' results, in a variable of the thread that writes: backhand
//! compresses on the thread that called it.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use backhand::compression::{CompressionAction, Compressor};
use backhand::kind::Kind;
use backhand::{BackhandError, FilesystemCompressor, Flags, SuperBlock};

use super::ahead::Ahead;
use super::codec::{Codec, Format};

struct Bridge;

static BRIDGE: Bridge = Bridge;

thread_local! {
    static CURRENT: RefCell<Option<Writing>> = const { RefCell::new(None) };
}

/// Marks a metadata block (`u16` length in front) as stored without compression.
const METADATA_STORED: u16 = 1 << 15;

/// SquashFS 4.0, little endian, with our codecs.
pub(super) fn kind() -> Kind {
    Kind::new_v4(&BRIDGE)
}

/// How the image that this thread is writing gets its blocks compressed.
pub(super) struct Writing {
    /// The codec of the image.
    pub(super) codec: Codec,
    /// The block size of the image, in bytes.
    pub(super) block_size: u32,
    /// What workers compress meanwhile, if there are any.
    pub(super) ahead: Option<Arc<Ahead>>,
    /// The first failure to compress. backhand cannot take one while it writes metadata, so it is
    /// kept here and reported when it is through.
    pub(super) failure: Option<io::Error>,
}

impl Writing {
    /// Runs `write` with this in force on this thread; returns its result and the failure, if any.
    pub(super) fn run<T>(self, write: impl FnOnce() -> T) -> (T, Option<io::Error>) {
        CURRENT.with_borrow_mut(|slot| *slot = Some(self));
        let out = write();
        let writing = CURRENT.with_borrow_mut(Option::take);
        (out, writing.and_then(|writing| writing.failure))
    }

    fn compress(&mut self, block: &[u8]) -> Vec<u8> {
        // backhand stores a block as it is when the result is longer than the block.
        let store = || vec![0; block.len() + 1];
        if block.is_empty() || self.failure.is_some() {
            return store();
        }
        let ready = self.ahead.as_ref().and_then(|ahead| ahead.take(block));
        let result = match ready {
            Some(result) => Ok(result),
            None => self.codec.compress(block, self.block_size),
        };
        match result {
            Ok(result) if result.len() < block.len() => result,
            Ok(_) => store(),
            Err(error) => {
                self.failure = Some(error);
                store()
            }
        }
    }
}

impl CompressionAction for Bridge {
    type Error = BackhandError;
    type Compressor = Compressor;
    type FilesystemCompressor = FilesystemCompressor;
    type SuperBlock = SuperBlock;

    fn decompress(
        &self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        compressor: Compressor,
    ) -> Result<(), BackhandError> {
        let format = match compressor {
            Compressor::Xz => Format::Xz,
            Compressor::Zstd => Format::Zstd,
            Compressor::Gzip => Format::Zlib,
            Compressor::Lz4 => Format::Lz4,
            other => return Err(BackhandError::UnsupportedCompression(format!("{other:?}"))),
        };
        out.extend_from_slice(&format.decompress(bytes)?);
        Ok(())
    }

    fn compress(
        &self,
        bytes: &[u8],
        _: FilesystemCompressor,
        _: u32,
    ) -> Result<Vec<u8>, BackhandError> {
        CURRENT.with_borrow_mut(|writing| match writing {
            Some(writing) => Ok(writing.compress(bytes)),
            None => Err(BackhandError::InternalState("no image is being written".to_owned())),
        })
    }

    fn compression_options(
        &self,
        superblock: &mut SuperBlock,
        _: &Kind,
        _: FilesystemCompressor,
    ) -> Result<Option<Vec<u8>>, BackhandError> {
        let options = CURRENT.with_borrow(|writing| {
            writing.as_ref().and_then(|writing| writing.codec.stored_options(writing.block_size))
        });
        let Some(options) = options else { return Ok(None) };
        let length = u16::try_from(options.len())
            .map_err(|_| BackhandError::InternalState("codec options too long".to_owned()))?;
        superblock.flags |= Flags::CompressorOptionsArePresent as u16;
        let mut block = (length | METADATA_STORED).to_le_bytes().to_vec();
        block.extend_from_slice(&options);
        Ok(Some(block))
    }
}
