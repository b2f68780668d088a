//! The files that a manifest of a registry lists, before one of them is fetched. Whoever wrote it may mean harm.

use std::collections::{BTreeMap, BTreeSet};

use wifibox_fetch::registry::{Descriptor, Manifest};
use wifibox_ground::digest::Sha256;
use wifibox_ground::sums::{SUMS, Sums};

use super::{FOLDERS, MODE, TITLE};
use crate::manifest;
use crate::release;
use crate::verify::UNANNOUNCED;

/// The longest path, in bytes.
const PATH_LIMIT: usize = 1024;
/// Permission bits that no file gets: writing for others, and those that change who runs it.
const NEVER: u32 = !0o755;

/// A file that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its path in the folder.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// Its blob.
    pub blob: Descriptor,
}

/// The files of one or more manifests, by their paths in one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    files: BTreeMap<String, Planned>,
    folders: BTreeSet<String>,
}

impl Listed {
    /// Adds the files of `manifest`, in the folder `prefix`, which is empty or ends with `/`.
    ///
    /// # Errors
    /// The file that cannot be one, in words.
    pub fn add(&mut self, manifest: &Manifest, prefix: &str) -> Result<(), String> {
        for blob in &manifest.layers {
            let title = blob.annotation(TITLE);
            let title = title.ok_or_else(|| format!("sha256:{} has no title", blob.digest))?;
            let path = format!("{prefix}{title}");
            if !is_inside(&path) {
                return Err(format!("{title:?} is no path of a file in a folder"));
            }
            self.insert(path, blob)?;
        }
        let folders = manifest.annotations.get(FOLDERS).map(String::as_str).unwrap_or_default();
        for folder in folders.lines() {
            let path = format!("{prefix}{folder}");
            if !is_inside(&path) {
                return Err(format!("{folder:?} is no path of a folder in a folder"));
            }
            self.folders.insert(path);
        }
        self.check_folders()
    }

    /// Adds one file that another manifest has.
    ///
    /// # Errors
    /// There is one of this name already, in words.
    pub fn insert(&mut self, path: String, blob: &Descriptor) -> Result<(), String> {
        if blob.size > UNANNOUNCED {
            return Err(format!(
                "{path} has {} bytes, at most {UNANNOUNCED} are fetched",
                blob.size
            ));
        }
        let mode = blob.annotation(MODE).and_then(|text| u32::from_str_radix(text, 8).ok());
        let mode = mode.filter(|mode| mode & NEVER == 0 && mode & 0o600 == 0o600).unwrap_or(0o644);
        let planned = Planned { path: path.clone(), mode, blob: blob.clone() };
        match self.files.insert(path, planned) {
            Some(twice) => Err(format!("{} is there twice", twice.path)),
            None => Ok(()),
        }
    }

