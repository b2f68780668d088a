//! One file of the block cache: records one after the other, and an index at the end.
//!
//! ```text
//! MAGIC                                            16 bytes
//! record*   key 32, seal of key and value 32, length of the value u32, value
//! entry*    key 32, offset of the record u32, length of the value u32
//! footer    offset of the entries u64, their number u32, SHA-256 of the entries 32, MAGIC
//! ```
//!
//! Numbers are little endian. A file without a sound footer (its writer was killed) is read from the
//! front: records tell where the next one is, and each is believed only if its seal is right: HMAC-SHA-256 with the key that
//! the cache was opened with.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::digest::{self, Digest};
use crate::store::BlockKey;

/// What values are sealed with.
pub(super) type SealKey = [u8; 32];

/// The magic number at both ends of a file of blocks.
const MAGIC: &[u8; 16] = b"wifibox-blocks 2";
/// The length of a record's header, in bytes.
const HEAD: usize = 68;
/// A line of the index.
const ENTRY: usize = 40;
/// The length of the footer, in bytes.
const FOOTER: usize = 60;
/// The longest value: far more than a block of 1 MiB ever becomes.
pub(super) const VALUE_LIMIT: usize = 4 << 20;
/// Where the first record is.
pub(super) const BEGIN: u32 = 16;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key of the block.
    pub(super) key: BlockKey,
    /// The offset of its record in the file, in bytes.
    pub(super) offset: u32,
    /// The length of the value, in bytes.
    pub(super) length: u32,
}

impl Entry {
    /// The length of the whole record.
    pub(super) fn size(self) -> u64 {
        HEAD as u64 + u64::from(self.length)
    }
}

/// Makes a new, empty file of blocks of `file`.
pub(super) fn begin(file: &File) -> io::Result<()> {
    file.write_all_at(MAGIC, 0)
}

