//! The folder of the block cache: which files are in it, and which go.
//!
//! `NUMBER.blocks` is a whole file; the higher the number, the younger. `NUMBER.writing` is being
//! written by the builder that holds its lock; where nobody does, that builder was killed, and the
//! next one makes a whole file of what is there. Names change only under the lock of `lock`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::CacheError;
use super::pack::{self, Entry, SealKey};

/// A file of blocks is ended when it is this long, in bytes.
const FILE_LIMIT: u64 = 32 << 20;
/// However small the cache is, its files are not ended before they are this long.
const SMALLEST_FILE: u64 = 64 << 10;
/// A cache of more files than its size explains gets its small ones joined.
const FILES_BEYOND: usize = 32;

const WHOLE: &str = "blocks";
const WRITING: &str = "writing";

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    limit: u64,
    seal: SealKey,
}

/// A whole file.
pub(super) struct Sealed {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) entries: Vec<Entry>,
    pub(super) length: u64,
}

impl Folder {
    pub(super) fn open(path: &Path, limit: u64, seal: SealKey) -> Result<Self, CacheError> {
        fs::create_dir_all(path).map_err(CacheError::of("make the folder", path))?;
        Ok(Folder { path: path.to_owned(), limit, seal })
    }

    /// What values are sealed with.
    pub(super) fn seal_key(&self) -> &SealKey {
        &self.seal
    }

    /// How long a file may get before the next one is begun.
    pub(super) fn file_limit(&self) -> u64 {
        (self.limit / 16).clamp(SMALLEST_FILE, FILE_LIMIT)
    }

    /// All whole files, the oldest first, after what killed builders left was made whole.
    pub(super) fn sealed(&self) -> Result<Vec<Sealed>, CacheError> {
        if self.numbers(WRITING)?.is_empty() {
            return self.read_all();
        }
        let _lock = self.lock()?;
        self.rescue()?;
        self.read_all()
    }

    fn read_all(&self) -> Result<Vec<Sealed>, CacheError> {
        let mut all = Vec::new();
        for (_, path) in self.numbers(WHOLE)? {
            // One that another builder removed meanwhile is no file any more.
            let Some(file) = open(&path)? else { continue };
            let failed = |error| CacheError::of("read", &path)(error);
            let length = file.metadata().map_err(failed)?.len();
            let entries = match pack::index(&file).map_err(failed)? {
                Some(entries) => entries,
                None => pack::scan(&file, &self.seal).map_err(failed)?.0,
            };
            all.push(Sealed { path, file, entries, length });
        }
        Ok(all)
    }

