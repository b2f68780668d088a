//! Programs with the libraries that they need, for a tree that holds little else: an initramfs.

use std::collections::BTreeMap;

use super::libraries::{LibraryError, needs};
use super::{Kind, Tree};
use wifibox_ground::path::GuestPath;

/// The files that `program` needs of `tree` to run, by the path it asks for them by: its dynamic
/// linker and libraries, and theirs. Each comes with the real path of its file, which differs where
/// there is a link. Nothing for a program without libraries.
///
/// # Errors
/// [`LibraryError::Missing`] names the first library that no directory of `directories` has.
pub fn libraries_of(
    tree: &Tree,
    program: &GuestPath,
    directories: &[GuestPath],
) -> Result<BTreeMap<GuestPath, GuestPath>, LibraryError> {
    let mut found = BTreeMap::new();
    let mut open = vec![program.clone()];
    while let Some(user) = open.pop() {
        let Some((_, node)) = tree.lookup(&user) else { continue };
        let Kind::File(content) = &node.kind else { continue };
        let bytes = content.read().map_err(|source| LibraryError::Read(user.clone(), source))?;
        let Some(needs) = needs(&bytes) else { continue };
        let missing = |library: &str| LibraryError::Missing {
            user: user.clone(),
            library: library.to_owned(),
        };
        let mut asked = Vec::new();
        if let Some(interpreter) = &needs.interpreter {
            asked.push(GuestPath::new(interpreter).map_err(|_| missing(interpreter))?);
        }
        for library in &needs.libraries {
            let places = directories.iter().filter_map(|directory| directory.join(library).ok());
            let place = places.into_iter().find(|place| tree.lookup(place).is_some());
            asked.push(place.ok_or_else(|| missing(library))?);
        }
        for path in asked {
            let Some((real, _)) = tree.lookup(&path) else {
                return Err(missing(&path.to_string()));
            };
            if found.insert(path.clone(), real).is_none() {
                open.push(path);
            }
        }
    }
    Ok(found)
}