/// Writes a record at `offset`.
pub(super) fn append(
    file: &File,
    seal: &SealKey,
    offset: u32,
    key: &BlockKey,
    value: &[u8],
) -> io::Result<Entry> {
    let length = u32::try_from(value.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut record = Vec::with_capacity(HEAD + value.len());
    record.extend_from_slice(key);
    record.extend_from_slice(&digest::keyed(seal, key, value));
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(value);
    file.write_all_at(&record, offset.into())?;
    Ok(Entry { key: *key, offset, length })
}

/// The value of `entry`; `None` where the bytes there are anything else.
pub(super) fn value(file: &File, seal: &SealKey, entry: &Entry) -> Option<Vec<u8>> {
    let length = usize::try_from(entry.length).ok().filter(|length| *length <= VALUE_LIMIT)?;
    let mut record = vec![0; HEAD + length];
    file.read_exact_at(&mut record, entry.offset.into()).ok()?;
    let (key, digest, stated) = head(&record)?;
    let value = record.split_off(HEAD);
    let sound =
        key == entry.key && stated == entry.length && digest == digest::keyed(seal, &key, &value);
    sound.then_some(value)
}

fn head(record: &[u8]) -> Option<(BlockKey, Digest, u32)> {
    let digest = |at: usize| record.get(at..at + 32)?.try_into().ok();
    Some((digest(0)?, digest(32)?, number(record, 64)?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Ends a file whose records end at `end`: cuts off what follows and writes the index.
pub(super) fn seal(file: &File, end: u32, entries: &[Entry]) -> io::Result<()> {
    let mut index = Vec::with_capacity(entries.len() * ENTRY + FOOTER);
    for entry in entries {
        index.extend_from_slice(&entry.key);
        index.extend_from_slice(&entry.offset.to_le_bytes());
        index.extend_from_slice(&entry.length.to_le_bytes());
    }
    let digest = digest::of(&index);
    let count = u32::try_from(entries.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    index.extend_from_slice(&u64::from(end).to_le_bytes());
    index.extend_from_slice(&count.to_le_bytes());
    index.extend_from_slice(&digest);
    index.extend_from_slice(MAGIC);
    file.set_len(end.into())?;
    file.write_all_at(&index, end.into())
}

/// The index of a file; `None` where it has no sound one.
pub(super) fn index(file: &File) -> io::Result<Option<Vec<Entry>>> {
    let length = file.metadata()?.len();
    let Some(at) = length.checked_sub(FOOTER as u64) else { return Ok(None) };
    let mut footer = [0; FOOTER];
    file.read_exact_at(&mut footer, at)?;
    let Some((begin, count, digest)) = read_footer(&footer) else { return Ok(None) };
    let Some(size) = at.checked_sub(begin).and_then(|size| usize::try_from(size).ok()) else {
        return Ok(None);
    };
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(ENTRY)) != Some(size) {
        return Ok(None);
    }
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, begin)?;
    if digest::of(&bytes) != digest {
        return Ok(None);
    }
    let entry = |bytes: &[u8]| {
        let key = bytes.get(..32)?.try_into().ok()?;
        Some(Entry { key, offset: number(bytes, 32)?, length: number(bytes, 36)? })
    };
    Ok(bytes.chunks_exact(ENTRY).map(entry).collect())
}

fn read_footer(footer: &[u8]) -> Option<(u64, u32, Digest)> {
    let begin = u64::from_le_bytes(footer.get(..8)?.try_into().ok()?);
    let digest = footer.get(12..44)?.try_into().ok()?;
    (footer.get(44..)? == MAGIC).then_some((begin, number(footer, 8)?, digest))
}

/// The sound records at the beginning of a file without an index, and where they end.
pub(super) fn scan(file: &File, seal: &SealKey) -> io::Result<(Vec<Entry>, u32)> {
    let mut entries = Vec::new();
    let mut end = BEGIN;
    let mut magic = [0; MAGIC.len()];
    if file.read_exact_at(&mut magic, 0).is_err() || &magic != MAGIC {
        return Ok((entries, end));
    }
    let length = file.metadata()?.len();
    let mut record = [0; HEAD];
    while file.read_exact_at(&mut record, end.into()).is_ok() {
        let Some((key, _, size)) = head(&record) else { break };
        let entry = Entry { key, offset: end, length: size };
        let next = u64::from(end).saturating_add(entry.size());
        let Some(next) = u32::try_from(next).ok().filter(|next| u64::from(*next) <= length) else {
            break;
        };
        if value(file, seal, &entry).is_none() {
            break;
        }
        entries.push(entry);
        end = next;
    }
    Ok((entries, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEAL: SealKey = [9; 32];

    fn key(n: u8) -> BlockKey {
        digest::of(&[n])
    }

    fn filled(count: u8) -> (File, Vec<Entry>, u32) {
        let file = tempfile::tempfile().expect("a file");
        begin(&file).expect("begun");
        let mut end = BEGIN;
        let mut entries = Vec::new();
        for n in 0..count {
            let entry =
                append(&file, &SEAL, end, &key(n), &vec![n; usize::from(n)]).expect("appended");
            end += u32::try_from(entry.size()).expect("small");
            entries.push(entry);
        }
        (file, entries, end)
    }

    #[test]
    fn a_sealed_file_tells_what_it_has() {
        let (file, entries, end) = filled(20);
        assert_eq!(index(&file).expect("readable"), None, "not sealed yet");
        seal(&file, end, &entries).expect("sealed");
        assert_eq!(index(&file).expect("readable"), Some(entries.clone()));
        for (n, entry) in (0u8..).zip(&entries) {
            assert_eq!(value(&file, &SEAL, entry), Some(vec![n; usize::from(n)]));
        }
    }

    #[test]
    fn damage_is_found_and_what_precedes_it_is_kept() {
        let (file, entries, end) = filled(20);
        seal(&file, end, &entries).expect("sealed");
        let victim = entries[10];
        file.write_all_at(&[0xff], u64::from(victim.offset) + HEAD as u64).expect("written");
        assert_eq!(value(&file, &[8; 32], &entries[9]), None, "sealed with another key");
        assert_eq!(value(&file, &SEAL, &victim), None);
        assert!(value(&file, &SEAL, &entries[11]).is_some());
        assert_eq!(scan(&file, &SEAL).expect("scanned"), (entries[..10].to_vec(), victim.offset));
        file.write_all_at(&[0xff], u64::from(end) + 3).expect("written");
        assert_eq!(index(&file).expect("readable"), None, "the index is damaged");
    }

    #[test]
    fn a_file_cut_anywhere_is_read_up_to_there() {
        let (file, entries, end) = filled(6);
        for length in (0..=u64::from(end)).rev() {
            file.set_len(length).expect("cut");
            let whole = entries.iter().filter(|e| u64::from(e.offset) + e.size() <= length);
            assert_eq!(scan(&file, &SEAL).expect("scanned").0, whole.copied().collect::<Vec<_>>());
            assert_eq!(index(&file).expect("readable"), None);
        }
    }

    #[test]
    fn nonsense_is_no_index() {
        for bytes in [&b""[..], b"x", &[0; 60], &[0xff; 200], &MAGIC.repeat(9)] {
            let file = tempfile::tempfile().expect("a file");
            file.write_all_at(bytes, 0).expect("written");
            assert_eq!(index(&file).expect("readable"), None);
            assert!(scan(&file, &SEAL).expect("scanned").0.is_empty());
        }
    }
}
