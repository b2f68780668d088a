//! Where the bytes of a SquashFS image are: how many each node's content takes as it is stored.
//!
//! Sizes of data blocks stand in the inodes, those of fragment blocks in the fragment table. A fragment
//! block's bytes are divided among the files whose ends it holds, in proportion; blocks that equal files
//! share are divided evenly. What is no content is counted as tables, so that all adds up to the image.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read as _, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;

use crate::bridge;
use crate::read_nodes::UnreadableImage;
use backhand::{BackhandError, FilesystemReader, InnerNode, Squashfs, SquashfsFileReader};

/// In an inode: the file has no part in a fragment block.
const NO_FRAGMENT: usize = 0xffff_ffff;

/// Where an image's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The image's length in bytes, padding included.
    pub length: u64,
    /// How large a data block is, in bytes.
    pub block_size: u32,
    /// How blocks are compressed: `xz`, `zstd`, ...
    pub compression: String,
    /// The time in its superblock, in seconds since 1970-01-01 UTC.
    pub time: u32,
    /// The bytes that are not contents of files.
    pub tables: Tables,
    /// All nodes, by path, the root first.
    pub nodes: Vec<NodeUsage>,
}

/// The bytes of an image besides file contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tables {
    /// Superblock and options of the compressor.
    pub superblock: u64,
    /// The inode table.
    pub inodes: u64,
    /// The tables of directories, fragments, owners and exports.
    pub directories: u64,
    /// Between contents, left behind by duplicates.
    pub gaps: u64,
    /// After the end, to a whole number of disk sectors.
    pub padding: u64,
}

impl Tables {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.superblock + self.inodes + self.directories + self.gaps + self.padding
    }
}

/// A node and its content's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUsage {
    /// Path, relative to the root.
    pub path: String,
    /// Whether it is a regular file, and the first of its names: a file with several counts once.
    pub is_file: bool,
    /// Permission bits.
    pub mode: u16,
    /// Bytes of its content.
    pub size: u64,
    /// Bytes that they take in the image.
    pub stored: u64,
}

/// Reads where the bytes of the image are that begins at `offset` of `image`; file contents are not read.
///
/// # Errors
/// [`UnreadableImage`].
pub fn usage<R: BufRead + Seek + Send>(
    mut image: R,
    offset: u64,
) -> Result<Usage, UnreadableImage> {
    let bad = |error: BackhandError| UnreadableImage(error.to_string());
    let io = |error: std::io::Error| UnreadableImage(error.to_string());
    let end = image.seek(SeekFrom::End(0)).map_err(io)?;
    let rest = end.checked_sub(offset).ok_or_else(|| {
        UnreadableImage(format!("it has {end} bytes, and is to be read from byte {offset} on"))
    })?;
    image.seek(SeekFrom::Start(offset)).map_err(io)?;
    recognize(&mut image, rest, offset)?;
    image.seek(SeekFrom::Start(offset)).map_err(io)?;
    let squashfs =
        Squashfs::from_reader_with_offset_and_kind(image, offset, bridge::kind()).map_err(bad)?;
    let superblock = squashfs.superblock;
    // What follows within a larger file is not its padding, but for what mksquashfs adds.
    let length = match offset {
        0 => rest,
        _ => superblock.bytes_used.next_multiple_of(4096).min(rest),
    };
    let reader = squashfs.into_filesystem_reader().map_err(bad)?;
    let names = u64::try_from(reader.root.nodes.len()).unwrap_or(u64::MAX);
    let nodes = nodes(&reader, names.saturating_sub(superblock.inode_count.into()));
    let stored: u64 = nodes.iter().map(|node| node.stored).sum();
    let data_end = superblock.inode_table.min(length);
    let head = data_begin(&reader).unwrap_or(data_end).min(data_end);
    let data = data_end.saturating_sub(head);
    let directories = superblock.bytes_used.saturating_sub(superblock.dir_table);
    let tables = Tables {
        superblock: head,
        inodes: superblock.dir_table.saturating_sub(superblock.inode_table),
        directories,
        gaps: data.saturating_sub(stored),
        padding: length - superblock.bytes_used,
    };
    if stored + tables.total() != length {
        return Err(UnreadableImage("its tables contradict each other".to_owned()));
    }
    Ok(Usage {
        length,
        block_size: superblock.block_size,
        compression: format!("{:?}", superblock.compressor).to_lowercase(),
        time: superblock.mod_time,
        tables,
        nodes,
    })
}

