//! Changes a host's folders: everything is written beside its place and made durable first, so that what can
//! fail fails before anything has changed; then names change, the record's last.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::{InstallError, failed};
use super::layout::{Layout, below};
use super::plan::Plan;
use super::wanted::{Purposes, Source, Wanted};
use wifibox_ground::digest::{Hasher, Sha256};
use wifibox_ground::output::{NewFile, put_link, set_mode};
use wifibox_ground::regular;

/// Bytes that are copied at a time.
const CHUNK: usize = 1 << 18;

/// A file that is written and waits for its name.
pub(super) struct Ready {
    new: NewFile,
    path: PathBuf,
}

impl Ready {
    /// Writes `bytes` beside `path`.
    pub(super) fn bytes(path: PathBuf, bytes: &[u8], mode: u32) -> Result<Self, InstallError> {
        let new = beside(&path)?;
        new.fill(bytes, mode).map_err(failed("write", &path))?;
        Ok(Self { new, path })
    }

    /// Gives it its name.
    pub(super) fn keep(self) -> Result<(), InstallError> {
        self.new.keep().map_err(failed("write", &self.path))
    }

    /// Copies a file of the output beside its place. Its bytes must be those of its hash.
    fn copy(path: PathBuf, source: &Path, wanted: &Wanted) -> Result<Self, InstallError> {
        let mut reader = regular::open(source).map_err(failed("read", source))?;
        let new = beside(&path)?;
        let (mut hasher, mut chunk) = (Hasher::default(), vec![0; CHUNK]);
        loop {
            let length = reader.read(&mut chunk).map_err(failed("read", source))?;
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            new.file().write_all(bytes).map_err(failed("write", &path))?;
        }
        let found = hasher.finish();
        if found != wanted.sha256 {
            return Err(changed(source, wanted.sha256, found));
        }
        let done = set_mode(new.file(), wanted.mode).and_then(|()| new.file().sync_all());
        done.map_err(failed("write", &path))?;
        Ok(Self { new, path })
    }
}

fn beside(path: &Path) -> Result<NewFile, InstallError> {
    NewFile::beside(path).map_err(failed("write into", path.parent().unwrap_or(Path::new("."))))
}

pub(crate) fn changed(path: &Path, expected: Sha256, found: Sha256) -> InstallError {
    let why = format!("its hash is {found}, and SHA256SUMS has {expected}");
    InstallError::Changed { path: path.to_owned(), why }
}

/// Does what was planned.
pub(super) fn apply(
    root: &Path,
    layout: &Layout,
    plan: &Plan,
    purposes: Purposes,
) -> Result<(), InstallError> {
    let ready = match prepare(root, layout, plan, purposes) {
        Ok(ready) => ready,
        Err(error) => {
            // Nothing is in them yet; what cannot be removed was there before.
            for folder in plan.folders.iter().rev() {
                let _ = fs::remove_dir(below(root, folder));
            }
            return Err(error);
        }
    };
    for (from, to) in &plan.moves {
        let (from, to) = (below(root, from), below(root, to));
        fs::rename(&from, &to).map_err(failed("move", &from))?;
    }
    for (path, target) in &plan.links {
        link(&below(root, path), target)?;
    }
    for path in &plan.removals {
        remove(root, path)?;
    }
    for file in ready {
        file.keep()?;
    }
    Ok(())
}

/// Makes the folders, and writes every file beside its place; the record is the last.
fn prepare(
    root: &Path,
    layout: &Layout,
    plan: &Plan,
    purposes: Purposes,
) -> Result<Vec<Ready>, InstallError> {
    for folder in &plan.folders {
        make_folder(&below(root, folder))?;
    }
    let mut ready = Vec::new();
    for wanted in &plan.writes {
        let path = below(root, &wanted.path);
        ready.push(match &wanted.source {
            Source::File(source) => Ready::copy(path, source, wanted)?,
            Source::Bytes(bytes) => Ready::bytes(path, bytes, wanted.mode)?,
        });
    }
    if purposes == Purposes::Host {
        ready.push(Ready::bytes(below(root, &layout.record()), &plan.record.bytes()?, 0o644)?);
    }
    Ok(ready)
}

/// Makes a folder with the mode 0755, whatever the umask is.
fn make_folder(folder: &Path) -> Result<(), InstallError> {
    fs::create_dir(folder).map_err(failed("make the folder", folder))?;
    File::open(folder).and_then(|file| set_mode(&file, 0o755)).map_err(failed("open", folder))
}

/// Makes a link, or leads the one that is there to another place.
fn link(path: &Path, target: &str) -> Result<(), InstallError> {
    put_link(path, target).map_err(failed("write", path))
}

/// Removes a file, if it is there.
pub(super) fn remove(root: &Path, path: &str) -> Result<(), InstallError> {
    let path = below(root, path);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", &path)(error))
        }
        _ => Ok(()),
    }
}
