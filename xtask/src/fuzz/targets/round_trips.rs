//! What is only written: an input says which files there are, and what was written is read again by code that shares
//! nothing with the writer.
//!
//! An input has a line for each: `path=LENGTH`, `path/`, `path->TARGET`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;
use wifibox_image::fat::{self, Folder};
use wifibox_image::gpt as disk;
use wifibox_image::newc::{self as cpio, InitramfsCompressor};
use wifibox_tree::{Kind, Meta, Node, Origin, Tree};

pub fn names() -> Vec<Vec<u8>> {
    let long = "n".repeat(200);
    let text = format!(
        "EFI/BOOT/BOOTX64.EFI=70000\nREADME.TXT=0\nreadme too.text=4096\nempty/\netc/wifibox/a.conf=1\n\
         etc/wifibox/a.config=2\n\u{e9}t\u{e9}/{long}=4097\nbin/sh->../usr/bin/sh\n"
    );
    let many: String =
        (0..40).map(|number| format!("folder/file {number}.txt={number}\n")).collect();
    vec![text.into(), many.into(), b"rootfs_data=5000\n".to_vec()]
}

/// The lines: a path, and what follows it.
fn lines(bytes: &[u8]) -> Vec<(String, What)> {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| {
        let (path, what) = match (line.split_once("->"), line.rsplit_once('=')) {
            (Some((path, target)), _) => (path, What::Link(target.to_owned())),
            (None, Some((path, length))) => {
                // Many a length is a multiple of a cluster, or nearly.
                let length: usize = length.trim().parse().unwrap_or(1);
                (path, What::File(length % 100_000))
            }
            (None, None) => (line.trim_end_matches('/'), What::Folder),
        };
        (path.to_owned(), what)
    };
    // What is deeper is the reader's trouble here, which keeps every folder's whole path.
    let short = |line: &&str| (1..1000).contains(&line.len());
    text.split('\n').filter(short).take(300).map(line).collect()
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    File(usize),
    Folder,
    Link(String),
}

/// The bytes of a file of this path and length.
fn contents(path: &str, length: usize) -> Vec<u8> {
    path.bytes().chain([b'\n']).cycle().take(length).collect()
}

/// A FAT volume, read by the crate `fatfs`.
pub fn fat(bytes: &[u8]) -> bool {
    let mut expected = BTreeMap::new();
    let mut root = Folder::new();
    for (path, what) in lines(bytes) {
        if matches!(what, What::Link(_)) {
            continue;
        }
        if add(&mut root, &path, &what) {
            for (at, _) in path.match_indices('/') {
                expected.insert(path.get(..at).unwrap_or_default().to_owned(), What::Folder);
            }
            expected.insert(path, what);
        }
    }
    let id = Sha256::of(bytes);
    let options = fat::Options { label: *b"FUZZ       ", id: &id, size: None, partitioned: false };
    let mut out = Vec::new();
    let Ok(length) = fat::write(root, &options, &mut out) else { return false };
    assert!(length == out.len() as u64 && length.is_multiple_of(4096));
    let mut found = BTreeMap::new();
    let volume = fatfs::FileSystem::new(Cursor::new(out), fatfs::FsOptions::new());
    let read = volume.and_then(|volume| walk(&volume.root_dir(), "", &mut found));
    assert!(read.is_ok(), "{:?}", read.err());
    assert_eq!(found, expected);
    true
}

/// Puts something into the folder; whether it has a place there.
fn add(folder: &mut Folder<'_>, path: &str, what: &What) -> bool {
    let mut folder = folder;
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    for part in above.split('/').filter(|_| path.contains('/')) {
        let next = folder.entry(part.to_owned());
        match next.or_insert_with(|| fat::Node::Folder(Folder::new())) {
            fat::Node::Folder(below) => folder = below,
            fat::Node::File { .. } => return false,
        }
    }
    if folder.contains_key(name) {
        return false;
    }
    let node = match what {
        What::File(length) => {
            let content = Box::new(Cursor::new(contents(path, *length)));
            fat::Node::File { length: *length as u64, content }
        }
        _ => fat::Node::Folder(Folder::new()),
    };
    folder.insert(name.to_owned(), node);
    true
}

type Directory<'v> = fatfs::Dir<'v, Cursor<Vec<u8>>>;

fn walk(
    directory: &Directory<'_>,
    above: &str,
    found: &mut BTreeMap<String, What>,
) -> std::io::Result<()> {
    for entry in directory.iter() {
        let entry = entry?;
        let name = entry.file_name();
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{above}{name}");
        if entry.is_dir() {
            walk(&entry.to_dir(), &format!("{path}/"), found)?;
            found.insert(path, What::Folder);
        } else {
            let mut bytes = Vec::new();
            entry.to_file().read_to_end(&mut bytes)?;
            assert!(bytes == contents(&path, bytes.len()), "{path} has other contents");
            found.insert(path, What::File(bytes.len()));
        }
    }
    Ok(())
}

