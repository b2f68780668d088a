//! The domain behind the guest: a kernel and an initramfs with busybox, made from the guest's own parts.

use std::path::Path;

use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;
use wifibox_image::newc;
use wifibox_tree::{Kind, Meta, Node, Origin, Tree};

use super::read_image;

/// Its first program.
const INIT: &str = include_str!("client.sh");

/// The initramfs of the domain that fetches the file from this port of 10.0.2.2.
pub fn initramfs(output: &Path, port: u16) -> Result<Vec<u8>, String> {
    let image = output.join("root.img");
    let found = read_image(&image, |path| {
        path.ends_with("bin/busybox") || path.ends_with("/xen-netfront.ko")
    })?;
    let one = |end: &str| {
        let file = found.iter().find(|(path, _)| path.ends_with(end));
        file.map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| format!("{} holds no {end}", image.display()))
    };
    let mut tree = Tree::new();
    for folder in ["bin", "dev", "proc", "sys", "lib"] {
        add(&mut tree, folder, 0o755, Kind::Directory)?;
    }
    let init = INIT.replace("@PORT@", &port.to_string()).into_bytes();
    // Not there if the kernel has it built in.
    let card = one("/xen-netfront.ko").ok().map(|bytes| ("lib/xen-netfront.ko", 0o644, bytes));
    let files = [("bin/busybox", 0o755, one("bin/busybox")?), ("init", 0o755, init)];
    for (path, mode, bytes) in files.into_iter().chain(card) {
        add(&mut tree, path, mode, Kind::File(Content::from_bytes(bytes)))?;
    }
    let mut bytes = Vec::new();
    newc::write(&tree, newc::InitramfsCompressor::Zstd, 0, &mut bytes)
        .map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn add(tree: &mut Tree, path: &str, mode: u16, kind: Kind) -> Result<(), String> {
    let path = GuestPath::new(path).map_err(|error| error.to_string())?;
    let node = Node { meta: Meta::with_mode(mode), kind, origin: Origin::Builder };
    tree.insert(&path, node).map(drop).map_err(|error| error.to_string())
}
