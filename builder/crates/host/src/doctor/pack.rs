//! A capture as one file, for somebody else to look at.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use wifibox_ground::regular;

/// The folder that the archive unpacks to.
const TOP: &str = "wifibox-report";
/// The most that is taken of one file, in bytes: `capture.sh` keeps less of each.
const SIZE_LIMIT: u64 = 32 << 20;

/// Writes the files of `capture` and `more`, by name and text, as a tar file compressed by gzip. `time` is that of all
/// entries, in seconds since 1970.
///
/// # Errors
/// What reading and writing report.
pub fn pack(
    capture: &Path,
    more: &[(&str, String)],
    time: u64,
    into: impl Write,
) -> io::Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(into, Compression::default()));
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(time);
        tar.append_data(&mut header, format!("{TOP}/{name}"), bytes)
    };
    for (name, text) in more {
        add(name, text.as_bytes())?;
    }
    let mut names = Vec::new();
    list(capture, "capture", &mut names)?;
    names.sort();
    for (name, path) in names {
        add(&name, &regular::read(&path, SIZE_LIMIT)?)?;
    }
    tar.into_inner()?.finish()?.flush()
}

/// The regular files below a folder, by their names in the archive.
fn list(
    folder: &Path,
    name: &str,
    names: &mut Vec<(String, std::path::PathBuf)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), &name, names)?;
        } else if kind.is_file() {
            names.push((name, entry.path()));
        }
    }
    Ok(())
}