/// A disk with one partition, whose tables are read by the words of UEFI's specification.
pub fn gpt(bytes: &[u8]) -> bool {
    let Some((name, what)) = lines(bytes).into_iter().next() else { return false };
    let megabytes = if let What::File(length) = what { 3 + length as u64 % 6 } else { 3 };
    let mut image = Cursor::new(Vec::new());
    if disk::write(&mut image, &name, megabytes << 20, &Sha256::of(bytes)).is_err() {
        return false;
    }
    let image = image.into_inner();
    let sectors = image.len() as u64 / 512;
    assert_eq!(image.len() as u64, megabytes << 20);
    let piece = |at: u64, length: u64| {
        let (at, end) = (at as usize, (at + length) as usize);
        image.get(at..end).unwrap_or_default().to_vec()
    };
    let number = |at: u64, width: u64| {
        piece(at, width).iter().rev().fold(0u64, |all, byte| all << 8 | u64::from(*byte))
    };
    assert_eq!((number(510, 2), number(446 + 4, 1)), (0xaa55, 0xee), "the protective MBR");
    for (own, other) in [(1, sectors - 1), (sectors - 1, 1)] {
        let header = own * 512;
        assert_eq!(piece(header, 8), b"EFI PART");
        let mut blank = piece(header, 92);
        let stated = number(header + 16, 4);
        blank.splice(16..20, [0; 4]);
        assert_eq!(u64::from(crc32(&blank)), stated, "the sum of the header");
        assert_eq!((number(header + 24, 8), number(header + 32, 8)), (own, other));
        let table = number(header + 72, 8) * 512;
        let (count, size) = (number(header + 80, 4), number(header + 84, 4));
        let sum = crc32(&piece(table, count * size));
        assert_eq!(u64::from(sum), number(header + 88, 4), "the sum of the table");
        let (first, last) = (number(table + 32, 8), number(table + 40, 8));
        assert!(number(header + 40, 8) <= first && last <= number(header + 48, 8) && first <= last);
        let units: Vec<u16> = (0..36).map(|unit| number(table + 56 + 2 * unit, 2) as u16).collect();
        let stated = String::from_utf16_lossy(&units);
        assert_eq!(stated.trim_end_matches('\0'), name.trim_end_matches('\0'));
        assert!(piece(table + size, (count - 1) * size).iter().all(|byte| *byte == 0));
    }
    true
}

/// CRC-32 of ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// An initramfs, read by the words of the kernel's documentation.
pub fn newc(bytes: &[u8]) -> bool {
    let mut tree = Tree::new();
    for (number, (path, what)) in lines(bytes).into_iter().enumerate() {
        let kind = match &what {
            What::File(length) => Kind::File(Content::from_bytes(contents(&path, *length))),
            What::Folder => Kind::Directory,
            What::Link(target) => Kind::Symlink(target.clone().into_bytes()),
        };
        let meta =
            Meta { mode: (number * 73 % 0o10000) as u16, uid: number as u32, ..Meta::default() };
        let node = Node { meta, kind, origin: Origin::Builder };
        // What is in another's way stays out.
        let _ = GuestPath::new(&path).map(|path| tree.insert(&path, node));
    }
    let mut out = Vec::new();
    if cpio::write(&tree, InitramfsCompressor::None, 0, &mut out).is_err() {
        return false;
    }
    let entries = entries(&out);
    assert_eq!(entries.len(), tree.len());
    for ((path, node), (name, mode, owner, data)) in tree.iter().zip(entries) {
        let expected = if path.is_root() { b"." } else { path.as_bytes() };
        assert_eq!(expected, name);
        assert_eq!((mode & 0o7777, owner), (u32::from(node.meta.mode), node.meta.uid), "{path}");
        let (kind, bytes) = match &node.kind {
            Kind::File(content) => (0o100_000, content.read().unwrap_or_default()),
            Kind::Symlink(target) => (0o120_000, target.clone()),
            _ => (0o040_000, Vec::new()),
        };
        assert_eq!(mode & 0o170_000, kind, "{path}");
        assert!(data == bytes, "{path} has other contents");
    }
    true
}

/// Name, mode, owner and data of each entry.
fn entries(archive: &[u8]) -> Vec<(&[u8], u32, u32, &[u8])> {
    let (mut entries, mut at) = (Vec::new(), 0);
    let piece = |at: usize, length: usize| match archive.get(at..at + length) {
        Some(piece) => piece,
        None => panic!("the archive ends before {}", at + length),
    };
    loop {
        assert_eq!(piece(at, 6), b"070701");
        let field = |number: usize| {
            let text = std::str::from_utf8(piece(at + 6 + 8 * number, 8)).unwrap_or_default();
            u32::from_str_radix(text, 16).unwrap_or(u32::MAX)
        };
        let (size, length) = (field(6) as usize, field(11) as usize);
        let name = piece(at + 110, length - 1);
        assert_eq!(piece(at + 109 + length, 1), [0], "a name ends with a NUL");
        let data = (at + 110 + length).next_multiple_of(4);
        if name == b"TRAILER!!!" {
            assert!(archive.len().is_multiple_of(512) && archive.len() - at < 1024);
            return entries;
        }
        entries.push((name, field(1), field(2), piece(data, size)));
        at = (data + size).next_multiple_of(4);
    }
}
