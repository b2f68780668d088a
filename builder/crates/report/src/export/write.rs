//! Puts generated files into a folder that also holds files from elsewhere: each by a rename, and only where its text
//! changed, so that dates in a version-controlled folder say something.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// The underlying I/O error.
    pub source: io::Error,
}

/// Writes `files`, texts by their paths below `folder`; returns the paths of those that changed.
///
/// # Errors
/// [`WriteError`]; files that were written before it stay.
pub fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<Vec<String>, WriteError> {
    let mut changed = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        let error = |source| WriteError { path: path.clone(), source };
        if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(error)?;
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(error)?;
        file.write_all(text.as_bytes()).map_err(error)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(mode).map_err(error)?;
        }
        file.persist(&path).map_err(|failed| error(failed.error))?;
        changed.push(name.clone());
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |text: &str| BTreeMap::from([("a/b".to_owned(), text.to_owned())]);
        assert_eq!(write(folder.path(), &file("1")).expect("written"), ["a/b"]);
        assert!(write(folder.path(), &file("1")).expect("written").is_empty());
        assert_eq!(write(folder.path(), &file("2")).expect("written"), ["a/b"]);
        assert_eq!(fs::read_to_string(folder.path().join("a/b")).expect("there"), "2");
        let error =
            write(&folder.path().join("a/b"), &file("3")).expect_err("a file is in the way");
        assert!(error.to_string().contains("a/b"), "{error}");
    }
}
