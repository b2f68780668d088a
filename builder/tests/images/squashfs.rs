//! SquashFS: every codec, read back by our check and by `unsquashfs`.

use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::num::NonZeroUsize;

use proptest::prelude::*;
use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Silent;
use wifibox_image::ImageFile;
use wifibox_image::block_cache::{BlockCache, BlockStore};
use wifibox_image::squashfs::{
    BlockSize, Codec, Error, Options, VerifyError, verify, verify_written, write, write_cached,
};
use wifibox_tree::{Kind, Tree};

use crate::support::{self, EPOCH, lines, node, path, run};

const CODECS: [Codec; 5] =
    [Codec::XZ, Codec::Xz { x86: false }, Codec::Zstd { level: 6 }, Codec::GZIP, Codec::Lz4];

fn options(codec: Codec, block: u32, jobs: usize) -> Options {
    Options {
        codec,
        block_size: block.try_into().expect("a block size"),
        source_date_epoch: EPOCH,
        jobs: NonZeroUsize::new(jobs).expect("a number of jobs"),
    }
}

fn image(tree: &Tree, options: &Options) -> Vec<u8> {
    let mut out = Cursor::new(vec![0xee; 10_000]);
    let length = write(tree, options, &mut out, &Silent).expect("written");
    assert_eq!(out.get_ref().len() as u64, length);
    assert_eq!(length % 4096, 0);
    out.into_inner()
}

