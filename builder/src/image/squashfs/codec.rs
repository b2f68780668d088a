//! The codecs of SquashFS blocks: one block in, one independent stream out.
//!
//! A result depends on nothing but the block and the [`Codec`]: every block gets a fresh encoder of
//! a library that is built in. The streams are those of squashfs-tools (`xz_wrapper.c` and its
//! siblings), which is what the kernel's decompressors expect: XZ with a CRC32 check and a
//! dictionary of one block, zlib with a 32 KiB window, a single Zstandard frame, a bare LZ4 block.

use std::io;

use super::Error;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status as XzStatus, Stream};

/// The largest data block that SquashFS 4.0 knows, and so the most that one stream may yield.
const MAX_BLOCK: usize = 1 << 20;

/// liblzma's default preset, which squashfs-tools uses too.
const XZ_PRESET: u32 = 6;

/// What memory an XZ block may ask for while it is read back: far above a 1 MiB dictionary.
const XZ_MEMORY: u64 = 64 << 20;

/// How the blocks of an image are compressed. The guest's kernel must have the same codec
/// (`SQUASHFS_XZ`, `SQUASHFS_ZSTD`, `SQUASHFS_ZLIB`, `SQUASHFS_LZ4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// XZ: the smallest. With `x86` each block is also tried with the x86 branch filter and the
    /// smaller result kept; the kernel then needs `XZ_DEC_X86`.
    Xz {
        /// Whether the x86 branch filter is tried.
        x86: bool,
    },
    /// Zstandard at a level of 1 to 22.
    Zstd {
        /// The level; 19 where nothing else is asked for.
        level: i32,
    },
    /// zlib at a level of 1 to 9.
    Gzip {
        /// The level; 9 where nothing else is asked for.
        level: u32,
    },
    /// LZ4: the fastest to read, the largest.
    Lz4,
}

impl Codec {
    /// XZ with the x86 filter tried.
    pub const XZ: Codec = Codec::Xz { x86: true };
    /// Zstandard, level 19.
    pub const ZSTD: Codec = Codec::Zstd { level: 19 };
    /// zlib, level 9.
    pub const GZIP: Codec = Codec::Gzip { level: 9 };

    /// Whether the level is one that the codec has.
    pub(super) fn check_level(self) -> Result<(), Error> {
        let (codec, level, highest) = match self {
            Codec::Zstd { level } => ("zstd", i64::from(level), 22),
            Codec::Gzip { level } => ("gzip", i64::from(level), 9),
            Codec::Xz { .. } | Codec::Lz4 => return Ok(()),
        };
        if (1..=highest).contains(&level) {
            Ok(())
        } else {
            Err(Error::Level { codec, level, highest })
        }
    }

    /// Compresses one block. The result may be longer than the block; the caller then stores the
    /// block as it is.
    pub(super) fn compress(self, block: &[u8], block_size: u32) -> io::Result<Vec<u8>> {
        match self {
            Codec::Xz { x86 } => {
                let plain = xz(block, block_size, false)?;
                if !x86 {
                    return Ok(plain);
                }
                let filtered = xz(block, block_size, true)?;
                Ok(if filtered.len() < plain.len() { filtered } else { plain })
            }
            Codec::Zstd { level } => zstd::bulk::compress(block, level),
            Codec::Gzip { level } => zlib(block, level),
            Codec::Lz4 => Ok(lz4_flex::block::compress(block)),
        }
    }

