//! What a compressed block is found by in a cache: a hash of all that decides its bytes.

use super::codec::Codec;
use wifibox_ground::digest::{Hasher, Sha256};

/// The crates that compress, as Cargo.lock has them: another version may give other bytes.
const LIBRARIES: [(&str, &str); 4] = [
    ("liblzma-sys", "0.4.9"),
    ("zstd-sys", "2.1.2+zstd.1.5.7"),
    ("libdeflate-sys", "1.26.1"),
    ("lz4_flex", "0.14.0"),
];

/// To be raised when [`super::codec`] or [`super::branch`] makes other bytes of a block.
const REVISION: u32 = 1;

/// The key of a block that is compressed for an image of this block size.
pub(super) fn of(codec: Codec, block_size: u32, block: &[u8]) -> Sha256 {
    let (number, option) = match codec {
        Codec::Xz { x86 } => (0, i64::from(x86)),
        Codec::Zstd { level } => (1, i64::from(level)),
        Codec::Gzip { level } => (2, i64::from(level)),
        Codec::Lz4 => (3, 0),
    };
    let (library, version) = LIBRARIES.get(number).copied().unwrap_or_default();
    let mut hasher = Hasher::default();
    let head = format!("{library} {version}\n{option}\n{block_size}\n{REVISION}\n");
    hasher.update(head.as_bytes());
    hasher.update(block);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whatever_changes_the_bytes_changes_the_key() {
        let mut keys = BTreeSet::new();
        for codec in [
            Codec::XZ,
            Codec::Xz { x86: false },
            Codec::ZSTD,
            Codec::Zstd { level: 1 },
            Codec::GZIP,
            Codec::Gzip { level: 1 },
            Codec::Lz4,
        ] {
            for block_size in [4096, 8192] {
                for block in [&b"a"[..], b"b", b""] {
                    keys.insert(of(codec, block_size, block));
                }
            }
        }
        assert_eq!(keys.len(), 7 * 2 * 3);
    }

    #[test]
    fn the_libraries_are_those_of_the_lock_file() {
        let lock = include_str!("../../../../../Cargo.lock");
        for (name, version) in LIBRARIES {
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{name} is not {version} any more: correct LIBRARIES");
        }
    }
}
