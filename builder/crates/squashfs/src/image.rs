//! The image from front to back: superblock, codec options, data, inodes, directories, fragments,
//! owners; and last the superblock again, now that it is known where all of them are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::ahead::{self, Done};
use crate::archive::{Kind, Name};
use crate::digest::{Digest, Hasher};
use crate::directory::{self, Entry};
use crate::inode::{self, FileData, Header, Listing, Type};
use crate::metadata::{self, Position, Run};
use crate::plan::{Holds, Plan, Source};
use crate::press::{Press, Pressed};
use crate::sink::{ImageFile, Progress};
use crate::store::BlockStore;
use crate::{Archive, Error, ImagePath, Options, check};

/// The magic number of an image: `hsqs`.
const MAGIC: u32 = 0x7371_7368;
/// The length of the superblock.
const SUPERBLOCK: usize = 96;
/// In a block's length: it is stored without compression.
const STORED: u32 = 1 << 24;
/// In the superblock: equal files are stored once; there are no extended attributes; the codec's
/// options are there.
const DEDUPLICATED: u16 = 0x40;
const NO_XATTRS: u16 = 0x200;
const HAS_OPTIONS: u16 = 0x400;
/// For a table that is not there.
const NOWHERE: u64 = u64::MAX;

/// An image that was written: how long it is, and what `verify_written` needs to compare it
/// with what is on the disk.
#[derive(Debug)]
pub struct Written {
    /// The image's length in bytes, a multiple of 4096.
    pub length: u64,
    /// Where file contents begin and end, and the hash of what is there.
    pub(crate) data: (u64, u64),
    pub(crate) sha256: Digest,
    /// Where each file of the archive is, in order of their first names.
    pub(crate) files: Vec<FileData>,
    /// Where each fragment block is: its begin and its length with the flag.
    pub(crate) fragments: Vec<(u64, u32)>,
}

/// Writes everything, and leaves `out` exactly as long as the image.
pub fn write<F: ImageFile>(
    archive: &Archive,
    options: &Options,
    cache: Option<&dyn BlockStore>,
    out: &mut F,
    progress: &mut dyn FnMut(Progress),
) -> Result<Written, Error> {
    let block_size = options.block_size.bytes();
    let names = archive.names();
    let mut out = Sink { out, at: 0 };
    out.out.rewind().map_err(Error::Write)?;
    out.write(&[0; SUPERBLOCK])?;
    let stored_options = options.codec.stored_options(block_size);
    if let Some(stored) = &stored_options {
        out.write(&metadata::plain(stored))?;
    }
    let mut written = write_data(&names, options, cache, &mut out, progress)?;
    let mut press = Press::new(options.codec, block_size, cache)?;
    let owners = owners(&names);
    let tables = nodes(&names, options, cache, &written.files, &owners)?;
    let inodes_at = out.at;
    out.write(&tables.inodes)?;
    let directories_at = out.at;
    out.write(&tables.directories)?;
    let fragments: Vec<u8> = written.fragments.iter().flat_map(|at| fragment_entry(*at)).collect();
    let (bytes, list) = metadata::table(&mut press, &fragments, out.at)?;
    let fragments_at = if fragments.is_empty() { NOWHERE } else { list };
    out.write(&bytes)?;
    let ids: Vec<u8> = owners.iter().flat_map(|owner| owner.to_le_bytes()).collect();
    let (bytes, owners_at) = metadata::table(&mut press, &ids, out.at)?;
    out.write(&bytes)?;
    let used = out.at;

    let mut flags = DEDUPLICATED | NO_XATTRS;
    if stored_options.is_some() {
        flags |= HAS_OPTIONS;
    }
    let count = |length: usize, what| u32::try_from(length).map_err(|_| Error::TooLarge(what));
    let mut superblock = Vec::with_capacity(SUPERBLOCK);
    for word in [
        MAGIC,
        tables.count,
        options.source_date_epoch,
        block_size,
        count(written.fragments.len(), "the number of fragments")?,
    ] {
        superblock.extend_from_slice(&word.to_le_bytes());
    }
    let block_log = u16::try_from(block_size.ilog2()).unwrap_or_default();
    // The number of owners was checked.
    let ids = u16::try_from(owners.len()).unwrap_or_default();
    for half in [options.codec.id(), block_log, flags, ids, 4, 0] {
        superblock.extend_from_slice(&half.to_le_bytes());
    }
    for long in
        [tables.root, used, owners_at, NOWHERE, inodes_at, directories_at, fragments_at, NOWHERE]
    {
        superblock.extend_from_slice(&long.to_le_bytes());
    }
    out.out.rewind().and_then(|()| out.out.write_all(&superblock)).map_err(Error::Write)?;
    written.length = used.next_multiple_of(crate::PADDING);
    // Cut first: what was in the file before is not part of the image.
    let set = out.out.set_len(used).and_then(|()| out.out.set_len(written.length));
    set.and_then(|()| out.out.flush()).map_err(Error::Write)?;
    Ok(written)
}

