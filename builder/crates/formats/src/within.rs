//! Reading the content of one member, and no more.

use std::io::{self, Read};

use crate::fault::copy_of;

/// Reads from `inner`, of which `left` bytes belong to the current member: all of them, or an error
/// that says that `what` is cut off.
pub fn read_within(
    inner: &mut impl Read,
    left: &mut u64,
    buf: &mut [u8],
    what: &str,
) -> io::Result<usize> {
    let want = buf.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    let Some(buf) = buf.get_mut(..want).filter(|buf| !buf.is_empty()) else { return Ok(0) };
    let got = inner.read(buf)?;
    if got == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{what} is cut off")));
    }
    *left = left.saturating_sub(got as u64);
    Ok(got)
}

/// The content of an entry, which remembers why it could not be read: whoever reads it hands on an
/// error of his own, and the fault is the package's.
pub struct Watched<R> {
    inner: R,
    failed: Option<io::Error>,
}

impl<R: Read> Watched<R> {
    /// Watches `inner`.
    pub fn new(inner: R) -> Self {
        Watched { inner, failed: None }
    }

    /// Why the content could not be read, if it was tried in vain.
    pub fn failed(self) -> Option<io::Error> {
        self.failed
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(copy_of(error));
        }
        read
    }
}
