//! Files that the user named, looked at before anything is fetched or built.

use std::fs::{self, File};
use std::path::Path;

use super::render::failure::Failure;

/// Makes sure that `file` can be read; `what` stands before its name in the error.
///
/// # Errors
/// In words, as bad input: it is not there, cannot be opened or is a folder.
pub fn readable(what: &str, file: &Path) -> Result<(), Failure> {
    let why = match fs::metadata(file) {
        Ok(data) if data.is_dir() => "it is a folder".to_owned(),
        Ok(data) if data.is_file() => match File::open(file) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        },
        // To open a FIFO is to wait for its writer; whoever reads the file says what it is.
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    Err(Failure::usage(format!("cannot read {what} {}: {why}", file.display())))
}
