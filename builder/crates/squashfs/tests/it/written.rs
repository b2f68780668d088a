//! Images from archives: every codec and block size, holes, copies, and refused input.

use std::io::{self, Cursor, Seek, Write};

use proptest::prelude::*;
use wifibox_squashfs::{
    Archive, BlockSize, Codec, Error, ImageFile, Kind, Progress, Writer, verify,
};

use crate::support::{self, entry};
use crate::{CODECS, image, options};

#[test]
fn every_codec_and_block_size_reads_back() {
    for codec in CODECS {
        for block in [4096, 131_072] {
            let options = options(codec, block, 2);
            let archive = support::everything(block as usize);
            let image = image(&archive, &options);
            verify(&archive, &options, &mut Cursor::new(&image)).expect("as the archive");
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_jobs() {
    for codec in CODECS {
        let archive = support::everything(8192);
        let one = image(&archive, &options(codec, 8192, 1));
        for jobs in [1, 2, 4] {
            assert!(image(&archive, &options(codec, 8192, jobs)) == one, "{codec:?}, {jobs} jobs");
        }
    }
}

#[test]
fn equal_files_are_stored_once() {
    let options = options(Codec::Lz4, 4096, 1);
    let file = |seed| entry(Kind::file(support::noise(100_000, seed)), 0o644, (0, 0), 0);
    let mut archive = Archive::new();
    for at in ["a", "b", "c"] {
        archive.insert(at, file(1)).expect("inserted");
    }
    assert!(image(&archive, &options).len() < 120_000);
    // Small ones as well, wherever they are.
    let small = |seed| entry(Kind::file(support::noise(3000, seed)), 0o644, (0, 0), 0);
    let mut archive = Archive::new();
    for n in 0..100 {
        let at = format!("folder-{}/file-{n}.bin", n % 7);
        archive.insert(&at, small(n % 2)).expect("inserted");
    }
    let image = image(&archive, &options);
    assert!(image.len() < 20_000, "{}", image.len());
    verify(&archive, &options, &mut Cursor::new(image)).expect("as the archive");
}

#[test]
fn a_tree_with_nothing_in_it_is_an_image_too() {
    for codec in CODECS {
        let options = options(codec, 131_072, 2);
        let image = image(&Archive::new(), &options);
        verify(&Archive::new(), &options, &mut Cursor::new(image)).expect("as the archive");
    }
}

#[test]
fn impossible_options_are_refused() {
    for bytes in [0, 2048, 5000, 1 << 21] {
        assert!(matches!(BlockSize::try_from(bytes), Err(Error::BlockSize(n)) if n == bytes));
    }
    for codec in [Codec::Gzip { level: 13 }, Codec::Zstd { level: 0 }, Codec::Zstd { level: 23 }] {
        let mut out = Cursor::new(Vec::new());
        let writer = Writer::new(options(codec, 4096, 1));
        let error = writer.write(&Archive::new(), &mut out);
        assert!(matches!(error, Err(Error::Level { .. })));
    }
}

#[test]
fn a_content_that_cannot_be_read_is_an_error_that_names_the_file() {
    let mut archive = support::everything(4096);
    let lost = entry(Kind::file(support::Lost), 0o644, (0, 0), 0);
    archive.insert("text/lost", lost).expect("inserted");
    for jobs in [1, 2, 4] {
        let mut out = Cursor::new(Vec::new());
        let error = Writer::new(options(Codec::GZIP, 4096, jobs)).write(&archive, &mut out);
        let error = error.expect_err("unreadable");
        assert!(error.to_string().starts_with("/text/lost:"), "{error}");
        assert!(matches!(&error, Error::Content { .. }), "{error}");
    }
}

#[test]
fn a_full_disk_is_an_error_whatever_the_jobs() {
    let archive = support::everything(4096);
    for (jobs, room) in [(1, 50), (1, 50_000), (4, 50), (4, 20_000), (4, 50_000)] {
        let mut out = Full { inner: Cursor::new(Vec::new()), room };
        let error = Writer::new(options(Codec::GZIP, 4096, jobs)).write(&archive, &mut out);
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

#[test]
fn progress_comes_to_its_end() {
    for jobs in [1, 3] {
        let archive = support::everything(4096);
        let mut seen: Vec<Progress> = Vec::new();
        let mut tell = |at| seen.push(at);
        let writer = Writer::new(options(Codec::Lz4, 4096, jobs)).progress(&mut tell);
        writer.write(&archive, &mut Cursor::new(Vec::new())).expect("written");
        let (first, last) = (seen[0], seen[seen.len() - 1]);
        assert_eq!((first.done, last.done), (0, last.total));
        assert!(seen.windows(2).all(|two| two[0].done < two[1].done));
        assert!(seen.len() > 50 && last.total > 250_000, "{} calls, {last:?}", seen.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_reads_back_whatever_the_jobs(archive in support::small_archives(), codec in 0..5usize) {
        let one = options(CODECS[codec], 4096, 1);
        let written = image(&archive, &one);
        verify(&archive, &one, &mut Cursor::new(&written)).expect("as the archive");
        prop_assert!(image(&archive, &options(CODECS[codec], 4096, 3)) == written);
    }
}
