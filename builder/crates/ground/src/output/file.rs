//! A single file that appears whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::work::{WorkFolder, partial_file, sweep};
use super::{parent_of, set_mode};

/// A file that is written beside its place and takes that at the end. It goes when dropped; what a killed process left
/// goes with the next one in the same folder.
#[derive(Debug)]
pub struct NewFile {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Begins the file `path`, which only its owner may read until it is given another mode. Its folder must be there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let parent = parent_of(path);
        sweep(parent);
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        loop {
            let file = partial_file(parent, &name)?;
            file.as_file().lock()?;
            // Between making and locking it another one may have taken it for waste.
            if file.path().is_file() {
                return Ok(NewFile { file, path: path.to_owned() });
            }
        }
    }

    /// What to write to.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// The same, for what needs it for itself alone.
    pub fn file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Writes all of it, makes it durable and gives it this mode.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn fill(&self, bytes: &[u8], mode: u32) -> io::Result<()> {
        io::Write::write_all(&mut self.file(), bytes)?;
        set_mode(self.file(), mode)?;
        self.file().sync_all()
    }

    /// Gives the file its name; another one of that name is replaced.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn keep(self) -> io::Result<()> {
        self.file.persist(&self.path).map(drop).map_err(|failed| failed.error)
    }

    /// Gives the file its name if nothing has it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or it cannot be renamed.
    pub fn keep_new(self) -> io::Result<()> {
        self.file.persist_noclobber(&self.path).map(drop).map_err(|failed| failed.error)
    }
}

/// Writes `bytes` as the file `path`, whole and durable, with this mode; its folder is made if need be.
///
/// # Errors
/// It cannot be written.
pub fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    fs::create_dir_all(parent_of(path))?;
    let new = NewFile::beside(path)?;
    new.fill(bytes, mode)?;
    new.keep()
}

/// Makes the symbolic link `path` to `target`, or leads the one that is there to another place, in one step.
///
/// # Errors
/// It cannot be made.
#[cfg(unix)]
pub fn put_link(path: &Path, target: &str) -> io::Result<()> {
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let work = WorkFolder::partial(parent_of(path), &name)?;
    let new = work.path().join("link");
    std::os::unix::fs::symlink(target, &new)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::work::tests::names;

    #[test]
    fn what_a_killed_process_left_goes_and_the_file_of_a_living_one_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(".lock.a1b2c3.wifibox-partial"), "half").expect("written");
        let path = folder.path().join("lock");
        let living = NewFile::beside(&path).expect("made");
        assert_eq!(names(folder.path()).len(), 1, "{:?}", names(folder.path()));
        put(&path, b"one", 0o644).expect("written");
        assert_eq!(names(folder.path()).len(), 2);
        io::Write::write_all(&mut living.file(), b"two").expect("written");
        living.keep().expect("kept");
        assert_eq!(names(folder.path()), ["lock"]);
        assert_eq!(fs::read(&path).expect("read"), b"two");
        let late = NewFile::beside(&path).expect("made");
        let error = late.keep_new().expect_err("it is there");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(names(folder.path()), ["lock"]);
    }
}
