//! What is in a folder: its files, its links, and what is neither. Nothing is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::findings::{Findings, VerifyError};
use crate::release;

/// What a folder holds, by path with `/`.
#[derive(Default)]
pub(crate) struct Found {
    /// Regular files.
    pub(crate) files: BTreeSet<String>,
    /// Where links lead.
    pub(crate) links: BTreeMap<String, String>,
    /// Pipes, sockets, devices: they are problems already.
    pub(crate) others: BTreeSet<String>,
}

impl Found {
    /// Whether `path` is in the folder of a guest, which is checked by itself.
    pub(crate) fn is_in_guest(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let (folder, guest) = (parts.next(), parts.next().unwrap_or_default());
        folder == Some(release::GUESTS)
            && self.files.contains(&format!("{}/{guest}/manifest.json", release::GUESTS))
    }
}

/// What is said of something that no build writes.
pub(crate) const STRANGE: &str = "is neither a file nor a folder: no build put it there";

/// All files and links below `folder`. What is neither, and no folder, is a problem.
///
/// # Errors
/// [`VerifyError`]: a folder cannot be read.
pub(crate) fn walk(
    folder: &Path,
    prefix: &str,
    found: &mut Found,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let failed = |source| VerifyError { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found, findings)?;
        } else if kind.is_file() {
            found.files.insert(path);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(failed)?;
            found.links.insert(path, target.to_string_lossy().into_owned());
        } else {
            findings.add(path.clone(), STRANGE);
            found.others.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_belong_to_a_guest_that_is_checked_by_itself() {
        let found = Found {
            files: BTreeSet::from(["guests/one/manifest.json".to_owned()]),
            ..Found::default()
        };
        assert!(found.is_in_guest("guests/one/etc/wifibox/app_config"));
        for path in ["guests/two/etc/wifibox/app_config", "one/manifest.json", "guests", "link"] {
            assert!(!found.is_in_guest(path), "{path}");
        }
    }
}
