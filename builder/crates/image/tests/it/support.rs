//! Trees to make images of, and tools to read them with.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::path::GuestPath;
use wifibox_tree::{Kind, Meta, Node, Origin, Tree};

/// The newest time in the images: 2023-11-14 22:13:20 UTC.
pub const EPOCH: u32 = 1_700_000_000;

/// Runs `program` and returns what it printed; `None` where it is not installed and need not be.
pub fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: &[A],
    stdin: Option<&Path>,
) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).env("TZ", "UTC").env("LC_ALL", "C");
    if let Some(path) = stdin {
        command.stdin(std::fs::File::open(path).expect("the input"));
    }
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

pub fn path(text: impl AsRef<[u8]>) -> GuestPath {
    GuestPath::new(text).expect("a path")
}

pub fn node(kind: Kind, mode: u16, owner: (u32, u32), mtime: u32) -> Node {
    let meta = Meta { mode, uid: owner.0, gid: owner.1, mtime, ..Meta::default() };
    Node { meta, kind, origin: Origin::Builder }
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

/// A content that ends before it should: its spool holds nothing.
pub fn lost() -> Content {
    let directory = tempfile::tempdir().expect("a directory");
    let spool = Spool::new_in(directory.path()).expect("a spool");
    Content::Spooled { spool, offset: 0, length: 10_000, digests: Default::default() }
}

/// A tree with files around every boundary of the block size, links, owners, modes and times.
pub fn files_and_links(block: usize) -> Tree {
    let mut tree = Tree::new();
    let mut add = |at: &str, node| {
        tree.insert(&path(at), node).expect("inserted");
    };
    let file = |bytes: Vec<u8>| Kind::File(Content::from_bytes(bytes));
    add("bin", node(Kind::Directory, 0o755, (0, 0), 1));
    add("bin/su", node(file(noise(700, 1)), 0o4755, (0, 10), EPOCH + 5));
    add("tmp", node(Kind::Directory, 0o1777, (0, 0), EPOCH - 5));
    add("empty", node(file(Vec::new()), 0o600, (1000, 1001), 0));
    add("zeros", node(file(vec![0; 3 * block]), 0o644, (0, 0), 7));
    let mut holed = noise(block, 2);
    holed.extend_from_slice(&vec![0; block]);
    holed.extend_from_slice(b"tail");
    add("holed", node(file(holed), 0o644, (0, 0), 7));
    for (n, length) in
        [1, block - 1, block, block + 1, 2 * block, 5 * block + 17].iter().enumerate()
    {
        let text: Vec<u8> =
            b"all work and no play ".iter().copied().cycle().take(*length).collect();
        add(&format!("text/{n}"), node(file(text.clone()), 0o644, (3, 4), 7));
        add(&format!("text/copy/{n}"), node(file(text), 0o640, (4, 3), 8));
        add(&format!("noise/{n}"), node(file(noise(*length, 3)), 0o444, (65534, 65534), 9));
    }
    for n in 0..600 {
        add(&format!("many/{n:03}"), node(file(noise(n, 5)), 0o644, (0, 0), 7));
    }
    add("sh", node(Kind::Symlink(b"bin/su".to_vec()), 0o777, (0, 0), 7));
    add("far", node(Kind::Symlink(vec![b'x'; 255]), 0o777, (5, 5), 7));
    add(&"n".repeat(255), node(file(b"long".to_vec()), 0o644, (0, 0), 7));
    // The last file is a copy, whose discarded blocks must not stay behind the image's end.
    add("zz", node(file(noise(5 * block + 17, 3)), 0o644, (0, 0), 7));
    tree
}

/// The same with device nodes and a pipe.
pub fn everything(block: usize) -> Tree {
    let mut tree = files_and_links(block);
    let devices = [
        ("dev/console", Kind::CharDevice(5, 1)),
        ("dev/nvme", Kind::BlockDevice(259, 7)),
        ("dev/log", Kind::Fifo),
    ];
    for (at, kind) in devices {
        tree.insert(&path(at), node(kind, 0o600, (0, 0), 3)).expect("inserted");
    }
    tree
}

/// Random small trees: names of any bytes, every kind, contents of any size up to a few blocks.
pub fn small_trees() -> impl Strategy<Value = Tree> {
    let name = proptest::collection::vec(1u8..=255, 1..6).prop_filter("a name", |name| {
        !name.contains(&b'/') && name.as_slice() != b"." && name.as_slice() != b".."
    });
    let place = proptest::collection::vec(name, 1..4).prop_map(|parts| parts.join(&b'/'));
    let contents = prop_oneof![
        (0usize..9000, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        (0usize..20_000, any::<u32>()).prop_map(|(length, seed)| noise(length, seed)),
    ];
    let kind = prop_oneof![
        2 => Just(Kind::Directory),
        6 => contents.prop_map(|bytes| Kind::File(Content::from_bytes(bytes))),
        1 => proptest::collection::vec(1u8..=255, 1..255).prop_map(Kind::Symlink),
        1 => (0u32..4096, 0u32..0x10_0000).prop_map(|(a, b)| Kind::CharDevice(a, b)),
        1 => (0u32..4096, 0u32..0x10_0000).prop_map(|(a, b)| Kind::BlockDevice(a, b)),
        1 => Just(Kind::Fifo),
    ];
    let meta = (0u16..=0o7777, any::<u32>(), 0u32..3, any::<u32>());
    proptest::collection::vec((place, kind, meta), 0..30).prop_map(|entries| {
        let mut tree = Tree::new();
        for (at, kind, (mode, uid, gid, mtime)) in entries {
            // A clash with an earlier entry leaves that entry: any tree will do.
            let _ = tree.insert(&path(at), node(kind, mode, (uid, gid), mtime));
        }
        tree
    })
}
