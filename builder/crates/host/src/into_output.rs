//! Puts files of hypervisors into an output that is there already, or into a separate folder.
//!
//! In an output the list of files (`manifest.json`) and the hashes (`SHA256SUMS`) follow, so that
//! `wifibox-build verify` accepts it as before. Everything is written beside its place first and then
//! renamed, the hashes last: what can fail fails before anything has changed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{HostFile, Hypervisor};
use wifibox_ground::cancel::uninterrupted;
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{NewFile, Output, set_mode};
use wifibox_ground::regular;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};
use wifibox_report::Manifest;
use wifibox_report::output::{self, LoadError, SIZE_LIMIT};

/// The folder of an output for these files.
const FOLDER: &str = "host";
const MANIFEST: &str = "manifest.json";

/// Why files cannot be put where they should be.
#[derive(Debug, thiserror::Error)]
pub enum PlacingError {
    /// The output cannot be read.
    #[error(transparent)]
    Output(#[from] LoadError),
    /// A file or folder cannot be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The output is not what a build wrote, and would look as if it were.
    #[error("{path} is not as the build wrote it: {why}; 'wifibox-build verify' says more")]
    Changed {
        /// The file.
        path: PathBuf,
        /// The reason, for the message.
        why: String,
    },
    /// There is something else, or something that was changed, where a file should go.
    #[error("{path} {why}, and is not replaced: move it away, or say --force")]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// The obstacle, as a predicate without its subject.
        why: &'static str,
    },
    /// A signature over the hashes would no longer hold.
    #[error(
        "{path} is a signature over the output as it is: name another folder with --out, or remove \
         the signature and sign again"
    )]
    Signed {
        /// The signature.
        path: PathBuf,
    },
    /// The manifest cannot be written.
    #[error("cannot write the manifest: {0}")]
    Json(#[from] serde_json::Error),
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PlacingError {
    let path = path.to_owned();
    move |source| PlacingError::Io { doing, path, source }
}

/// Writes `files` below `folder`, which is made if it is not there. Files of the same names with other contents make
/// way with `force` only.
///
/// # Errors
/// [`PlacingError::InTheWay`], before anything is written; [`PlacingError::Io`].
pub fn into_folder(folder: &Path, files: &[HostFile], force: bool) -> Result<(), PlacingError> {
    if !force {
        for file in files {
            check_place(&folder.join(&file.path), |found| {
                (found != Sha256::of(&file.contents)).then_some("is there with other contents")
            })?;
        }
    }
    for file in files {
        let path = folder.join(&file.path);
        write_beside(&path, &file.contents, file.mode)?.keep(&path)?;
    }
    Ok(())
}

/// Puts `files`, which are all that `hypervisors` have, into the output in `folder`: those that these
/// hypervisors had before and have no longer are removed. What is not as it was written makes way with `force` only.
///
/// # Errors
/// [`PlacingError`]; the output is then as it was, unless a rename failed.
pub fn into_output(
    folder: &Path,
    hypervisors: &[Hypervisor],
    files: &[HostFile],
    force: bool,
) -> Result<(), PlacingError> {
    if let Some(path) = SIGNATURES.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        return Err(PlacingError::Signed { path });
    }
    let mut manifest = output::load(folder)?;
    let mut sums = sums(folder)?;
    let changed = |name: &str, why: &str| PlacingError::Changed {
        path: folder.join(name),
        why: why.to_owned(),
    };
    let manifest_path = folder.join(MANIFEST);
    let bytes =
        regular::read(&manifest_path, SIZE_LIMIT).map_err(failed("read", &manifest_path))?;
    if sums.hashes.get(MANIFEST) != Some(&Sha256::of(&bytes)) {
        return Err(changed(MANIFEST, "its hash is not that of SHA256SUMS"));
    }
    let ours = |path: &str| {
        let inside = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        inside.is_some_and(|path| hypervisors.iter().any(|hypervisor| hypervisor.owns(path)))
    };
    let new: BTreeSet<String> =
        files.iter().map(|file| format!("{FOLDER}/{}", file.path)).collect();
    let old: Vec<String> =
        sums.hashes.keys().filter(|path| ours(path) && !new.contains(*path)).cloned().collect();
    if !force {
        for name in new.iter().chain(&old) {
            check_place(&folder.join(name), |found| match sums.hashes.get(name) {
                Some(hash) => (found != *hash).then_some("was changed since it was written"),
                None => Some("is none of the output's files"),
            })?;
        }
    }
    list(&mut manifest, &mut sums, &ours, files);
    let text = manifest.to_json()?;
    sums.hashes.insert(MANIFEST.to_owned(), Sha256::of(text.as_bytes()));
    let lines: String =
        sums.hashes.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect();

    let mut ready = Vec::new();
    for file in files {
        let path = folder.join(FOLDER).join(&file.path);
        ready.push((write_beside(&path, &file.contents, file.mode)?, path));
    }
    ready.push((write_beside(&manifest_path, text.as_bytes(), 0o644)?, manifest_path));
    let path = folder.join(SUMS);
    ready.push((write_beside(&path, lines.as_bytes(), 0o644)?, path));
    let whole = uninterrupted();
    whole.changed();
    for name in old {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &path)(error));
            }
            _ => {}
        }
        // A folder that is empty now goes with its last file.
        if let Some(parent) = path.parent() {
            let _ = fs::remove_dir(parent);
        }
    }
    for (file, path) in ready {
        file.keep(&path)?;
    }
    Ok(())
}

