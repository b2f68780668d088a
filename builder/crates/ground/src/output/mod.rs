//! The output folder: it appears whole or not at all.
//!
//! Everything is written into a hidden folder beside the one that was asked for, made durable, and
//! renamed into place. A build that fails or is stopped leaves the old output as it was, and what no build wrote
//! is never replaced ([`place`]). What a killed build leaves is removed by the next one in the same place.

mod durable;
mod file;
pub mod place;
#[cfg(test)]
mod tests;
mod work;

use std::fs::{self, File};
use std::io::{self, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Sha256;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cancel;
use crate::content::Content;
use crate::digests::Digests;
use durable::Durable;
use place::Old;
use work::WorkFolder;

pub use file::{NewFile, put, put_link};
pub use work::remove_held;

/// A file of the output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Path, relative to the output folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Hash.
    pub sha256: Sha256,
}

/// A symbolic link of the output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Path, relative to the output folder.
    pub path: String,
    /// Where it leads, relative to the folder that it is in.
    pub target: String,
}

/// Why an output folder cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A file or folder cannot be read, written or made.
    #[error("{doing} {path}: {source}{}", hint(source))]
    Io {
        /// The operation that failed: `cannot make folder`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The path is that of a file.
    #[error("the output cannot be written to {path}: that is a file, and a folder is needed")]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds something that is not an output of a build.
    #[error(
        "{path} exists and was not written by wifibox-build (it has no SHA256SUMS of an output): \
         name another folder with --out, or move it away"
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds an output, and what would be lost with it.
    #[error(
        "{path} holds what no build wrote: {}; move it away, or name another folder with --out",
        first_names(files)
    )]
    InTheWay {
        /// The folder.
        path: PathBuf,
        /// Files in it, and what became of them, in the order of their names.
        files: Vec<String>,
    },
}

/// Names of files for a person to read: of many the first ones, and how many more there are.
fn first_names(files: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = files.get(..SHOWN).unwrap_or(files).join(", ");
    match files.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; free some space, or name another folder with --out",
        io::ErrorKind::PermissionDenied => "; name a folder that you may write to with --out",
        _ => "",
    }
}

impl OutputError {
    /// An I/O error on the file that is being written.
    pub fn io(doing: &'static str) -> impl FnOnce(io::Error) -> OutputError {
        move |source| OutputError::Io { doing, path: PathBuf::new(), source }
    }
}

fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::Io { doing, path, source }
}

