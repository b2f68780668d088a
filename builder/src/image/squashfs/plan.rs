//! The data blocks that the SquashFS writer is going to ask a compressor for, in its order.
//!
//! backhand writes files in path order. A file shorter than one block is packed with others into
//! fragment blocks; a longer one is cut at the block size, its last block being what is left; a
//! block of zeros becomes a hole and is never compressed. This module follows the same rules over
//! the same contents. Should it ever stray from them, blocks are compressed in vain, and nothing
//! else: [`super::ahead`] compares before it hands anything out.

use std::io::{self, Read};

use crate::tree::Content;

/// Yields the planned blocks one after the other.
pub(super) struct Plan {
    files: std::vec::IntoIter<Content>,
    current: Option<Box<dyn Read + Send>>,
    fragment: Vec<u8>,
    block_size: usize,
}

impl Plan {
    /// The plan for these files, which come in path order.
    pub(super) fn new(files: Vec<Content>, block_size: u32) -> Self {
        let block_size = usize::try_from(block_size).unwrap_or(usize::MAX);
        Plan { files: files.into_iter(), current: None, fragment: Vec::new(), block_size }
    }

    /// The next block to be compressed; `None` at the end.
    ///
    /// # Errors
    /// A content cannot be read.
    pub(super) fn next_block(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(reader) = &mut self.current {
                let block = read_block(reader, self.block_size)?;
                if block.len() < self.block_size {
                    self.current = None;
                }
                if block.iter().any(|byte| *byte != 0) {
                    return Ok(Some(block));
                }
                continue;
            }
            let Some(file) = self.files.next() else {
                let last = std::mem::take(&mut self.fragment);
                return Ok((!last.is_empty()).then_some(last));
            };
            if usize::try_from(file.len()).is_ok_and(|length| length < self.block_size) {
                let tail = read_block(&mut file.open(), self.block_size)?;
                if self.fragment.len() + tail.len() > self.block_size {
                    return Ok(Some(std::mem::replace(&mut self.fragment, tail)));
                }
                self.fragment.extend_from_slice(&tail);
            } else {
                self.current = Some(file.open());
            }
        }
    }
}

/// Reads a whole block, or what is left.
fn read_block(reader: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(size);
    reader.take(u64::try_from(size).unwrap_or(u64::MAX)).read_to_end(&mut block)?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cut_and_small_ones_packed() {
        let content = |byte: u8, length| Content::from_bytes(vec![byte; length]);
        let mut mixed = vec![0; 4096];
        mixed.extend_from_slice(&[9; 4096]);
        let files = vec![
            content(1, 3000),
            content(2, 5000),
            content(3, 0),
            content(4, 1096),
            Content::from_bytes(mixed),
            content(5, 1),
            content(6, 4096),
        ];
        let mut plan = Plan::new(files, 4096);
        let mut blocks = Vec::new();
        while let Some(block) = plan.next_block().expect("readable") {
            blocks.push((block.first().copied(), block.len()));
        }
        let expected = [(2, 4096), (2, 904), (9, 4096), (1, 4096), (6, 4096), (5, 1)];
        assert_eq!(blocks, expected.map(|(byte, length)| (Some(byte), length)));
    }
}
