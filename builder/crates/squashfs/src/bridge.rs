//! Our decoders as backhand's, which reads images by them.

use backhand::compression::{CompressionAction, Compressor};
use backhand::kind::Kind;
use backhand::{BackhandError, FilesystemCompressor, SuperBlock};

use crate::decode::{Format, MAX_BLOCK};

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
            Compressor::Lzo => return lzo(bytes, out),
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

/// Appends what a block of LZO holds, at most 1 MiB. Images are read by it and never written.
fn lzo(packed: &[u8], out: &mut Vec<u8>) -> Result<(), BackhandError> {
    let mut block = vec![0; MAX_BLOCK];
    let length = lzokay::decompress::decompress(packed, &mut block).map_err(|error| {
        std::io::Error::new(std::io::ErrorKind::InvalidData, format!("LZO: {error}"))
    })?;
    out.extend_from_slice(block.get(..length).unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_lzo_are_read_within_their_limit() {
        let unpacked = |length: usize| {
            let packed = lzokay::compress::compress(&vec![7; length]).expect("packed");
            let mut out = Vec::new();
            lzo(&packed, &mut out).map(|()| out).map_err(|error| error.to_string())
        };
        assert_eq!(unpacked(MAX_BLOCK), Ok(vec![7; MAX_BLOCK]));
        assert!(unpacked(MAX_BLOCK + 1).expect_err("too large").contains("LZO"));
        assert!(lzo(b"\0", &mut Vec::new()).is_err());
    }
}