/// Where the image goes; counts.
struct Sink<'f, F> {
    out: &'f mut F,
    at: u64,
}

impl<F: io::Write> Sink<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Write)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

fn write_data<F: ImageFile>(
    names: &[Name<'_>],
    options: &Options,
    cache: Option<&dyn BlockStore>,
    out: &mut Sink<'_, F>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Written, Error> {
    let Options { codec, block_size, jobs, .. } = *options;
    let sources = sources(names);
    let mut stored = vec![FileData::default(); sources.len()];
    let mut fragments = Vec::new();
    let mut hasher = Hasher::default();
    let begin = out.at;
    let mut plan = Plan::new(sources, block_size.bytes())?;
    let (mut done, total) = (0, plan.total());
    progress(Progress { done, total });
    let write = |Done { holds, length, pressed }: Done| {
        let start = out.at;
        let word = match &pressed {
            Pressed::Zeros => 0,
            Pressed::Packed(bytes) | Pressed::Stored(bytes) => {
                hasher.update(bytes);
                out.write(bytes)?;
                let flag = if matches!(pressed, Pressed::Stored(_)) { STORED } else { 0 };
                // At most a block of 1 MiB.
                u32::try_from(bytes.len()).unwrap_or_default() | flag
            }
        };
        match holds {
            Holds::Fragments => fragments.push((start, word)),
            Holds::File(number) => {
                let Some(data) = stored.get_mut(number) else { return Ok(()) };
                if data.blocks.is_empty() {
                    data.start = start;
                }
                data.blocks.push(word);
                if word == 0 {
                    data.sparse += length as u64;
                }
            }
        }
        done += length as u64;
        progress(Progress { done, total });
        Ok(())
    };
    ahead::run(&mut plan, jobs, || Press::new(codec, block_size.bytes(), cache), write)?;
    let place = |(same, fragment): (usize, _)| {
        let data = stored.get(same).cloned().unwrap_or_default();
        FileData { fragment, ..data }
    };
    let files = plan.places().map(place).collect();
    Ok(Written { length: 0, data: (begin, out.at), sha256: hasher.finish(), files, fragments })
}

/// All files, each by its first name.
fn sources<'a>(names: &[Name<'a>]) -> Vec<Source<'a>> {
    let mut sources: BTreeMap<usize, Source<'a>> = BTreeMap::new();
    for Name { path, entry, file, .. } in names {
        if let (Kind::File(content), Some(file)) = (&entry.kind, file) {
            let source = Source { path, content: &**content, layer: entry.layer };
            sources.entry(*file).or_insert(source);
        }
    }
    sources.into_values().collect()
}

/// An entry of the fragment table.
fn fragment_entry((start, word): (u64, u32)) -> [u8; 16] {
    let mut entry = [0; 16];
    let (begin, rest) = entry.split_at_mut(8);
    begin.copy_from_slice(&start.to_le_bytes());
    if let Some(length) = rest.get_mut(..4) {
        length.copy_from_slice(&word.to_le_bytes());
    }
    entry
}

