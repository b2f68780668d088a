//! `/rootfs-overlay`: files that a package wants over those of other packages.
//!
//! OpenWrt's `default_postinst` copies it over the root and takes it away.

use super::{OpenWrtError, guest};
use crate::{Kind, Node, Tree};
use wifibox_ground::path::GuestPath;

/// Merges `/rootfs-overlay` into the root: its files and links take the place of others.
///
/// # Errors
/// [`OpenWrtError::Tree`] where a file would take the place of a directory, or the reverse.
pub fn merge(tree: &mut Tree) -> Result<(), OpenWrtError> {
    let from = guest("rootfs-overlay")?;
    let prefix = from.as_bytes().len() + 1;
    let nodes: Vec<(GuestPath, Node)> =
        tree.below(&from).map(|(path, node)| (path.clone(), node.clone())).collect();
    tree.remove(&from);
    for (path, node) in nodes {
        let Some(rest) = path.as_bytes().get(prefix..) else { continue };
        let to = GuestPath::new(rest).map_err(crate::TreeError::from)?;
        if matches!(node.kind, Kind::Directory) {
            tree.make_directory(&to, node.meta, node.origin)?;
        } else {
            tree.replace(&to, node)?;
        }
    }
    Ok(())
}
