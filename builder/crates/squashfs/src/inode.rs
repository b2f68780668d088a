//! Inodes as the image has them: 16 bytes that all have, and what their kind needs.

use crate::plan::Fragment;

/// In a file's inode: no part of it is in a fragment block.
const NO_FRAGMENT: u32 = u32::MAX;
/// In an extended inode: no extended attributes.
const NO_XATTRS: u32 = u32::MAX;
/// The number of bytes by which a directory's recorded size exceeds its listing.
const DIRECTORY_EXTRA: u64 = 3;

/// Numbers of kinds, as in basic inodes and in directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Directory = 1,
    File = 2,
    Symlink = 3,
    BlockDevice = 4,
    CharDevice = 5,
    Fifo = 6,
    Socket = 7,
}

/// From a basic kind to its extended one.
const EXTENDED: u16 = 7;

/// The fields of every inode, whatever its type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) mode: u16,
    /// Indexes into the table of owners.
    pub(crate) uid: u16,
    pub(crate) gid: u16,
    pub(crate) mtime: u32,
    pub(crate) number: u32,
    /// How many names a file has; directories count their own.
    pub(crate) links: u32,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileData {
    /// Where its first block is in the image.
    pub(crate) start: u64,
    /// For each block its stored length, with a flag for those that are not compressed; 0 is a hole.
    pub(crate) blocks: Vec<u32>,
    /// Bytes in holes.
    pub(crate) sparse: u64,
    /// Where it is, if it is smaller than a block.
    pub(crate) fragment: Option<Fragment>,
}

/// Where a directory's listing is.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// Its first metadata block, from the beginning of the directory table.
    pub(crate) block: u32,
    /// Where it begins in that.
    pub(crate) offset: u16,
    /// How long it is, in bytes.
    pub(crate) length: u64,
    /// How many directories are in it.
    pub(crate) directories: u32,
    /// The entries of its index, encoded, and how many there are.
    pub(crate) index: Vec<u8>,
    pub(crate) indexed: u16,
}

struct Out(Vec<u8>);

impl Out {
    fn new(kind: u16, header: Header) -> Self {
        let Header { mode, uid, gid, mtime, number, links: _ } = header;
        Out(Vec::with_capacity(64)).u16(kind).u16(mode).u16(uid).u16(gid).u32(mtime).u32(number)
    }
    fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// A regular file of `size` bytes.
pub(crate) fn file(header: Header, size: u64, data: &FileData) -> Vec<u8> {
    let (index, offset) = data.fragment.map_or((NO_FRAGMENT, 0), |at| (at.index, at.offset));
    let small = (u32::try_from(data.start), u32::try_from(size));
    let out = match small {
        (Ok(start), Ok(size)) if data.sparse == 0 && header.links == 1 => {
            Out::new(Type::File as u16, header).u32(start).u32(index).u32(offset).u32(size)
        }
        _ => {
            let out = Out::new(Type::File as u16 + EXTENDED, header);
            let out = out.u64(data.start).u64(size).u64(data.sparse).u32(header.links);
            out.u32(index).u32(offset).u32(NO_XATTRS)
        }
    };
    data.blocks.iter().fold(out, |out, size| out.u32(*size)).0
}

/// A directory whose parent has the inode number `parent`.
pub(crate) fn directory(header: Header, parent: u32, listing: &Listing) -> Vec<u8> {
    let links = listing.directories.saturating_add(2);
    let size = listing.length + DIRECTORY_EXTRA;
    match u16::try_from(size) {
        Ok(size) if listing.indexed == 0 => {
            let out = Out::new(Type::Directory as u16, header).u32(listing.block).u32(links);
            out.u16(size).u16(listing.offset).u32(parent).0
        }
        _ => {
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            let out = Out::new(Type::Directory as u16 + EXTENDED, header).u32(links).u32(size);
            let out = out.u32(listing.block).u32(parent).u16(listing.indexed);
            out.u16(listing.offset).u32(NO_XATTRS).bytes(&listing.index).0
        }
    }
}

/// A symbolic link.
pub(crate) fn symlink(header: Header, target: &[u8]) -> Vec<u8> {
    // The length is checked before anything is written.
    let length = u32::try_from(target.len()).unwrap_or_default();
    Out::new(Type::Symlink as u16, header).u32(header.links).u32(length).bytes(target).0
}

/// A device, by Linux's device number.
pub(crate) fn device(kind: Type, header: Header, number: u32) -> Vec<u8> {
    Out::new(kind as u16, header).u32(header.links).u32(number).0
}

/// A named pipe or a socket.
pub(crate) fn channel(kind: Type, header: Header) -> Vec<u8> {
    Out::new(kind as u16, header).u32(header.links).0
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { mode: 0o755, uid: 1, gid: 2, mtime: 3, number: 4, links: 1 };

    #[test]
    fn what_does_not_fit_a_basic_inode_gets_an_extended_one() {
        let kind = |inode: &[u8]| u16::from_le_bytes([inode[0], inode[1]]);
        let data = FileData { start: 96, blocks: vec![1, 2], ..FileData::default() };
        let basic = file(HEADER, 5000, &data);
        assert_eq!((kind(&basic), basic.len()), (2, 16 + 16 + 8));
        let far = FileData { start: 1 << 33, ..data.clone() };
        let holed = FileData { sparse: 4096, ..data.clone() };
        let linked = Header { links: 2, ..HEADER };
        for inode in [
            file(HEADER, 5000, &far),
            file(HEADER, 1 << 32, &data),
            file(HEADER, 1, &holed),
            file(linked, 1, &data),
        ] {
            assert_eq!((kind(&inode), inode.len()), (9, 16 + 40 + 8));
        }
        let mut listing = Listing {
            block: 0,
            offset: 0,
            length: 65_532,
            directories: 3,
            index: Vec::new(),
            indexed: 0,
        };
        let basic = directory(HEADER, 9, &listing);
        assert_eq!((kind(&basic), basic.len(), &basic[24..26]), (1, 32, &[0xff, 0xff][..]));
        listing.length += 1;
        let extended = directory(HEADER, 9, &listing);
        assert_eq!((kind(&extended), extended.len()), (8, 40));
    }
}