/// Says in plain words what the start of an image shows: not SquashFS, or one that cannot be read here.
fn recognize<R: BufRead>(image: &mut R, length: u64, offset: u64) -> Result<(), UnreadableImage> {
    let io = |error: std::io::Error| UnreadableImage(error.to_string());
    let mut head = Vec::new();
    image.by_ref().take(48).read_to_end(&mut head).map_err(io)?;
    let word = |at: usize| Some(u16::from_le_bytes([*head.get(at)?, *head.get(at + 1)?]));
    if !head.starts_with(b"hsqs") {
        let place = match offset {
            0 => "its start".to_owned(),
            offset => format!("byte {offset}"),
        };
        return Err(UnreadableImage(format!("there is no SquashFS magic at {place}")));
    }
    // Offsets of the superblock: 20 the compression, 28 the version.
    match (word(20), word(28)) {
        (_, Some(version)) if version != 4 => {
            Err(UnreadableImage(format!("it is of SquashFS {version}, and only 4.0 is read here")))
        }
        (Some(2), _) => Err(UnreadableImage(
            "it is compressed with lzma; gzip, xz, zstd, lz4 and lzo are read here".to_owned(),
        )),
        _ => {
            let used = head.get(40..48).and_then(|bytes| bytes.try_into().ok());
            match used.map(u64::from_le_bytes) {
                Some(used) if used <= length => Ok(()),
                Some(used) => Err(UnreadableImage(format!(
                    "it is cut off: {length} of {used} bytes are there"
                ))),
                None => Err(UnreadableImage("it ends within its first bytes".to_owned())),
            }
        }
    }
}

/// Where in the first 64 MiB an image of SquashFS 4 seems to begin: within a firmware file, behind a header.
///
/// # Errors
/// What reading reports.
pub fn begins_at<R: BufRead>(image: R) -> std::io::Result<Option<usize>> {
    let mut bytes = Vec::new();
    image.take(64 << 20).read_to_end(&mut bytes)?;
    let begins = |head: &[u8]| head.starts_with(b"hsqs") && head.get(28..30) == Some(&[4, 0]);
    Ok(bytes.windows(30).position(begins))
}

/// Where the first block of content is.
fn data_begin(reader: &FilesystemReader<'_>) -> Option<u64> {
    let files = reader.root.nodes.iter().filter_map(|node| match &node.inner {
        InnerNode::File(file) if file.block_sizes().iter().any(|block| block.size() > 0) => {
            Some(file.blocks_start())
        }
        _ => None,
    });
    let fragments = reader.fragments.iter().flatten().map(|fragment| fragment.start);
    files.chain(fragments).min()
}

/// The nodes; so many of them, `links`, are further names of others. Which ones they are the reader does not say: what
/// lies in the same place with the same owner, mode and time.
fn nodes(reader: &FilesystemReader<'_>, mut links: u64) -> Vec<NodeUsage> {
    let mut nodes = Vec::new();
    let mut met = BTreeSet::new();
    // Which files share a run of blocks, and which have their ends in a fragment block.
    let mut runs: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    let mut fragments: BTreeMap<usize, Vec<(usize, u64)>> = BTreeMap::new();
    for (index, node) in reader.root.nodes.iter().enumerate() {
        let path = node.fullpath.as_os_str().as_bytes();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let file = match &node.inner {
            InnerNode::File(file) => Some(file),
            _ => None,
        };
        let again = file.is_some_and(|file| {
            let header = node.header;
            let place = (file.blocks_start(), file.frag_index(), file.block_offset());
            let owner = (header.uid, header.gid, header.permissions, header.mtime);
            links > 0 && !met.insert((place, file.file_len(), owner))
        });
        links -= u64::from(again);
        let file = file.filter(|_| !again);
        if let Some(file) = file {
            let blocks: u64 = file.block_sizes().iter().map(|size| u64::from(size.size())).sum();
            if blocks > 0 {
                runs.entry((file.blocks_start(), blocks)).or_default().push(index);
            }
            if file.frag_index() != NO_FRAGMENT {
                let tail = tail(file, reader.block_size);
                fragments.entry(file.frag_index()).or_default().push((index, tail));
            }
        }
        nodes.push(NodeUsage {
            path: String::from_utf8_lossy(path).into_owned(),
            is_file: file.is_some(),
            mode: node.header.permissions & 0o7777,
            size: file.map_or(0, |file| file.file_len() as u64),
            stored: 0,
        });
    }
    for ((_, blocks), sharers) in runs {
        let sharers: Vec<(usize, u64)> = sharers.into_iter().map(|index| (index, 1)).collect();
        divide(blocks, &sharers, &mut nodes);
    }
    for (fragment, sharers) in fragments {
        let block = reader.fragments.as_ref().and_then(|fragments| fragments.get(fragment));
        divide(block.map_or(0, |block| block.size.size().into()), &sharers, &mut nodes);
    }
    nodes
}

