//! A root file system in a SquashFS image.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use wifibox_image::squashfs::{self, ListedKind};

use super::listing::{Kind, Listing, Node, device};

/// Reads the image `path`.
pub fn read(path: &Path) -> Result<Listing, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let listed = squashfs::list(BufReader::new(file)).map_err(|error| failed(&error))?;
    let nodes = listed.into_iter().map(|listed| {
        let kind = match listed.kind {
            ListedKind::Directory => Kind::Directory,
            ListedKind::File { size, sha256 } => Kind::File { size, sha256 },
            ListedKind::Symlink(target) => Kind::Link(target),
            ListedKind::CharDevice(number) => {
                let (major, minor) = device(number);
                Kind::Character(major, minor)
            }
            ListedKind::BlockDevice(number) => {
                let (major, minor) = device(number);
                Kind::Block(major, minor)
            }
            ListedKind::Fifo => Kind::Fifo,
            ListedKind::Socket => Kind::Socket,
        };
        let owner = (listed.uid, listed.gid);
        (listed.path, Node { kind, mode: listed.mode.into(), owner, xattrs: None })
    });
    Ok(nodes.collect())
}
