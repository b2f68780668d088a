//! Pages and pictures, which are files and not results on standard output.

use std::path::Path;

use super::failure::Failure;

/// Writes a page or a picture.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    std::fs::write(path, text).map_err(failed)
}