    /// Makes whole files of what killed builders left. The caller holds the lock.
    fn rescue(&self) -> Result<(), CacheError> {
        for (_, path) in self.numbers(WRITING)? {
            let Some(file) = open(&path)? else { continue };
            if file.try_lock().is_err() {
                continue;
            }
            let failed = |error| CacheError::of("repair", &path)(error);
            let (entries, end) = pack::scan(&file, &self.seal).map_err(failed)?;
            if entries.is_empty() {
                remove(&path)?;
            } else {
                pack::seal(&file, end, &entries).map_err(failed)?;
                fs::rename(&path, path.with_extension(WHOLE)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Begins a new file, which is younger than all others.
    pub(super) fn begin(&self) -> Result<(File, PathBuf), CacheError> {
        let _lock = self.lock()?;
        let youngest = [WHOLE, WRITING].map(|extension| self.numbers(extension));
        let mut next = 1;
        for numbers in youngest {
            next = next.max(numbers?.last().map_or(0, |(number, _)| *number).saturating_add(1));
        }
        let path = self.path.join(format!("{next:010}.{WRITING}"));
        let failed = |error| CacheError::of("make", &path)(error);
        let file = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)
            .and_then(|file| pack::begin(&file).map(|()| file))
            .map_err(failed)?;
        // Nobody else can have it: names are given under the folder's lock.
        file.try_lock().map_err(|error| failed(error.into()))?;
        Ok((file, path))
    }

    /// Ends a file that [`Folder::begin`] began.
    pub(super) fn seal(
        &self,
        file: &File,
        path: &Path,
        end: u32,
        entries: &[Entry],
    ) -> Result<(), CacheError> {
        let _lock = self.lock()?;
        let failed = |error| CacheError::of("end the file", path)(error);
        if entries.is_empty() {
            return remove(path);
        }
        pack::seal(file, end, entries).map_err(failed)?;
        match fs::rename(path, path.with_extension(WHOLE)) {
            // Somebody emptied the folder meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.map_err(failed),
        }
    }

    /// Removes damaged records from the files named, the oldest files while the cache is above its
    /// limit, and joins small files where there are many.
    pub(super) fn tidy(&self, damaged: &BTreeSet<PathBuf>) -> Result<(), CacheError> {
        let _lock = self.lock()?;
        self.rescue()?;
        // What a builder was joining when it was killed.
        remove(&self.path.join("joining"))?;
        let mut files = self.read_all()?;
        let mut total: u64 = files.iter().map(|file| file.length).sum();
        let mut excess = 0;
        for file in &files {
            if total <= self.limit {
                break;
            }
            remove(&file.path)?;
            total = total.saturating_sub(file.length);
            excess += 1;
        }
        files.drain(..excess);
        for file in &files {
            // A file that was being written when the damage was met has another name by now.
            if damaged.iter().any(|path| path.file_stem() == file.path.file_stem()) {
                self.join(std::slice::from_ref(file))?;
            }
        }
        let explained = usize::try_from(total / self.file_limit()).unwrap_or(usize::MAX);
        if files.len() > explained.saturating_add(FILES_BEYOND) {
            self.join_small(&files)?;
        }
        Ok(())
    }

    fn join_small(&self, files: &[Sealed]) -> Result<(), CacheError> {
        let mut run = 0..0;
        let mut size = 0;
        for (number, file) in files.iter().enumerate() {
            if size + file.length > self.file_limit() {
                self.join(files.get(run.clone()).unwrap_or_default())?;
                (run.start, size) = (number, 0);
            }
            run.end = number + 1;
            size += file.length;
        }
        self.join(files.get(run).unwrap_or_default())
    }

    /// Makes one file, with the number of the youngest, of the sound records of `files`.
    fn join(&self, files: &[Sealed]) -> Result<(), CacheError> {
        let Some(youngest) = files.last() else { return Ok(()) };
        let path = self.path.join("joining");
        // Made anew: what is there may be somebody's link.
        remove(&path)?;
        let failed = |error| CacheError::of("write", &path)(error);
        let out = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        pack::begin(&out).map_err(failed)?;
        let (mut entries, mut end, mut seen) = (Vec::new(), pack::BEGIN, BTreeSet::new());
        for file in files.iter().rev() {
            for entry in file.entries.iter().filter(|entry| !seen.contains(&entry.key)) {
                let Some(value) = pack::value(&file.file, &self.seal, entry) else { continue };
                let entry =
                    pack::append(&out, &self.seal, end, &entry.key, &value).map_err(failed)?;
                end = end.saturating_add(u32::try_from(entry.size()).unwrap_or(u32::MAX));
                entries.push(entry);
            }
            seen.extend(file.entries.iter().map(|entry| entry.key));
        }
        pack::seal(&out, end, &entries).map_err(failed)?;
        fs::rename(&path, &youngest.path).map_err(failed)?;
        for file in files.iter().rev().skip(1) {
            remove(&file.path)?;
        }
        Ok(())
    }

    /// The files of one kind, by number.
    fn numbers(&self, extension: &str) -> Result<Vec<(u64, PathBuf)>, CacheError> {
        let failed = |error| CacheError::of("list the folder", &self.path)(error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Links, pipes and devices are none of ours, and are not opened.
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            let number = path.file_stem().and_then(OsStr::to_str).and_then(|s| s.parse().ok());
            if let (Some(number), true) = (number, path.extension() == Some(OsStr::new(extension)))
            {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found)
    }

    /// Waits for the right to change names; given back when the file is closed.
    fn lock(&self) -> Result<File, CacheError> {
        let path = self.path.join("lock");
        if path.symlink_metadata().is_ok_and(|data| !data.is_file()) {
            let why = io::Error::new(io::ErrorKind::InvalidInput, "it is no file");
            return Err(CacheError::of("open", &path)(why));
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(CacheError::of("open", &path))?;
        file.lock().map_err(CacheError::of("lock", &path))?;
        Ok(file)
    }
}

fn open(path: &Path) -> Result<Option<File>, CacheError> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CacheError::of("open", path)(error)),
    }
}

fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CacheError::of("remove", path)(error))
        }
        _ => Ok(()),
    }
}
