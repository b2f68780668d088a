//! The decoders, each behind the same bounds.

use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::parallel_xz::ParallelXz;
use super::{Compression, Limits, RATIO_SLACK};

/// Memory that an xz decoder may use: that of preset 9, four times over.
const XZ_MEMORY: u64 = 256 << 20;

/// The largest window of a zstd frame, as a power of two: that of `zstd --ultra -22`.
const ZSTD_WINDOW: u32 = 27;

impl Compression {
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

/// The contents of `reader`, unpacked as its first bytes ask; at most `limit` bytes.
///
/// # Errors
/// `reader` fails, the data are damaged or cut short, or there would be more than `limit` bytes
/// ([`io::ErrorKind::FileTooLarge`]).
pub fn read_unpacked(mut reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut head = [0; 6];
    let filled = fill(&mut reader, &mut head)?;
    let head = head.get(..filled).unwrap_or_default();
    let mut bytes = Vec::new();
    Compression::of_content(head)
        .reader(head.chain(reader), Limits::of_size(limit))?
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads until `buf` is full or the input ends; says how much came.
///
/// # Errors
/// Whatever `input` reports.
pub fn fill(input: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
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