/// The folder that `target` is in.
fn parent_of(target: &Path) -> &Path {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Removes what builders left beside the output `target` that were killed, or could not remove it themselves.
pub fn sweep_beside(target: &Path) {
    work::sweep(parent_of(&place::followed(target)));
}

/// An output folder under construction. Several threads may write different files of it.
#[derive(Debug)]
pub struct OutputFolder {
    target: PathBuf,
    old: Old,
    work: WorkFolder,
    files: Mutex<Vec<(Output, Digests)>>,
    links: Mutex<Vec<Link>>,
    durable: Durable,
}

impl OutputFolder {
    /// Begins an output that will be at `target`; its parent folders are made.
    ///
    /// # Errors
    /// As [`place::check_target`]; or the folder cannot be made.
    pub fn begin(target: &Path) -> Result<Self, OutputError> {
        OutputFolder::begin_over(target, Old::Built)
    }

    /// The same for an output, or a release, that somebody else made and that is written as it came: it ends with
    /// [`OutputFolder::finish_as_it_is`]. An older one may have a signature.
    ///
    /// # Errors
    /// As [`OutputFolder::begin`].
    pub fn begin_fetched(target: &Path) -> Result<Self, OutputError> {
        OutputFolder::begin_over(target, Old::Fetched)
    }

    /// The same for a repository of packages, which takes the place of an older one.
    ///
    /// # Errors
    /// As [`OutputFolder::begin`].
    pub fn begin_repository(target: &Path) -> Result<Self, OutputError> {
        OutputFolder::begin_over(target, Old::Repository)
    }

    fn begin_over(target: &Path, old: Old) -> Result<Self, OutputError> {
        let target = &*place::followed(target);
        let parent = parent_of(target);
        fs::create_dir_all(parent).map_err(at("cannot make folder", parent))?;
        work::sweep(parent);
        place::check_small(target, old)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let work =
            WorkFolder::partial(parent, &name).map_err(at("cannot make a folder in", parent))?;
        let durable = Durable::start().map_err(at("cannot start a thread for", target))?;
        let (target, files, links) = (target.to_owned(), Mutex::default(), Mutex::default());
        Ok(OutputFolder { target, old, work, files, links, durable })
    }

    /// Where the work is done until [`OutputFolder::finish`]; also good for temporary files.
    pub fn work_folder(&self) -> &Path {
        self.work.path()
    }

    /// Writes the file `path` (relative, with `/`) by `fill`, which may seek; its size and hash are
    /// noted, and given back.
    ///
    /// # Errors
    /// The error of `fill`, or [`OutputError::Io`].
    pub fn write<E: From<OutputError>>(
        &self,
        path: &str,
        mode: u32,
        fill: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<Output, E> {
        let (mut file, full) = self.create(path)?;
        fill(&mut file)?;
        let digests = (|| {
            set_mode(&file, mode)?;
            file.rewind()?;
            self.durable.take(&full, file.try_clone()?);
            Digests::of_reader(BufReader::with_capacity(1 << 16, file))
        })()
        .map_err(at("cannot write", &full))?;
        Ok(self.note(path, digests))
    }

    /// Writes `content` as the file `path`. A content that knows its hashes is not hashed again: it
    /// checks them itself when it is read to its end.
    ///
    /// # Errors
    /// [`OutputError::Io`], or what reading reports, by `unreadable`.
    pub fn copy<E: From<OutputError>>(
        &self,
        path: &str,
        mode: u32,
        content: &Content,
        unreadable: impl FnOnce(io::Error) -> E,
    ) -> Result<Output, E> {
        let digests = match content {
            Content::Packed(held) => Some(held.digests()),
            Content::Inline(_) | Content::Spooled { .. } => None,
        };
        let Some(digests) = digests else {
            return self.write(path, mode, |file| {
                io::copy(&mut content.open(), file).map(drop).map_err(unreadable)
            });
        };
        let (mut file, full) = self.create(path)?;
        io::copy(&mut content.open(), &mut file).map_err(unreadable)?;
        set_mode(&file, mode).map_err(at("cannot write", &full))?;
        self.durable.take(&full, file);
        Ok(self.note(path, (digests, content.len())))
    }

    fn create(&self, path: &str) -> Result<(File, PathBuf), OutputError> {
        let full = self.work.path().join(path);
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(at("cannot make folder", parent))?;
        }
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(&full);
        Ok((file.map_err(at("cannot write", &full))?, full))
    }

    fn note(&self, path: &str, (digests, size): (Digests, u64)) -> Output {
        let output = Output { path: path.to_owned(), size, sha256: digests.sha256 };
        lock(&self.files).push((output.clone(), digests));
        output
    }

    /// Writes a file from bytes that are at hand.
    ///
    /// # Errors
    /// [`OutputError::Io`].
    pub fn write_bytes(&self, path: &str, mode: u32, bytes: &[u8]) -> Result<Output, OutputError> {
        let (mut file, full) = self.create(path)?;
        let written = file.write_all(bytes).and_then(|()| set_mode(&file, mode));
        written.map_err(at("cannot write", &full))?;
        self.durable.take(&full, file);
        let digests = Digests::of_reader(bytes).map_err(at("cannot write", &full))?;
        Ok(self.note(path, digests))
    }

    /// Makes an empty folder (relative, with `/`).
    ///
    /// # Errors
    /// [`OutputError::Io`].
    pub fn make_folder(&self, path: &str) -> Result<(), OutputError> {
        let full = self.work.path().join(path);
        fs::create_dir_all(&full).map_err(at("cannot make folder", &full))
    }

    /// Makes a symbolic link (relative, with `/`). It stands in no `SHA256SUMS`: who lists files there
    /// would read what it leads to.
    ///
    /// # Errors
    /// [`OutputError::Io`].
    pub fn make_link(&self, path: &str, target: &str) -> Result<(), OutputError> {
        let full = self.work.path().join(path);
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(at("cannot make folder", parent))?;
        }
        std::os::unix::fs::symlink(target, &full).map_err(at("cannot make the link", &full))?;
        lock(&self.links).push(Link { path: path.to_owned(), target: target.to_owned() });
        Ok(())
    }

    /// The links made so far, by path.
    pub fn links(&self) -> Vec<Link> {
        let mut links = lock(&self.links).clone();
        links.sort_by(|a, b| a.path.cmp(&b.path));
        links
    }

    /// The files written so far, by path.
    pub fn files(&self) -> Vec<Output> {
        let written = lock(&self.files);
        let mut files: Vec<Output> = written.iter().map(|(output, _)| output.clone()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// The size in bytes and the hashes of a file that was written.
    pub fn digests(&self, path: &str) -> Option<(u64, Digests)> {
        let written = lock(&self.files);
        let (output, digests) = written.iter().find(|(output, _)| output.path == path)?;
        Some((output.size, *digests))
    }

    /// Writes `SHA256SUMS` and puts the folder where it was asked for; an older output makes way, in one step where
    /// the system can.
    ///
    /// # Errors
    /// [`OutputError::Io`], or as [`place::check_target`]; the older output is then still there.
    pub fn finish(self) -> Result<Vec<Output>, OutputError> {
        let sums: String =
            self.files().iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect();
        self.write_bytes("SHA256SUMS", 0o644, sums.as_bytes())?;
        self.finish_as_it_is()
    }

    /// The same without writing `SHA256SUMS`: it is there.
    ///
    /// # Errors
    /// As [`OutputFolder::finish`].
    pub fn finish_as_it_is(self) -> Result<Vec<Output>, OutputError> {
        let files = self.files();
        let work = self.work.path().to_owned();
        set_folder_modes(&work).map_err(at("cannot set the mode of", &work))?;
        // Meanwhile the disk works.
        place::check_all(&self.target, self.old)?;
        self.durable.finish()?;
        let whole = cancel::uninterrupted();
        place::put(&work, &self.target)?;
        whole.changed();
        Ok(files)
    }
}

/// A list is only ever added to, so one of a thread that panicked is sound.
fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives an open file, or folder, exactly these permission bits, whatever the umask is.
///
/// # Errors
/// As [`File::set_permissions`].
#[cfg(unix)]
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Does nothing: there are no permission bits here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Folders get mode 0755 whatever the umask is: an output is the same for everybody.
fn set_folder_modes(folder: &Path) -> io::Result<()> {
    set_mode(&File::open(folder)?, 0o755)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            set_folder_modes(&entry.path())?;
        }
    }
    Ok(())
}
