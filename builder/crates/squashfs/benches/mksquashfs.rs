//! A folder packed by this crate and by `mksquashfs`, in turn, with the same codec, block size and number of threads.
//!
//! ```text
//! cargo bench -p wifibox-squashfs -- [FOLDER] [RUNS]
//! ```
//!
//! The result is the ratios, of medians of one run. Our time includes reading the folder and checking the finished
//! image. Without a FOLDER it is `/usr/bin`; without `mksquashfs` there are no ratios.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use wifibox_squashfs::{Archive, Codec, Options, Writer, verify_written};

/// Ours, and the same for mksquashfs.
const CODECS: [(Codec, &[&str]); 3] = [
    (Codec::GZIP, &["-comp", "gzip"]),
    (Codec::ZSTD, &["-comp", "zstd", "-Xcompression-level", "19"]),
    (Codec::XZ, &["-comp", "xz", "-Xbcj", "x86"]),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut arguments =
        std::env::args_os().skip(1).filter(|a| !a.to_string_lossy().starts_with("--"));
    let folder = arguments.next().map_or_else(|| PathBuf::from("/usr/bin"), PathBuf::from);
    let runs: usize = arguments.next().map_or(Ok(3), |runs| runs.to_string_lossy().parse())?;
    let work = tempfile::tempdir()?;
    let out = work.path().join("image");
    println!("{}, {runs} runs, medians", folder.display());
    println!("| codec | s | bytes | mksquashfs s | bytes | time, size of mksquashfs's |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for (codec, theirs) in CODECS {
        let options = Options::new(codec, 0);
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            own.push(ours(&folder, &out, &options)?);
            other.extend(mksquashfs(&folder, &out, &options, theirs)?);
        }
        let (seconds, bytes) = median(own);
        if other.is_empty() {
            println!("| {codec} | {seconds:.2} | {bytes} | | | |");
            continue;
        }
        let (their_seconds, their_bytes) = median(other);
        #[allow(clippy::cast_precision_loss)] // a ratio with four digits
        let size = bytes as f64 / their_bytes as f64;
        let time = seconds / their_seconds;
        println!(
            "| {codec} | {seconds:.2} | {bytes} | {their_seconds:.2} | {their_bytes} | {time:.3}, {size:.4} |"
        );
    }
    Ok(())
}

/// Seconds and bytes of an image that this crate writes.
fn ours(folder: &Path, out: &Path, options: &Options) -> Result<(f64, u64), Box<dyn Error>> {
    let begun = Instant::now();
    let archive = Archive::from_folder(folder)?;
    let mut file = File::options().create(true).truncate(true).read(true).write(true).open(out)?;
    let written = Writer::new(*options).write(&archive, &mut file)?;
    verify_written(&archive, options, &written, &mut BufReader::new(file))?;
    Ok((begun.elapsed().as_secs_f64(), written.length))
}

/// The same of `mksquashfs`; `None` where it is not installed.
fn mksquashfs(
    folder: &Path,
    out: &Path,
    options: &Options,
    codec: &[&str],
) -> Result<Option<(f64, u64)>, Box<dyn Error>> {
    let mut command = Command::new("mksquashfs");
    command.arg(folder).arg(out).args(codec).arg("-b").arg(options.block_size.bytes().to_string());
    command.arg("-processors").arg(options.jobs.to_string());
    command.args(["-no-progress", "-noappend", "-no-xattrs"]).stdout(Stdio::null());
    let begun = Instant::now();
    match command.status() {
        Ok(status) if status.success() => {
            Ok(Some((begun.elapsed().as_secs_f64(), out.metadata()?.len())))
        }
        Ok(status) => Err(format!("mksquashfs failed: {status}").into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn median(mut of: Vec<(f64, u64)>) -> (f64, u64) {
    of.sort_by(|one, other| one.0.total_cmp(&other.0));
    of.get(of.len() / 2).copied().unwrap_or_default()
}
