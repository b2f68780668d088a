//! The archive that dom0 unpacks: the guest's output with its host files, the domain behind it, cases for
//! xl, and the program that runs it all.

use std::path::Path;

use wifibox_ground::guest::CONFIGURATION_FILE;
use wifibox_host::config_disk::Content;

use super::machine::CARD;
use super::{client, parsing};

/// The script that dom0 runs.
const RUN: &str = include_str!("run.sh");

/// The inputs of the archive.
pub struct Contents<'a> {
    /// The guest's output folder.
    pub output: &'a Path,
    /// Configurations for xl.
    pub cases: &'a [parsing::Case],
    /// The port of the file's server.
    pub port: u16,
}

/// Writes the archive.
pub fn write(contents: &Contents<'_>, path: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::create(path).map_err(failed)?;
    let mut archive = tar::Builder::new(std::io::BufWriter::new(file));
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, bytes).map_err(failed)
    };
    add("run", RUN.replace("@CARD@", CARD).as_bytes())?;
    for case in contents.cases {
        add(&format!("cases/{}", case.name), case.text.as_bytes())?;
    }
    add("client.img", &client::initramfs(contents.output, contents.port)?)?;
    for file in parsing::files(contents.output, parsing::Variant::Started)? {
        add(&format!("output/host/{}", file.path), &file.contents)?;
    }
    // The samples are what a user would start from; the disk is made of them.
    let content = Content::find(contents.output).map_err(|error| error.to_string())?;
    let mut disk = Vec::new();
    content.write(None, &mut disk).map_err(|error| error.to_string())?;
    add(&format!("output/{}", CONFIGURATION_FILE), &disk)?;
    for name in ["vmlinuz", "initramfs.img", "root.img"] {
        let source = contents.output.join(name);
        if name == "initramfs.img" && !source.exists() {
            // The kernel mounts its root by itself.
            continue;
        }
        let bytes = std::fs::read(&source).map_err(|e| format!("{}: {e}", source.display()))?;
        add(&format!("output/{name}"), &bytes)?;
    }
    archive.into_inner().map_err(failed)?.into_inner().map_err(|e| failed(e.into_error()))?;
    // Disks are read in sectors.
    let file = std::fs::OpenOptions::new().append(true).open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    file.set_len(length.next_multiple_of(1 << 20)).map_err(failed)
}
