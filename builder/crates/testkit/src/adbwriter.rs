//! Writes ADB files of apk v3 for tests and fuzzing: values, blocks, compression. Knows no keys.
#![allow(dead_code, missing_docs, clippy::unwrap_used)] // Each user needs a part of it.

use std::collections::BTreeMap;
use std::io::Write;

use sha2::{Digest as _, Sha256, Sha512};

/// A value before it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum V {
    Null,
    Int(u64),
    Blob(Vec<u8>),
    Array(Vec<V>),
    /// Fields by slot.
    Object(BTreeMap<usize, V>),
    /// A word as it stands in the file.
    Raw(u32),
}

pub fn text(text: &str) -> V {
    V::Blob(text.as_bytes().to_vec())
}

pub fn object(fields: impl IntoIterator<Item = (usize, V)>) -> V {
    V::Object(fields.into_iter().collect())
}

/// Collects values; equal ones are stored once, as apk does.
pub struct Writer {
    pub bytes: Vec<u8>,
    known: BTreeMap<(Vec<u8>, usize), u32>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer { bytes: vec![0; 8], known: BTreeMap::new() }
    }
}

impl Writer {
    fn put(&mut self, bytes: Vec<u8>, alignment: usize) -> u32 {
        if let Some(at) = self.known.get(&(bytes.clone(), alignment)) {
            return *at;
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
        let at = u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend_from_slice(&bytes);
        self.known.insert((bytes, alignment), at);
        at
    }

    pub fn value(&mut self, value: &V) -> u32 {
        match value {
            V::Null => 0,
            V::Raw(word) => *word,
            V::Int(n) if *n < 1 << 28 => 0x1000_0000 | u32::try_from(*n).unwrap(),
            V::Int(n) if *n < 1 << 32 => {
                0x2000_0000 | self.put(u32::try_from(*n).unwrap().to_le_bytes().to_vec(), 4)
            }
            V::Int(n) => 0x3000_0000 | self.put(n.to_le_bytes().to_vec(), 4),
            V::Blob(bytes) if bytes.is_empty() => 0,
            V::Blob(bytes) => {
                let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
                let (kind, width) = match bytes.len() {
                    ..0x100 => (0x8, 1),
                    0x100..0x1_0000 => (0x9, 2),
                    _ => (0xa, 4),
                };
                kind << 28 | self.put([&length[..width], bytes].concat(), width)
            }
            V::Array(items) => {
                let words: Vec<u32> = items.iter().map(|item| self.value(item)).collect();
                0xd000_0000 | self.row(&words)
            }
            V::Object(fields) => {
                let slots = fields.keys().last().copied().unwrap_or_default();
                let mut words = vec![0; slots];
                for (slot, field) in fields {
                    words[slot - 1] = self.value(field);
                }
                0xe000_0000 | self.row(&words)
            }
        }
    }

    fn row(&mut self, words: &[u32]) -> u32 {
        let count = u32::try_from(words.len() + 1).unwrap();
        let words = std::iter::once(count).chain(words.iter().copied());
        self.put(words.flat_map(u32::to_le_bytes).collect(), 4)
    }
}

/// The payload of an ADB block.
pub fn payload(root: &V) -> Vec<u8> {
    let mut writer = Writer::default();
    let root = writer.value(root);
    writer.bytes[4..8].copy_from_slice(&root.to_le_bytes());
    writer.bytes
}

pub const ADB: u32 = 0;
pub const SIG: u32 = 1;
pub const DATA: u32 = 2;

/// A block with its padding.
pub fn block(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len() + 4).unwrap();
    padded([&(kind << 30 | size).to_le_bytes(), bytes].concat())
}

/// A block with the long form of header, which apk uses from 1 GiB on.
pub fn long_block(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let size = bytes.len() as u64 + 16;
    padded([&(3 << 30 | kind).to_le_bytes()[..], &[0; 4], &size.to_le_bytes(), bytes].concat())
}

fn padded(mut block: Vec<u8>) -> Vec<u8> {
    block.resize(block.len().next_multiple_of(8), 0);
    block
}

/// A plain file.
pub fn plain(schema: &[u8; 4], blocks: &[Vec<u8>]) -> Vec<u8> {
    [&b"ADB."[..], schema, &blocks.concat()].concat()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Deflate,
    /// `ADBc`, algorithm and level.
    Named(u8, u8),
}

pub const PACKINGS: [Packing; 5] = [
    Packing::Plain,
    Packing::Deflate,
    Packing::Named(0, 1),
    Packing::Named(1, 9),
    Packing::Named(2, 3),
];