#[test]
fn every_codec_and_block_size_reads_back() {
    for codec in CODECS {
        for block in [4096, 131_072] {
            let options = options(codec, block, 2);
            let tree = support::everything(block as usize);
            let image = image(&tree, &options);
            verify(&tree, &options, &mut Cursor::new(&image)).expect("as the tree");
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_jobs() {
    for codec in CODECS {
        let tree = support::everything(8192);
        let one = image(&tree, &options(codec, 8192, 1));
        for jobs in [1, 2, 4] {
            assert!(image(&tree, &options(codec, 8192, jobs)) == one, "{codec:?}, {jobs} jobs");
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_a_cache_and_it_saves_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = support::everything(8192);
    for codec in CODECS {
        let options = options(codec, 8192, 2);
        let plain = image(&tree, &options);
        let mut missed = Vec::new();
        for _ in 0..2 {
            let cache = BlockCache::open(folder.path(), 1 << 30).expect("opened");
            let mut out = Cursor::new(Vec::new());
            let written = write_cached(&tree, &options, Some(&cache), &mut out, &Silent);
            let written = written.expect("written");
            assert!(out.get_ref() == &plain, "{codec:?}");
            verify_written(&tree, &options, &written, &mut out).expect("as the tree");
            missed.push(cache.used().missed);
            cache.finish().expect("finished");
        }
        assert!(missed[0] > 10, "{codec:?}");
        assert_eq!(missed[1], 0, "{codec:?}");
    }
}

/// A cache that answers nonsense.
struct Liar(usize);

impl BlockStore for Liar {
    fn get(&self, _: &Sha256) -> Option<Vec<u8>> {
        Some(vec![1; self.0])
    }
    fn put(&self, _: &Sha256, _: &[u8]) {}
}

#[test]
fn what_a_cache_says_never_breaks_the_layout() {
    let tree = support::everything(4096);
    let options = options(Codec::GZIP, 4096, 2);
    let mut out = Cursor::new(Vec::new());
    write_cached(&tree, &options, Some(&Liar(100_000)), &mut out, &Silent).expect("written");
    assert!(out.into_inner() == image(&tree, &options), "too long for a block: not believed");
    let mut out = Cursor::new(Vec::new());
    let written = write_cached(&tree, &options, Some(&Liar(20)), &mut out, &Silent);
    let written = written.expect("written");
    verify_written(&tree, &options, &written, &mut out).expect_err("metadata that is none");
}

#[test]
fn the_quick_check_finds_damage_anywhere() {
    let tree = support::everything(4096);
    let options = options(Codec::GZIP, 4096, 2);
    let mut out = Cursor::new(Vec::new());
    let written = write_cached(&tree, &options, None, &mut out, &Silent).expect("written");
    verify_written(&tree, &options, &written, &mut out).expect("as the tree");
    let mut other = tree.clone();
    other.get_mut(&path("tmp")).expect("there").meta.uid = 9;
    let error = verify_written(&other, &options, &written, &mut out).expect_err("a difference");
    assert_eq!(error.to_string(), "/tmp: the image has user 0, expected 9");
    let length = out.get_ref().len();
    for at in (96..length - 4096).step_by(97) {
        out.get_mut()[at] ^= 1;
        verify_written(&tree, &options, &written, &mut out).expect_err("damage");
        out.get_mut()[at] ^= 1;
    }
    verify_written(&tree, &options, &written, &mut out).expect("as the tree again");
}

#[test]
fn equal_files_are_stored_once() {
    let options = options(Codec::Lz4, 4096, 1);
    let file = |seed| {
        node(Kind::File(Content::from_bytes(support::noise(100_000, seed))), 0o644, (0, 0), 0)
    };
    let mut tree = Tree::new();
    for at in ["a", "b", "c"] {
        tree.insert(&path(at), file(1)).expect("inserted");
    }
    assert!(image(&tree, &options).len() < 120_000);
    // Small ones as well, wherever they are.
    let small =
        |seed| node(Kind::File(Content::from_bytes(support::noise(3000, seed))), 0o644, (0, 0), 0);
    let mut tree = Tree::new();
    for n in 0..100 {
        let at = path(format!("folder-{}/file-{n}.bin", n % 7));
        tree.insert(&at, small(n % 2)).expect("inserted");
    }
    let image = image(&tree, &options);
    assert!(image.len() < 20_000, "{}", image.len());
    verify(&tree, &options, &mut Cursor::new(image)).expect("as the tree");
}

#[test]
fn a_tree_with_nothing_in_it_is_an_image_too() {
    for codec in CODECS {
        let options = options(codec, 131_072, 2);
        let image = image(&Tree::new(), &options);
        verify(&Tree::new(), &options, &mut Cursor::new(image)).expect("as the tree");
    }
}

#[test]
fn the_check_finds_what_differs() {
    let options = options(Codec::GZIP, 4096, 1);
    let tree = support::everything(4096);
    let mut image = image(&tree, &options);
    let find = |change: &dyn Fn(&mut Tree)| {
        let mut other = tree.clone();
        change(&mut other);
        verify(&other, &options, &mut Cursor::new(&image)).expect_err("a difference").to_string()
    };
    let meta = |at: &'static str, mode, uid| {
        move |tree: &mut Tree| {
            let meta = &mut tree.get_mut(&path(at)).expect("there").meta;
            (meta.mode, meta.uid) = (mode, uid);
        }
    };
    let kind = |at: &'static str, kind: Kind| {
        move |tree: &mut Tree| tree.get_mut(&path(at)).expect("there").kind = kind.clone()
    };
    assert_eq!(find(&meta("tmp", 0o777, 0)), "/tmp: the image has mode 1777, expected 777");
    assert_eq!(find(&meta("tmp", 0o1777, 9)), "/tmp: the image has user 0, expected 9");
    let link = kind("sh", Kind::Symlink(b"bin/sx".to_vec()));
    assert!(find(&link).contains("kind link to bin/su, expected link to bin/sx"));
    let text = kind("text/0", Kind::File(Content::from_bytes("b")));
    assert!(find(&text).starts_with("/text/0: the image has content "));
    assert!(find(&kind("dev/console", Kind::CharDevice(5, 2))).contains("device 0x501"));
    assert!(find(&|tree| tree.remove(&path("many"))).contains("number of nodes"));
    let middle = image.len() / 2;
    image[middle] ^= 1;
    verify(&tree, &options, &mut Cursor::new(&image)).expect_err("damage");
    image.truncate(middle);
    let error = verify(&tree, &options, &mut Cursor::new(&image)).expect_err("cut short");
    assert!(matches!(error, VerifyError::Unreadable(_)), "{error}");
}

#[test]
fn impossible_options_are_refused() {
    for bytes in [0, 2048, 5000, 1 << 21] {
        assert!(matches!(BlockSize::try_from(bytes), Err(Error::BlockSize(n)) if n == bytes));
    }
    for codec in [Codec::Gzip { level: 13 }, Codec::Zstd { level: 0 }, Codec::Zstd { level: 23 }] {
        let mut out = Cursor::new(Vec::new());
        let error = write(&Tree::new(), &options(codec, 4096, 1), &mut out, &Silent);
        assert!(matches!(error, Err(Error::Level { .. })));
    }
}

#[test]
fn unsquashfs_lists_what_the_tree_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    let tree = support::everything(4096);
    for codec in CODECS {
        std::fs::write(&file, image(&tree, &options(codec, 4096, 2))).expect("written");
        let Some(output) = run("unsquashfs", &["-lln".as_ref(), file.as_os_str()], None) else {
            return;
        };
        let mut found: Vec<String> = lines(&output)
            .into_iter()
            .filter(|line| line.contains("squashfs-root"))
            .map(|line| without_time(&line))
            .collect();
        let mut expected: Vec<String> =
            tree.iter().map(|(path, node)| listed(&path.to_string(), node)).collect();
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
    let mut tree = Tree::new();
    let empty = || node(Kind::File(Content::from_bytes("")), 0o644, (0, 0), 0);
    // More inodes between two siblings than 15 bits count, and listings of more than 64 KiB.
    for n in 0..35_000 {
        let at = path(format!("first/entry-with-a-long-name-{n:05}"));
        tree.insert(&at, empty()).expect("inserted");
    }
    tree.insert(&path("second"), empty()).expect("inserted");
    tree.insert(&path("third/a"), empty()).expect("inserted");
    let options = options(Codec::Lz4, 4096, 2);
    let image = image(&tree, &options);
    verify(&tree, &options, &mut Cursor::new(&image)).expect("as the tree");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    std::fs::write(&file, image).expect("written");
    if let Some(output) = run("unsquashfs", &["-l".as_ref(), file.as_os_str()], None) {
        let listed = lines(&output).iter().filter(|line| line.starts_with("squashfs-root")).count();
        assert_eq!(listed, tree.len());
    }
}

#[test]
fn a_content_that_cannot_be_read_is_an_error_that_names_the_file() {
    let mut tree = support::files_and_links(4096);
    let at = path("text/lost");
    tree.insert(&at, node(Kind::File(support::lost()), 0o644, (0, 0), 0)).expect("inserted");
    for jobs in [1, 2, 4] {
        let mut out = Cursor::new(Vec::new());
        let error = write(&tree, &options(Codec::GZIP, 4096, jobs), &mut out, &Silent);
        let error = error.expect_err("unreadable");
        assert!(matches!(&error, Error::Content { path, .. } if *path == at), "{error}");
    }
}

#[test]
fn a_full_disk_is_an_error_whatever_the_jobs() {
    let tree = support::everything(4096);
    for (jobs, room) in [(1, 50), (1, 50_000), (4, 50), (4, 20_000), (4, 50_000)] {
        let mut out = Full { inner: Cursor::new(Vec::new()), room };
        let error = write(&tree, &options(Codec::GZIP, 4096, jobs), &mut out, &Silent);
        assert!(matches!(error, Err(Error::Write(_))), "{jobs} jobs, {room} bytes");
    }
}

/// A file on a disk with little room.
struct Full {
    inner: Cursor<Vec<u8>>,
    room: u64,
}

impl Write for Full {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.inner.position() + buf.len() as u64 > self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl ImageFile for Full {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)
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

/// The line that `unsquashfs -lln` prints for a node, as [`without_time`] leaves it.
fn listed(path: &str, node: &wifibox_tree::Node) -> String {
    let (letter, size, target) = match &node.kind {
        Kind::Directory => ('d', None, None),
        Kind::File(content) => ('-', Some(content.len().to_string()), None),
        Kind::Symlink(to) => ('l', Some(to.len().to_string()), Some(to.escape_ascii().to_string())),
        Kind::CharDevice(major, minor) => ('c', Some(format!("{major},{minor}")), None),
        Kind::BlockDevice(major, minor) => ('b', Some(format!("{major},{minor}")), None),
        Kind::Fifo => ('p', Some("0".to_owned()), None),
    };
    let meta = &node.meta;
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
fn unsquashfs_extracts_what_the_tree_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("root.img");
    let tree = support::files_and_links(4096);
    for (n, codec) in CODECS.into_iter().enumerate() {
        std::fs::write(&file, image(&tree, &options(codec, 4096, 2))).expect("written");
        let to = directory.path().join(n.to_string());
        let arguments = ["-no-progress".as_ref(), "-d".as_ref(), to.as_os_str(), file.as_os_str()];
        if run("unsquashfs", &arguments, None).is_none() {
            return;
        }
        for (at, node) in tree.iter() {
            let found = to.join(at.as_str().expect("plain names"));
            match &node.kind {
                Kind::File(content) => {
                    let mut bytes = Vec::new();
                    let reader = std::fs::File::open(&found).expect("there");
                    BufReader::new(reader).read_to_end(&mut bytes).expect("readable");
                    assert!(bytes == content.read().expect("readable"), "{at}");
                }
                Kind::Symlink(target) => {
                    let link = std::fs::read_link(&found).expect("a link");
                    assert_eq!(link.as_os_str().as_encoded_bytes(), target);
                }
                _ => assert!(found.is_dir()),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_reads_back_whatever_the_jobs(tree in support::small_trees(), codec in 0..5usize) {
        let one = options(CODECS[codec], 4096, 1);
        let written = image(&tree, &one);
        verify(&tree, &one, &mut Cursor::new(&written)).expect("as the tree");
        prop_assert!(image(&tree, &options(CODECS[codec], 4096, 3)) == written);
    }
}
