//! The last that happens to a root: it is named, and its times are settled.

use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;

use super::Error;
use crate::{Tree, write_file};

/// Writes the build id into the tree; no time of it is later than `epoch` (seconds since 1970), and what
/// the builder made is from then.
///
/// # Errors
/// [`Error`].
pub fn seal(tree: &mut Tree, build_id: &Sha256, epoch: u32) -> Result<(), Error> {
    write_file(tree, "etc/wifibox/build-id", format!("{build_id}\n"), 0o644)?;
    settle_times(tree, epoch);
    Ok(())
}

/// The time of the newest file of a tree, in seconds since 1970.
pub fn newest_time(tree: &Tree) -> u32 {
    tree.iter().map(|(_, node)| node.meta.mtime).max().unwrap_or_default()
}

/// No time is later than the epoch, and what the builder made is from then.
fn settle_times(tree: &mut Tree, epoch: u32) {
    let paths: Vec<GuestPath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        if let Some(node) = tree.get_mut(&path) {
            let mtime = node.meta.mtime;
            node.meta.mtime = if mtime == 0 { epoch } else { mtime.min(epoch) };
        }
    }
}
