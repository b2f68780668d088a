//! Metadata of the image: runs of blocks of up to 8 KiB, each behind a `u16` that says how long it
//! is and, by its highest bit, whether it is stored as it is; and tables that find such blocks.

use crate::Error;
use crate::press::{Press, Pressed};

/// How much is compressed together.
const BLOCK: usize = 8192;
/// In front of a block: it is stored without compression.
const STORED: u16 = 1 << 15;

/// Where something is: its block, as bytes from the beginning of the run, and its place in the block
/// before compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The block.
    pub(crate) block: u32,
    /// The place in it.
    pub(crate) offset: u16,
}

/// A run of metadata blocks that is being written, in memory.
pub(crate) struct Run<'p, 'c> {
    press: &'p mut Press<'c>,
    out: Vec<u8>,
    pending: Vec<u8>,
}

impl<'p, 'c> Run<'p, 'c> {
    /// An empty run.
    pub fn new(press: &'p mut Press<'c>) -> Self {
        Run { press, out: Vec::new(), pending: Vec::new() }
    }

    /// Where the next byte goes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond 4 GiB.
    pub(crate) fn position(&self) -> Result<Position, Error> {
        let block = u32::try_from(self.out.len()).map_err(|_| Error::TooLarge("a table"))?;
        // Less than a block is pending.
        Ok(Position { block, offset: u16::try_from(self.pending.len()).unwrap_or_default() })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::Compress`], [`Error::RoundTrip`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.pending.extend_from_slice(bytes);
        while self.pending.len() >= BLOCK {
            let rest = self.pending.split_off(BLOCK);
            let full = std::mem::replace(&mut self.pending, rest);
            self.block(&full)?;
        }
        Ok(())
    }

    fn block(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (flag, bytes) = match self.press.bytes(bytes)? {
            Pressed::Packed(bytes) => (0, bytes),
            Pressed::Stored(bytes) => (STORED, bytes),
            Pressed::Zeros => (STORED, bytes.to_vec()),
        };
        // At most 8192.
        let length = u16::try_from(bytes.len()).unwrap_or_default();
        self.out.extend_from_slice(&(length | flag).to_le_bytes());
        self.out.extend_from_slice(&bytes);
        Ok(())
    }

    /// The whole run.
    ///
    /// # Errors
    /// As for [`Run::write`].
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        if !self.pending.is_empty() {
            let last = std::mem::take(&mut self.pending);
            self.block(&last)?;
        }
        Ok(self.out)
    }
}

/// A block that is stored as it is: the codec's options.
pub(crate) fn plain(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or_default();
    let mut out = (length | STORED).to_le_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// A table: the blocks of `bytes`, and behind them where each of them is. Returns all of it, and where in
/// that the list is. `start` is where the table begins in the image.
///
/// # Errors
/// As for [`Run::write`].
pub(crate) fn table(
    press: &mut Press<'_>,
    bytes: &[u8],
    start: u64,
) -> Result<(Vec<u8>, u64), Error> {
    let mut run = Run::new(press);
    let mut list = Vec::new();
    for chunk in bytes.chunks(BLOCK) {
        list.extend_from_slice(&(start + run.out.len() as u64).to_le_bytes());
        run.block(chunk)?;
    }
    let mut out = run.out;
    let at = start + out.len() as u64;
    out.extend_from_slice(&list);
    Ok((out, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    #[test]
    fn positions_are_those_that_readers_find_bytes_at() {
        let mut press = Press::new(Codec::GZIP, 4096, None).expect("set up");
        let mut run = Run::new(&mut press);
        assert_eq!(run.position().expect("small"), Position { block: 0, offset: 0 });
        run.write(&[1; 100]).expect("written");
        assert_eq!(run.position().expect("small"), Position { block: 0, offset: 100 });
        run.write(&[1; 8092]).expect("written");
        let second = run.position().expect("small");
        assert_eq!(second.offset, 0, "the first block is full");
        run.write(b"x").expect("written");
        let out = run.finish().expect("finished");
        let length = usize::from(u16::from_le_bytes([out[0], out[1]]));
        assert_eq!(second.block as usize, 2 + length);
        assert_eq!(&out[2 + length..], [1, 0x80, b'x'], "one byte is stored as it is");
    }

    #[test]
    fn a_table_lists_its_blocks() {
        let mut press = Press::new(Codec::Lz4, 4096, None).expect("set up");
        let (bytes, list) = table(&mut press, &[7; 10_000], 500).expect("made");
        let at = usize::try_from(list - 500).expect("small");
        let (blocks, list) = bytes.split_at(at);
        let first = usize::from(u16::from_le_bytes([blocks[0], blocks[1]]));
        let expected = [500, 500 + 2 + first as u64].map(u64::to_le_bytes).concat();
        assert_eq!(list, expected);
        assert_eq!(table(&mut press, &[], 9).expect("made"), (Vec::new(), 9));
    }
}
