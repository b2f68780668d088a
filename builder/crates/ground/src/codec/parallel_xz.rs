//! xz (the .xz file format 1.2.1) unpacked by several threads, where a file was packed in blocks that say
//! how long they are, as dpkg-deb packs large packages. Other files are unpacked by one thread.

use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;

use liblzma::bufread::XzDecoder;
use liblzma::stream::{MtStreamBuilder, Stream};

/// Memory that blocks under way may take together, in bytes. Fewer threads work where they would take
/// more: two threads need 120 MB for what `xz -6` packed.
const THREADS_MEMORY: u64 = 160 << 20;

/// A reader of all streams that `input` holds.
pub(super) struct ParallelXz<R> {
    decoder: Option<XzDecoder<BufReader<R>>>,
    threads: u32,
    memory: u64,
}

impl<R: Read> ParallelXz<R> {
    /// A decoder with up to `threads` threads; each alone may take `memory` bytes at most.
    ///
    /// # Errors
    /// The decoder cannot be made.
    pub(super) fn new(input: R, threads: NonZeroUsize, memory: u64) -> io::Result<Self> {
        let threads = u32::try_from(threads.get()).unwrap_or(u32::MAX);
        let input = BufReader::with_capacity(1 << 16, input);
        let decoder = Some(XzDecoder::new_stream(input, stream(threads, memory)?));
        Ok(ParallelXz { decoder, threads, memory })
    }

    /// Goes on to the stream behind the one that ended; `false` where there is none. Between streams there
    /// may be zeros (2.2 of the format).
    fn next_stream(&mut self) -> io::Result<bool> {
        let Some(decoder) = self.decoder.take() else { return Ok(false) };
        let mut input = decoder.into_inner();
        let mut padding: u64 = 0;
        loop {
            let bytes = input.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let more = zeros < bytes.len();
            input.consume(zeros);
            padding = padding.saturating_add(zeros as u64);
            if more {
                break;
            }
        }
        if !padding.is_multiple_of(4) {
            let why = "the padding behind an xz stream is no multiple of four bytes";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        if input.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let stream = stream(self.threads, self.memory)?;
        self.decoder = Some(XzDecoder::new_stream(input, stream));
        Ok(true)
    }
}

impl<R: Read> Read for ParallelXz<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let got = decoder.read(buf)?;
            if got > 0 || !self.next_stream()? {
                return Ok(got);
            }
        }
    }
}

fn stream(threads: u32, memory: u64) -> io::Result<Stream> {
    let mut builder = MtStreamBuilder::new();
    builder.threads(threads).memlimit_threading(THREADS_MEMORY).memlimit_stop(memory);
    Ok(builder.decoder()?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use liblzma::write::XzEncoder;

    use super::*;

    const MEMORY: u64 = 256 << 20;

    fn text() -> Vec<u8> {
        (0..700_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 9).to_le_bytes()).collect()
    }

    /// In blocks that say how long they are.
    fn in_blocks(bytes: &[u8]) -> Vec<u8> {
        let stream = MtStreamBuilder::new().threads(2).block_size(1 << 18).preset(1).encoder();
        let mut out = XzEncoder::new_stream(Vec::new(), stream.expect("an encoder"));
        out.write_all(bytes).expect("packed");
        out.finish().expect("packed")
    }

    fn in_one(bytes: &[u8]) -> Vec<u8> {
        let mut out = XzEncoder::new(Vec::new(), 1);
        out.write_all(bytes).expect("packed");
        out.finish().expect("packed")
    }

    fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
        let threads = NonZeroUsize::new(3).expect("not zero");
        let mut out = Vec::new();
        ParallelXz::new(packed, threads, MEMORY)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn blocks_and_streams_of_any_kind_are_one_file() {
        let text = text();
        let (blocks, one) = (in_blocks(&text), in_one(b"and the end"));
        assert!(unpack(&blocks).expect("unpacked") == text);
        let both = [text.as_slice(), b"and the end"].concat();
        for padding in [0, 4, 1 << 17] {
            let file = [blocks.clone(), vec![0; padding], one.clone(), vec![0; padding]].concat();
            assert!(unpack(&file).expect("unpacked") == both, "{padding} bytes between");
        }
        assert!(unpack(&in_one(b"")).expect("unpacked").is_empty());
    }

    #[test]
    fn cuts_damage_and_what_follows_are_errors() {
        let blocks = in_blocks(&text());
        for cut in [0, 1, 12, blocks.len() / 2, blocks.len() - 1] {
            assert!(unpack(&blocks[..cut]).is_err(), "cut at {cut}");
        }
        for at in [0, blocks.len() / 3, blocks.len() - 20] {
            let mut bad = blocks.clone();
            bad[at] ^= 0x10;
            assert!(unpack(&bad).is_err(), "damaged at {at}");
        }
        assert!(unpack(&[blocks.as_slice(), b"more"].concat()).is_err());
        assert!(unpack(&[blocks.as_slice(), &[0; 3]].concat()).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let threads = NonZeroUsize::new(2).expect("not zero");
        let packed = in_one(&text());
        let mut out = Vec::new();
        let mut small = ParallelXz::new(packed.as_slice(), threads, 1 << 16).expect("a decoder");
        assert!(small.read_to_end(&mut out).is_err());
    }
}
