//! The bytes of a regular file: of known length, opened when the writer needs them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest;

/// The bytes of a regular file. A writer with several threads may open several at a time.
pub trait Content: Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// A reader over the bytes, from the first one on. One that ends before [`Content::len`] bytes fails the
    /// image; what comes after them is not read.
    ///
    /// # Errors
    /// The content cannot be opened.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;

    /// The SHA-256 of the bytes, by which equal files are found: it is asked for where files are of equal length,
    /// and may be overridden where it is known already.
    ///
    /// # Errors
    /// The content cannot be read.
    fn sha256(&self) -> io::Result<[u8; 32]> {
        digest::of_reader(self.open()?.take(self.len()))
    }

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Content for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

impl Content for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(*self))
    }
}

impl Content for &str {
    fn len(&self) -> u64 {
        str::len(self) as u64
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.as_bytes()))
    }
}

/// The bytes of a file on disk, which is opened whenever they are needed.
#[derive(Debug, Clone)]
pub struct OnDisk {
    path: PathBuf,
    length: u64,
}

impl OnDisk {
    /// The file at `path`, as long as it is now.
    ///
    /// # Errors
    /// There is no such file.
    pub fn new(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let length = path.metadata()?.len();
        Ok(OnDisk { path, length })
    }

    /// The file at `path`, which is known to have `length` bytes.
    pub(crate) fn of_length(path: PathBuf, length: u64) -> Self {
        OnDisk { path, length }
    }
}

impl Content for OnDisk {
    fn len(&self) -> u64 {
        self.length
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}