/// No file for a host is longer, in bytes.
const FILE_LIMIT: u64 = 16 << 20;

/// Refuses to replace what is at `path`, if it is not a regular file or `objection` has something against its hash.
fn check_place(
    path: &Path,
    objection: impl Fn(Sha256) -> Option<&'static str>,
) -> Result<(), PlacingError> {
    let why = match path.symlink_metadata() {
        Err(_) => None,
        Ok(data) if data.is_file() => {
            // Files for hosts are small.
            match regular::read(path, FILE_LIMIT) {
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    Some("was changed since it was written")
                }
                read => objection(Sha256::of(&read.map_err(failed("read", path))?)),
            }
        }
        Ok(_) => Some("is no regular file"),
    };
    why.map_or(Ok(()), |why| Err(PlacingError::InTheWay { path: path.to_owned(), why }))
}

/// Brings the lists of files up to date.
fn list(
    manifest: &mut Manifest,
    sums: &mut Sums,
    ours: &impl Fn(&str) -> bool,
    files: &[HostFile],
) {
    manifest.outputs.retain(|output| !ours(&output.path));
    sums.hashes.retain(|path, _| !ours(path));
    for file in files {
        let (path, sha256) = (format!("{FOLDER}/{}", file.path), Sha256::of(&file.contents));
        sums.hashes.insert(path.clone(), sha256);
        manifest.outputs.retain(|output| output.path != path);
        let size = file.contents.len() as u64;
        manifest.outputs.push(Output { path, size, sha256 });
    }
    manifest.outputs.sort_by(|a, b| a.path.cmp(&b.path));
}

fn sums(folder: &Path) -> Result<Sums, PlacingError> {
    let path = folder.join(SUMS);
    let bytes = regular::read(&path, SUMS_LIMIT).map_err(failed("read", &path))?;
    Sums::parse(&bytes).map_err(|why| PlacingError::Changed { path, why })
}

/// A file that is written and waits for its name.
struct Ready(NewFile);

impl Ready {
    fn keep(self, path: &Path) -> Result<(), PlacingError> {
        self.0.keep().map_err(failed("write", path))
    }
}

fn write_beside(path: &Path, contents: &[u8], mode: u32) -> Result<Ready, PlacingError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    make_folders(parent)?;
    let new = NewFile::beside(path).map_err(failed("write into", parent))?;
    new.fill(contents, mode).map_err(failed("write", path))?;
    Ok(Ready(new))
}

/// Makes folders with the mode 0755 whatever the umask is, as a build does.
fn make_folders(folder: &Path) -> Result<(), PlacingError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folders(parent)?;
    }
    fs::create_dir(folder).map_err(failed("make the folder", folder))?;
    File::open(folder).and_then(|file| set_mode(&file, 0o755)).map_err(failed("open", folder))
}
