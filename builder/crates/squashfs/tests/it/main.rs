//! Images written and read back: by our own check, and by the tools that people use where they are installed. With `CI`
//! set in the environment a tool that is missing is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod cached;
mod checked;
mod packed;
mod support;
mod tools;
mod written;

use std::io::Cursor;
use std::num::NonZeroUsize;

use wifibox_squashfs::{Archive, Codec, Options, Writer};

use support::EPOCH;

const CODECS: [Codec; 6] = [
    Codec::XZ,
    Codec::Xz { x86: false },
    Codec::Zstd { level: 6 },
    Codec::GZIP,
    Codec::Lz4,
    Codec::Lzo,
];

fn options(codec: Codec, block: u32, jobs: usize) -> Options {
    Options {
        codec,
        block_size: block.try_into().expect("a block size"),
        source_date_epoch: EPOCH,
        jobs: NonZeroUsize::new(jobs).expect("a number of jobs"),
    }
}

fn image(archive: &Archive, options: &Options) -> Vec<u8> {
    let mut out = Cursor::new(vec![0xee; 10_000]);
    let written = Writer::new(*options).write(archive, &mut out).expect("written");
    assert_eq!(out.get_ref().len() as u64, written.length);
    assert_eq!(written.length % 4096, 0);
    out.into_inner()
}
