//! The lock file: what the solver may choose from, per base, release and architecture.
//!
//! It holds the index record of every package of every composition that the recipes allow, and the
//! hashes of the signed indexes that they came from. A build resolves against these records only,
//! so its answer does not change until the lock does.
//!
//! Format: JSON; the packages one to a line, sorted by name, so that a change reads well in a diff.

mod target;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use wifibox_formats::Package;
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::put;
use wifibox_ground::regular;

pub use target::Target;

/// The number of the lock's format.
pub const FORMAT: u32 = 2;

/// The oldest format that is read: it knew one priority only, and no kernels of other archives.
const OLDEST: u32 = 1;

/// The largest lock file that is read, in bytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// Why a lock file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("cannot {doing} the lock file {path}: {source}")]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// It is damaged.
    #[error(
        "the lock file {path} is damaged: {why}\n  \
         take it back from version control, or delete it and run 'wifibox-build lock'"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason, for the message.
        why: String,
    },
    /// It was written by another version of the builder.
    #[error(
        "the lock file {path} has format {found}, this version reads format {FORMAT}; \
         use the version that wrote it, or run 'wifibox-build lock --upgrade'"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It belongs to another base, release or architecture.
    #[error("the lock file {path} is for {found}, not for {wanted}; name another with --lock-file")]
    OtherBase {
        /// The file.
        path: PathBuf,
        /// Base, release and architecture of the lock.
        found: String,
        /// Base, release and architecture of the build.
        wanted: String,
    },
}

/// A signed index that records were taken from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedIndex {
    /// The repository's name in the recipe.
    pub repository: String,
    /// Suite or folder.
    pub suite: String,
    /// Hash of the signed file (InRelease, APKINDEX.tar.gz).
    pub sha256: Sha256,
    /// When the repository made it: seconds since 1970-01-01 UTC.
    pub date: u32,
    /// The point release that it is of, as what is signed says: `13.8`, `3.23.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// apt's priority of what it lists, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i16>,
}

/// A package that a composition may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// The repository's name in the recipe.
    pub repository: String,
    /// Its record in the index.
    pub package: Package,
}

