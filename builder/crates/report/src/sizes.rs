//! Where a guest's bytes are, by part: programs, libraries, modules, firmware, the rest.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use wifibox_ground::path::GuestPath;
use wifibox_tree::{Kind, Tree};

/// A part of the guest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Executables: files with an execute bit outside the library directories.
    Programs,
    /// Shared libraries and what else lies in the library directories.
    Libraries,
    /// Kernel modules and their indexes.
    Modules,
    /// Firmware, the regulatory database included.
    Firmware,
    /// Everything else: configuration, data.
    Other,
}

impl Part {
    /// The part that a file belongs to, by its path (absolute) and permission bits.
    pub fn of(name: &str, mode: u16) -> Part {
        let below = |folders: &[&str]| {
            folders.iter().any(|folder| {
                name.strip_prefix("/usr").unwrap_or(name).starts_with(&format!("/{folder}/"))
            })
        };
        if below(&["lib/modules"]) {
            Part::Modules
        } else if below(&["lib/firmware"]) {
            Part::Firmware
        } else if below(&["lib", "lib64", "lib32"]) {
            Part::Libraries
        } else if mode & 0o111 != 0 {
            Part::Programs
        } else {
            Part::Other
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Part::Programs => "programs",
            Part::Libraries => "libraries",
            Part::Modules => "modules",
            Part::Firmware => "firmware",
            Part::Other => "other",
        })
    }
}

/// Files and bytes of one part, before compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PartSize {
    /// How many regular files.
    pub files: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
}

/// The size of each part of a guest's root, before compression.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sizes(pub BTreeMap<Part, PartSize>);

impl Sizes {
    /// Adds up the regular files of `tree` by part.
    pub fn of(tree: &Tree) -> Self {
        let mut sizes = BTreeMap::new();
        for (path, node) in tree.iter() {
            if let Kind::File(content) = &node.kind {
                let size: &mut PartSize = sizes.entry(part(path, node.meta.mode)).or_default();
                size.files += 1;
                size.bytes += content.len();
            }
        }
        Sizes(sizes)
    }

    /// All parts together.
    pub fn total(&self) -> PartSize {
        self.0.values().fold(PartSize::default(), |sum, part| PartSize {
            files: sum.files + part.files,
            bytes: sum.bytes + part.bytes,
        })
    }
}

fn part(path: &GuestPath, mode: u16) -> Part {
    Part::of(&path.to_string(), mode)
}
#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_ground::content::Content;
    use wifibox_tree::{Meta, Node, Origin};

    #[test]
    fn bytes_are_counted_where_they_belong() {
        let mut tree = Tree::new();
        for (path, mode, size) in [
            ("usr/bin/busybox", 0o755, 10),
            ("usr/lib/x86_64-linux-gnu/libc.so.6", 0o755, 20),
            ("lib/modules/6.1/a.ko", 0o644, 30),
            ("usr/lib/firmware/b.bin", 0o644, 40),
            ("etc/passwd", 0o644, 50),
        ] {
            let node = Node {
                meta: Meta::with_mode(mode),
                kind: Kind::File(Content::from_bytes(vec![0; size])),
                origin: Origin::Builder,
            };
            tree.insert(&GuestPath::new(path).expect("a path"), node).expect("inserted");
        }
        let sizes = Sizes::of(&tree);
        let bytes: Vec<u64> = sizes.0.values().map(|part| part.bytes).collect();
        assert_eq!(bytes, [10, 20, 30, 40, 50]);
        assert_eq!(sizes.total(), PartSize { files: 5, bytes: 150 });
    }
}
