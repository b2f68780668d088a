//! Limits on the size of an ADB file, against files made to fill memory or disk.

use crate::PackageLimits;
use wifibox_ground::codec::Limits;

/// The limits of an ADB file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdbLimits {
    /// The limits while decompressing it.
    pub unpacked: Limits,
    /// The size of its metadata in bytes. The index of all of Alpine has some 10 MB.
    pub metadata: u64,
    /// The bytes of values read from the metadata: values may be shared, so this can be more.
    pub values: u64,
    /// Its signatures.
    pub signatures: usize,
    /// The packages of an index, or the files and directories of a package.
    pub entries: usize,
    /// The bytes of one file of a package.
    pub file_size: u64,
}

impl From<PackageLimits> for AdbLimits {
    fn from(limits: PackageLimits) -> Self {
        AdbLimits {
            unpacked: limits.data,
            metadata: limits.control,
            entries: usize::try_from(limits.tar.entries).unwrap_or(usize::MAX),
            file_size: limits.tar.file_size,
            ..AdbLimits::default()
        }
    }
}

impl Default for AdbLimits {
    fn default() -> Self {
        AdbLimits {
            unpacked: Limits::default(),
            metadata: 64 << 20,
            values: 256 << 20,
            signatures: 64,
            entries: crate::package::INDEX_LIMIT,
            file_size: 4 << 30,
        }
    }
}
