//! Blocks read back, whoever compressed them: at most as many bytes come out as a block may have.

use std::io;

#[cfg(feature = "gzip")]
use flate2::{Decompress, FlushDecompress, Status};
#[cfg(feature = "xz")]
use liblzma::stream::{Action, Status as XzStatus, Stream};

/// The largest data block that SquashFS 4.0 knows, and so the most that one stream may yield.
#[cfg(any(test, feature = "read"))]
pub(crate) const MAX_BLOCK: usize = 1 << 20;

/// The most memory, in bytes, that reading an XZ block back may take: far above a 1 MiB dictionary.
#[cfg(feature = "xz")]
const XZ_MEMORY: u64 = 64 << 20;

/// The compression of an image's blocks, as its superblock names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// XZ streams.
    #[cfg(feature = "xz")]
    Xz,
    /// Zstandard frames.
    #[cfg(feature = "zstd")]
    Zstd,
    /// zlib streams.
    #[cfg(feature = "gzip")]
    Zlib,
    /// LZ4 blocks.
    #[cfg(feature = "lz4")]
    Lz4,
    /// LZO1X streams with their end marker.
    #[cfg(feature = "lzo")]
    Lzo,
}

impl Format {
    /// Reads one block back; at most 1 MiB comes out of it.
    #[cfg(any(test, feature = "read"))]
    pub(crate) fn decompress(self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.decompress_into(packed, &mut out, MAX_BLOCK)?;
        Ok(out)
    }

    /// Reads one block back, at most `most` bytes, in place of what is in `out`.
    pub(crate) fn decompress_into(
        self,
        packed: &[u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<()> {
        out.clear();
        match self {
            #[cfg(feature = "xz")]
            Format::Xz => {
                // Without room for a byte too many the decoder stops before it has seen the end.
                out.reserve(most + 1);
                let mut stream = Stream::new_stream_decoder(XZ_MEMORY, 0)?;
                let status = stream.process_vec(packed, out, Action::Finish)?;
                sound(status == XzStatus::StreamEnd && out.len() <= most)
            }
            #[cfg(feature = "zstd")]
            Format::Zstd => {
                let length = zstd::bulk::decompress_to_buffer(packed, room(out, most))?;
                out.truncate(length);
                Ok(())
            }
            #[cfg(feature = "gzip")]
            Format::Zlib => {
                out.reserve(most + 1);
                let mut stream = Decompress::new(true);
                let status = stream.decompress_vec(packed, out, FlushDecompress::Finish)?;
                sound(status == Status::StreamEnd && out.len() <= most)
            }
            #[cfg(feature = "lz4")]
            Format::Lz4 => {
                let length = lz4_flex::block::decompress_into(packed, room(out, most))
                    .map_err(io::Error::other)?;
                out.truncate(length);
                Ok(())
            }
            #[cfg(feature = "lzo")]
            Format::Lzo => {
                let length = lzokay::decompress::decompress(packed, room(out, most))
                    .map_err(io::Error::other)?;
                out.truncate(length);
                Ok(())
            }
        }
    }
}

#[cfg(any(feature = "xz", feature = "gzip"))]
fn sound(whole: bool) -> io::Result<()> {
    if whole { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(any(feature = "zstd", feature = "lz4", feature = "lzo"))]
fn room(out: &mut Vec<u8>, length: usize) -> &mut [u8] {
    out.resize(length, 0);
    out
}
