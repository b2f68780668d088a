//! The codecs of SquashFS blocks: one block in, one independent stream out.
//!
//! A result depends on nothing but the block and the [`Codec`], whatever an [`Encoder`] did before;
//! the libraries are built in. The streams are those of squashfs-tools (`xz_wrapper.c` and its
//! siblings), which is what the kernel's decompressors expect: XZ with a CRC32 check and a
//! dictionary of one block, zlib with a 32 KiB window, a single Zstandard frame, a bare LZ4 block.

use std::fmt;
use std::io;

use super::{Error, branch};
use flate2::{Decompress, FlushDecompress, Status};
use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status as XzStatus, Stream};
use zstd::zstd_safe::CParameter;

/// The largest data block that SquashFS 4.0 knows, and so the most that one stream may yield.
const MAX_BLOCK: usize = 1 << 20;

/// liblzma's default preset, which squashfs-tools uses too.
const XZ_PRESET: u32 = 6;

/// From this length on a match of level 19 is good enough, in bytes. The level's own 256 takes a
/// tenth more time and saves 0.06 % of kernel modules.
const ZSTD_19_TARGET: u32 = 128;

/// What memory an XZ block may ask for while it is read back: far above a 1 MiB dictionary.
const XZ_MEMORY: u64 = 64 << 20;

/// The smallest dictionary: a block of metadata.
const SMALLEST_DICTIONARY: u32 = 8192;

/// How the blocks of an image are compressed. The guest's kernel must have the same codec
/// (`SQUASHFS_XZ`, `SQUASHFS_ZSTD`, `SQUASHFS_ZLIB`, `SQUASHFS_LZ4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// XZ: the smallest. With `x86`, blocks of x86 code go through the branch filter; the kernel
    /// then needs `XZ_DEC_X86`.
    Xz {
        /// Whether the x86 branch filter is used where it helps.
        x86: bool,
    },
    /// Zstandard at a level of 1 to 22.
    Zstd {
        /// The level; 19 where nothing else is asked for.
        level: i32,
    },
    /// zlib at a level of 1 to 12: libdeflate's, which packs tighter at 7 than zlib does at 9.
    Gzip {
        /// The level; 7 where nothing else is asked for.
        level: u32,
    },
    /// LZ4: the fastest to read, the largest.
    Lz4,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codec::Xz { x86: true } => f.write_str("xz with the x86 filter"),
            Codec::Xz { x86: false } => f.write_str("xz"),
            Codec::Zstd { level } => write!(f, "zstd {level}"),
            Codec::Gzip { level } => write!(f, "gzip {level}"),
            Codec::Lz4 => f.write_str("lz4"),
        }
    }
}

impl Codec {
    /// XZ with the x86 filter.
    pub const XZ: Codec = Codec::Xz { x86: true };
    /// Zstandard, level 19.
    pub const ZSTD: Codec = Codec::Zstd { level: 19 };
    /// zlib, level 7.
    pub const GZIP: Codec = Codec::Gzip { level: 7 };

    /// Whether the level is one that the codec has.
    pub(super) fn check_level(self) -> Result<(), Error> {
        let (codec, level, highest) = match self {
            Codec::Zstd { level } => ("zstd", i64::from(level), 22),
            Codec::Gzip { level } => ("gzip", i64::from(level), 12),
            Codec::Xz { .. } | Codec::Lz4 => return Ok(()),
        };
        if (1..=highest).contains(&level) {
            Ok(())
        } else {
            Err(Error::Level { codec, level, highest })
        }
    }

    /// The number that the superblock has for it.
    pub(super) fn id(self) -> u16 {
        match self {
            Codec::Gzip { .. } => 1,
            Codec::Xz { .. } => 4,
            Codec::Lz4 => 5,
            Codec::Zstd { .. } => 6,
        }
    }

    /// The codec's options block, which follows the superblock: only where it differs from what
    /// readers assume without one (LZ4 has no such default).
    pub(super) fn stored_options(self, block_size: u32) -> Option<Vec<u8>> {
        let words: Vec<u32> = match self {
            Codec::Xz { x86: true } => vec![block_size.max(SMALLEST_DICTIONARY), 1],
            Codec::Zstd { level } => vec![level.unsigned_abs()],
            Codec::Lz4 => vec![1, 0],
            // A level of libdeflate's means nothing to others, and none to those who only read.
            Codec::Xz { .. } | Codec::Gzip { .. } => return None,
        };
        Some(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    /// What one thread compresses and decompresses the blocks of an image with.
    pub(super) fn encoder(self, block_size: u32) -> io::Result<Encoder> {
        Ok(match self {
            Codec::Xz { x86 } => {
                Encoder::Xz { x86, dictionary: block_size.max(SMALLEST_DICTIONARY) }
            }
            Codec::Zstd { level } => {
                let mut compressor = zstd::bulk::Compressor::new(level)?;
                if level == 19 {
                    compressor.set_parameter(CParameter::TargetLength(ZSTD_19_TARGET))?;
                }
                Encoder::Zstd(compressor)
            }
            Codec::Gzip { level } => {
                let level = i32::try_from(level)
                    .ok()
                    .and_then(|level| libdeflater::CompressionLvl::new(level).ok());
                let level = level.ok_or(io::ErrorKind::InvalidInput)?;
                Encoder::Gzip(libdeflater::Compressor::new(level))
            }
            Codec::Lz4 => Encoder::Lz4,
        })
    }
}

/// A codec at work; it keeps what memory it can from block to block.
pub(super) enum Encoder {
    Xz { x86: bool, dictionary: u32 },
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip(libdeflater::Compressor),
    Lz4,
}

impl Encoder {
    /// Compresses one block. The result may be longer than the block; the caller then stores the
    /// block as it is.
    pub(super) fn compress(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Xz { x86, dictionary } => xz(block, *dictionary, *x86 && branch::helps(block)),
            Encoder::Zstd(compressor) => compressor.compress(block),
            Encoder::Gzip(compressor) => {
                let mut out = vec![0; compressor.zlib_compress_bound(block.len())];
                let length = compressor.zlib_compress(block, &mut out);
                out.truncate(length.map_err(io::Error::other)?);
                Ok(out)
            }
            Encoder::Lz4 => Ok(lz4_flex::block::compress(block)),
        }
    }

    /// Decompresses into `out` what should come to `length` bytes.
    pub(super) fn decompress(
        &self,
        packed: &[u8],
        out: &mut Vec<u8>,
        length: usize,
    ) -> io::Result<()> {
        let format = match self {
            Encoder::Xz { .. } => Format::Xz,
            Encoder::Zstd(_) => Format::Zstd,
            Encoder::Gzip(_) => Format::Zlib,
            Encoder::Lz4 => Format::Lz4,
        };
        format.decompress_into(packed, out, length)
    }
}

fn xz(block: &[u8], dictionary: u32, x86: bool) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::new_preset(XZ_PRESET)?;
    options.dict_size(dictionary);
    let mut filters = Filters::new();
    if x86 {
        filters.x86();
    }
    filters.lzma2(&options);
    let mut stream = Stream::new_stream_encoder(&filters, Check::Crc32)?;
    let mut out = Vec::with_capacity(block.len() + 4096);
    loop {
        let done = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let rest = block.get(done..).unwrap_or_default();
        if stream.process_vec(rest, &mut out, Action::Finish)? == XzStatus::StreamEnd {
            return Ok(out);
        }
        out.reserve(4096);
    }
}

