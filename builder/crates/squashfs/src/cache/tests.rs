//! The block cache: several builders, killed ones, damage and the limit.

use std::io::{Read as _, Seek as _, Write as _};

use super::*;

const MANY: u64 = 1 << 30;

fn key(n: u32) -> BlockKey {
    crate::digest::of(&n.to_le_bytes())
}

fn value(n: u32) -> Vec<u8> {
    n.to_le_bytes().repeat(250)
}

fn fill(cache: &BlockCache, numbers: std::ops::Range<u32>) {
    for n in numbers {
        cache.put(&key(n), &value(n));
    }
}

fn there(cache: &BlockCache, numbers: std::ops::Range<u32>) -> u32 {
    let found = numbers.filter(|n| {
        let found = cache.get(&key(*n));
        assert!(found.is_none() || found == Some(value(*n)), "a wrong value");
        found.is_some()
    });
    u32::try_from(found.count()).expect("few")
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name != "lock")
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_put_is_found_at_once_and_by_the_next_builder() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    fill(&cache, 0..100);
    cache.put(&key(200), b"");
    assert_eq!(there(&cache, 0..150), 100);
    assert_eq!(cache.used(), CacheUse { found: 100, missed: 50, damaged: 0, added: 101 });
    cache.finish().expect("finished");
    fill(&cache, 100..110);
    drop(cache);
    assert_eq!(files(folder.path()), ["0000000001.blocks", "0000000002.blocks"]);
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&cache, 0..150), 110);
    assert_eq!(cache.get(&key(200)), Some(Vec::new()), "an empty value is a value");
    drop(cache);
    assert_eq!(files(folder.path()).len(), 2, "nothing new, no new file");
    let size = BlockCache::size(folder.path(), NO_KEY).expect("measured");
    assert_eq!((size.blocks, size.files), (111, 2));
    assert!(size.bytes > 110 * 1000 && size.bytes < 110 * 1200, "{size:?}");
}

#[test]
fn builders_at_one_time_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                for round in 0..5 {
                    let cache = BlockCache::open(folder, MANY).expect("opened");
                    fill(&cache, n * 100..n * 100 + 20 * (round + 1));
                    fill(&cache, 1000..1010);
                    cache.finish().expect("finished");
                }
            });
        }
    });
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&cache, 0..2000), 410);
    assert!(files(folder.path()).iter().all(|name| name.ends_with(".blocks")));
}

#[test]
fn what_a_killed_builder_left_is_used_and_a_living_ones_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let living = BlockCache::open(folder.path(), MANY).expect("opened");
    fill(&living, 0..10);
    // A builder that is killed gives its lock back and leaves its file as it is.
    let killed = BlockCache::open(folder.path(), MANY).expect("opened");
    fill(&killed, 10..20);
    let left = folder.path().join("0000000002.writing");
    let copy = std::fs::read(&left).expect("readable");
    drop(killed);
    std::fs::remove_file(folder.path().join("0000000002.blocks")).expect("removed");
    std::fs::write(&left, &copy[..copy.len() - 500]).expect("written");
    std::fs::write(folder.path().join("0000000007.writing"), b"").expect("written");
    let next = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&next, 0..30), 9, "all but the record that was cut, and the living one's");
    assert_eq!(files(folder.path()), ["0000000001.writing", "0000000002.blocks"]);
    fill(&living, 30..40);
    living.finish().expect("finished");
    let last = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&last, 0..40), 29);
}

#[test]
fn a_damaged_block_is_absent_and_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    fill(&cache, 0..50);
    cache.finish().expect("finished");
    let path = folder.path().join("0000000001.blocks");
    let mut file = File::options().read(true).write(true).open(&path).expect("opened");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("read");
    let needle = value(17);
    let at = bytes.windows(needle.len()).position(|window| window == needle).expect("there");
    file.seek(io::SeekFrom::Start(at as u64 + 5)).expect("there");
    file.write_all(&[0xaa]).expect("written");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&cache, 0..50), 49);
    assert_eq!(cache.used().damaged, 1);
    cache.finish().expect("finished");
    let mut after = Vec::new();
    File::open(&path).expect("opened").read_to_end(&mut after).expect("read");
    assert!(after.len() < bytes.len(), "the damaged record is gone");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&cache, 0..50), 49);
    cache.put(&key(17), &value(17));
    assert_eq!(there(&cache, 0..50), 50);
    assert_eq!(cache.used().damaged, 0);
    // An index that is damaged does not cost the blocks.
    drop(cache);
    let length = file.metadata().expect("there").len();
    let file = File::options().write(true).open(&path).expect("opened");
    file.set_len(length - 2000).expect("cut");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert!(there(&cache, 0..50) > 45);
}

