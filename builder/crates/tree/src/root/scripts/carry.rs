//! Carries changes made by scripts into the guest, as far as their packages' files would go in.

use super::stage::{ACCOUNTS, Stage, Touch, is_recipes};
use crate::{Kind, Meta, Node, Origin, PlaceError, Tree};
use wifibox_ground::path::GuestPath;

/// Directories that are set up when the guest starts, which would hide anything scripts put there.
const AT_START: [&str; 5] = ["dev", "proc", "run", "sys", "tmp"];

/// Carries over the changes in `stage`, limited to paths that `admits` accepts for the package at
/// that index.
///
/// # Errors
/// [`PlaceError`]: a directory is in the way, or something that is not a directory.
pub fn carry(
    stage: &Stage,
    tree: &mut Tree,
    admits: &dyn Fn(usize, &GuestPath) -> bool,
) -> Result<(), PlaceError> {
    for (path, touch) in &stage.touched {
        let Some(text) = path.as_str() else { continue };
        let top = text.split('/').next().unwrap_or_default();
        let outside = ACCOUNTS.contains(&text) || AT_START.contains(&top) && text != top;
        if path.is_root() || outside || !admits(touch.package, path) {
            continue;
        }
        match stage.tree.get(path) {
            None => remove(tree, path),
            Some(node) if matches!(node.kind, Kind::Directory) => {
                directory(stage, tree, path, node, touch)?;
            }
            Some(node) => put(stage, tree, path, node, touch)?,
        }
    }
    Ok(())
}

/// Removes a path, but keeps a directory in which the guest has something that scripts did not see.
fn remove(tree: &mut Tree, path: &GuestPath) {
    let is_full = tree.below(path).nth(1).is_some();
    if !is_full && !is_recipes(tree, path) {
        tree.remove(path);
    }
}

fn directory(
    stage: &Stage,
    tree: &mut Tree,
    path: &GuestPath,
    node: &Node,
    touch: &Touch,
) -> Result<(), PlaceError> {
    parents(stage, tree, path, touch)?;
    let meta = Meta { mtime: 0, ..node.meta.clone() };
    let origin = Origin::Recipe(touch.script.clone());
    let real = tree
        .make_directory(path, meta.clone(), origin)
        .map_err(PlaceError::of(touch.script.as_str()))?;
    set_owner_and_mode(tree, &real, &meta);
    Ok(())
}

/// Gives what is at `path` the owner and mode of `meta`.
fn set_owner_and_mode(tree: &mut Tree, path: &GuestPath, meta: &Meta) {
    if let Some(there) = tree.get_mut(path) {
        (there.meta.mode, there.meta.uid, there.meta.gid) = (meta.mode, meta.uid, meta.gid);
    }
}

fn put(
    stage: &Stage,
    tree: &mut Tree,
    path: &GuestPath,
    node: &Node,
    touch: &Touch,
) -> Result<(), PlaceError> {
    // Its owner or mode changed, and nobody could read it: the guest has the content.
    if stage.unread.contains_key(path) {
        set_owner_and_mode(tree, path, &node.meta);
        return Ok(());
    }
    if is_recipes(tree, path) {
        return Ok(());
    }
    parents(stage, tree, path, touch)?;
    let origin = match &node.origin {
        Origin::Builder => Origin::Recipe(touch.script.clone()),
        origin => origin.clone(),
    };
    let node = Node { origin, ..node.clone() };
    tree.replace(path, node).map_err(PlaceError::of(touch.script.as_str())).map(drop)
}

/// The directories above, with the owners and modes that they have on the stage.
fn parents(
    stage: &Stage,
    tree: &mut Tree,
    path: &GuestPath,
    touch: &Touch,
) -> Result<(), PlaceError> {
    let mut missing = Vec::new();
    let mut at = path.parent();
    while let Some(parent) = at.filter(|parent| tree.get(parent).is_none()) {
        at = parent.parent();
        missing.push(parent);
    }
    for parent in missing.into_iter().rev() {
        let meta = stage.tree.get(&parent).map(|node| node.meta.clone());
        let meta = meta.unwrap_or_else(|| Meta::with_mode(0o755));
        let origin = Origin::Recipe(touch.script.clone());
        tree.make_directory(&parent, Meta { mtime: 0, ..meta }, origin)
            .map_err(PlaceError::of(touch.script.as_str()))?;
    }
    Ok(())
}