/// What an image's superblock says that its blocks are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// XZ streams.
    Xz,
    /// Zstandard frames.
    Zstd,
    /// zlib streams.
    Zlib,
    /// LZ4 blocks.
    Lz4,
}

impl Format {
    /// Reads one block back; at most 1 MiB comes out of it.
    pub(super) fn decompress(self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.decompress_into(packed, &mut out, MAX_BLOCK)?;
        Ok(out)
    }

    /// Reads one block back, at most `most` bytes, in place of what is in `out`.
    fn decompress_into(self, packed: &[u8], out: &mut Vec<u8>, most: usize) -> io::Result<()> {
        out.clear();
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        match self {
            Format::Xz => {
                // Without room for a byte too many the decoder stops before it has seen the end.
                out.reserve(most + 1);
                let mut stream = Stream::new_stream_decoder(XZ_MEMORY, 0)?;
                let status = stream.process_vec(packed, out, Action::Finish)?;
                (status == XzStatus::StreamEnd && out.len() <= most).then_some(()).ok_or_else(bad)
            }
            Format::Zstd => {
                let length = zstd::bulk::decompress_to_buffer(packed, room(out, most))?;
                out.truncate(length);
                Ok(())
            }
            Format::Zlib => {
                out.reserve(most + 1);
                let mut stream = Decompress::new(true);
                let status = stream.decompress_vec(packed, out, FlushDecompress::Finish)?;
                (status == Status::StreamEnd && out.len() <= most).then_some(()).ok_or_else(bad)
            }
            Format::Lz4 => {
                let length = lz4_flex::block::decompress_into(packed, room(out, most))
                    .map_err(io::Error::other)?;
                out.truncate(length);
                Ok(())
            }
        }
    }
}

fn room(out: &mut Vec<u8>, length: usize) -> &mut [u8] {
    out.resize(length, 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Codec, Format); 5] = [
        (Codec::XZ, Format::Xz),
        (Codec::Xz { x86: false }, Format::Xz),
        (Codec::ZSTD, Format::Zstd),
        (Codec::GZIP, Format::Zlib),
        (Codec::Lz4, Format::Lz4),
    ];

    /// Bytes that no codec can shrink, from a fixed linear congruential generator.
    pub(crate) fn noise(length: usize) -> Vec<u8> {
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
    fn the_branch_filter_is_used_where_it_wins() {
        // Calls to one absolute address: relative displacements differ, absolute ones do not.
        let mut linked = Vec::new();
        let mut object = Vec::new();
        for n in 0..8000u32 {
            linked.push(0xe8);
            linked.extend_from_slice(&(0x0010_0000u32.wrapping_sub(n * 9)).to_le_bytes());
            linked.extend_from_slice(&[0x48, 0x89, 0xc7, 0x90]);
            object.extend_from_slice(&[0xe8, 0, 0, 0, 0, 0x48, 0x89, 0xc7, 0x90]);
        }
        let size = |x86, block: &[u8]| compress(Codec::Xz { x86 }, block, 131_072).len();
        assert!(size(true, &linked) < size(false, &linked) / 2);
        for block in [&object, &noise(5000)] {
            assert_eq!(size(true, block), size(false, block));
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

    #[test]
    fn options_are_stored_where_readers_would_assume_otherwise() {
        assert_eq!(Codec::GZIP.stored_options(4096), None);
        assert_eq!(Codec::Xz { x86: false }.stored_options(4096), None);
        assert_eq!(Codec::Lz4.stored_options(4096).as_deref(), Some(&[1, 0, 0, 0, 0, 0, 0, 0][..]));
        let xz = |block_size| Codec::XZ.stored_options(block_size);
        assert_eq!(xz(0x2_0000).as_deref(), Some(&[0, 0, 2, 0, 1, 0, 0, 0][..]));
        assert_eq!(xz(4096).as_deref(), Some(&[0, 32, 0, 0, 1, 0, 0, 0][..]));
    }
}