/// All users and groups, in order.
fn owners(names: &[Name<'_>]) -> Vec<u32> {
    let ids = names.iter().flat_map(|name| [name.entry.meta.uid, name.entry.meta.gid]);
    ids.collect::<BTreeSet<u32>>().into_iter().collect()
}

struct Tables {
    inodes: Vec<u8>,
    directories: Vec<u8>,
    /// Where the root's inode is.
    root: u64,
    /// How many inodes there are.
    count: u32,
}

/// Writes inodes and directories: from the last path to the first, so that what a directory holds is
/// there before the directory. The inode of several names is written for the last one.
fn nodes(
    names: &[Name<'_>],
    options: &Options,
    cache: Option<&dyn BlockStore>,
    files: &[FileData],
    owners: &[u32],
) -> Result<Tables, Error> {
    let (codec, block_size) = (options.codec, options.block_size.bytes());
    let mut press = (Press::new(codec, block_size, cache)?, Press::new(codec, block_size, cache)?);
    let mut inodes = Run::new(&mut press.0);
    let mut directories = Run::new(&mut press.1);
    let numbers: BTreeMap<&ImagePath, u32> = names
        .iter()
        .filter(|name| matches!(name.entry.kind, Kind::Directory))
        .map(|name| (name.path, name.inode))
        .collect();
    let count = names.iter().map(|name| name.inode).max().unwrap_or_default();
    let mut waiting: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    let mut shared: BTreeMap<u32, (Position, Type)> = BTreeMap::new();
    let index = |owner: u32| {
        let index = owners.binary_search(&owner).unwrap_or_default();
        u16::try_from(index).unwrap_or_default()
    };
    let mut root = 0;
    for name in names.iter().rev() {
        let Name { path, entry, inode: number, links, .. } = *name;
        let parent = path.parent().and_then(|parent| numbers.get(&parent).copied());
        let (at, kind) = match shared.get(&number) {
            Some(there) => *there,
            None => {
                let meta = &entry.meta;
                let header = Header {
                    mode: meta.mode,
                    uid: index(meta.uid),
                    gid: index(meta.gid),
                    mtime: meta.mtime.min(options.source_date_epoch),
                    number,
                    links,
                };
                let list = || {
                    let mut entries = waiting.remove(&number).unwrap_or_default();
                    entries.reverse();
                    // The root's parent has a number that no inode has.
                    let parent = parent.unwrap_or(count.saturating_add(1));
                    Ok((parent, directory::write(&mut directories, &entries)?))
                };
                let (kind, bytes) = inode(name, header, files, list)?;
                let at = inodes.position()?;
                inodes.write(&bytes)?;
                if links > 1 {
                    shared.insert(number, (at, kind));
                }
                (at, kind)
            }
        };
        match parent {
            Some(parent) => {
                let entry = Entry { name: path.name().to_vec(), inode: at, number, kind };
                waiting.entry(parent).or_default().push(entry);
            }
            None => root = u64::from(at.block) << 16 | u64::from(at.offset),
        }
    }
    Ok(Tables { inodes: inodes.finish()?, directories: directories.finish()?, root, count })
}

/// The inode of an entry. `list` writes what a directory holds; it gives its parent, too.
fn inode(
    name: &Name<'_>,
    header: Header,
    files: &[FileData],
    list: impl FnOnce() -> Result<(u32, Listing), Error>,
) -> Result<(Type, Vec<u8>), Error> {
    let device = |kind, major: u32, minor: u32| {
        let number = check::device_number(major, minor).unwrap_or_default();
        (kind, inode::device(kind, header, number))
    };
    Ok(match &name.entry.kind {
        Kind::Directory => {
            let (parent, listing) = list()?;
            (Type::Directory, inode::directory(header, parent, &listing))
        }
        Kind::File(content) => {
            let data = name.file.and_then(|file| files.get(file)).cloned().unwrap_or_default();
            (Type::File, inode::file(header, content.len(), &data))
        }
        Kind::Symlink(target) => (Type::Symlink, inode::symlink(header, target)),
        Kind::CharDevice(major, minor) => device(Type::CharDevice, *major, *minor),
        Kind::BlockDevice(major, minor) => device(Type::BlockDevice, *major, *minor),
        Kind::Fifo => (Type::Fifo, inode::channel(Type::Fifo, header)),
        Kind::Socket => (Type::Socket, inode::channel(Type::Socket, header)),
    })
}
