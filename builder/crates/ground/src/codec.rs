//! Decompression with limits: gzip (RFC 1952), xz, zstd (RFC 8878), or none.
//!
//! The codecs are built in. What comes out is bounded by a size and by its ratio to what went in, so
//! that a small file cannot fill memory or disk; so is the memory of the decoders.

use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::parallel_xz::ParallelXz;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip; several members are one file.
    Gzip,
    /// xz; several streams are one file.
    Xz,
    /// Zstandard; several frames are one file.
    Zstd,
}

/// How much may come out of a compressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most this many bytes.
    pub size: u64,
    /// At most this many times what went in, beyond the first [`RATIO_SLACK`] bytes.
    pub ratio: u64,
}

/// The ratio counts only beyond this many bytes: small files of zeros compress very well.
pub const RATIO_SLACK: u64 = 16 << 20;

/// Memory that an xz decoder may use: that of preset 9, four times over.
const XZ_MEMORY: u64 = 256 << 20;

/// The largest window of a zstd frame, as a power of two: what `zstd --ultra -22` uses.
const ZSTD_WINDOW: u32 = 27;

impl Default for Limits {
    fn default() -> Self {
        Limits { size: 8 << 30, ratio: 1000 }
    }
}

impl Compression {
    /// What the end of a file name says: `.gz`, `.xz`, `.zst`, anything else is [`Compression::None`].
    pub fn of_name(name: &str) -> Self {
        match name.rsplit_once('.') {
            Some((_, "gz")) => Compression::Gzip,
            Some((_, "xz")) => Compression::Xz,
            Some((_, "zst")) => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// The end of file names of this compression, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Xz => ".xz",
            Compression::Zstd => ".zst",
        }
    }

    /// A reader of what `input` holds. Beyond the limits it fails with
    /// [`io::ErrorKind::FileTooLarge`], at a cut or damage with the error of the decoder.
    ///
    /// # Errors
    /// The decoder cannot be made.
    pub fn reader<'a>(
        self,
        input: impl Read + 'a,
        limits: Limits,
    ) -> io::Result<Box<dyn Read + 'a>> {
        self.reader_by(NonZeroUsize::MIN, input, limits)
    }

    /// The same, with up to `jobs` threads where the file allows it: xz packed in blocks does.
    ///
    /// # Errors
    /// The decoder cannot be made.
    pub fn reader_by<'a>(
        self,
        jobs: NonZeroUsize,
        input: impl Read + 'a,
        limits: Limits,
    ) -> io::Result<Box<dyn Read + 'a>> {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: input, taken: Arc::clone(&taken) };
        let inner: Box<dyn Read + 'a> = match self {
            Compression::None => Box::new(counted),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
            Compression::Xz if jobs.get() > 1 => {
                Box::new(ParallelXz::new(counted, jobs, XZ_MEMORY)?)
            }
            Compression::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(BufReader::new(counted), stream))
            }
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(counted)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
        };
        Ok(Box::new(Bounded { inner, limits, taken, given: 0 }))
    }
}

/// A reader of `input`, one raw deflate stream (RFC 1951), under the same limits as
/// [`Compression::reader`]. A stream that is cut off is an error, and so are bytes that follow it.
pub fn raw_deflate<'a>(input: impl Read + 'a, limits: Limits) -> Box<dyn Read + 'a> {
    let taken = Arc::new(AtomicU64::new(0));
    let input = BufReader::new(Counted { inner: input, taken: Arc::clone(&taken) });
    let inner = Inflate { input, state: flate2::Decompress::new(false), ended: false };
    Box::new(Bounded { inner, limits, taken, given: 0 })
}

/// Unlike the readers of `flate2`, which take the end of their input for the end of a raw stream.
struct Inflate<R> {
    input: R,
    state: flate2::Decompress,
    ended: bool,
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        while !self.ended {
            let packed = self.input.fill_buf()?;
            let at_end = packed.is_empty();
            let (taken, given) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(packed, buf, flate2::FlushDecompress::None)?;
            let taken = usize::try_from(self.state.total_in() - taken).unwrap_or(usize::MAX);
            let given = usize::try_from(self.state.total_out() - given).unwrap_or(usize::MAX);
            self.input.consume(taken);
            self.ended = status == flate2::Status::StreamEnd;
            if given > 0 {
                return Ok(given);
            }
            if at_end && !self.ended {
                let why = "the compressed data is cut off";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
        }
        if self.input.fill_buf()?.is_empty() {
            return Ok(0);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "something follows the compressed data"))
    }
}

