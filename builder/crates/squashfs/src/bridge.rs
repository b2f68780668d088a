//! Our decoders as backhand's, which reads images by them.

use backhand::compression::{CompressionAction, Compressor};
use backhand::kind::Kind;
use backhand::{BackhandError, FilesystemCompressor, SuperBlock};

use crate::decode::Format;

struct Bridge;

static BRIDGE: Bridge = Bridge;

/// SquashFS 4.0, little endian, with our codecs.
pub(crate) fn kind() -> Kind {
    Kind::new_v4(&BRIDGE)
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
            Compressor::Lzo => Format::Lzo,
            other => return Err(BackhandError::UnsupportedCompression(format!("{other:?}"))),
        };
        out.extend_from_slice(&format.decompress(bytes)?);
        Ok(())
    }

    fn compress(
        &self,
        _: &[u8],
        _: FilesystemCompressor,
        _: u32,
    ) -> Result<Vec<u8>, BackhandError> {
        Err(BackhandError::InternalState("images are only read by this".to_owned()))
    }

    fn compression_options(
        &self,
        _: &mut SuperBlock,
        _: &Kind,
        _: FilesystemCompressor,
    ) -> Result<Option<Vec<u8>>, BackhandError> {
        Ok(None)
    }
}