    /// No file has the name of a folder.
    fn check_folders(&self) -> Result<(), String> {
        let all = self.files.keys().chain(&self.folders);
        for path in all {
            let ends = path.match_indices('/').map(|(at, _)| at);
            let mut above = ends
                .filter_map(|at| path.get(..at))
                .chain(self.folders.contains(path).then_some(path.as_str()));
            if let Some(file) = above.find(|above| self.files.contains_key(*above)) {
                return Err(format!("{file} is a file, and the folder of {path}"));
            }
        }
        Ok(())
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = &Planned> {
        self.files.values()
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&Planned> {
        self.files.get(path)
    }

    /// Folders in which there may be no file.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Whether these are the files of `sums`, which is the one at `SHA256SUMS`, and no others.
    ///
    /// # Errors
    /// The first file that is not, in words.
    pub fn compare(&self, sums: &Sums) -> Result<(), String> {
        for (path, hash) in &sums.hashes {
            match self.files.get(path) {
                None => {
                    return Err(format!(
                        "{path} is in {SUMS}, and the registry lists no such file"
                    ));
                }
                Some(file) if file.blob.digest != *hash => {
                    let found = file.blob.digest;
                    return Err(format!("{path} is said to be sha256:{found}, {SUMS} says {hash}"));
                }
                Some(_) => {}
            }
        }
        match self.files.keys().find(|path| *path != SUMS && !sums.hashes.contains_key(*path)) {
            Some(path) => Err(format!("{path} is not listed in {SUMS}: no build put it there")),
            None => Ok(()),
        }
    }

    /// Whether the files have the sizes that the manifest of a guest, or the index of a release, says: so that no more is
    /// fetched than there is. `bytes` are that file's, which has the hash of `SHA256SUMS`.
    ///
    /// # Errors
    /// The first file that has not, in words.
    pub fn compare_sizes(&self, head: &str, bytes: &[u8]) -> Result<(), String> {
        let sizes: BTreeMap<String, u64> = if head == release::INDEX {
            let index: release::Index =
                serde_json::from_slice(bytes).map_err(|error| format!("{head}: {error}"))?;
            index.artefacts().map(|file| (file.path.clone(), file.size)).collect()
        } else {
            let manifest: manifest::Manifest =
                serde_json::from_slice(bytes).map_err(|error| format!("{head}: {error}"))?;
            manifest.outputs.into_iter().map(|file| (file.path, file.size)).collect()
        };
        for (path, file) in &self.files {
            match sizes.get(path) {
                Some(size) if *size != file.blob.size => {
                    let found = file.blob.size;
                    return Err(format!(
                        "{path} is said to have {found} bytes, {head} says {size}"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The bytes of all files, those of the same content once.
    pub fn size(&self) -> u64 {
        let blobs: BTreeMap<Sha256, u64> =
            self.files.values().map(|file| (file.blob.digest, file.blob.size)).collect();
        blobs.values().fold(0, |sum, size| sum.saturating_add(*size))
    }
}

/// Whether this is the path of something below a folder: no part leads out, and all can be written anywhere.
pub fn is_inside(path: &str) -> bool {
    path.len() <= PATH_LIMIT
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !["", ".", ".."].contains(&part) && part.len() <= 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::GUEST;

    fn layer(title: &str, bytes: &[u8]) -> Descriptor {
        let mut layer = Descriptor::of("application/octet-stream", bytes);
        layer.annotations.insert(TITLE.to_owned(), title.to_owned());
        layer
    }

    fn listed(titles: &[&str]) -> Result<Listed, String> {
        let layers = titles.iter().map(|title| layer(title, title.as_bytes())).collect();
        let mut listed = Listed::default();
        listed.add(&Manifest::new(GUEST, layers), "").map(|()| listed)
    }

    #[test]
    fn titles_that_lead_out_or_are_there_twice_are_refused() {
        assert!(listed(&["a", "b/c", "b/d"]).is_ok());
        let long = "a/".repeat(600);
        for title in [
            "", "/a", "../a", "a/../b", "a//b", "a/", "./a", ".", "..", "a\\b", "a\nb", "a\0",
            &long,
        ] {
            let error = listed(&["x", title]).expect_err(title);
            assert!(error.contains("no path of a file"), "{error}");
        }
        for (titles, why) in [
            (&["a", "a"][..], "a is there twice"),
            (&["a", "a/b"], "a is a file, and the folder of a/b"),
            (&["b/a/c", "b/a"], "b/a is a file, and the folder of b/a/c"),
        ] {
            assert_eq!(listed(titles), Err(why.to_owned()));
        }
        let mut nameless = layer("a", b"a");
        nameless.annotations.clear();
        let manifest = Manifest::new(GUEST, vec![nameless]);
        assert!(Listed::default().add(&manifest, "").is_err_and(|why| why.contains("no title")));
        let mut large = layer("a", b"a");
        large.size = UNANNOUNCED + 1;
        let manifest = Manifest::new(GUEST, vec![large]);
        assert!(Listed::default().add(&manifest, "").is_err_and(|why| why.contains("at most")));
    }

    #[test]
    fn folders_are_checked_as_files_are() {
        let with = |folders: &str| {
            let mut manifest = Manifest::new(GUEST, vec![layer("a", b"a")]);
            manifest.annotations.insert(FOLDERS.to_owned(), folders.to_owned());
            let mut listed = Listed::default();
            listed.add(&manifest, "p/").map(|()| listed)
        };
        assert_eq!(with("b\nc/d").expect("ok").folders().collect::<Vec<_>>(), ["p/b", "p/c/d"]);
        for folders in ["../x", "/x", "x//y", "a", "a/b"] {
            assert!(with(folders).is_err(), "{folders}");
        }
    }

    #[test]
    fn modes_are_those_of_files_that_only_their_owner_writes() {
        for (text, expected) in [
            ("0755", 0o755),
            ("640", 0o640),
            ("4755", 0o644),
            ("0777", 0o644),
            ("0", 0o644),
            ("x", 0o644),
        ] {
            let mut layer = layer("a", b"a");
            layer.annotations.insert(MODE.to_owned(), text.to_owned());
            let mut listed = Listed::default();
            listed.add(&Manifest::new(GUEST, vec![layer]), "").expect("ok");
            assert_eq!(listed.file("a").map(|file| file.mode), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_files_are_those_of_the_list_and_no_others() {
        let sums = |names: &[&str]| {
            let lines =
                names.iter().map(|name| format!("{}  {name}\n", Sha256::of(name.as_bytes())));
            Sums::parse(lines.collect::<String>().as_bytes()).expect("sums")
        };
        let files = listed(&["a", "b", SUMS]).expect("ok");
        assert_eq!(files.compare(&sums(&["a", "b"])), Ok(()));
        assert!(files.compare(&sums(&["a"])).is_err_and(|why| why.starts_with("b is not listed")));
        let more = files.compare(&sums(&["a", "b", "c"]));
        assert!(more.is_err_and(|why| why.contains("lists no such file")));
        let other = Sums::parse(format!("{}  a\n", Sha256::of(b"z")).as_bytes()).expect("sums");
        assert!(files.compare(&other).is_err_and(|why| why.starts_with("a is said to be")));
        assert_eq!(files.size(), 2 + SUMS.len() as u64);
    }
}
