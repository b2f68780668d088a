//! FAT volumes, written from front to back: what UEFI boots from ([`super::esp`]) and the guest's
//! configuration disk (`config_disk` of `wifibox_host`).
//!
//! Format: Microsoft's "FAT32 File System Specification" (which defines FAT12 and FAT16 too). A volume
//! has no partition table unless one is asked for. Everything lies in one piece: first all folders, each before those inside
//! it, then all files in the same order. The kind of FAT follows from the number of clusters alone;
//! clusters are 4 KiB until FAT16 runs out of them. Times are the oldest that FAT knows, and the volume
//! id comes from a hash.

mod entry;
mod partition;
mod volume;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use entry::{IS_DIRECTORY, IS_FILE, IS_LABEL, Name, dots, entry, names};
use volume::{ENTRY, ROOT_ENTRIES, SECTOR, Volume};
use wifibox_ground::digest::Sha256;

/// The most folders and files of a volume.
const MOST_NODES: usize = 100_000;

/// A folder's content by name.
pub type Folder<'a> = BTreeMap<String, Node<'a>>;

/// Something in a folder.
pub enum Node<'a> {
    /// A folder.
    Folder(Folder<'a>),
    /// A file.
    File {
        /// Its length in bytes.
        length: u64,
        /// Its bytes.
        content: Box<dyn Read + 'a>,
    },
}

/// Label, id and size of a volume.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Its label: capitals, filled with spaces.
    pub label: [u8; 11],
    /// The volume id is made of the first four bytes of this.
    pub id: &'a Sha256,
    /// Its length in bytes; as small as possible without one.
    pub size: Option<u64>,
    /// Whether it is the only partition of a disk; otherwise it is the whole disk.
    pub partitioned: bool,
}

