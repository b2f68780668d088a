//! initramfs: every compression, read by `cpio` and by the compressors' own tools.

use std::path::Path;

use proptest::prelude::*;
use wifibox_image::newc::{Error, InitramfsCompressor, write};
use wifibox_tree::{Kind, Tree};

use crate::support::{self, EPOCH, lines, run};

const ALL: [(InitramfsCompressor, &[&str]); 4] = [
    (InitramfsCompressor::Gzip, &["gzip", "-dc"]),
    (InitramfsCompressor::Xz, &["xz", "-dc"]),
    (InitramfsCompressor::Zstd, &["zstd", "-dc"]),
    (InitramfsCompressor::Lz4, &["lz4", "-dc"]),
];

fn initramfs(tree: &Tree, compression: InitramfsCompressor) -> Vec<u8> {
    let mut out = Vec::new();
    write(tree, compression, EPOCH, &mut out).expect("written");
    out
}

#[test]
fn every_compression_holds_the_same_archive() {
    let tree = support::everything(4096);
    let plain = initramfs(&tree, InitramfsCompressor::None);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("initramfs");
    for (compression, command) in ALL {
        let packed = initramfs(&tree, compression);
        assert!(packed == initramfs(&tree, compression), "{compression:?} repeats itself");
        assert!(packed.len() < plain.len());
        std::fs::write(&file, packed).expect("written");
        if let Some(output) = run(command[0], &command[1..], Some(&file)) {
            assert!(output.stdout == plain, "{compression:?}");
        }
    }
}

#[test]
fn xz_has_the_check_that_the_kernel_knows() {
    let packed = initramfs(&Tree::new(), InitramfsCompressor::Xz);
    // Stream flags: a reserved byte, then the kind of check; 1 is CRC32.
    assert_eq!(packed.get(6..8), Some(&[0, 1][..]));
}

#[test]
fn a_content_that_cannot_be_read_is_an_error_that_names_the_file() {
    let mut tree = Tree::new();
    let at = support::path("text/lost");
    let lost = support::node(Kind::File(support::lost()), 0o644, (0, 0), 0);
    tree.insert(&at, lost).expect("inserted");
    let error = write(&tree, InitramfsCompressor::Gzip, EPOCH, Vec::new()).expect_err("unreadable");
    assert!(matches!(&error, Error::Content { path, .. } if *path == at), "{error}");
}

#[test]
fn cpio_lists_and_extracts_what_the_tree_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("initramfs");
    std::fs::write(&file, initramfs(&support::everything(4096), InitramfsCompressor::None))
        .expect("ok");
    let Some(output) = run("cpio", &["-itv", "--quiet", "--numeric-uid-gid"], Some(&file)) else {
        return;
    };
    let listing: Vec<String> = lines(&output)
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "drwxr-xr-x 2 0 0 0 Jan 1 1970 .",
        "-rwsr-xr-x 1 0 10 700 Nov 14 2023 bin/su",
        "drwxrwxrwt 2 0 0 0 Nov 14 2023 tmp",
        "lrwxrwxrwx 1 0 0 6 Jan 1 1970 sh -> bin/su",
        "crw------- 1 0 0 5, 1 Jan 1 1970 dev/console",
        "prw------- 1 0 0 0 Jan 1 1970 dev/log",
        "-rw-r----- 1 4 3 20497 Jan 1 1970 text/copy/5",
    ] {
        assert!(listing.iter().any(|line| line == expected), "{expected}");
    }
    assert_eq!(listing.len(), support::everything(4096).len());
    extracted(&support::files_and_links(4096), directory.path());
}

/// Extracts the tree's archive and compares contents and links.
fn extracted(tree: &Tree, directory: &Path) {
    let file = directory.join("plain");
    std::fs::write(&file, initramfs(tree, InitramfsCompressor::None)).expect("written");
    let to = directory.join("to");
    std::fs::create_dir(&to).expect("made");
    let flags = ["-id", "--quiet", "--no-preserve-owner", "-D"].map(AsRef::as_ref);
    let arguments = [&flags[..], &[to.as_os_str()]].concat();
    run("cpio", &arguments, Some(&file)).expect("installed");
    for (at, node) in tree.iter() {
        let found = to.join(at.as_str().expect("plain names"));
        match &node.kind {
            Kind::File(content) => {
                let bytes = std::fs::read(&found).expect("readable");
                assert!(bytes == content.read().expect("readable"), "{at}");
            }
            Kind::Symlink(target) => {
                let link = std::fs::read_link(&found).expect("a link");
                assert_eq!(link.as_os_str().as_encoded_bytes(), target);
            }
            _ => assert!(found.is_dir(), "{at}"),
        }
    }
}

/// Reads an archive by the format's own words: (name, mode, owner, time, device, data) of each entry.
fn entries(mut archive: &[u8]) -> Vec<(Vec<u8>, [u32; 13], Vec<u8>)> {
    let mut out = Vec::new();
    let total = archive.len();
    loop {
        let field = |n: usize| {
            let text = std::str::from_utf8(&archive[6 + 8 * n..14 + 8 * n]).expect("text");
            u32::from_str_radix(text, 16).expect("hexadecimal")
        };
        assert_eq!(&archive[..6], b"070701");
        let fields: [u32; 13] = std::array::from_fn(field);
        let (size, name_size) = (fields[6] as usize, fields[11] as usize);
        let name = archive[110..110 + name_size - 1].to_vec();
        let data = (110 + name_size).next_multiple_of(4);
        if name == b"TRAILER!!!" {
            assert!(archive.len() < 1024 && total.is_multiple_of(512));
            return out;
        }
        out.push((name, fields, archive[data..data + size].to_vec()));
        archive = &archive[(data + size).next_multiple_of(4)..];
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_is_in_its_archive(tree in support::small_trees()) {
        let entries = entries(&initramfs(&tree, InitramfsCompressor::None));
        prop_assert_eq!(entries.len(), tree.len());
        for ((inode, (path, node)), (name, fields, data)) in (1..).zip(tree.iter()).zip(entries) {
            prop_assert_eq!(if path.is_root() { b"." } else { path.as_bytes() }, &name[..]);
            prop_assert_eq!(fields[0], inode);
            prop_assert_eq!(fields[1] & 0o7777, u32::from(node.meta.mode));
            prop_assert_eq!((fields[2], fields[3]), (node.meta.uid, node.meta.gid));
            prop_assert_eq!(fields[5], node.meta.mtime.min(EPOCH));
            let expected = match &node.kind {
                Kind::File(content) => content.read().expect("readable"),
                Kind::Symlink(target) => target.clone(),
                Kind::CharDevice(major, minor) | Kind::BlockDevice(major, minor) => {
                    prop_assert_eq!((fields[9], fields[10]), (*major, *minor));
                    Vec::new()
                }
                _ => Vec::new(),
            };
            prop_assert!(data == expected);
        }
    }
}
