//! A root file system in a SquashFS image.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use wifibox_ground::digest::Sha256;
use wifibox_squashfs::{NodeKind, UnreadableImage, read_nodes};

use super::listing::{Kind, Listing, Node, device};

/// Reads the image `path`.
pub fn read(path: &Path) -> Result<Listing, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut listing = Listing::default();
    read_nodes(&mut BufReader::new(file), |node, content| {
        let kind = match node.kind {
            NodeKind::Directory => Kind::Directory,
            NodeKind::File(size) => {
                let hashed = content.map(Sha256::of_reader).transpose();
                let (sha256, _) = hashed
                    .map_err(|error| Unreadable(error.to_string()))?
                    .ok_or_else(|| Unreadable("a file without content".to_owned()))?;
                Kind::File { size, sha256 }
            }
            NodeKind::Symlink(target) => Kind::Link(target),
            NodeKind::CharDevice(number) => {
                let (major, minor) = device(number);
                Kind::Character(major, minor)
            }
            NodeKind::BlockDevice(number) => {
                let (major, minor) = device(number);
                Kind::Block(major, minor)
            }
            NodeKind::Fifo => Kind::Fifo,
            NodeKind::Socket => Kind::Socket,
        };
        let owner = (node.uid, node.gid);
        listing.insert(node.path, Node { kind, mode: node.mode.into(), owner, xattrs: None });
        Ok(())
    })
    .map_err(|Unreadable(error)| failed(&error))?;
    Ok(listing)
}

struct Unreadable(String);

impl From<UnreadableImage> for Unreadable {
    fn from(error: UnreadableImage) -> Self {
        Unreadable(error.to_string())
    }
}