#[test]
fn the_oldest_go_and_what_is_used_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let limit = 2 << 20;
    for round in 0..20 {
        let cache = BlockCache::open(folder.path(), limit).expect("opened");
        // About 0.3 MB that only this round needs, and ten blocks that each round uses.
        for n in 0..10 {
            if cache.get(&key(n)).is_none() {
                assert_eq!(round, 0, "block {n} went though it is used");
                cache.put(&key(n), &value(n));
            }
        }
        fill(&cache, 1000 + round * 300..1000 + round * 300 + 300);
        cache.finish().expect("finished");
        assert!(BlockCache::size(folder.path(), NO_KEY).expect("measured").bytes <= limit);
    }
    let cache = BlockCache::open(folder.path(), limit).expect("opened");
    assert_eq!(there(&cache, 0..10), 10);
    assert_eq!(there(&cache, 1000..1300), 0, "the first round's are gone");
    assert_eq!(there(&cache, 1000 + 19 * 300..1000 + 20 * 300), 300);
    drop(cache);
    BlockCache::prune(folder.path(), 600_000, NO_KEY).expect("pruned");
    let size = BlockCache::size(folder.path(), NO_KEY).expect("measured");
    assert!(size.bytes <= 600_000 && size.blocks > 0, "{size:?}");
    BlockCache::prune(folder.path(), 0, NO_KEY).expect("pruned");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn many_small_files_become_few() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..100 {
        let cache = BlockCache::open(folder.path(), MANY).expect("opened");
        fill(&cache, n * 3..n * 3 + 4);
        cache.finish().expect("finished");
    }
    assert!(files(folder.path()).len() < 50, "{:?}", files(folder.path()));
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&cache, 0..301), 301);
}

#[test]
fn a_folder_that_cannot_be_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, b"").expect("written");
    let error = BlockCache::open(&file, MANY).expect_err("no folder");
    assert!(error.to_string().contains("file"), "{error}");
    let nothing = BlockCache::size(&folder.path().join("none"), NO_KEY).expect("nothing");
    assert_eq!(nothing, CacheSize::default());
    BlockCache::prune(&folder.path().join("none"), 0, NO_KEY).expect("nothing to do");
    // A folder that is emptied under a builder costs it the cache, not the build.
    let cache = BlockCache::open(&folder.path().join("gone"), MANY).expect("opened");
    fill(&cache, 0..3);
    std::fs::remove_dir_all(folder.path().join("gone")).expect("removed");
    assert_eq!(there(&cache, 0..3), 3);
    cache.finish().expect_err("cannot be finished");
}

#[test]
fn a_block_that_was_sealed_with_another_key_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = BlockCache::open_sealed(folder.path(), MANY, [1; 32]).expect("opened");
    fill(&own, 0..3);
    drop(own);
    // Who has no key writes sound records, but for the seal.
    let other = BlockCache::open(folder.path(), MANY).expect("opened");
    assert_eq!(there(&other, 0..3), 0);
    fill(&other, 0..9);
    drop(other);
    let own = BlockCache::open_sealed(folder.path(), MANY, [1; 32]).expect("opened");
    assert_eq!(there(&own, 3..9), 0);
    assert_eq!(own.used().damaged, 6);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
        assert!(made.expect("mkfifo").success());
    };
    fifo("0000000001.blocks");
    fifo("0000000002.writing");
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("0000000003.blocks")).expect("made");
    let cache = BlockCache::open(folder.path(), MANY).expect("opened");
    fill(&cache, 0..3);
    cache.finish().expect("finished");
    assert_eq!(there(&cache, 0..3), 3);
    std::fs::remove_file(folder.path().join("lock")).expect("removed");
    fifo("lock");
    let error = cache.finish().expect_err("no lock").to_string();
    assert!(error.contains("it is no file"), "{error}");
}
