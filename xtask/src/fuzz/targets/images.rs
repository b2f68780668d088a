//! Images of others: SquashFS, and programs for UEFI.

use std::io::{self, Cursor, Read};

use object::read::pe::PeFile64;
use object::{Object as _, ObjectSection as _};
use wifibox_ground::content::Content;
use wifibox_image::uki::{self, Uki};
use wifibox_squashfs::{
    Archive, Codec, Entry, Kind, Meta, Options, UnreadableImage, Writer, read_nodes, usage,
};
use wifibox_testkit::guest::noise;
use wifibox_testkit::pe::pe;

/// Files are read up to this length.
const LONG: u64 = 1 << 20;

/// The entries of the images, by path.
const ENTRIES: [&str; 6] = ["bin/sh", "etc/small", "etc/link", "dev/null", "empty", "folder"];

fn kind(path: &str) -> Kind {
    match path {
        "bin/sh" => Kind::file([noise(9000), vec![0; 8192], b"text ".repeat(999)].concat()),
        "etc/small" => Kind::file(b"small".to_vec()),
        "etc/link" => Kind::Symlink(b"../bin/sh".to_vec()),
        "dev/null" => Kind::CharDevice(1, 3),
        "empty" => Kind::file(Vec::new()),
        _ => Kind::Directory,
    }
}

fn image(codec: Codec, entries: &[&str]) -> Option<Vec<u8>> {
    let mut archive = Archive::new();
    for (number, path) in entries.iter().enumerate() {
        // Noise does not shrink: metadata are stored as they are, where the mutator finds them.
        let bytes = noise(12 * (number + 1));
        let word = |at: usize| bytes.get(12 * number + at).map_or(0, |byte| u32::from(*byte));
        let meta = Meta {
            mode: 0o755,
            uid: word(0) << 8 | word(1),
            gid: word(2),
            mtime: word(3) << 24 | word(4) << 16 | word(5),
            ..Meta::default()
        };
        archive.insert(path, Entry::new(meta, kind(path))).ok()?;
    }
    let mut out = Cursor::new(Vec::new());
    let mut options = Options::new(codec, u32::MAX);
    options.block_size = 4096_u32.try_into().ok()?;
    Writer::new(options).write(&archive, &mut out).ok()?;
    Some(out.into_inner())
}

pub fn squashfs_seeds() -> Vec<Vec<u8>> {
    let codecs = [Codec::XZ, Codec::Zstd { level: 3 }, Codec::GZIP, Codec::Lz4];
    let mut seeds: Vec<Vec<u8>> =
        codecs.iter().filter_map(|codec| image(*codec, &ENTRIES)).collect();
    for few in ENTRIES.chunks(2) {
        seeds.extend(image(Codec::Lz4, few));
    }
    seeds
}

pub fn squashfs(bytes: &[u8]) -> bool {
    let mut any = false;
    if let Ok(usage) = usage(Cursor::new(bytes), 0) {
        assert_eq!(usage.length, bytes.len() as u64);
        any = true;
    }
    let read = read_nodes(&mut Cursor::new(bytes), |_, content| {
        if let Some(content) = content {
            let _ = io::copy(&mut content.take(LONG), &mut io::sink());
        }
        Ok::<(), UnreadableImage>(())
    });
    any | read.is_ok()
}

/// Stubs of unified kernel images, which are kernels, too.
pub fn stubs() -> Vec<Vec<u8>> {
    vec![
        pe(&[(".text", 0x1000, b"code"), (".data", 0x2000, b"data")]),
        pe(&[(".text", 0x1000, b"code"), (".sbat", 0x2000, b"sbat,1"), (".reloc", 0x3000, b"r")]),
    ]
}

/// As a stub and as a kernel. What is made can be read, and has the sections that went in.
pub fn stub(bytes: &[u8]) -> bool {
    let good = pe(&[(".text", 0x1000, b"code")]);
    let mut any = false;
    for (stub, kernel) in [(bytes, &good[..]), (&good, bytes), (bytes, bytes)] {
        let content = Content::from_bytes(kernel);
        let initramfs = Content::from_bytes(&b"0707"[..]);
        let uki = Uki {
            stub,
            os_release: "ID=fuzz\n",
            command_line: "quiet",
            kernel_release: Some("6.12"),
            initramfs: Some(&initramfs),
            kernel: &content,
            time: 1,
        };
        let mut out = Vec::new();
        let Ok(length) = uki::build(&uki, &mut out) else { continue };
        assert_eq!(length, out.len() as u64);
        any = true;
        let made = match PeFile64::parse(&*out) {
            Ok(made) => made,
            Err(error) => panic!("what was made cannot be read: {error}"),
        };
        for (name, expected) in [
            (".cmdline", &b"quiet"[..]),
            (".linux", kernel),
            (".initrd", b"0707"),
            (".uname", b"6.12"),
        ] {
            let found = made.sections().find(|section| section.name() == Ok(name));
            let data = found.and_then(|section| Some(section.data().ok()?.to_vec()));
            let held = data.as_ref().is_some_and(|data| data.starts_with(expected));
            assert!(held, "{name} is not what it was");
        }
    }
    any
}
