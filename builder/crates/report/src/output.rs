//! Reads an output folder that is there already.

use std::io;
use std::path::{Path, PathBuf};

use wifibox_ground::regular;

use super::Manifest;
use super::manifest::FORMAT;

/// The largest manifest that is read, in bytes.
pub const SIZE_LIMIT: u64 = 64 << 20;
/// Its name.
pub(super) const MANIFEST: &str = "manifest.json";

/// Why an output cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no manifest.
    #[error(
        "{path} is not an output of wifibox-build: it has no manifest.json; \
         name the folder that a build wrote (out/BASE-FLAVOR)"
    )]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The manifest is not one.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason, for the message.
        why: String,
    },
    /// Another version of the builder wrote it.
    #[error(
        "{path} has format {found}, this version reads format {FORMAT}; \
         use the version that wrote it, or build again"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
}

/// Reads the manifest of the output in `folder`.
///
/// # Errors
/// [`LoadError`].
pub fn load(folder: &Path) -> Result<Manifest, LoadError> {
    let path = folder.join(MANIFEST);
    let bytes = match regular::read(&path, SIZE_LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::NoManifest { path: folder.to_owned() });
        }
        Err(source) => return Err(LoadError::Read { path, source }),
    };
    parse(&bytes).map_err(|error| match error {
        ParseError::Damaged(why) => LoadError::Damaged { path, why },
        ParseError::Format(found) => LoadError::Format { path, found },
    })
}

/// Why some bytes are not a manifest.
#[derive(Debug)]
pub enum ParseError {
    /// They cannot be parsed.
    Damaged(String),
    /// It has another format.
    Format(u64),
}

/// Reads a manifest.
///
/// # Errors
/// [`ParseError`].
pub fn parse(bytes: &[u8]) -> Result<Manifest, ParseError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u64,
    }
    let damaged = |error: serde_json::Error| ParseError::Damaged(error.to_string());
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(ParseError::Damaged("it is too large to be a manifest".to_owned()));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
    if head.format != u64::from(FORMAT) {
        return Err(ParseError::Format(head.format));
    }
    serde_json::from_slice(bytes).map_err(damaged)
}