/// The bytes of a file that are in a fragment block.
fn tail(file: &SquashfsFileReader, block_size: u32) -> u64 {
    let whole = (file.block_sizes().len() as u64).saturating_mul(block_size.into());
    (file.file_len() as u64).saturating_sub(whole)
}

/// Divides `bytes` among nodes by weight, so that the shares add up to it.
fn divide(bytes: u64, sharers: &[(usize, u64)], nodes: &mut [NodeUsage]) {
    let weight: u128 = sharers.iter().map(|(_, weight)| u128::from(*weight)).sum();
    let (mut passed, mut given) = (0u128, 0u64);
    for (number, (index, own)) in sharers.iter().enumerate() {
        passed += u128::from(*own);
        let last = number + 1 == sharers.len();
        let until = match (u128::from(bytes) * passed).checked_div(weight) {
            Some(until) if !last => u64::try_from(until).unwrap_or(bytes),
            _ if last => bytes,
            _ => given,
        };
        if let Some(node) = nodes.get_mut(*index) {
            node.stored += until - given;
        }
        given = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        let node = |path: &str| NodeUsage {
            path: path.to_owned(),
            is_file: true,
            mode: 0o644,
            size: 0,
            stored: 0,
        };
        for (bytes, weights, expected) in [
            (10, vec![1, 1, 1], vec![3, 3, 4]),
            (10, vec![5, 0, 5], vec![5, 0, 5]),
            (7, vec![0, 0], vec![0, 7]),
            (u64::MAX, vec![u64::MAX, 1], vec![u64::MAX - 1, 1]),
            (0, vec![3], vec![0]),
        ] {
            let mut nodes: Vec<NodeUsage> = weights.iter().map(|_| node("a")).collect();
            let sharers: Vec<(usize, u64)> = weights.into_iter().enumerate().collect();
            divide(bytes, &sharers, &mut nodes);
            let shares: Vec<u64> = nodes.iter().map(|node| node.stored).collect();
            assert_eq!(shares, expected);
        }
    }

    #[test]
    fn what_is_no_image_is_an_error() {
        let error = usage(std::io::Cursor::new(vec![0; 4096]), 0).expect_err("no image");
        assert!(error.to_string().contains("not a readable SquashFS image"), "{error}");
        assert!(error.to_string().contains("no SquashFS magic at its start"), "{error}");
        assert!(usage(std::io::Cursor::new(Vec::new()), 0).is_err());
        let mut behind = vec![0; 5000];
        behind[4096..4100].copy_from_slice(b"hsqs");
        behind[4096 + 28] = 4;
        assert_eq!(begins_at(&behind[..]).expect("bytes"), Some(4096));
        let error = usage(std::io::Cursor::new(behind), 4095).expect_err("it begins later");
        assert!(error.to_string().contains("no SquashFS magic at byte 4095"), "{error}");
        let mut image = vec![0; 4096];
        image[..4].copy_from_slice(b"hsqs");
        (image[20], image[28]) = (2, 4);
        let error = usage(std::io::Cursor::new(image.clone()), 0).expect_err("lzma");
        assert!(error.to_string().contains("compressed with lzma"), "{error}");
        image[28] = 3;
        let error = usage(std::io::Cursor::new(image), 0).expect_err("version 3");
        assert!(error.to_string().contains("SquashFS 3"), "{error}");
    }

    #[test]
    fn a_file_with_two_names_counts_once_and_a_cut_image_is_called_so() {
        use crate::{Archive, Codec, Entry, Kind, Meta, Options, Writer};
        let mut archive = Archive::new();
        let text: Vec<u8> = (0..5000_u32).map(|n| (n * n % 251) as u8).collect();
        archive
            .insert("a", Entry::new(Meta::with_mode(0o644), Kind::file(text.clone())))
            .expect("a");
        archive.insert("c", Entry::new(Meta::with_mode(0o600), Kind::file(text))).expect("c");
        archive.hard_link("b", "a").expect("linked");
        let mut image = std::io::Cursor::new(Vec::new());
        Writer::new(Options::new(Codec::ZSTD, 1)).write(&archive, &mut image).expect("written");
        let bytes = image.into_inner();
        let found = usage(std::io::Cursor::new(bytes.clone()), 0).expect("read");
        let files: Vec<&str> =
            found.nodes.iter().filter(|node| node.is_file).map(|node| node.path.as_str()).collect();
        assert_eq!(files, ["a", "c"]);
        let cut = bytes.get(..200).unwrap_or_default().to_vec();
        let error = usage(std::io::Cursor::new(cut), 0).expect_err("cut");
        assert!(error.to_string().contains("it is cut off: 200 of"), "{error}");
    }
}
