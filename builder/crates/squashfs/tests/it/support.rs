//! Archives to make images of, and tools to read them with.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Command, Output};

use proptest::prelude::*;
use wifibox_squashfs::{Archive, Content, Entry, Kind, Meta};

/// The newest time in the images: 2023-11-14 22:13:20 UTC.
pub const EPOCH: u32 = 1_700_000_000;

/// Runs `program` and returns what it printed; `None` where it is not installed and need not be.
pub fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).env("TZ", "UTC").env("LC_ALL", "C");
    match command.output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program} failed: {}\n{}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            Some(output)
        }
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("skipped: {program}: {error}");
            None
        }
        Err(error) => panic!("{program} must be installed where CI is set: {error}"),
    }
}

/// The lines that `output` has on its standard output.
pub fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

pub fn entry(kind: Kind, mode: u16, owner: (u32, u32), mtime: u32) -> Entry {
    let meta = Meta { mode, uid: owner.0, gid: owner.1, mtime, ..Meta::default() };
    Entry::new(meta, kind)
}

/// Bytes that no codec can shrink much, different for each seed.
pub fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A content that ends before it should.
pub struct Lost;

impl Content for Lost {
    fn len(&self) -> u64 {
        10_000
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(&b"not so many"[..]))
    }
}

/// All bytes of a file.
pub fn bytes(content: &dyn Content) -> Vec<u8> {
    let mut bytes = Vec::new();
    content.open().expect("opened").read_to_end(&mut bytes).expect("readable");
    bytes
}

/// Entries with files around every boundary of the block size, links, owners, modes and times; and what `change`
/// makes of them.
pub fn files_and_links(block: usize, change: impl Fn(&str, &mut Entry) -> bool) -> Archive {
    let mut archive = Archive::new();
    let mut add = |at: &str, mut entry: Entry| {
        if change(at, &mut entry) {
            archive.insert(at, entry).expect("inserted");
        }
    };
    add("bin", entry(Kind::Directory, 0o755, (0, 0), 1));
    add("bin/su", entry(Kind::file(noise(700, 1)), 0o4755, (0, 10), EPOCH + 5));
    add("tmp", entry(Kind::Directory, 0o1777, (0, 0), EPOCH - 5));
    add("empty", entry(Kind::file(Vec::new()), 0o600, (1000, 1001), 0));
    add("zeros", entry(Kind::file(vec![0; 3 * block]), 0o644, (0, 0), 7));
    let mut holed = noise(block, 2);
    holed.extend_from_slice(&vec![0; block]);
    holed.extend_from_slice(b"tail");
    add("holed", entry(Kind::file(holed), 0o644, (0, 0), 7));
    for (n, length) in
        [1, block - 1, block, block + 1, 2 * block, 5 * block + 17].iter().enumerate()
    {
        let text: Vec<u8> =
            b"all work and no play ".iter().copied().cycle().take(*length).collect();
        add(&format!("text/{n}"), entry(Kind::file(text.clone()), 0o644, (3, 4), 7));
        add(&format!("text/copy/{n}"), entry(Kind::file(text), 0o640, (4, 3), 8));
        let noise = noise(*length, 3);
        add(&format!("noise/{n}"), entry(Kind::file(noise), 0o444, (65534, 65534), 9));
    }
    for n in 0..600 {
        add(&format!("many/{n:03}"), entry(Kind::file(noise(n, 5)), 0o644, (0, 0), 7));
    }
    add("sh", entry(Kind::Symlink(b"bin/su".to_vec()), 0o777, (0, 0), 7));
    add("far", entry(Kind::Symlink(vec![b'x'; 255]), 0o777, (5, 5), 7));
    add(&"n".repeat(255), entry(Kind::file("long"), 0o644, (0, 0), 7));
    // The last file is a copy, whose discarded blocks must not stay behind the image's end.
    add("zz", entry(Kind::file(noise(5 * block + 17, 3)), 0o644, (0, 0), 7));
    for (name, of) in [("a-link", "zz"), ("bin/login", "bin/su"), ("zzz", "a-link"), ("y", "sh")] {
        archive.hard_link(name, of).expect("linked");
    }
    archive
}