/// Counts what a decoder takes in.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.taken.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Fails when too much comes out.
struct Bounded<R> {
    inner: R,
    limits: Limits,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        self.given = self.given.saturating_add(got as u64);
        let taken = self.taken.load(Ordering::Relaxed);
        let by_ratio = taken.saturating_mul(self.limits.ratio).saturating_add(RATIO_SLACK);
        if self.given > self.limits.size {
            return Err(too_large(format!("more than {} bytes unpacked", self.limits.size)));
        }
        if self.given > by_ratio {
            let ratio = self.limits.ratio;
            return Err(too_large(format!("unpacks to more than {ratio} times its size")));
        }
        Ok(got)
    }
}

fn too_large(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, why)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        match compression {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                out.write_all(bytes).expect("packed");
                out.finish().expect("packed")
            }
            Compression::Xz => {
                let mut out = liblzma::write::XzEncoder::new(Vec::new(), 6);
                out.write_all(bytes).expect("packed");
                out.finish().expect("packed")
            }
            Compression::Zstd => zstd::encode_all(bytes, 3).expect("packed"),
        }
    }

    fn unpack(compression: Compression, bytes: &[u8], limits: Limits) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        compression.reader(bytes, limits)?.read_to_end(&mut out)?;
        Ok(out)
    }

    const ALL: [Compression; 4] =
        [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd];

    #[test]
    fn what_was_packed_comes_out_and_several_parts_are_one() {
        for compression in ALL {
            let name = format!("x{}", compression.suffix());
            assert_eq!(Compression::of_name(&name), compression);
            let twice = [pack(compression, b"hello "), pack(compression, b"world")].concat();
            let out = unpack(compression, &twice, Limits::default()).expect("unpacked");
            assert_eq!(out, b"hello world");
        }
    }

    #[test]
    fn cuts_and_damage_are_errors() {
        let text: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
        for compression in &ALL[1..] {
            let packed = pack(*compression, &text);
            for cut in [1, 10, packed.len() / 2, packed.len() - 1] {
                assert!(unpack(*compression, &packed[..cut], Limits::default()).is_err());
            }
            assert!(unpack(*compression, b"not packed at all", Limits::default()).is_err());
        }
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 64 << 20];
        for compression in ALL {
            let packed = pack(compression, &zeros);
            let small = Limits { size: 1 << 20, ratio: u64::MAX };
            let error = unpack(compression, &packed, small).expect_err("too large");
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{compression:?}");
            if compression != Compression::None {
                let error = unpack(compression, &packed, Limits { size: u64::MAX, ratio: 100 });
                let error = error.expect_err("too good a ratio");
                assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{compression:?}");
            }
        }
    }

    #[test]
    fn raw_deflate_ends_where_it_says() {
        let text: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
        let level = flate2::Compression::best();
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), level);
        packer.write_all(&text).expect("packed");
        let mut packed = packer.finish().expect("packed");
        let unpack = |bytes: &[u8], limits| {
            let mut out = Vec::new();
            raw_deflate(bytes, limits).read_to_end(&mut out).map(|_| out)
        };
        assert_eq!(unpack(&packed, Limits::default()).expect("unpacked"), text);
        let small = Limits { size: 1000, ratio: u64::MAX };
        let error = unpack(&packed, small).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        for cut in [0, 1, packed.len() / 2, packed.len() - 1] {
            let error = unpack(&packed[..cut], Limits::default()).expect_err("cut off");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
        packed.push(0);
        let error = unpack(&packed, Limits::default()).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..60) {
            let small = Limits { size: 1 << 16, ratio: 100 };
            for compression in ALL {
                let _ = unpack(compression, &bytes, small);
                let mut packed = pack(compression, b"some text, some text, some text");
                let at = at.min(packed.len());
                packed.splice(at..at, bytes.iter().copied().take(4));
                let _ = unpack(compression, &packed, small);
            }
        }
    }
}
