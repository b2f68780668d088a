//! The codecs of SquashFS blocks: one block in, one independent stream out.
//!
//! A result depends on nothing but the block and the [`Codec`], whatever an [`Encoder`] did before;
//! the libraries are built in. The streams are those of squashfs-tools (`xz_wrapper.c` and its
//! siblings), which is what the kernel's decompressors expect: XZ with a CRC32 check and a
//! dictionary of one block, zlib with a 32 KiB window, a single Zstandard frame, a bare LZ4 block,
//! LZO1X with its end marker.

use std::fmt;
use std::io;

#[cfg(feature = "xz")]
use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status as XzStatus, Stream};
#[cfg(feature = "zstd")]
use zstd::zstd_safe::CParameter;

use crate::Error;
#[cfg(feature = "xz")]
use crate::branch;
use crate::decode::Format;

#[cfg(not(any(
    feature = "xz",
    feature = "zstd",
    feature = "gzip",
    feature = "lz4",
    feature = "lzo"
)))]
compile_error!(
    "without a codec there are no images: choose one of the features xz, zstd, gzip, lz4, lzo"
);

/// liblzma's default preset, which squashfs-tools uses too.
#[cfg(feature = "xz")]
const XZ_PRESET: u32 = 6;

/// From this length on a match of level 19 is good enough, in bytes. The level's own 256 takes a
/// tenth more time and saves 0.06 % of kernel modules.
#[cfg(feature = "zstd")]
const ZSTD_19_TARGET: u32 = 128;

/// The smallest dictionary: a block of metadata.
#[cfg(feature = "xz")]
const SMALLEST_DICTIONARY: u32 = 8192;

/// How the blocks of an image are compressed. The kernel that mounts it must have the same codec
/// (`SQUASHFS_XZ`, `SQUASHFS_ZSTD`, `SQUASHFS_ZLIB`, `SQUASHFS_LZ4`, `SQUASHFS_LZO`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// XZ: the smallest. With `x86`, blocks of x86 code go through the branch filter; the kernel
    /// then needs `XZ_DEC_X86`.
    #[cfg(feature = "xz")]
    Xz {
        /// Whether the x86 branch filter is used where it helps.
        x86: bool,
    },
    /// Zstandard at a level of 1 to 22.
    #[cfg(feature = "zstd")]
    Zstd {
        /// The level; 19 where nothing else is asked for.
        level: i32,
    },
    /// zlib at a level of 1 to 12: libdeflate's, which packs tighter at 7 than zlib does at 9.
    #[cfg(feature = "gzip")]
    Gzip {
        /// The level; 7 where nothing else is asked for.
        level: u32,
    },
    /// LZ4: the fastest to read, the largest.
    #[cfg(feature = "lz4")]
    Lz4,
    /// LZO1X: near LZ4 in both, for kernels that have no other codec.
    #[cfg(feature = "lzo")]
    Lzo,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "xz")]
            Codec::Xz { x86: true } => f.write_str("xz with the x86 filter"),
            #[cfg(feature = "xz")]
            Codec::Xz { x86: false } => f.write_str("xz"),
            #[cfg(feature = "zstd")]
            Codec::Zstd { level } => write!(f, "zstd {level}"),
            #[cfg(feature = "gzip")]
            Codec::Gzip { level } => write!(f, "gzip {level}"),
            #[cfg(feature = "lz4")]
            Codec::Lz4 => f.write_str("lz4"),
            #[cfg(feature = "lzo")]
            Codec::Lzo => f.write_str("lzo"),
        }
    }
}

impl Codec {
    /// XZ with the x86 filter.
    #[cfg(feature = "xz")]
    pub const XZ: Codec = Codec::Xz { x86: true };
    /// Zstandard, level 19.
    #[cfg(feature = "zstd")]
    pub const ZSTD: Codec = Codec::Zstd { level: 19 };
    /// zlib, level 7.
    #[cfg(feature = "gzip")]
    pub const GZIP: Codec = Codec::Gzip { level: 7 };

    /// Whether the level is one that the codec has.
    pub(crate) fn check_level(self) -> Result<(), Error> {
        let (codec, level, highest) = match self {
            #[cfg(feature = "zstd")]
            Codec::Zstd { level } => ("zstd", i64::from(level), 22),
            #[cfg(feature = "gzip")]
            Codec::Gzip { level } => ("gzip", i64::from(level), 12),
            #[cfg(any(feature = "xz", feature = "lz4", feature = "lzo"))]
            _ => ("", 1, 1),
        };
        let possible = (1..=highest).contains(&level);
        possible.then_some(()).ok_or(Error::Level { codec, level, highest })
    }

    /// The number that the superblock has for it.
    pub(crate) fn id(self) -> u16 {
        match self {
            #[cfg(feature = "gzip")]
            Codec::Gzip { .. } => 1,
            #[cfg(feature = "lzo")]
            Codec::Lzo => 3,
            #[cfg(feature = "xz")]
            Codec::Xz { .. } => 4,
            #[cfg(feature = "lz4")]
            Codec::Lz4 => 5,
            #[cfg(feature = "zstd")]
            Codec::Zstd { .. } => 6,
        }
    }

