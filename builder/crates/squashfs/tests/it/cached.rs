//! Caches: the bytes do not depend on them, and what one says never breaks an image.

use std::io::Cursor;

use wifibox_squashfs::{BlockCache, BlockKey, BlockStore, Codec, Writer, verify_written};

use crate::{CODECS, image, options, support};

#[test]
fn the_bytes_do_not_depend_on_a_cache_and_it_saves_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = support::everything(8192);
    for codec in CODECS {
        let options = options(codec, 8192, 2);
        let plain = image(&archive, &options);
        let mut missed = Vec::new();
        for _ in 0..2 {
            let cache = BlockCache::open(folder.path(), 1 << 30).expect("opened");
            let mut out = Cursor::new(Vec::new());
            let written = Writer::new(options).cache(&cache).write(&archive, &mut out);
            let written = written.expect("written");
            assert!(out.get_ref() == &plain, "{codec:?}");
            verify_written(&archive, &options, &written, &mut out).expect("as the archive");
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
    fn get(&self, _: &BlockKey) -> Option<Vec<u8>> {
        Some(vec![1; self.0])
    }
    fn put(&self, _: &BlockKey, _: &[u8]) {}
}

#[test]
fn what_a_cache_says_never_breaks_the_layout() {
    let archive = support::everything(4096);
    let options = options(Codec::GZIP, 4096, 2);
    let mut out = Cursor::new(Vec::new());
    Writer::new(options).cache(&Liar(100_000)).write(&archive, &mut out).expect("written");
    assert!(out.into_inner() == image(&archive, &options), "too long for a block: not believed");
    let mut out = Cursor::new(Vec::new());
    let written = Writer::new(options).cache(&Liar(20)).write(&archive, &mut out);
    let written = written.expect("written");
    verify_written(&archive, &options, &written, &mut out).expect_err("metadata that is none");
}

/// Another machine's cache, which may be wrong.
struct Others {
    own: BlockCache,
    wrong: bool,
}

impl BlockStore for Others {
    fn get(&self, _: &BlockKey) -> Option<Vec<u8>> {
        None
    }
    fn put(&self, key: &BlockKey, value: &[u8]) {
        self.own.put(key, value);
    }
    fn foreign(&self, key: &BlockKey) -> Option<Vec<u8>> {
        let mut value = self.own.get(key)?;
        if self.wrong
            && let Some(last) = value.last_mut()
        {
            *last ^= 1;
        }
        Some(value)
    }
}

#[test]
fn what_others_say_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = support::everything(4096);
    let options = options(Codec::GZIP, 4096, 2);
    let plain = image(&archive, &options);
    for wrong in [false, false, true] {
        let own = BlockCache::open(folder.path(), 1 << 30).expect("opened");
        let mut out = Cursor::new(Vec::new());
        Writer::new(options)
            .cache(&Others { own, wrong })
            .write(&archive, &mut out)
            .expect("written");
        assert!(out.into_inner() == plain, "wrong: {wrong}");
    }
}
