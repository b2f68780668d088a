//! Images read by `unsquashfs`, and those of `mksquashfs` read by us.

use std::ffi::OsStr;
use std::io::{BufReader, Cursor};

use wifibox_squashfs::{Archive, Codec, Entry, Kind, usage, verify};

use crate::support::{self, entry, lines, run};
use crate::{CODECS, image, options};

#[test]
fn unsquashfs_lists_what_the_tree_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    let archive = support::everything(4096);
    for codec in CODECS {
        std::fs::write(&file, image(&archive, &options(codec, 4096, 2))).expect("written");
        let Some(output) = run("unsquashfs", &["-lln".as_ref(), file.as_os_str()]) else {
            return;
        };
        let mut found: Vec<String> = lines(&output)
            .into_iter()
            .filter(|line| line.contains("squashfs-root"))
            .map(|line| without_time(&line))
            .collect();
        let mut expected: Vec<String> =
            archive.iter().map(|(path, entry)| listed(&path.to_string(), entry)).collect();
        found.sort();
        expected.sort();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{codec:?}");
        }
        assert_eq!(found.len(), expected.len());
        let clamped = lines(&output).into_iter().find(|line| line.ends_with("/bin/su"));
        assert!(clamped.is_some_and(|line| line.contains("2023-11-14 22:13")));
    }
}

#[test]
fn directories_beyond_every_small_limit_read_back() {
    let mut archive = Archive::new();
    let empty = || entry(Kind::file(""), 0o644, (0, 0), 0);
    // More inodes between two siblings than 15 bits count, and listings of more than 64 KiB.
    for n in 0..35_000 {
        let at = format!("first/entry-with-a-long-name-{n:05}");
        archive.insert(&at, empty()).expect("inserted");
    }
    archive.insert("second", empty()).expect("inserted");
    archive.insert("third/a", empty()).expect("inserted");
    let options = options(Codec::Lz4, 4096, 2);
    let image = image(&archive, &options);
    verify(&archive, &options, &mut Cursor::new(&image)).expect("as the archive");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    std::fs::write(&file, image).expect("written");
    if let Some(output) = run("unsquashfs", &["-l".as_ref(), file.as_os_str()]) {
        let listed = lines(&output).iter().filter(|line| line.starts_with("squashfs-root")).count();
        assert_eq!(listed, archive.len());
    }
}

#[test]
fn images_of_mksquashfs_are_read_however_they_are_compressed() {
    let directory = tempfile::tempdir().expect("a directory");
    let content = directory.path().join("content");
    std::fs::create_dir(&content).expect("a folder");
    let text = "a line that repeats itself\n".repeat(20_000);
    std::fs::write(content.join("long"), &text).expect("written");
    std::fs::hard_link(content.join("long"), content.join("again")).expect("linked");
    std::fs::write(content.join("short"), "12345").expect("written");
    let file = directory.path().join("image");
    for name in ["gzip", "xz", "zstd", "lz4", "lzo"] {
        let compression = ["-comp", name, "-noappend", "-quiet", "-no-progress"];
        let paths = [content.as_os_str(), file.as_os_str()].into_iter();
        let arguments: Vec<&OsStr> = paths.chain(compression.map(OsStr::new)).collect();
        if run("mksquashfs", &arguments).is_none() {
            return;
        }
        let image = BufReader::new(std::fs::File::open(&file).expect("an image"));
        let found = usage(image, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.compression, name);
        let size: u64 = found.nodes.iter().map(|node| node.size).sum();
        assert_eq!(size, text.len() as u64 + 5, "{name}");
        assert!(found.nodes.iter().all(|node| node.stored < 10_000), "{name}");
    }
}

/// A line of `unsquashfs -lln` with single spaces, without date and time, and without the size of a
/// directory, which is the writer's business.
fn without_time(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if line.starts_with('d') {
        words.remove(2);
    }
    let is_date = |word: &&str| word.len() == 10 && word.starts_with(['1', '2']);
    let date = words.iter().position(is_date);
    let date = date.expect("a date");
    [&words[..date], &words[date + 2..]].concat().join(" ").replace(", ", ",")
}

/// The line that `unsquashfs -lln` prints for an entry, as [`without_time`] leaves it.
fn listed(path: &str, entry: &Entry) -> String {
    let (letter, size, target) = match &entry.kind {
        Kind::Directory => ('d', None, None),
        Kind::File(content) => ('-', Some(content.len().to_string()), None),
        Kind::Symlink(to) => ('l', Some(to.len().to_string()), Some(to.escape_ascii().to_string())),
        Kind::CharDevice(major, minor) => ('c', Some(format!("{major},{minor}")), None),
        Kind::BlockDevice(major, minor) => ('b', Some(format!("{major},{minor}")), None),
        Kind::Fifo => ('p', Some("0".to_owned()), None),
        Kind::Socket => ('s', Some("0".to_owned()), None),
    };
    let meta = &entry.meta;
    let mut line = format!("{letter}{} {}/{}", permissions(meta.mode), meta.uid, meta.gid);
    if let Some(size) = size {
        line = format!("{line} {size}");
    }
    line = format!("{line} squashfs-root{}", path.trim_end_matches('/'));
    target.map_or(line.clone(), |target| format!("{line} -> {target}"))
}

fn permissions(mode: u16) -> String {
    let special = [(0o4000, 's', 'S'), (0o2000, 's', 'S'), (0o1000, 't', 'T')];
    let mut out = String::new();
    for (n, (bit, with, without)) in special.into_iter().enumerate() {
        let bits = mode >> (6 - 3 * n);
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (mode & bit != 0, bits & 1 != 0) {
            (true, true) => with,
            (true, false) => without,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

#[test]
fn unsquashfs_extracts_what_the_archive_has() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    let archive = support::files_and_links(4096, |_, _| true);
    for (n, codec) in CODECS.into_iter().enumerate() {
        std::fs::write(&file, image(&archive, &options(codec, 4096, 2))).expect("written");
        let to = directory.path().join(n.to_string());
        let arguments = ["-no-progress".as_ref(), "-d".as_ref(), to.as_os_str(), file.as_os_str()];
        if run("unsquashfs", &arguments).is_none() {
            return;
        }
        for (at, entry) in archive.iter() {
            let found = to.join(std::str::from_utf8(at.as_bytes()).expect("plain names"));
            match &entry.kind {
                Kind::File(content) => {
                    let bytes = std::fs::read(&found).expect("readable");
                    assert!(bytes == support::bytes(&**content), "{at}");
                }
                Kind::Symlink(target) => {
                    let link = std::fs::read_link(&found).expect("a link");
                    assert_eq!(link.as_os_str().as_encoded_bytes(), target);
                }
                _ => assert!(found.is_dir()),
            }
        }
        // Names of one file are one file again.
        for names in [&["zz", "a-link", "zzz"][..], &["bin/su", "bin/login"], &["sh", "y"]] {
            let found = |name: &&str| std::fs::symlink_metadata(to.join(name)).expect("there");
            let all: Vec<(u64, u64)> =
                names.iter().map(found).map(|file| (file.ino(), file.nlink())).collect();
            let expected = (all[0].0, names.len() as u64);
            assert!(all.iter().all(|file| *file == expected), "{names:?}: {all:?}");
        }
    }
}
