//! Compressed files, recognised by name or content and unpacked within bounds.
//!
//! Reads plain data, gzip (RFC 1952), xz (the .xz file format 1.2), Zstandard (RFC 8878) and raw deflate
//! (RFC 1951). The codecs are built in. The output is bounded by a size and by its ratio to the input,
//! so that a small file cannot fill memory or disk; so is the memory of the decoders.

mod parallel_xz;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;

pub use reader::{fill, raw_deflate, read_unpacked};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, `.gz`; several members are one file.
    Gzip,
    /// xz, `.xz`; several streams are one file.
    Xz,
    /// Zstandard, `.zst`; several frames are one file.
    Zstd,
}

/// The limits of an unpacked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most this many bytes.
    pub size: u64,
    /// At most this many times the packed size, beyond the first `RATIO_SLACK` bytes.
    pub ratio: u64,
}

/// The ratio counts only beyond this many bytes: small files of zeros compress very well.
const RATIO_SLACK: u64 = 16 << 20;

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 8 << 30, ratio: 1000 }
    }
}

impl Limits {
    /// At most `size` bytes, however well they are packed: for files that are read into memory.
    pub fn of_size(size: u64) -> Self {
        Limits { size, ratio: u64::MAX }
    }
}

impl Compression {
    /// The end of file names of this compression, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Xz => ".xz",
            Compression::Zstd => ".zst",
        }
    }

    /// The compression that the end of a file name tells; [`Compression::None`] for any other end.
    pub fn of_name(name: &str) -> Self {
        Compression::split_name(name.as_bytes()).1
    }

    /// A file name without its compression suffix, and the compression that the suffix tells.
    pub fn split_name(name: &[u8]) -> (&[u8], Self) {
        for kind in [Compression::Gzip, Compression::Xz, Compression::Zstd] {
            if let Some(stem) = name.strip_suffix(kind.suffix().as_bytes()) {
                return (stem, kind);
            }
        }
        (name, Compression::None)
    }

    /// The compression that the first bytes of a file tell; fewer than six may tell nothing.
    pub fn of_content(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Compression::Gzip
        } else if head.starts_with(b"\xfd7zXZ\0") {
            Compression::Xz
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Compression::Zstd
        } else {
            Compression::None
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        })
    }
}
