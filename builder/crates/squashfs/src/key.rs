//! The key of a compressed block in a cache: a hash of everything that decides its bytes.

use crate::codec::Codec;
use crate::digest::Hasher;
use crate::store::BlockKey;

/// The crates that compress: another version may give other bytes. Cargo.toml requires exactly these, so that
/// this is true in every program.
#[cfg(feature = "xz")]
const XZ: &str = "liblzma-sys 0.4.9";
#[cfg(feature = "zstd")]
const ZSTD: &str = "zstd-sys 2.1.2+zstd.1.5.7";
#[cfg(feature = "gzip")]
const GZIP: &str = "libdeflate-sys 1.26.1";
#[cfg(feature = "lz4")]
const LZ4: &str = "lz4_flex 0.14.0";
#[cfg(feature = "lzo")]
const LZO: &str = "lzokay 2.0.1";

/// To be raised when [`crate::codec`] or [`crate::branch`] makes other bytes of a block.
const REVISION: u32 = 1;

/// The key of a block that is compressed for an image of this block size.
pub(crate) fn of(codec: Codec, block_size: u32, block: &[u8]) -> BlockKey {
    let (library, option) = match codec {
        #[cfg(feature = "xz")]
        Codec::Xz { x86 } => (XZ, i64::from(x86)),
        #[cfg(feature = "zstd")]
        Codec::Zstd { level } => (ZSTD, i64::from(level)),
        #[cfg(feature = "gzip")]
        Codec::Gzip { level } => (GZIP, i64::from(level)),
        #[cfg(feature = "lz4")]
        Codec::Lz4 => (LZ4, 0),
        #[cfg(feature = "lzo")]
        Codec::Lzo => (LZO, 0),
    };
    let mut hasher = Hasher::default();
    let head = format!("{library}\n{option}\n{block_size}\n{REVISION}\n");
    hasher.update(head.as_bytes());
    hasher.update(block);
    hasher.finish()
}

#[cfg(all(test, feature = "codecs"))]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    const LIBRARIES: [&str; 5] = [XZ, ZSTD, GZIP, LZ4, LZO];

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
            Codec::Lzo,
        ] {
            for block_size in [4096, 8192] {
                for block in [&b"a"[..], b"b", b""] {
                    keys.insert(of(codec, block_size, block));
                }
            }
        }
        assert_eq!(keys.len(), 8 * 2 * 3);
    }

    #[test]
    fn the_libraries_are_those_that_cargo_toml_requires() {
        let manifest = include_str!("../Cargo.toml");
        for library in LIBRARIES {
            let (name, version) = library.split_once(' ').expect("a name and a version");
            let version = version.split('+').next().expect("a version");
            let entry = format!("{name} = {{ version = \"={version}\"");
            assert!(manifest.contains(&entry), "{entry}: not in Cargo.toml");
        }
    }

    #[test]
    fn the_libraries_are_those_of_the_lock_file() {
        // A published crate is without the lock file of its workspace.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../Cargo.lock");
        let Ok(lock) = std::fs::read_to_string(lock) else { return };
        for library in LIBRARIES {
            let (name, version) = library.split_once(' ').expect("a name and a version");
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{name} is not {version} any more: correct it here");
        }
    }
}
