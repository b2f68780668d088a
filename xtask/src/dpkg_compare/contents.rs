//! The contents of files, as far as they are compared.

use std::io;

/// The contents of larger files are not kept: scripts have no use for them.
pub const LARGE: u64 = 200_000;

/// A file's content, or for a large one a mark with its size.
///
/// # Errors
/// It cannot be read.
pub fn content(size: u64, read: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    if size < LARGE { read() } else { Ok(format!("\0a file of {size} bytes").into_bytes()) }
}
