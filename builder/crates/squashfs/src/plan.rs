//! Which bytes of which file go into which block of the image, and in what order.
//!
//! Files of equal content are stored once. A file of at least one block is cut at the block size;
//! a shorter one is packed with others into fragment blocks. Files come sorted by what they are, so
//! that what is alike meets in one fragment: programs, scripts and the rest, each by the extension
//! of its name and then by path. Files of a lower layer come first, in separate fragments: when
//! something of a higher one changes, the blocks before stay as they were.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::digest::Digest;
use crate::{Content, Error, ImagePath};

/// A file of the archive.
#[derive(Clone)]
pub(crate) struct Source<'t> {
    /// Where it is in the image, for order and errors.
    pub(crate) path: &'t ImagePath,
    /// Its bytes.
    pub(crate) content: &'t dyn Content,
    /// See [`crate::Entry::layer`].
    pub(crate) layer: u8,
}

impl Source<'_> {
    fn packed(&self) -> bool {
        PACKED.iter().any(|suffix| self.path.as_bytes().ends_with(suffix))
    }

    fn unreadable(&self) -> impl FnOnce(io::Error) -> Error {
        let path = self.path.clone();
        move |source| Error::Content { path, source }
    }
}

/// The source of a block of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The next block of this file.
    File(usize),
    /// Small files: the next fragment block.
    Fragments,
}

/// A block to be compressed.
pub(crate) struct Block {
    /// The file it belongs to, or the fragments.
    pub(crate) holds: Holds,
    /// Its bytes: at most the block size.
    pub(crate) bytes: Vec<u8>,
    /// Whether all of it is compressed already, as the names of its files say.
    pub(crate) packed: bool,
}

/// The suffixes of files that are compressed already.
const PACKED: [&[u8]; 3] = [b".gz", b".xz", b".zst"];

/// Where a small file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// The number of its fragment block.
    pub(crate) index: u32,
    /// Where it begins in that, in bytes.
    pub(crate) offset: u32,
}

/// Yields all blocks, in the order of the image.
pub(crate) struct Plan<'t> {
    files: Vec<Source<'t>>,
    /// The number of the file whose content stands for each file's.
    same_as: Vec<usize>,
    /// Numbers of files, those to be stored, in the order of the image; reversed.
    rest: Vec<usize>,
    current: Option<Cut<'t>>,
    fragment: Vec<u8>,
    /// Whether all of it is compressed already.
    fragment_packed: bool,
    /// The layer of all of it.
    fragment_layer: u8,
    fragments: u32,
    small: Vec<Option<Fragment>>,
    block_size: usize,
}

/// A file that is being cut into blocks.
struct Cut<'t> {
    file: usize,
    reader: Box<dyn Read + Send + 't>,
    left: u64,
}

