//! LZ4's legacy frame, the one that the kernel reads: a magic number, then blocks of 8 MiB, each a
//! bare LZ4 block with its compressed length in front (`lz4_Frame_format.md`, "Legacy frame").

use std::io::{self, Write};

/// How much data one block holds; only the last may hold less.
const BLOCK: usize = 8 << 20;

/// The magic number at the beginning of a frame.
const MAGIC: [u8; 4] = 0x184c_2102_u32.to_le_bytes();

/// Compresses what is written to it into one legacy frame.
pub(super) struct Lz4Legacy<W> {
    inner: W,
    block: Vec<u8>,
}

impl<W: Write> Lz4Legacy<W> {
    /// A frame that goes to `inner`.
    pub(super) fn new(mut inner: W) -> io::Result<Self> {
        inner.write_all(&MAGIC)?;
        Ok(Lz4Legacy { inner, block: Vec::new() })
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress(&self.block);
        let length = u32::try_from(packed.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.inner.write_all(&length.to_le_bytes())?;
        self.inner.write_all(&packed)?;
        self.block.clear();
        Ok(())
    }

    /// Ends the frame.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write_block()?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Lz4Legacy<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let room = BLOCK - self.block.len();
        let taken = buf.get(..room.min(buf.len())).unwrap_or_default();
        self.block.extend_from_slice(taken);
        if self.block.len() == BLOCK {
            self.write_block()?;
        }
        Ok(taken.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        // A block before its time would be shorter than the frame allows.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_and_carry_their_length() {
        let data: Vec<u8> = (0..BLOCK + 1000).map(|n| n.to_le_bytes()[1]).collect();
        let mut frame = Lz4Legacy::new(Vec::new()).expect("begun");
        for part in data.chunks(999_983) {
            frame.write_all(part).expect("written");
        }
        let frame = frame.finish().expect("ended");
        let mut rest = frame.strip_prefix(&MAGIC).expect("the magic");
        let mut found = Vec::new();
        for size in [BLOCK, 1000] {
            let (length, tail) = rest.split_first_chunk::<4>().expect("a length");
            let (block, tail) = tail.split_at(u32::from_le_bytes(*length) as usize);
            found.extend(lz4_flex::block::decompress(block, size).expect("a block"));
            rest = tail;
        }
        assert!(rest.is_empty() && found == data);
    }
}
