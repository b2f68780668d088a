//! Reading that can be ended.

use std::io::{self, Read};
use std::path::Path;

use wifibox_ground::cancel::Cancel;

use super::error::FetchError;

/// A reader that fails once its work is cancelled.
pub(super) struct Stoppable<'a, R> {
    pub(super) inner: R,
    pub(super) cancel: &'a Cancel,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        self.inner.read(buf)
    }
}

/// Why the file at `path` could not be read through a [`Stoppable`].
pub(super) fn failed(error: io::Error, path: &Path, cancel: &Cancel) -> FetchError {
    if cancel.is_cancelled() {
        FetchError::Interrupted { name: path.display().to_string() }
    } else {
        FetchError::disk("read", path)(error)
    }
}