impl<'t> Plan<'t> {
    /// The plan for these files.
    ///
    /// # Errors
    /// [`Error::Content`].
    pub fn new(files: Vec<Source<'t>>, block_size: u32) -> Result<Self, Error> {
        let block_size = usize::try_from(block_size).unwrap_or(usize::MAX);
        let mut order: Vec<(Rank, usize)> = Vec::new();
        for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.content.is_empty())
        {
            order.push((rank(file).map_err(file.unreadable())?, number));
        }
        order.sort();
        let order: Vec<usize> = order.into_iter().map(|(_, number)| number).collect();
        let same_as = equal(&files, &order)?;
        let stored = |number: &usize| same_as.get(*number) == Some(number);
        let rest = order.iter().rev().copied().filter(stored).collect();
        let small = vec![None; files.len()];
        let (current, fragment, fragments) = (None, Vec::new(), 0);
        let (fragment_packed, fragment_layer) = (false, 0);
        Ok(Plan {
            files,
            same_as,
            rest,
            current,
            fragment,
            fragment_packed,
            fragment_layer,
            fragments,
            small,
            block_size,
        })
    }

    /// How many bytes the blocks yet to come hold.
    pub fn total(&self) -> u64 {
        let length = |number: &usize| self.files.get(*number).map_or(0, |file| file.content.len());
        self.rest.iter().map(length).sum()
    }

    /// For each file, in the order that they were given in: the number of the file whose blocks it
    /// has, and where it is where it has none.
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, Option<Fragment>)> {
        self.same_as.iter().map(|same| (*same, self.small.get(*same).copied().flatten()))
    }

    /// The next block, for which `buffer` is used; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Content`].
    pub(crate) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Block>, Error> {
        loop {
            if let Some(cut) = &mut self.current {
                let size = usize::try_from(cut.left).unwrap_or(usize::MAX).min(self.block_size);
                buffer.resize(size, 0);
                let read = cut.reader.read_exact(&mut buffer);
                let file = cut.file;
                cut.left -= size as u64;
                if cut.left == 0 {
                    self.current = None;
                }
                let source = self.files.get(file);
                if let (Err(error), Some(source)) = (read, source) {
                    return Err(source.unreadable()(error));
                }
                let packed = source.is_some_and(Source::packed);
                return Ok(Some(Block { holds: Holds::File(file), bytes: buffer, packed }));
            }
            let Some(file) = self.rest.pop() else {
                let last = std::mem::take(&mut self.fragment);
                let packed = self.fragment_packed;
                let block = Block { holds: Holds::Fragments, bytes: last, packed };
                return Ok((!block.bytes.is_empty()).then_some(block));
            };
            let Some(source) = self.files.get(file) else { continue };
            let length = source.content.len();
            match usize::try_from(length) {
                Ok(size) if size < self.block_size => {
                    let other = source.layer != self.fragment_layer && !self.fragment.is_empty();
                    let full = other || self.fragment.len() + size > self.block_size;
                    self.fragment_layer = source.layer;
                    let packed = self.fragment_packed;
                    if full {
                        buffer.clear();
                        std::mem::swap(&mut buffer, &mut self.fragment);
                        self.fragments += 1;
                    }
                    self.fragment_packed = source.packed() && (packed || self.fragment.is_empty());
                    let offset = self.fragment.len();
                    self.fragment.resize(offset + size, 0);
                    let into = self.fragment.get_mut(offset..).unwrap_or_default();
                    let mut reader = source.content.open().map_err(source.unreadable())?;
                    reader.read_exact(into).map_err(source.unreadable())?;
                    // Both are below a block's size.
                    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
                    if let Some(slot) = self.small.get_mut(file) {
                        *slot = Some(Fragment { index: self.fragments, offset });
                    }
                    if full {
                        return Ok(Some(Block { holds: Holds::Fragments, bytes: buffer, packed }));
                    }
                }
                _ => {
                    let reader = source.content.open().map_err(source.unreadable())?;
                    self.current = Some(Cut { file, reader, left: length });
                }
            }
        }
    }
}

/// The sort key of files: layer, type by the first bytes, extension, path.
type Rank = (u8, u8, Vec<u8>, ImagePath);

fn rank(file: &Source<'_>) -> io::Result<Rank> {
    let mut begin = [0; 4];
    let length = usize::try_from(file.content.len()).unwrap_or(usize::MAX).min(begin.len());
    let begin = begin.get_mut(..length).unwrap_or_default();
    file.content.open()?.read_exact(begin)?;
    let kind = match &*begin {
        b"\x7fELF" => 0,
        [b'#', b'!', ..] => 1,
        _ => 2,
    };
    let name = file.path.name();
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0);
    let extension = dot.and_then(|at| name.get(at + 1..)).unwrap_or_default();
    // `libc.so.6`: a number says nothing about the kind.
    let extension = if extension.iter().all(u8::is_ascii_digit) { b"" } else { extension };
    Ok((file.layer, kind, extension.to_vec(), file.path.clone()))
}

