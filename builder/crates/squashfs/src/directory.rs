//! Directory listings: runs of up to 256 entries whose inodes are in one metadata block, and for long
//! listings an index by name.

use crate::Error;
use crate::inode::{Listing, Type};
use crate::metadata::{Position, Run};

/// The most entries behind one header.
const RUN_LIMIT: usize = 256;
/// The longest listing that is not indexed: one metadata block.
const INDEX_FROM: usize = 8192;

/// An entry of a directory.
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: Position,
    pub(crate) number: u32,
    pub(crate) kind: Type,
}

/// Writes the listing of `entries`, which are sorted by name, to the directory table.
///
/// # Errors
/// As for [`Run::write`].
pub fn write(table: &mut Run<'_, '_>, entries: &[Entry]) -> Result<Listing, Error> {
    let begin = table.position()?;
    let mut listing = Listing {
        block: begin.block,
        offset: begin.offset,
        length: 0,
        directories: 0,
        index: Vec::new(),
        indexed: 0,
    };
    let indexed = entries.iter().map(|entry| entry.name.len() + 8).sum::<usize>() > INDEX_FROM;
    let mut block = begin.block;
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let (run, behind) = rest.split_at(run_length(rest, first));
        rest = behind;
        let at = table.position()?;
        // Readers look for the last header in the index whose first name is not beyond theirs.
        if indexed && at.block != block && listing.indexed < u16::MAX {
            let offset =
                u32::try_from(listing.length).map_err(|_| Error::TooLarge("a directory"))?;
            for word in [offset, at.block, name_length(first).into()] {
                listing.index.extend_from_slice(&word.to_le_bytes());
            }
            listing.index.extend_from_slice(&first.name);
            listing.indexed += 1;
            block = at.block;
        }
        let bytes = encode(run, first);
        listing.length += bytes.len() as u64;
        table.write(&bytes)?;
    }
    let directories = entries.iter().filter(|entry| entry.kind == Type::Directory).count();
    listing.directories = u32::try_from(directories).unwrap_or(u32::MAX);
    Ok(listing)
}

/// How many entries one header serves: their inodes are in one block, and their numbers near.
fn run_length(entries: &[Entry], first: &Entry) -> usize {
    let fits =
        |entry: &&Entry| entry.inode.block == first.inode.block && delta(entry, first).is_some();
    entries.iter().take(RUN_LIMIT).take_while(fits).count()
}

fn delta(entry: &Entry, first: &Entry) -> Option<i16> {
    i16::try_from(i64::from(entry.number) - i64::from(first.number)).ok()
}

/// Names are 1 to 255 bytes long; what is stored is one less.
fn name_length(entry: &Entry) -> u16 {
    u16::try_from(entry.name.len().saturating_sub(1)).unwrap_or_default()
}

fn encode(run: &[Entry], first: &Entry) -> Vec<u8> {
    let count = u32::try_from(run.len().saturating_sub(1)).unwrap_or_default();
    let mut bytes: Vec<u8> =
        [count, first.inode.block, first.number].into_iter().flat_map(u32::to_le_bytes).collect();
    for entry in run {
        bytes.extend_from_slice(&entry.inode.offset.to_le_bytes());
        bytes.extend_from_slice(&delta(entry, first).unwrap_or_default().to_le_bytes());
        bytes.extend_from_slice(&(entry.kind as u16).to_le_bytes());
        bytes.extend_from_slice(&name_length(entry).to_le_bytes());
        bytes.extend_from_slice(&entry.name);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;
    use crate::press::Press;

    fn entry(n: u32, block: u32, number: u32) -> Entry {
        let inode = Position { block, offset: 0 };
        Entry { name: format!("entry-{n:06}").into_bytes(), inode, number, kind: Type::File }
    }

    #[test]
    fn headers_begin_where_one_cannot_serve_on() {
        let first = entry(0, 0, 40_000);
        let length = |entries: &[Entry]| run_length(entries, &first);
        let many: Vec<Entry> = (0..300).map(|n| entry(n, 0, 40_000 + n)).collect();
        assert_eq!(length(&many), 256);
        assert_eq!(length(&[entry(0, 0, 40_000), entry(1, 8, 40_001)]), 1, "another block");
        assert_eq!(length(&[entry(0, 0, 40_000), entry(1, 0, 7232)]), 2, "32768 less");
        assert_eq!(length(&[entry(0, 0, 40_000), entry(1, 0, 7231)]), 1);
        assert_eq!(length(&[entry(0, 0, 40_000), entry(1, 0, 72_768)]), 1);
    }

    #[test]
    fn long_listings_are_indexed() {
        let mut press = Press::new(Codec::Lz4, 4096, None).expect("set up");
        let mut table = Run::new(&mut press);
        let short: Vec<Entry> = (0..100).map(|n| entry(n, 0, n)).collect();
        let long: Vec<Entry> = (0..3000).map(|n| entry(n, 0, n)).collect();
        assert_eq!(write(&mut table, &short).expect("written").indexed, 0);
        let listing = write(&mut table, &long).expect("written");
        // 3000 entries of 20 bytes are in eight blocks, a header every 256 entries.
        assert_eq!(listing.indexed, 7);
        assert_eq!(listing.index.len(), 7 * (12 + 12));
        assert_eq!(listing.length, 3000 * 20 + 12 * 12);
    }
}