    /// The codec's options block, which follows the superblock: only where it differs from what
    /// readers assume without one (LZ4 has no such default).
    pub(super) fn stored_options(self, block_size: u32) -> Option<Vec<u8>> {
        let words: Vec<u32> = match self {
            Codec::Xz { x86: true } => vec![block_size, 1],
            Codec::Zstd { level } => vec![level.unsigned_abs()],
            // The window (15) and the strategies (none) are 16 bits each.
            Codec::Gzip { level } if level != 9 => vec![level, 15],
            Codec::Lz4 => vec![1, 0],
            Codec::Xz { .. } | Codec::Gzip { .. } => return None,
        };
        Some(words.iter().flat_map(|word| word.to_le_bytes()).collect())
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

fn zlib(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut stream = Compress::new(Compression::new(level), true);
    let mut out = Vec::with_capacity(block.len() + 1024);
    loop {
        let done = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let rest = block.get(done..).unwrap_or_default();
        if stream.compress_vec(rest, &mut out, FlushCompress::Finish)? == Status::StreamEnd {
            return Ok(out);
        }
        out.reserve(1024);
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
    pub(super) fn decompress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Format::Xz => unxz(bytes),
            Format::Zstd => zstd::bulk::decompress(bytes, MAX_BLOCK),
            Format::Zlib => unzlib(bytes),
            Format::Lz4 => {
                let mut out = vec![0; MAX_BLOCK];
                let length =
                    lz4_flex::block::decompress_into(bytes, &mut out).map_err(io::Error::other)?;
                out.truncate(length);
                Ok(out)
            }
        }
    }
}

fn unxz(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = Stream::new_stream_decoder(XZ_MEMORY, 0)?;
    let mut out = Vec::with_capacity(MAX_BLOCK);
    match stream.process_vec(bytes, &mut out, Action::Finish)? {
        XzStatus::StreamEnd => Ok(out),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn unzlib(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(MAX_BLOCK);
    match Decompress::new(true).decompress_vec(bytes, &mut out, FlushDecompress::Finish)? {
        Status::StreamEnd => Ok(out),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
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

    #[test]
    fn every_codec_round_trips_and_repeats_itself() {
        let text = b"the quick brown fox ".repeat(6000);
        for (codec, format) in ALL {
            for block in [&text[..], &noise(131_072), &[0; 4096], b"a"] {
                let packed = codec.compress(block, 131_072).expect("compressed");
                assert_eq!(packed, codec.compress(block, 131_072).expect("compressed"));
                assert_eq!(format.decompress(&packed).expect("read back"), block, "{codec:?}");
            }
            let packed = codec.compress(&text, 131_072).expect("compressed");
            assert!(packed.len() < text.len() / 20, "{codec:?} shrinks text");
        }
    }

    #[test]
    fn the_branch_filter_wins_on_code_and_never_costs() {
        // Calls to one absolute address: relative displacements differ, absolute ones do not.
        let mut code = Vec::new();
        for n in 0..8000u32 {
            code.push(0xe8);
            code.extend_from_slice(&(0x0010_0000u32.wrapping_sub(n * 9)).to_le_bytes());
            code.extend_from_slice(&[0x48, 0x89, 0xc7, 0x90]);
        }
        let size = |x86, block: &[u8]| {
            Codec::Xz { x86 }.compress(block, 131_072).expect("compressed").len()
        };
        assert!(size(true, &code) < size(false, &code) / 2);
        assert_eq!(size(true, &noise(5000)), size(false, &noise(5000)));
    }

    #[test]
    fn damage_and_bombs_are_errors() {
        for (codec, format) in ALL {
            let packed = codec.compress(&vec![7; 100_000], 131_072).expect("compressed");
            let cut = packed.get(..packed.len() / 2).expect("half");
            assert!(format.decompress(cut).is_err(), "{codec:?} cut short");
            let bomb = codec.compress(&vec![0; MAX_BLOCK + 1], 1 << 20).expect("compressed");
            assert!(format.decompress(&bomb).is_err(), "{codec:?} too large");
        }
    }

    #[test]
    fn options_are_stored_where_readers_would_assume_otherwise() {
        assert_eq!(Codec::GZIP.stored_options(4096), None);
        assert_eq!(Codec::Xz { x86: false }.stored_options(4096), None);
        let gzip = Codec::Gzip { level: 6 }.stored_options(4096);
        assert_eq!(gzip.as_deref(), Some(&[6, 0, 0, 0, 15, 0, 0, 0][..]));
        assert_eq!(Codec::Lz4.stored_options(4096).as_deref(), Some(&[1, 0, 0, 0, 0, 0, 0, 0][..]));
        let xz = Codec::XZ.stored_options(0x2_0000);
        assert_eq!(xz.as_deref(), Some(&[0, 0, 2, 0, 1, 0, 0, 0][..]));
    }
}
