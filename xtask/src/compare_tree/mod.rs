//! `cargo xtask compare-tree EXPECTED FOUND`: how two root file systems differ.
//!
//! Each is a folder that another tool installed into, a tar archive (plain, gzip or xz), a SquashFS
//! image, or an output folder of `wifibox-build` (its root.img). Compared are paths, types,
//! permissions, owners by number, link targets, device numbers, contents by SHA-256, and extended
//! attributes where both can show them; times are not.
//!
//! Differences that are meant are named in a file, each with its reason ([`allow`]). Exit code 0:
//! nothing else differs; 1: something does, or a line of that file is of no use any more.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore prints")]

mod allow;
mod archive;
mod difference;
mod folder;
mod image;
mod listing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use allow::Allowed;
pub(crate) use difference::compare;
use difference::{Class, Difference};
#[cfg(target_os = "linux")]
pub(crate) use folder::read as folder;
pub(crate) use listing::Listing;

/// Compare two root file systems.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The expected tree: a folder, a tar archive, a SquashFS image or an output folder.
    expected: PathBuf,
    /// The tree to compare, in any of the same forms.
    found: PathBuf,
    /// File of differences that are meant, each with its reason. May be given more than once.
    #[arg(long, value_name = "FILE")]
    allow: Vec<PathBuf>,
    /// Print at most this many differences of a kind.
    #[arg(long, value_name = "N", default_value_t = 40)]
    most: usize,
}

/// Runs the chore; prints to standard output.
pub fn run(args: &Args) -> ExitCode {
    match compare_both(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("compare-tree: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Reads both and reports; whether everything that differs is meant.
fn compare_both(args: &Args) -> Result<bool, String> {
    let mut allowed = Allowed::default();
    for file in &args.allow {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        allowed.read(&file.display().to_string(), &text)?;
    }
    let (expected, found) = (read(&args.expected)?, read(&args.found)?);
    let differences = compare(&expected, &found);
    let (mut meant, mut other) = (Vec::new(), Vec::new());
    for difference in &differences {
        match allowed.reason(difference) {
            Some(reason) => meant.push((difference, reason.to_owned())),
            None => other.push(difference),
        }
    }
    let unused = allowed.unused();
    println!(
        "{} paths expected, {} found: {} differences, {} of them meant",
        expected.len(),
        found.len(),
        differences.len(),
        meant.len()
    );
    print_meant(&meant);
    print_other(&other, args.most);
    for line in &unused {
        println!("of no use any more: {line}");
    }
    let same = other.is_empty() && unused.is_empty();
    println!("{}", if same { "EQUAL" } else { "DIFFERENT" });
    Ok(same)
}

fn print_meant(meant: &[(&Difference, String)]) {
    let mut by_reason: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for (difference, reason) in meant {
        by_reason.entry(reason).or_default().push(difference);
    }
    for (reason, list) in by_reason {
        println!("meant, {} times: {reason}", list.len());
    }
}

fn print_other(other: &[&Difference], most: usize) {
    for class in Class::ALL {
        let list: Vec<_> = other.iter().filter(|difference| difference.class == class).collect();
        if list.is_empty() {
            continue;
        }
        println!("{class}: {}", list.len());
        for difference in list.iter().take(most) {
            println!("  {difference}");
        }
        if list.len() > most {
            println!("  ... and {} more", list.len() - most);
        }
    }
}

/// Reads a tree in whatever form it is.
fn read(path: &Path) -> Result<Listing, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if path.is_dir() {
        let image = path.join("root.img");
        if image.is_file() && path.join("manifest.json").is_file() {
            return image::read(&image);
        }
        return folder::read(path);
    }
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
    if head == *b"hsqs" { image::read(path) } else { archive::read(path) }
}