pub fn pack(packing: Packing, plain: &[u8]) -> Vec<u8> {
    let deflated = || {
        let level = flate2::Compression::new(6);
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    match packing {
        Packing::Plain => plain.to_vec(),
        Packing::Deflate => [b"ADBd".to_vec(), deflated()].concat(),
        Packing::Named(algorithm, level) => {
            let body = match algorithm {
                1 => deflated(),
                2 => zstd::encode_all(plain, i32::from(level)).unwrap(),
                _ => plain.to_vec(),
            };
            [b"ADBc".to_vec(), vec![algorithm, level], body].concat()
        }
    }
}

/// The first 18 bytes of a signature, and the message that is signed.
pub fn to_sign(schema: &[u8; 4], digest: u8, id: [u8; 16], payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let head = [&[0, digest][..], &id].concat();
    let hash = match digest {
        3 => Sha256::digest(payload).to_vec(),
        _ => Sha512::digest(payload).to_vec(),
    };
    (head.clone(), [&schema[..], &head, &hash].concat())
}

/// The dependency `name`, compared with `version` by the bits `relation` of apk.
pub fn dependency(name: &str, version: Option<&str>, relation: u64) -> V {
    let relation = if relation == 0 { V::Null } else { V::Int(relation) };
    object([(1, text(name)), (2, version.map_or(V::Null, text)), (3, relation)])
}

pub fn names(names: &[&str]) -> V {
    V::Array(names.iter().map(|name| dependency(name, None, 0)).collect())
}

/// The smallest `pkginfo`.
pub fn info(name: &str, version: &str) -> BTreeMap<usize, V> {
    BTreeMap::from([(1, text(name)), (2, text(version)), (5, text("x86_64"))])
}

pub fn acl(mode: u64) -> V {
    object([(1, V::Int(mode)), (2, text("root")), (3, text("root"))])
}

pub fn directory(name: &str, files: Vec<V>) -> V {
    let files = if files.is_empty() { V::Null } else { V::Array(files) };
    object([(1, text(name)), (2, acl(0o755)), (3, files)])
}

pub fn file(name: &str, bytes: &[u8]) -> V {
    let hash = Sha256::digest(bytes).to_vec();
    let size = V::Int(bytes.len() as u64);
    object([
        (1, text(name)),
        (2, acl(0o644)),
        (3, size),
        (4, V::Int(1_700_000_000)),
        (5, V::Blob(hash)),
    ])
}

pub fn link(name: &str, kind: u16, target: &[u8]) -> V {
    let target = [&kind.to_le_bytes(), target].concat();
    object([(1, text(name)), (2, acl(0o777)), (4, V::Int(1)), (6, V::Blob(target))])
}

/// The DATA block of a file.
pub fn data(directory: u32, file: u32, bytes: &[u8]) -> Vec<u8> {
    block(DATA, &[&directory.to_le_bytes(), &file.to_le_bytes(), bytes].concat())
}

/// An index of these packages.
pub fn index(packages: Vec<V>) -> V {
    object([(1, text("test feed")), (2, V::Array(packages))])
}

/// An index with one package, in which every field is there.
pub fn full_index() -> V {
    let depends = [("libc", Some("1.2"), 5), ("x", None, 16), ("y", Some("3"), 9)];
    let depends = depends.iter().map(|(name, version, op)| dependency(name, *version, *op));
    let mut all = info("hostapd", "2.11-r0");
    all.extend([
        (3, V::Blob((0..32).collect())),
        (4, text("an access point")),
        (6, text("BSD-3-Clause")),
        (7, text("wpa")),
        (8, text("Somebody <a@b>")),
        (9, text("https://w1.fi/")),
        (10, V::Blob(vec![0xab; 20])),
        (11, V::Int(1_700_000_000)),
        (12, V::Int(1 << 33)),
        (13, V::Int(500_000)),
        (14, V::Int(100)),
        (15, V::Array(depends.collect())),
        (16, V::Array(vec![dependency("cmd:hostapd", Some("2.11-r0"), 0)])),
        (17, names(&["wpad"])),
        (18, names(&["a", "b"])),
        (19, names(&["c"])),
        (20, V::Int(1)),
        (21, V::Array(vec![text("t"), text("k=v")])),
    ]);
    let V::Object(mut root) = index(vec![V::Object(all)]) else { return V::Null };
    root.insert(3, text("${arch}/${hash:2}/${name}-${version}.apk"));
    V::Object(root)
}

/// A package with a bit of everything: its metadata, and its DATA blocks.
pub fn sample_package() -> (V, Vec<Vec<u8>>) {
    let etc = vec![file("empty", b""), file("hosts", b"127.0.0.1 localhost\n")];
    let bin = vec![
        link("ash", 0o120_000, b"busybox"),
        file("busybox", &[0x7f; 5000]),
        link("sh", 0o100_000, b"usr/bin/busybox"),
    ];
    let dev = vec![
        link("fifo", 0o010_000, &[0; 8]),
        link("null", 0o020_000, &0x0103u64.to_le_bytes()),
        link("sda", 0o060_000, &0x0800u64.to_le_bytes()),
    ];
    let paths = vec![
        directory("", Vec::new()),
        directory("dev", dev),
        directory("etc", etc),
        directory("usr/bin", bin),
    ];
    let scripts = [(1, text("#!/bin/sh\n# trigger\n")), (3, text("#!/bin/sh\nexit 0\n"))];
    let root = object([
        (1, V::Object(info("sample", "1.2-r3"))),
        (2, V::Array(paths)),
        (3, object(scripts)),
        (4, V::Array(vec![text("/usr/share/*")])),
        (5, V::Int(7)),
    ]);
    (root, vec![data(3, 2, b"127.0.0.1 localhost\n"), data(4, 2, &[0x7f; 5000])])
}
