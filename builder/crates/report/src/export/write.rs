//! Puts generated files into a folder that also holds files from elsewhere: each by a rename, and only where its text
//! changed, so that dates in a version-controlled folder say something.
//!
//! A list of what was written lies beside them. What it does not have, or what was changed since, is somebody's work and
//! stays.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wifibox_ground::digest::Sha256;
use wifibox_ground::output;
use wifibox_ground::regular;
use wifibox_ground::sums::{SUMS_LIMIT, Sums};

/// The list of what was written, as `sha256sum` has it.
const LIST: &str = ".wifibox-build.sums";

/// Files cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file or folder cannot be read or written.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// Files there would be lost.
    #[error(
        "{} holds what this did not write, or what was changed since: {}; move it away, or replace it with --force",
        folder.display(),
        files.join(", ")
    )]
    InTheWay {
        /// The folder.
        folder: PathBuf,
        /// The files, by their paths below it.
        files: Vec<String>,
    },
}

/// Writes `files`, texts by their paths below `folder`; returns the paths of those that changed. With `force` files that
/// somebody else wrote make way.
///
/// # Errors
/// [`WriteError`]; files that were written before it stay.
pub fn write(
    folder: &Path,
    files: &BTreeMap<String, String>,
    force: bool,
) -> Result<Vec<String>, WriteError> {
    let mut known = list(folder);
    let (mut new, mut in_the_way) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let (path, hash) = (folder.join(name), Sha256::of(text.as_bytes()));
        let there = match path.symlink_metadata() {
            Ok(data) if data.is_file() => regular::hash(&path).map(|(hash, _)| Some(hash)),
            Ok(_) => Ok(None),
            Err(_) => {
                new.push((name, text, hash));
                continue;
            }
        };
        let there = there.map_err(|source| WriteError::Io { path, source })?;
        if there == Some(hash) {
            known.insert(name.clone(), hash);
            continue;
        }
        if there.is_none() || known.get(name) != there.as_ref() {
            in_the_way.push(name.clone());
        }
        new.push((name, text, hash));
    }
    if !in_the_way.is_empty() && !force {
        return Err(WriteError::InTheWay { folder: folder.to_owned(), files: in_the_way });
    }
    let mut changed = Vec::new();
    for (name, text, hash) in new {
        put(&folder.join(name), text)?;
        known.insert(name.clone(), hash);
        changed.push(name.clone());
    }
    let lines: String = known.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    let path = folder.join(LIST);
    if fs::read(&path).ok().as_deref() != Some(lines.as_bytes()) {
        put(&path, &lines)?;
    }
    Ok(changed)
}

/// What was written into `folder` before; nothing where there is no sound list.
fn list(folder: &Path) -> BTreeMap<String, Sha256> {
    let bytes = regular::read(&folder.join(LIST), SUMS_LIMIT).unwrap_or_default();
    Sums::parse(&bytes).map(|sums| sums.hashes).unwrap_or_default()
}

fn put(path: &Path, text: &str) -> Result<(), WriteError> {
    let error = |source| WriteError::Io { path: path.to_owned(), source };
    output::put(path, text.as_bytes(), 0o644).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("a/b".to_owned(), text.to_owned())])
    }

    #[test]
    fn only_what_changed_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |folder: &Path, text: &str| super::write(folder, &file(text), false);
        assert_eq!(write(folder.path(), "1").expect("written"), ["a/b"]);
        assert!(write(folder.path(), "1").expect("written").is_empty());
        assert_eq!(write(folder.path(), "2").expect("written"), ["a/b"]);
        assert_eq!(fs::read_to_string(folder.path().join("a/b")).expect("there"), "2");
        let error = write(&folder.path().join("a/b"), "3").expect_err("a file is in the way");
        assert!(error.to_string().contains("a/b"), "{error}");
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, at) = (folder.path().join("a/b"), folder.path());
        let text = || fs::read_to_string(&path).expect("there");
        write(at, &file("1"), false).expect("written");
        fs::write(&path, "edited").expect("written");
        let error = write(at, &file("2"), false).expect_err("edited").to_string();
        assert!(error.contains("changed since: a/b; move it away"), "{error}");
        assert_eq!(text(), "edited");
        write(at, &file("2"), true).expect("forced");
        assert_eq!(text(), "2");
        // What is as it would be written is nobody's loss, and is known from then on.
        fs::remove_file(at.join(LIST)).expect("removed");
        write(at, &file("2"), false).expect("nothing to do");
        write(at, &file("3"), false).expect("its own");
        // A link is none of its files.
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/dev/null", &path).expect("linked");
        write(at, &file("4"), false).expect_err("a link");
        assert!(path.is_symlink());
    }
}