    /// The codec's options block, which follows the superblock: only where it differs from what
    /// readers assume without one (LZ4 has no such default).
    pub(crate) fn stored_options(self, block_size: u32) -> Option<Vec<u8>> {
        let words: Vec<u32> = match self {
            #[cfg(feature = "xz")]
            Codec::Xz { x86: true } => vec![block_size.max(SMALLEST_DICTIONARY), 1],
            #[cfg(feature = "zstd")]
            Codec::Zstd { level } => vec![level.unsigned_abs()],
            #[cfg(feature = "lz4")]
            Codec::Lz4 => vec![1, 0],
            // A level of libdeflate's means nothing to others, and none to those who only read; nor does that of LZO.
            #[cfg(any(feature = "xz", feature = "gzip", feature = "lzo"))]
            _ => return None,
        };
        Some(words.iter().flat_map(|word| word.to_le_bytes()).collect())
    }

    /// The compressor and decompressor of one thread, for blocks of up to `block_size` bytes.
    pub(crate) fn encoder(self, block_size: u32) -> io::Result<Encoder> {
        Ok(match self {
            #[cfg(feature = "xz")]
            Codec::Xz { x86 } => {
                Encoder::Xz { x86, dictionary: block_size.max(SMALLEST_DICTIONARY) }
            }
            #[cfg(feature = "zstd")]
            Codec::Zstd { level } => {
                let mut compressor = zstd::bulk::Compressor::new(level)?;
                if level == 19 {
                    compressor.set_parameter(CParameter::TargetLength(ZSTD_19_TARGET))?;
                }
                Encoder::Zstd(compressor)
            }
            #[cfg(feature = "gzip")]
            Codec::Gzip { level } => {
                let level = i32::try_from(level)
                    .ok()
                    .and_then(|level| libdeflater::CompressionLvl::new(level).ok());
                let level = level.ok_or(io::ErrorKind::InvalidInput)?;
                Encoder::Gzip(libdeflater::Compressor::new(level))
            }
            #[cfg(feature = "lz4")]
            Codec::Lz4 => Encoder::Lz4,
            #[cfg(feature = "lzo")]
            Codec::Lzo => Encoder::Lzo,
        })
    }
}

/// A codec at work; it keeps what memory it can from block to block.
pub(crate) enum Encoder {
    #[cfg(feature = "xz")]
    Xz { x86: bool, dictionary: u32 },
    #[cfg(feature = "zstd")]
    Zstd(zstd::bulk::Compressor<'static>),
    #[cfg(feature = "gzip")]
    Gzip(libdeflater::Compressor),
    #[cfg(feature = "lz4")]
    Lz4,
    #[cfg(feature = "lzo")]
    Lzo,
}

impl Encoder {
    /// Compresses one block. The result may be longer than the block; the caller then stores the
    /// block as it is.
    pub(crate) fn compress(&mut self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "xz")]
            Encoder::Xz { x86, dictionary } => xz(block, *dictionary, *x86 && branch::helps(block)),
            #[cfg(feature = "zstd")]
            Encoder::Zstd(compressor) => compressor.compress(block),
            #[cfg(feature = "gzip")]
            Encoder::Gzip(compressor) => {
                let mut out = vec![0; compressor.zlib_compress_bound(block.len())];
                let length = compressor.zlib_compress(block, &mut out);
                out.truncate(length.map_err(io::Error::other)?);
                Ok(out)
            }
            #[cfg(feature = "lz4")]
            Encoder::Lz4 => Ok(lz4_flex::block::compress(block)),
            // With a dictionary of its own: what it was used for before would count.
            #[cfg(feature = "lzo")]
            Encoder::Lzo => lzokay::compress::compress(block).map_err(io::Error::other),
        }
    }

    /// Decompresses into `out` what should come to `length` bytes.
    pub(crate) fn decompress(
        &self,
        packed: &[u8],
        out: &mut Vec<u8>,
        length: usize,
    ) -> io::Result<()> {
        let format = match self {
            #[cfg(feature = "xz")]
            Encoder::Xz { .. } => Format::Xz,
            #[cfg(feature = "zstd")]
            Encoder::Zstd(_) => Format::Zstd,
            #[cfg(feature = "gzip")]
            Encoder::Gzip(_) => Format::Zlib,
            #[cfg(feature = "lz4")]
            Encoder::Lz4 => Format::Lz4,
            #[cfg(feature = "lzo")]
            Encoder::Lzo => Format::Lzo,
        };
        format.decompress_into(packed, out, length)
    }
}

#[cfg(feature = "xz")]
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

#[cfg(all(test, feature = "codecs"))]
mod tests {
    use super::*;

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
        let size = |x86, block: &[u8]| {
            let mut encoder = Codec::Xz { x86 }.encoder(131_072).expect("set up");
            encoder.compress(block).expect("compressed").len()
        };
        assert!(size(true, &linked) < size(false, &linked) / 2);
        for block in [&object[..], b"no code at all"] {
            assert_eq!(size(true, block), size(false, block));
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
