//! The last steps before the image: what must not be in it goes, what the kernel needs comes.
//!
//! OpenWrt's `prepare_rootfs` (`include/rootfs.mk`), `Image/mkfs/prepare` and the options of
//! `mksquashfs` (`include/image.mk`). One difference: the package manager's own records go too. The
//! guest's root is read-only and made anew for every change, so there is nothing they could tell.

use super::{OpenWrtError, guest};
use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_ground::path::GuestPath;

/// Folders that go, with what is in them.
const GONE: [&str; 3] = ["boot", "usr/lib/opkg", "lib/apk"];

/// Directories that have to be there, and their modes.
const DIRECTORIES: [(&str, u16); 4] =
    [("dev", 0o755), ("etc/rc.d", 0o755), ("overlay", 0o755), ("tmp", 0o1777)];

/// Takes away `/boot`, everything in `/tmp`, locks, the package manager's records and what version
/// control leaves; makes `/dev/console` (the kernel has no devtmpfs), `/tmp` and `/overlay`; gives
/// everything to root, readable by all, without extended attributes (the kernel's SquashFS has none).
///
/// # Errors
/// [`OpenWrtError::Tree`].
pub fn finish(tree: &mut Tree) -> Result<(), OpenWrtError> {
    for path in GONE {
        tree.remove(&guest(path)?);
    }
    // `/var` is a link to `/tmp`, where OpenWrt's own base-files are used.
    let (tmp, locks) = (guest("tmp")?, guest("var/lock")?);
    remove(tree, |path, _| {
        let parent = path.parent();
        parent.as_ref() == Some(&tmp)
            || (parent.as_ref() == Some(&locks) && path.name().ends_with(b".lock"))
    });
    remove(tree, |path, node| {
        let name = path.name();
        matches!(name, b"CVS" | b".svn" | b".git")
            || (name.starts_with(b".#") && !matches!(node.kind, Kind::Directory))
    });
    for (path, mode) in DIRECTORIES {
        let path = guest(path)?;
        let real = tree.make_directory(&path, Meta::with_mode(mode), Origin::Builder)?;
        if let Some(node) = tree.get_mut(&real) {
            node.meta.mode = mode;
        }
    }
    let console = guest("dev/console")?;
    let meta = Meta::with_mode(0o600);
    let node = Node { meta, kind: Kind::CharDevice(5, 1), origin: Origin::Builder };
    tree.replace(&console, node)?;
    let paths: Vec<GuestPath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        if let Some(node) = tree.get_mut(&path) {
            node.meta.mode |= readable(&path, node);
            (node.meta.uid, node.meta.gid) = (0, 0);
            node.meta.xattrs.clear();
        }
    }
    Ok(())
}

/// The bits that `Image/mkfs/prepare` adds.
fn readable(path: &GuestPath, node: &Node) -> u16 {
    let secret = path.name() == b"shadow" || path.name().starts_with(b"ssh_host");
    match node.kind {
        Kind::Directory => 0o755,
        Kind::File(_) if node.meta.mode & 0o100 != 0 => 0o755,
        Kind::File(_) if !secret => 0o644,
        _ => 0,
    }
}

/// Takes away the nodes that `doomed` names, with all below them.
fn remove(tree: &mut Tree, doomed: impl Fn(&GuestPath, &Node) -> bool) {
    let gone: Vec<GuestPath> = tree
        .iter()
        .filter(|(path, node)| doomed(path, node))
        .map(|(path, _)| path.clone())
        .collect();
    gone.iter().for_each(|path| tree.remove(path));
}