/// For each file the first one in `order` that has the same content. Only files of equal length are read.
fn equal(files: &[Source<'_>], order: &[usize]) -> Result<Vec<usize>, Error> {
    let mut same: Vec<usize> = (0..files.len()).collect();
    let mut lengths: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for number in order {
        let length = files.get(*number).map_or(0, |file| file.content.len());
        lengths.entry(length).or_default().push(*number);
    }
    for numbers in lengths.values().filter(|numbers| numbers.len() > 1) {
        let mut first: BTreeMap<Digest, usize> = BTreeMap::new();
        for number in numbers {
            let Some(file) = files.get(*number) else { continue };
            let hash = file.content.sha256().map_err(file.unreadable())?;
            if let Some(slot) = same.get_mut(*number) {
                *slot = *first.entry(hash).or_insert(*number);
            }
        }
    }
    Ok(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block: what it holds, its first byte, its length.
    type Block = (Holds, u8, usize);

    fn planned(files: &[(&str, Vec<u8>)]) -> (Vec<Block>, Vec<(usize, Option<Fragment>)>) {
        let paths: Vec<ImagePath> =
            files.iter().map(|(path, _)| ImagePath::new(path).expect("a path")).collect();
        let layer = |path: &ImagePath| u8::from(path.as_bytes().starts_with(b"made"));
        let sources = paths.iter().zip(files).map(|(path, (_, content))| Source {
            path,
            content,
            layer: layer(path),
        });
        let sources = sources.collect();
        let mut plan = Plan::new(sources, 4096).expect("a plan");
        let mut blocks = Vec::new();
        while let Some(block) = plan.next(vec![9; 77]).expect("readable") {
            blocks.push((block.holds, block.bytes[0], block.bytes.len()));
        }
        (blocks, plan.places().collect())
    }

    fn content(byte: u8, length: usize) -> Vec<u8> {
        vec![byte; length]
    }

    #[test]
    fn files_are_cut_and_small_ones_packed() {
        let (blocks, places) = planned(&[
            ("a", content(1, 3000)),
            ("b", content(2, 5000)),
            ("c", content(3, 0)),
            ("d", content(4, 1096)),
            ("e", content(0, 4096)),
            ("f", content(5, 1)),
        ]);
        let expected = [
            (Holds::File(1), 2, 4096),
            (Holds::File(1), 2, 904),
            (Holds::File(4), 0, 4096),
            (Holds::Fragments, 1, 4096),
            (Holds::Fragments, 5, 1),
        ];
        assert_eq!(blocks, expected);
        let at = |index, offset| Some(Fragment { index, offset });
        let expected =
            [(0, at(0, 0)), (1, None), (2, None), (3, at(0, 3000)), (4, None), (5, at(1, 0))];
        assert_eq!(places, expected);
    }

    #[test]
    fn equal_contents_are_planned_once_large_or_small() {
        let (blocks, places) = planned(&[
            ("a", content(1, 4096)),
            ("b", content(2, 10)),
            ("c", content(1, 4096)),
            ("d", content(3, 10)),
            ("e", content(2, 10)),
        ]);
        assert_eq!(blocks, [(Holds::File(0), 1, 4096), (Holds::Fragments, 2, 20)]);
        assert_eq!(places.iter().map(|(same, _)| *same).collect::<Vec<_>>(), [0, 1, 0, 3, 1]);
        assert_eq!(places[4].1, places[1].1);
    }

    #[test]
    fn a_higher_layer_comes_last_in_fragments_of_its_own() {
        let text = |text: &str| text.as_bytes().to_vec();
        let (blocks, places) = planned(&[
            ("made/a", text("of a recipe")),
            ("made/z", content(7, 4096)),
            ("usr/a", text("of a package")),
            ("usr/z", text("of another")),
        ]);
        let at = |index, offset| Some(Fragment { index, offset });
        assert_eq!(places, [(0, at(1, 0)), (1, None), (2, at(0, 0)), (3, at(0, 12))]);
        let expected =
            [(Holds::Fragments, b'o', 22), (Holds::File(1), 7, 4096), (Holds::Fragments, b'o', 11)];
        assert_eq!(blocks, expected);
    }

    #[test]
    fn alike_files_meet() {
        let text = |text: &str| text.as_bytes().to_vec();
        let (blocks, places) = planned(&[
            ("a/x.conf", text("one")),
            ("a/y", text("\u{7f}ELF1")),
            ("b/x.sh", text("#!/bin/sh 1")),
            ("b/y.conf", text("two")),
            ("c/.x", text("\u{7f}ELF2")),
        ]);
        assert_eq!(blocks.len(), 1);
        let offsets: Vec<u32> = places.iter().filter_map(|(_, at)| Some((*at)?.offset)).collect();
        assert_eq!(offsets, [21, 0, 10, 24, 5]);
    }
}
