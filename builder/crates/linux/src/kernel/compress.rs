//! Compressed files of kernel and firmware packages: recognised by content, unpacked within bounds.
//!
//! Reads plain, gzip (RFC 1952), xz (the .xz file format 1.2) and zstd (RFC 8878) data. The kernel's
//! build appends `.gz`, `.xz` or `.zst` to the names of modules and firmware; what a file is, its
//! first bytes say, as in kmod.

use std::fmt;
use std::io::{self, Read};

/// Memory that the xz decoder may take, in bytes: a dictionary of 64 MiB (`xz -9`) and some.
const XZ_MEMORY: u64 = 80 << 20;
/// The largest zstd window, as a power of two: 128 MiB, `zstd --ultra`'s without `--long`.
const ZSTD_WINDOW: u32 = 27;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, `.gz`.
    Gzip,
    /// xz, `.xz`.
    Xz,
    /// Zstandard, `.zst`.
    Zstd,
}

impl Compression {
    /// What the kernel's build appends to a file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Xz => ".xz",
            Compression::Zstd => ".zst",
        }
    }

    /// A file's name without its compression suffix, and what that suffix says.
    pub fn of_name(name: &[u8]) -> (&[u8], Compression) {
        for kind in [Compression::Gzip, Compression::Xz, Compression::Zstd] {
            if let Some(stem) = name.strip_suffix(kind.suffix().as_bytes()) {
                return (stem, kind);
            }
        }
        (name, Compression::None)
    }

    /// What the first bytes of a file say; fewer than six may say nothing.
    pub fn of_content(head: &[u8]) -> Compression {
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

/// All that `reader` holds, unpacked as its first bytes ask; at most `limit` bytes come out.
///
/// # Errors
/// `reader` fails, the data are damaged or cut short, or more than `limit` bytes would come out
/// ([`io::ErrorKind::FileTooLarge`]).
pub fn read_unpacked(mut reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut head = [0; 6];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let head = head.get(..filled).unwrap_or_default();
    let whole = head.chain(reader);
    match Compression::of_content(head) {
        Compression::None => bounded(whole, limit),
        Compression::Gzip => bounded(flate2::read::MultiGzDecoder::new(whole), limit),
        Compression::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
            bounded(liblzma::read::XzDecoder::new_stream(whole, stream), limit)
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(whole)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            bounded(decoder, limit)
        }
    }
}

fn bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// `bytes` packed as `kind`, for the tests of this module's users.
#[cfg(test)]
pub(crate) fn pack(kind: Compression, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    match kind {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("packed");
            encoder.finish().expect("packed")
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).expect("packed");
            encoder.finish().expect("packed")
        }
        Compression::Zstd => zstd::stream::encode_all(bytes, 1).expect("packed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Compression; 4] =
        [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd];

    #[test]
    fn each_kind_unpacks_to_the_same_bytes() {
        let bytes: Vec<u8> = (0..50_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for kind in ALL {
            let packed = pack(kind, &bytes);
            assert_eq!(Compression::of_content(&packed), kind);
            assert_eq!(read_unpacked(packed.as_slice(), 1 << 20).expect("unpacked"), bytes);
            assert_eq!(Compression::of_name(format!("a.ko{}", kind.suffix()).as_bytes()).1, kind);
        }
    }

    #[test]
    fn the_limit_and_damage_are_errors() {
        let bytes = vec![7; 100_000];
        for kind in ALL {
            let packed = pack(kind, &bytes);
            let error = read_unpacked(packed.as_slice(), 99_999).expect_err("too large");
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{kind}");
            if kind != Compression::None {
                let cut = &packed[..packed.len() - 3];
                assert!(read_unpacked(cut, 1 << 20).is_err(), "{kind} cut short");
            }
        }
        assert!(read_unpacked(&b""[..], 10).expect("empty").is_empty());
        assert_eq!(read_unpacked(&b"abc"[..], 3).expect("short"), b"abc");
    }
}
