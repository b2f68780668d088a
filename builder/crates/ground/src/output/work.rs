//! Hidden folders and files in which outputs are made, and what becomes of those that a killed builder left.
//!
//! Who makes one holds a lock on it for as long as it lives, whatever ends it. So one that nobody holds is
//! waste, and the next build beside it removes it. Two may do that at once.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The end of the name of a folder or file in which an output is made.
const PARTIAL: &str = ".wifibox-partial";
/// The end of the name of a folder that holds the old output while the new one takes its place, as `old`.
const REPLACED: &str = ".wifibox-replaced";
/// The old output, in such a folder.
pub(super) const OLD: &str = "old";
/// Letters and digits that tell two builders of the same output apart.
const RANDOM: usize = 6;

/// The folders of this process, for an end from outside.
static HELD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<PathBuf>> {
    // Paths are only added and removed whole.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes something beside `name`, whose own name [`sweep`] knows.
fn named<T>(
    name: &str,
    end: &str,
    make: impl FnOnce(&mut tempfile::Builder<'_, '_>) -> io::Result<T>,
) -> io::Result<T> {
    let prefix = format!(".{name}.");
    make(tempfile::Builder::new().rand_bytes(RANDOM).prefix(&prefix).suffix(end))
}

/// Makes a file for the work on the file `name` in `parent`.
pub(super) fn partial_file(parent: &Path, name: &str) -> io::Result<tempfile::NamedTempFile> {
    named(name, PARTIAL, |builder| builder.tempfile_in(parent))
}

/// A folder for the work on `target`, beside it. Gone when dropped, unless it was renamed.
#[derive(Debug)]
pub struct WorkFolder {
    path: PathBuf,
    /// Closing it gives the lock back.
    _lock: File,
}

impl WorkFolder {
    pub(super) fn partial(parent: &Path, name: &str) -> io::Result<Self> {
        WorkFolder::make(parent, name, PARTIAL)
    }

    pub(super) fn replaced(parent: &Path, name: &str) -> io::Result<Self> {
        WorkFolder::make(parent, name, REPLACED)
    }

    fn make(parent: &Path, name: &str, end: &str) -> io::Result<Self> {
        loop {
            let path = named(name, end, |builder| builder.tempdir_in(parent))?.keep();
            held().push(path.clone());
            let lock = File::open(&path).and_then(|lock| lock.lock().map(|()| lock));
            match lock {
                // Between making and locking it another builder may have taken it for waste.
                Ok(lock) if path.is_dir() => return Ok(WorkFolder { path, _lock: lock }),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let _ = fs::remove_dir(&path);
                    forget(&path);
                    return Err(error);
                }
                _ => forget(&path),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        forget(&self.path);
    }
}

fn forget(path: &Path) {
    held().retain(|held| held != path);
}

/// Removes the work folders of this process, which is about to end while others of its threads still write.
pub fn remove_held() {
    for path in held().iter() {
        // What a thread makes meanwhile is left to the next build.
        let _ = fs::remove_dir_all(path);
    }
}

/// Whether this is a name that [`WorkFolder`] gives, and whose output it was: `.NAME.a1B2c3.wifibox-partial`.
fn target_of<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let (target, random) = name.strip_prefix('.')?.strip_suffix(end)?.rsplit_once('.')?;
    let fits = random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(target)
}

/// Removes what killed builders left in `parent`. An old output whose replacement never came is put back.
/// What cannot be removed stays: it is in nobody's way.
pub(super) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let replaced = target_of(name, REPLACED);
        if replaced.is_none() && target_of(name, PARTIAL).is_none() {
            continue;
        }
        let path = entry.path();
        // A link is none of ours, nor is a pipe; who lives and holds its lock is not waited for.
        let Ok(kind) = entry.file_type() else { continue };
        if !kind.is_dir() && !kind.is_file() {
            continue;
        }
        let Ok(lock) = File::open(&path) else { continue };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue,
        }
        if let Some(target) = replaced.map(|target| parent.join(target))
            && target.symlink_metadata().is_err()
        {
            let _ = fs::rename(path.join(OLD), target);
        }
        let _ = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The names of what is in a folder, sorted.
    pub(in crate::output) fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_nobody_holds_goes_and_nothing_else() {
        let parent = tempfile::tempdir().expect("a folder");
        let at = |name: &str| parent.path().join(name);
        let living = WorkFolder::partial(parent.path(), "out").expect("made");
        fs::write(living.path().join("root.img"), "x").expect("written");
        for dead in [".out.a1b2c3.wifibox-partial", ".a.b.ABCDEF.wifibox-partial"] {
            fs::create_dir_all(at(dead).join("host")).expect("made");
            fs::write(at(dead).join("root.img"), "x").expect("written");
        }
        let others = [".out.a1b2c3.partial", ".out.wifibox-partial", "out.a1b2c3.wifibox-partial"];
        others.iter().for_each(|name| fs::create_dir(at(name)).expect("made"));
        fs::write(at(".file.a1b2c3.wifibox-partial"), "x").expect("written");
        std::os::unix::fs::symlink("out", at(".link.a1b2c3.wifibox-partial")).expect("made");
        sweep(parent.path());
        let living_name = living.path().file_name().expect("named").to_string_lossy().into_owned();
        let mut expected: Vec<String> = others.map(str::to_owned).to_vec();
        expected.extend([".link.a1b2c3.wifibox-partial".to_owned(), living_name]);
        expected.sort();
        assert_eq!(names(parent.path()), expected);
        assert!(living.path().join("root.img").exists());
        drop(living);
        assert_eq!(names(parent.path()).len(), 4);
    }

    #[test]
    fn an_old_output_whose_replacement_never_came_is_put_back() {
        let parent = tempfile::tempdir().expect("a folder");
        let at = |name: &str| parent.path().join(name);
        for name in [".gone.a1b2c3.wifibox-replaced", ".there.a1b2c3.wifibox-replaced"] {
            fs::create_dir_all(at(name).join(OLD)).expect("made");
            fs::write(at(name).join(OLD).join("manifest.json"), "old").expect("written");
        }
        fs::create_dir(at("there")).expect("made");
        fs::write(at("there/manifest.json"), "new").expect("written");
        sweep(parent.path());
        assert_eq!(names(parent.path()), ["gone", "there"]);
        assert_eq!(fs::read_to_string(at("gone/manifest.json")).expect("read"), "old");
        assert_eq!(fs::read_to_string(at("there/manifest.json")).expect("read"), "new");
    }
}