/// The same with devices, a pipe and a socket.
pub fn everything(block: usize) -> Archive {
    changed(block, |_, _| true)
}

/// The same, changed; entries that `change` says no to are left out.
pub fn changed(block: usize, change: impl Fn(&str, &mut Entry) -> bool) -> Archive {
    let mut archive = files_and_links(block, &change);
    let devices = [
        ("dev/console", Kind::CharDevice(5, 1)),
        ("dev/nvme", Kind::BlockDevice(259, 7)),
        ("dev/log", Kind::Fifo),
        ("run/socket", Kind::Socket),
    ];
    for (at, kind) in devices {
        let mut entry = entry(kind, 0o600, (0, 0), 3);
        if change(at, &mut entry) {
            archive.insert(at, entry).expect("inserted");
        }
    }
    archive.hard_link("dev/tty", "dev/console").expect("linked");
    archive.hard_link("dev/pipe", "dev/log").expect("linked");
    archive.hard_link("run/other", "run/socket").expect("linked");
    archive
}

/// Random small archives: names of any bytes, every kind, contents of any size up to a few blocks, hard links.
pub fn small_archives() -> impl Strategy<Value = Archive> {
    let name = proptest::collection::vec(1u8..=255, 1..6).prop_filter("a name", |name| {
        !name.contains(&b'/') && name.as_slice() != b"." && name.as_slice() != b".."
    });
    let place = proptest::collection::vec(name, 1..4).prop_map(|parts| parts.join(&b'/'));
    let contents = prop_oneof![
        (0usize..9000, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        (0usize..20_000, any::<u32>()).prop_map(|(length, seed)| noise(length, seed)),
    ];
    let kind = prop_oneof![
        2 => Just(Made::Directory),
        6 => contents.prop_map(Made::File),
        1 => proptest::collection::vec(1u8..=255, 1..255).prop_map(Made::Symlink),
        1 => (0u32..4096, 0u32..0x10_0000).prop_map(|(a, b)| Made::CharDevice(a, b)),
        1 => (0u32..4096, 0u32..0x10_0000).prop_map(|(a, b)| Made::BlockDevice(a, b)),
        1 => Just(Made::Fifo),
        1 => Just(Made::Socket),
        2 => any::<proptest::sample::Index>().prop_map(Made::Link),
    ];
    let meta = (0u16..=0o7777, any::<u32>(), 0u32..3, any::<u32>());
    proptest::collection::vec((place, kind, meta, 0u8..3), 0..30).prop_map(|entries| {
        let mut archive = Archive::new();
        for (n, (at, made, (mode, uid, gid, mtime), layer)) in entries.iter().enumerate() {
            // A clash with an earlier entry leaves that entry: any archive will do.
            let kind = match made {
                Made::Link(index) => {
                    let _ = archive.hard_link(at, &entries[index.index(n + 1)].0);
                    continue;
                }
                Made::Directory => Kind::Directory,
                Made::File(bytes) => Kind::file(bytes.clone()),
                Made::Symlink(target) => Kind::Symlink(target.clone()),
                Made::CharDevice(major, minor) => Kind::CharDevice(*major, *minor),
                Made::BlockDevice(major, minor) => Kind::BlockDevice(*major, *minor),
                Made::Fifo => Kind::Fifo,
                Made::Socket => Kind::Socket,
            };
            let entry = Entry { layer: *layer, ..entry(kind, *mode, (*uid, *gid), *mtime) };
            let _ = archive.insert(at, entry);
        }
        archive
    })
}

/// A kind that can be shown and copied, as proptest wants it; `Link` is a hard link to an earlier entry.
#[derive(Debug, Clone)]
enum Made {
    Directory,
    File(Vec<u8>),
    Symlink(Vec<u8>),
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
    Fifo,
    Socket,
    Link(proptest::sample::Index),
}
