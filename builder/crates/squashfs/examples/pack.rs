//! Packs a folder into a SquashFS image, as `mksquashfs FOLDER IMAGE` does:
//!
//! ```text
//! cargo run --release --example pack -- FOLDER IMAGE [--comp xz|zstd|gzip|lz4] [--block BYTES] [--jobs N] [--cache FOLDER]
//! ```
//!
//! `SOURCE_DATE_EPOCH` is the image's time, and the newest one in it; without it the image has the time of now.
//! The finished image is read back and compared with what was written. Extended attributes are not taken.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use wifibox_squashfs::{Archive, BlockCache, Codec, Options, Progress, Writer, verify_written};

const USAGE: &str = "usage: pack FOLDER IMAGE [--comp xz|zstd|gzip|lz4] [--block BYTES] [--jobs N] [--cache FOLDER]";

/// The cache is kept below this many bytes.
const CACHE_LIMIT: u64 = 2 << 30;

fn main() -> ExitCode {
    match pack(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("pack: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprint!(": {cause}");
                source = cause.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn pack(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Box<dyn Error>> {
    let mut options = Options::new(Codec::ZSTD, time()?);
    let mut places: Vec<PathBuf> = Vec::new();
    let mut cache = None;
    while let Some(argument) = arguments.next() {
        let name = argument.to_string_lossy().into_owned();
        if !name.starts_with("--") {
            places.push(argument.into());
            continue;
        }
        let value = arguments.next().ok_or(USAGE)?;
        let text = value.to_string_lossy();
        match name.as_str() {
            "--comp" => options.codec = codec(&text)?,
            "--block" => options.block_size = text.parse::<u32>()?.try_into()?,
            "--jobs" => options.jobs = text.parse()?,
            "--cache" => cache = Some(BlockCache::open(value.as_ref(), CACHE_LIMIT)?),
            _ => return Err(USAGE.into()),
        }
    }
    let [folder, image] = places.as_slice() else { return Err(USAGE.into()) };

    let archive = Archive::from_folder(folder)?;
    let mut file =
        File::options().create(true).truncate(true).read(true).write(true).open(image)?;
    let mut files = 0;
    let mut tell = |at: Progress| files = at.total;
    let mut writer = Writer::new(options).progress(&mut tell);
    if let Some(cache) = &cache {
        writer = writer.cache(cache);
    }
    let written = writer.write(&archive, &mut file)?;
    verify_written(&archive, &options, &written, &mut BufReader::new(file))?;
    if let Some(cache) = cache {
        cache.finish()?;
        println!("{} blocks of the cache, {} compressed", cache.used().found, cache.used().missed);
    }
    println!(
        "{}: {} bytes, {}; {} paths, {files} bytes of different files",
        image.display(),
        written.length,
        options.codec,
        archive.len(),
    );
    Ok(())
}

fn codec(name: &str) -> Result<Codec, Box<dyn Error>> {
    match name {
        "xz" => Ok(Codec::XZ),
        "zstd" => Ok(Codec::ZSTD),
        "gzip" => Ok(Codec::GZIP),
        "lz4" => Ok(Codec::Lz4),
        "lzo" => Ok(Codec::Lzo),
        other => Err(format!("there is no codec {other}: xz, zstd, gzip, lz4 or lzo").into()),
    }
}

fn time() -> Result<u32, Box<dyn Error>> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?),
    }
}
