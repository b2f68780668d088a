//! Files that the builder itself puts into a tree, and reads from it.

use wifibox_ground::content::{Content, ReadBack};
use wifibox_ground::path::GuestPath;

use crate::{Kind, Meta, Node, Origin, Tree, TreeError};

/// Something cannot be put into the tree.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct PlaceError {
    /// The thing to be put, or who wanted it there.
    pub what: String,
    /// Why it cannot be put there.
    pub source: TreeError,
}

impl PlaceError {
    /// Turns an error of the tree about `what` into this one.
    pub fn of<E: Into<TreeError>>(what: impl Into<String>) -> impl FnOnce(E) -> PlaceError {
        let what = what.into();
        move |error| PlaceError { what, source: error.into() }
    }
}

/// A file of the tree cannot be read or put.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be put.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// It cannot be read.
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
}

/// A path of the guest that the builder wrote down.
///
/// # Errors
/// [`PlaceError`]: the text is not a path.
pub fn guest_path(text: &str) -> Result<GuestPath, PlaceError> {
    GuestPath::new(text).map_err(PlaceError::of(text))
}

/// Puts a root-owned node where it is declared; recipes and overlays win over packages.
///
/// # Errors
/// [`PlaceError`]: something that is no directory is in the way.
pub fn put(
    tree: &mut Tree,
    path: &GuestPath,
    kind: Kind,
    mode: u16,
    origin: Origin,
) -> Result<(), PlaceError> {
    let what = origin.to_string();
    let node = Node { meta: Meta::with_mode(mode), kind, origin };
    tree.replace(path, node).map_err(PlaceError::of(what)).map(drop)
}

/// Puts a file of the builder's own, in place of any other.
///
/// # Errors
/// [`PlaceError`].
pub fn write_file(
    tree: &mut Tree,
    path: &str,
    text: impl Into<Vec<u8>>,
    mode: u16,
) -> Result<(), PlaceError> {
    let kind = Kind::File(Content::from_bytes(text));
    put(tree, &guest_path(path)?, kind, mode, Origin::Builder)
}

/// Adds lines to a file of the tree, or makes it of them.
///
/// # Errors
/// [`FileError`]: it cannot be read or put.
pub fn append(tree: &mut Tree, path: &str, lines: &str) -> Result<(), FileError> {
    let mut text = read_file(tree, path)?.unwrap_or_default();
    text.extend_from_slice(lines.as_bytes());
    Ok(write_file(tree, path, text, 0o644)?)
}

/// The bytes of a file of the tree; `None` where there is none.
///
/// # Errors
/// [`FileError`]: it cannot be read.
pub(crate) fn read_file(tree: &Tree, path: &str) -> Result<Option<Vec<u8>>, FileError> {
    match tree.lookup(&guest_path(path)?) {
        Some((_, Node { kind: Kind::File(content), .. })) => {
            Ok(Some(content.read().map_err(ReadBack::of(path))?))
        }
        _ => Ok(None),
    }
}

/// Overlays are embedded, and embedded files have no modes: what begins with `#!` is a program.
#[must_use]
pub fn overlay_mode(bytes: &[u8]) -> u16 {
    if bytes.starts_with(b"#!") { 0o755 } else { 0o644 }
}
