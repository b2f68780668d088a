//! A capture of this host, which `doctor` looks at and `report` packs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::render::failure::Failure;
use wifibox_host::doctor::{Capture, SCRIPT};

/// Runs the script that looks at this host, or reads the capture `from`, and hands over the folder and what it is.
///
/// # Errors
/// The script cannot be run, or it is no capture.
pub fn capture<T>(
    from: Option<&Path>,
    work: impl FnOnce(&Path, &Capture) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let open = |folder: &Path| Capture::open(folder).map_err(Failure::failed);
    if let Some(folder) = from {
        return work(folder, &open(folder)?);
    }
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::failed(format!("cannot make a folder: {error}")))?;
    collect(folder.path())?;
    work(folder.path(), &open(folder.path())?)
}

fn collect(folder: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("cannot run sh(1): {error}"));
    let mut shell = Command::new("sh")
        .arg("-s")
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = shell.stdin.take() {
        input.write_all(SCRIPT.as_bytes()).map_err(failed)?;
    }
    // What it could not read is missing in the capture, and no more than that.
    shell.wait().map_err(failed)?;
    Ok(())
}
