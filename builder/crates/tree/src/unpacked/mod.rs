//! Packages as they are when unpacked, kept for the next build: `<cache>/unpacked/<key>.pack`.
//!
//! Decompressing packages is most of what a build costs once its blocks are compressed. A pack (`pack.rs`)
//! holds the members of one package in its order, with their bytes and hashes; the tree of a later
//! build points into it, so that nothing is copied. A pack is made only from a package whose hash was
//! checked, and its key is that hash together with the version of the readers that made it.
//!
//! Any number of builders may use one folder: a pack appears by rename when it is complete and is
//! never changed. Any of them may be killed: its unfinished file goes with the next [`Unpacked::tidy`]; those of the living are locked.
//! Every content is checked by its SHA-256 whenever it is read to its end. The list of members, which has these hashes,
//! is sealed together with the hash of the package, by a key that only this user has: who can write to the folder cannot
//! make a pack that counts. A damaged pack is removed, and [`Unpacked::damaged`] says that a build met one.

mod index;
mod member;
mod pack;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

pub use member::{Member, MemberKind};
pub use pack::{Pack, PackWriter};

use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::regular;
use wifibox_ground::secret::Secret;

/// Rises when a reader of packages makes something else of the same bytes, or the format changes.
const VERSION: u32 = 1;

/// A file so young may not be locked yet.
const JUST_BEGUN: Duration = Duration::from_secs(3);

const WHOLE: &str = "pack";
const UNFINISHED: &str = "unfinished";

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {} of the cache of unpacked packages: {source}", path.display())]
pub struct UnpackedError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl UnpackedError {
    fn of<'p>(doing: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| UnpackedError { doing, path: path.to_owned(), source }
    }
}

/// How much is in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct UnpackedSize {
    /// How many packages.
    pub packages: u64,
    /// How many bytes their files take.
    pub bytes: u64,
}

/// The cache of unpacked packages in a folder. Clones are the same cache.
#[derive(Debug, Clone)]
pub struct Unpacked {
    folder: PathBuf,
    secret: Secret,
    damaged: Arc<AtomicBool>,
}

impl Unpacked {
    /// The cache in `folder`, which is made if need be. Only what was put in with the same `secret` is found.
    ///
    /// # Errors
    /// [`UnpackedError`]: the folder cannot be made.
    pub fn open(folder: &Path, secret: &Secret) -> Result<Self, UnpackedError> {
        fs::create_dir_all(folder).map_err(UnpackedError::of("make the folder", folder))?;
        let (folder, secret) = (folder.to_owned(), secret.clone());
        Ok(Unpacked { folder, secret, damaged: Arc::default() })
    }

    fn path_of(&self, package: &Sha256) -> PathBuf {
        let key =
            self.secret.seal("the name of a pack", &[&VERSION.to_le_bytes(), package.as_bytes()]);
        self.folder.join(format!("{key}.{WHOLE}"))
    }

    /// The unpacked form of the package with this hash, if it is known. A damaged pack is removed and counts as
    /// unknown.
    pub fn get(&self, package: &Sha256) -> Option<Pack> {
        let path = self.path_of(package);
        let file = match regular::open(&path) {
            Ok(file) => file,
            // What is no file is as good as damaged.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let _ = fs::remove_file(&path);
                return None;
            }
            Err(_) => return None,
        };
        // It was used now. Where that cannot be noted, the pack merely goes earlier.
        let _ = file.set_modified(SystemTime::now());
        match Pack::read(file, &path, package, &self.secret, &self.damaged) {
            Ok(pack) => Some(pack),
            Err(_) => {
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Whether there is a pack of the package with this hash. It is not looked at.
    pub fn has(&self, package: &Sha256) -> bool {
        self.path_of(package).is_file()
    }

    /// Begins to note what the package with this hash unpacks to.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(&self, package: &Sha256) -> io::Result<PackWriter> {
        let temporary =
            tempfile::Builder::new().suffix(&format!(".{UNFINISHED}")).tempfile_in(&self.folder)?;
        // The lock says that its builder lives. Where it cannot be had, the file may go before it is complete.
        let _ = temporary.as_file().try_lock();
        let (path, damaged) = (self.path_of(package), Arc::clone(&self.damaged));
        Ok(PackWriter::new(temporary, path, *package, self.secret.clone(), damaged))
    }

    /// One content, under a key that is a hash of everything that decides its bytes.
    pub fn content(&self, key: &Sha256) -> Option<Content> {
        let pack = self.get(key)?;
        pack.members().first().and_then(|member| pack.content(member))
    }

    /// Keeps one content under such a key.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, key: &Sha256, mut bytes: &[u8]) -> io::Result<Content> {
        let mut writer = self.begin(key)?;
        writer.add_content(&mut bytes)?;
        let pack = writer.finish()?;
        let content = pack.members().first().and_then(|member| pack.content(member));
        content.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether a content was found damaged since this cache was opened: what was built of it failed,
    /// and its pack is gone, so that another attempt unpacks the package anew. Asking forgets it.
    pub fn damaged(&self) -> bool {
        self.damaged.swap(false, Ordering::Relaxed)
    }

    /// Makes [`Unpacked::damaged`] say so: something that was in the cache is not there any more.
    pub(crate) fn note_damage(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// How much is in the cache in `folder`; nothing if there is no such folder.
    ///
    /// # Errors
    /// [`UnpackedError`]: the folder cannot be read.
    pub fn size(folder: &Path) -> Result<UnpackedSize, UnpackedError> {
        let files = list(folder)?;
        let bytes = files.iter().map(|file| file.bytes).sum();
        let packages = files.iter().filter(|file| file.whole).count();
        Ok(UnpackedSize { packages: u64::try_from(packages).unwrap_or(u64::MAX), bytes })
    }

    /// Removes what was not used for longest until at most `limit` bytes are left, and what killed
    /// builders left. A builder that has a removed pack open keeps it until it is done.
    ///
    /// # Errors
    /// [`UnpackedError`]: the folder cannot be read, or a file not removed.
    pub fn prune(folder: &Path, limit: u64) -> Result<(), UnpackedError> {
        let mut files = list(folder)?;
        let now = SystemTime::now();
        files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            let goes = if file.whole {
                total > limit
            } else {
                let age = now.duration_since(file.used).unwrap_or_default();
                limit == 0 || (age > JUST_BEGUN && is_abandoned(&file.path))
            };
            if goes {
                remove(&file.path)?;
                total = total.saturating_sub(file.bytes);
            }
        }
        Ok(())
    }

    /// [`Unpacked::prune`] of this cache.
    ///
    /// # Errors
    /// [`UnpackedError`].
    pub fn tidy(&self, limit: u64) -> Result<(), UnpackedError> {
        Unpacked::prune(&self.folder, limit)
    }
}

/// Whether the builder of an unfinished file is gone.
fn is_abandoned(path: &Path) -> bool {
    regular::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

struct Found {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    whole: bool,
}

fn list(folder: &Path) -> Result<Vec<Found>, UnpackedError> {
    let failed = |error| UnpackedError::of("list the folder", folder)(error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let whole = match path.extension().and_then(|extension| extension.to_str()) {
            Some(WHOLE) => true,
            Some(UNFINISHED) => false,
            _ => continue,
        };
        // One that another builder removes meanwhile is no file any more.
        let Ok(metadata) = entry.metadata() else { continue };
        let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        found.push(Found { path, bytes: metadata.len(), used, whole });
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<(), UnpackedError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(UnpackedError::of("remove", path)(error))
        }
        _ => Ok(()),
    }
}
