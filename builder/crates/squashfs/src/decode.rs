//! Blocks read back, whoever compressed them: at most as many bytes come out as a block may have.

use std::io;

#[cfg(feature = "gzip")]
use flate2::{Decompress, FlushDecompress, Status};
#[cfg(feature = "xz")]
use liblzma::stream::{Action, Status as XzStatus, Stream};

/// The largest data block that SquashFS 4.0 knows, and so the most that one stream may yield.
#[cfg(any(test, feature = "read"))]
pub(crate) const MAX_BLOCK: usize = 1 << 20;

/// What memory an XZ block may ask for while it is read back: far above a 1 MiB dictionary.
#[cfg(feature = "xz")]
const XZ_MEMORY: u64 = 64 << 20;

/// What an image's superblock says that its blocks are compressed with.
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
        }
    }
}

#[cfg(any(feature = "xz", feature = "gzip"))]
fn sound(whole: bool) -> io::Result<()> {
    if whole { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

#[cfg(any(feature = "zstd", feature = "lz4"))]
fn room(out: &mut Vec<u8>, length: usize) -> &mut [u8] {
    out.resize(length, 0);
    out
}

#[cfg(all(test, feature = "xz", feature = "zstd", feature = "gzip", feature = "lz4"))]
mod tests {
    use super::*;
    use crate::Codec;

    const ALL: [(Codec, Format); 5] = [
        (Codec::XZ, Format::Xz),
        (Codec::Xz { x86: false }, Format::Xz),
        (Codec::ZSTD, Format::Zstd),
        (Codec::GZIP, Format::Zlib),
        (Codec::Lz4, Format::Lz4),
    ];

    /// Bytes that no codec can shrink, from a fixed linear congruential generator.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    fn compress(codec: Codec, block: &[u8], block_size: u32) -> Vec<u8> {
        codec.encoder(block_size).expect("set up").compress(block).expect("compressed")
    }

    #[test]
    fn every_codec_round_trips_whatever_it_did_before() {
        let text = b"the quick brown fox ".repeat(6000);
        for (codec, format) in ALL {
            let mut encoder = codec.encoder(131_072).expect("set up");
            for block in [&text[..], &noise(131_072), &[0; 4096], b"a", &noise(1 << 20)] {
                let packed = encoder.compress(block).expect("compressed");
                assert_eq!(packed, compress(codec, block, 131_072));
                assert_eq!(format.decompress(&packed).expect("read back"), block, "{codec:?}");
                let mut out = vec![7; 10];
                encoder.decompress(&packed, &mut out, block.len()).expect("read back");
                assert_eq!(out, block);
            }
            let packed = compress(codec, &text, 131_072);
            assert!(packed.len() < text.len() / 20, "{codec:?} shrinks text");
        }
    }

    #[test]
    fn damage_and_bombs_are_errors() {
        for (codec, format) in ALL {
            let packed = compress(codec, &vec![7; 100_000], 131_072);
            let cut = packed.get(..packed.len() / 2).expect("half");
            assert!(format.decompress(cut).is_err(), "{codec:?} cut short");
            let bomb = compress(codec, &vec![0; MAX_BLOCK + 1], 1 << 20);
            assert!(format.decompress(&bomb).is_err(), "{codec:?} too large");
        }
    }
}