/// Why a volume cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content is more than a FAT16 volume can hold.
    #[error("{length} bytes do not fit a FAT16 volume (2 GiB)")]
    TooLarge {
        /// The length of the content, in bytes.
        length: u64,
    },
    /// The content does not fit the size asked for.
    #[error(
        "{length} bytes of files do not fit a volume of {size} bytes, or the volume is larger than \
         2 GiB: ask for another size"
    )]
    Size {
        /// The length of the content, in bytes.
        length: u64,
        /// The size asked for, in bytes.
        size: u64,
    },
    /// There are too many files.
    #[error("{place} has more files than FAT can list there: put some into a folder inside it")]
    TooMany {
        /// Where.
        place: String,
    },
    /// A name that FAT cannot store.
    #[error("{name:?} cannot be a name on a FAT volume: {why}; rename it")]
    Name {
        /// The path in the volume.
        name: String,
        /// The reason, for the message.
        why: &'static str,
    },
    /// Two names are one name for FAT.
    #[error("{name} and {other} differ only in the case of letters, which FAT ignores: rename one")]
    SameName {
        /// The path in the volume.
        name: String,
        /// The other one.
        other: String,
    },
    /// A file was shorter or longer than announced.
    #[error("{name} was to be {expected} bytes long, but {found} or more came")]
    Length {
        /// The path in the volume.
        name: String,
        /// The announced length.
        expected: u64,
        /// The bytes read before giving up: there may be more.
        found: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {name} for the volume")]
    Read {
        /// The path in the volume.
        name: String,
        /// The underlying I/O error.
        #[source]
        source: io::Error,
    },
    /// The volume cannot be written.
    #[error("cannot write the volume")]
    Write(#[from] io::Error),
}

/// A folder or file in the order of the volume.
struct Item<'a> {
    /// The path in the volume, for errors; a folder's ends with `/`.
    path: String,
    /// A folder's children, as numbers of items, with their names.
    children: Vec<(Name, usize)>,
    /// The folder that it is in: 0 is the root.
    parent: usize,
    /// A file's length and bytes.
    file: Option<(u64, Box<dyn Read + 'a>)>,
}

/// Writes a volume that holds `root` to `out`; gives the disk's length in bytes, which without a size is a
/// multiple of 4096.
///
/// # Errors
/// [`Error`]: the content does not fit, has names that FAT cannot store or is not as long as announced,
/// or reading or writing failed.
pub fn write<W: Write>(root: Folder<'_>, options: &Options<'_>, mut out: W) -> Result<u64, Error> {
    let mut items = collect(root)?;
    let lengths: Vec<u64> = items.iter().skip(1).map(length).collect();
    let content = || lengths.iter().fold(0u64, |sum, length| sum.saturating_add(*length));
    let volume = match options.size {
        None => {
            Volume::for_content(&lengths).ok_or_else(|| Error::TooLarge { length: content() })?
        }
        Some(size) => Volume::of_size(&lengths, size)
            .ok_or_else(|| Error::Size { length: content(), size })?,
    };
    // The root has no cluster.
    let mut clusters = vec![0];
    clusters.extend(volume.first_clusters());
    let before = if options.partitioned { partition::FIRST } else { 0 };
    if options.partitioned {
        let table = partition::table(volume.sectors, options.id);
        write_padded(&mut out, &table, u64::from(before) * SECTOR)?;
    }
    out.write_all(&volume.boot_sector(&options.label, options.id, before))?;
    let table = volume.table();
    out.write_all(&table)?;
    out.write_all(&table)?;
    let mut list = vec![entry(options.label, IS_LABEL, 0, 0)];
    list.extend(entries(&items, 0, &clusters));
    write_padded(&mut out, &list.concat(), u64::from(ROOT_ENTRIES) * ENTRY)?;
    for number in 1..items.len() {
        let own = clusters.get(number).copied().unwrap_or(0);
        let Some(item) = items.get_mut(number) else { break };
        match item.file.take() {
            Some((length, mut content)) => {
                copy(&item.path, &mut content, length, &mut out)?;
                write_padded(&mut out, &[], length.next_multiple_of(volume.cluster) - length)?;
            }
            None => {
                let parent = clusters.get(item.parent).copied().unwrap_or(0);
                let mut list = dots(own, parent).to_vec();
                list.extend(entries(&items, number, &clusters));
                let bytes = list.concat();
                let room = (bytes.len() as u64).next_multiple_of(volume.cluster);
                write_padded(&mut out, &bytes, room)?;
            }
        }
    }
    let length = volume.sectors * SECTOR;
    let total = options.size.unwrap_or(length);
    write_padded(&mut out, &[], volume.rest() + (total - length))?;
    out.flush()?;
    Ok(u64::from(before) * SECTOR + total)
}

/// The folders and files in the order in which they are written; the first is the root.
fn collect(root: Folder<'_>) -> Result<Vec<Item<'_>>, Error> {
    let mut folders =
        vec![Item { path: String::new(), children: Vec::new(), parent: 0, file: None }];
    // Files with the folder that they are in, and their place in it.
    let mut files = Vec::new();
    let mut next = vec![(0, root)];
    while let Some((number, folder)) = next.pop() {
        let place = folders.get(number).map(|item| item.path.clone()).unwrap_or_default();
        let stored = names(&place, folder.keys().map(String::as_str))?;
        let mut inside = Vec::new();
        for (index, ((name, node), stored)) in folder.into_iter().zip(stored).enumerate() {
            if folders.len() + files.len() > MOST_NODES {
                return Err(Error::TooMany { place: "the volume".to_owned() });
            }
            let path = format!("{place}{name}");
            let child = match node {
                Node::Folder(folder) => {
                    let child = folders.len();
                    let path = format!("{path}/");
                    let item = Item { path, children: Vec::new(), parent: number, file: None };
                    folders.push(item);
                    inside.push((child, folder));
                    child
                }
                Node::File { length, content } => {
                    let file = Some((length, content));
                    let item = Item { path, children: Vec::new(), parent: number, file };
                    files.push((number, index, item));
                    0
                }
            };
            if let Some(folder) = folders.get_mut(number) {
                folder.children.push((stored, child));
            }
        }
        next.extend(inside.into_iter().rev());
    }
    let first = folders.len();
    for (offset, (folder, index, item)) in files.into_iter().enumerate() {
        let slot = folders.get_mut(folder).and_then(|folder| folder.children.get_mut(index));
        if let Some((_, child)) = slot {
            *child = first + offset;
        }
        folders.push(item);
    }
    let root_entries = |item: &Item<'_>| item.children.iter().map(|(name, _)| name.entries()).sum();
    let in_root: u64 = folders.first().map_or(0, root_entries);
    // One is the label's.
    if in_root >= u64::from(ROOT_ENTRIES) {
        return Err(Error::TooMany { place: "the volume's first folder".to_owned() });
    }
    if folders.iter().any(|item| root_entries(item) >= 65536 - 2) {
        return Err(Error::TooMany { place: "a folder".to_owned() });
    }
    Ok(folders)
}

/// How many bytes of clusters an item takes.
fn length(item: &Item<'_>) -> u64 {
    match &item.file {
        Some((length, _)) => *length,
        None => ENTRY * (2 + item.children.iter().map(|(name, _)| name.entries()).sum::<u64>()),
    }
}

/// The entries of a folder, without `.` and `..`.
fn entries(items: &[Item<'_>], folder: usize, clusters: &[u16]) -> Vec<[u8; 32]> {
    let Some(folder) = items.get(folder) else { return Vec::new() };
    let of = |(name, child): &(Name, usize)| {
        let cluster = clusters.get(*child).copied().unwrap_or(0);
        match items.get(*child).and_then(|item| item.file.as_ref()) {
            Some((length, _)) => {
                name.write(IS_FILE, cluster, u32::try_from(*length).unwrap_or(u32::MAX))
            }
            None => name.write(IS_DIRECTORY, cluster, 0),
        }
    };
    folder.children.iter().flat_map(of).collect()
}

/// Writes `bytes` and zeros up to `length`.
fn write_padded(out: &mut dyn Write, bytes: &[u8], length: u64) -> io::Result<()> {
    out.write_all(bytes)?;
    io::copy(&mut io::repeat(0).take(length.saturating_sub(bytes.len() as u64)), out).map(drop)
}

/// Copies `length` bytes and makes sure that there are no more.
fn copy(name: &str, content: &mut dyn Read, length: u64, out: &mut dyn Write) -> Result<(), Error> {
    let mut buffer = vec![0; 64 * 1024];
    let mut found = 0u64;
    loop {
        let count = match content.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result.map_err(|source| Error::Read { name: name.to_owned(), source })?,
        };
        found = found.saturating_add(count as u64);
        if found > length || (count == 0 && found < length) {
            return Err(Error::Length { name: name.to_owned(), expected: length, found });
        }
        if count == 0 {
            return Ok(());
        }
        out.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatfs::{FileSystem, FsOptions};
    use std::io::Cursor;

    fn file(bytes: &[u8]) -> Node<'_> {
        Node::File { length: bytes.len() as u64, content: Box::new(bytes) }
    }

    fn folder<'a>(entries: impl IntoIterator<Item = (&'a str, Node<'a>)>) -> Folder<'a> {
        entries.into_iter().map(|(name, node)| (name.to_owned(), node)).collect()
    }

    fn write(root: Folder<'_>, out: &mut Vec<u8>) -> Result<u64, Error> {
        let id = Sha256::of(b"id");
        let options =
            Options { label: *b"TEST       ", id: &id, size: Some(4 << 20), partitioned: false };
        super::write(root, &options, out)
    }

    #[test]
    fn long_names_deep_folders_and_full_ones_are_read_back() {
        let big = vec![7; 10_000];
        let many: Vec<String> = (0..300).map(|n| format!("a file number {n}.txt")).collect();
        let full = many.iter().map(|name| (name.as_str(), file(name.as_bytes())));
        let root = folder([
            (
                "config",
                Node::Folder(folder([
                    ("interfaces.conf", file(b"iface\n")),
                    (
                        "sysctl.d",
                        Node::Folder(folder([("a.conf", file(&big)), ("none", file(b""))])),
                    ),
                ])),
            ),
            ("full", Node::Folder(folder(full))),
            ("empty", Node::Folder(Folder::new())),
        ]);
        let mut out = Vec::new();
        assert_eq!(write(root, &mut out).expect("written"), 4 << 20);
        assert_eq!(out.len(), 4 << 20);
        let fat = FileSystem::new(Cursor::new(out), FsOptions::new()).expect("a volume");
        assert_eq!(fat.volume_label(), "TEST");
        let read = |path: &str| {
            let mut bytes = Vec::new();
            let mut file = fat.root_dir().open_file(path).expect(path);
            file.read_to_end(&mut bytes).expect(path);
            bytes
        };
        assert_eq!(read("config/interfaces.conf"), b"iface\n");
        assert_eq!(read("config/sysctl.d/a.conf"), big);
        assert_eq!(read("config/sysctl.d/none"), b"");
        for name in &many {
            assert_eq!(read(&format!("full/{name}")), name.as_bytes());
        }
        let listed = |path: &str| -> Vec<String> {
            let folder = fat.root_dir().open_dir(path).expect(path);
            folder.iter().map(|entry| entry.expect("an entry").file_name()).collect()
        };
        assert_eq!(listed("config"), [".", "..", "interfaces.conf", "sysctl.d"]);
        assert_eq!(listed("empty"), [".", ".."]);
        assert_eq!(listed("full").len(), 302);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let big = vec![0; 4 << 20];
        let error = write(folder([("big", file(&big))]), &mut Vec::new());
        assert!(matches!(error, Err(Error::Size { .. })), "{error:?}");
        let names: Vec<String> = (0..300).map(|n| format!("a file number {n}")).collect();
        let root = folder(names.iter().map(|name| (name.as_str(), file(b""))));
        let error = write(root, &mut Vec::new());
        assert!(matches!(error, Err(Error::TooMany { .. })), "{error:?}");
        for announced in [1, 3] {
            let content: Box<dyn Read> = Box::new(&b"ab"[..]);
            let root = folder([("a", Node::File { length: announced, content })]);
            let error = write(root, &mut Vec::new());
            assert!(matches!(error, Err(Error::Length { found: 2, .. })), "{error:?}");
        }
    }
}