/// The content of a lock file.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// The base, release and architecture that the lock is for.
    pub target: Target,
    /// The indexes, sorted.
    pub indexes: Vec<LockedIndex>,
    /// The packages, sorted by name, then version.
    pub packages: Vec<LockedPackage>,
    /// Requests of some compositions that the repositories could not serve: the lock does not serve
    /// these compositions. Sorted.
    pub missing: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    base: String,
    release: String,
    architecture: String,
    #[serde(default)]
    missing: Vec<String>,
    indexes: Vec<LockedIndex>,
    packages: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Lock {
    /// A lock of these records, in the lock's own order.
    pub fn new(
        target: Target,
        mut indexes: Vec<LockedIndex>,
        mut packages: Vec<LockedPackage>,
    ) -> Self {
        indexes.sort();
        packages.sort_by(|a, b| {
            let key = |p: &LockedPackage| {
                (p.package.name.clone(), p.package.version.clone(), p.repository.clone())
            };
            key(a).cmp(&key(b))
        });
        packages.dedup();
        Lock { target, indexes, packages, missing: Vec::new() }
    }

    /// The same, but for compositions that ask for one of `missing`.
    pub fn without(mut self, mut missing: Vec<String>) -> Self {
        missing.sort();
        missing.dedup();
        self.missing = missing;
        self
    }

    /// The locked records, for the solver.
    pub fn stock(&self) -> Stock<'_> {
        Stock { packages: &self.packages, indexes: &self.indexes }
    }

    /// The point release that it is of, as its signed indexes say.
    pub fn point(&self) -> Option<&str> {
        self.indexes.iter().find_map(|index| index.version.as_deref())
    }

    /// The newest time that anything locked was made: what `SOURCE_DATE_EPOCH` is by default.
    pub fn source_date_epoch(&self) -> u32 {
        let built = |locked: &LockedPackage| u32::try_from(locked.package.build_time).ok();
        let indexes = self.indexes.iter().map(|index| index.date);
        indexes.chain(self.packages.iter().filter_map(built)).max().unwrap_or_default()
    }

    /// Reads the lock file for `target`; `None` if there is none.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn read(path: &Path, target: &Target) -> Result<Option<Lock>, LockError> {
        match regular::read(path, SIZE_LIMIT) {
            Ok(text) => Lock::parse(path, &text, target).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let why = format!("it is larger than {SIZE_LIMIT} bytes");
                Err(LockError::Damaged { path: path.to_owned(), why })
            }
            Err(source) => Err(LockError::Io { doing: "read", path: path.to_owned(), source }),
        }
    }

    /// Reads the text of the lock file `path`.
    ///
    /// # Errors
    /// [`LockError`], but never its `Io`.
    pub fn parse(path: &Path, text: &[u8], target: &Target) -> Result<Lock, LockError> {
        let damaged = |why: String| LockError::Damaged { path: path.to_owned(), why };
        let Format { format } =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if !(OLDEST..=FORMAT).contains(&format) {
            return Err(LockError::Format { path: path.to_owned(), found: format });
        }
        let file: File =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        let File { base, release, architecture, .. } = file;
        let found = Target { base, release, architecture };
        if found != *target {
            return Err(LockError::OtherBase {
                path: path.to_owned(),
                found: found.to_string(),
                wanted: target.to_string(),
            });
        }
        Ok(Lock::new(found, file.indexes, file.packages).without(file.missing))
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice: every record can be written as JSON.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let Target { base, release, architecture } = &self.target;
        let mut text = format!("{{\n  \"format\": {FORMAT},\n");
        for (key, value) in [("base", base), ("release", release), ("architecture", architecture)] {
            text += &format!("  \"{key}\": {},\n", serde_json::to_string(value)?);
        }
        if !self.missing.is_empty() {
            text += &format!("  \"missing\": {},\n", serde_json::to_string(&self.missing)?);
        }
        text += "  \"indexes\": [\n";
        text += &lines(&self.indexes)?;
        text += "  ],\n  \"packages\": [\n";
        text += &lines(&self.packages)?;
        text += "  ]\n}\n";
        Ok(text)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`LockError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let error = |source| LockError::Io { doing: "write", path: path.to_owned(), source };
        let text = self.to_text().map_err(|source| error(source.into()))?;
        // A lock is source code, not a secret.
        put(path, text.as_bytes(), 0o644).map_err(error)
    }
}

fn lines<T: Serialize>(items: &[T]) -> serde_json::Result<String> {
    let lines: Vec<String> = items
        .iter()
        .map(|item| Ok(format!("    {}", serde_json::to_string(item)?)))
        .collect::<serde_json::Result<_>>()?;
    Ok(if lines.is_empty() { String::new() } else { lines.join(",\n") + "\n" })
}

/// Records and the indexes that they are from: those of a lock, or of what is offered now.
#[derive(Clone, Copy)]
pub struct Stock<'a> {
    /// The records.
    pub packages: &'a [LockedPackage],
    /// The indexes.
    pub indexes: &'a [LockedIndex],
}

impl Stock<'_> {
    /// apt's priority of a repository: that of the recipe, else of its index.
    pub(crate) fn priority(&self, repository: &wifibox_recipe::Repository) -> i16 {
        let mut own = self.indexes.iter().filter(|index| index.repository == repository.name);
        let of_index = || own.find_map(|index| index.priority);
        repository.priority.or_else(of_index).unwrap_or(wifibox_solver::Repository::USUAL_PRIORITY)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn lock() -> Lock {
        let target = Target {
            base: "debian".into(),
            release: "trixie".into(),
            architecture: "amd64".into(),
        };
        let package = |name: &str| LockedPackage {
            repository: "debian".into(),
            package: Package { name: name.into(), version: "1".into(), ..Package::default() },
        };
        let index = LockedIndex {
            repository: "debian".into(),
            suite: "trixie".into(),
            sha256: Sha256::of(b"x"),
            date: 7,
            version: None,
            priority: Some(100),
        };
        Lock::new(target, vec![index], vec![package("b"), package("a"), package("b")])
    }

    #[test]
    fn a_lock_is_sorted_and_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("locks/debian.lock");
        let lock = lock();
        assert_eq!(Lock::read(&path, &lock.target).expect("readable"), None);
        lock.write(&path).expect("written");
        assert_eq!(Lock::read(&path, &lock.target).expect("readable"), Some(lock.clone()));
        assert_eq!(lock.packages.len(), 2);
        assert_eq!(lock.source_date_epoch(), 7);
        let text = fs::read_to_string(&path).expect("readable");
        assert_eq!(text.lines().filter(|line| line.contains("\"name\"")).count(), 2);
    }

    #[test]
    fn what_the_repositories_did_not_have_is_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let lock = lock().without(vec!["z".into(), "c".into(), "z".into()]);
        assert_eq!(lock.missing, ["c", "z"]);
        lock.write(&path).expect("written");
        assert_eq!(Lock::read(&path, &lock.target).expect("readable"), Some(lock));
    }

    #[test]
    fn what_is_no_lock_for_this_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let lock = lock();
        let mut other = lock.target.clone();
        other.release = "forky".into();
        lock.write(&path).expect("written");
        let error = Lock::read(&path, &other).expect_err("another release").to_string();
        assert!(
            error.contains("is for debian trixie amd64, not for debian forky amd64"),
            "{error}"
        );
        fs::write(&path, "{\"format\": 9}").expect("written");
        assert!(matches!(Lock::read(&path, &lock.target), Err(LockError::Format { found: 9, .. })));
        fs::write(&path, "{").expect("written");
        assert!(matches!(Lock::read(&path, &lock.target), Err(LockError::Damaged { .. })));
    }
}
