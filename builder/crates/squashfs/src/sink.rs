//! Where an image goes, and who hears how far it is.

use std::fs::File;
use std::io::{self, Cursor, Seek, Write};

/// A file that an image is written to: it can be cut to the length that the image came to.
pub trait ImageFile: Write + Seek {
    /// Makes the file exactly `length` bytes long.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
}

impl ImageFile for File {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }
}

impl ImageFile for Cursor<Vec<u8>> {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.get_mut().resize(length, 0);
        Ok(())
    }
}

/// How far a writer is: contents of files, before compression and without copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are written.
    pub done: u64,
    /// All bytes.
    pub total: u64,
}
