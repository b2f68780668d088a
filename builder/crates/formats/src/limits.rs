//! The limits within which packages of all formats are read.

use crate::tarball::TarLimits;
use wifibox_ground::codec::Limits;

/// The limits of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageLimits {
    /// All control files together, unpacked, in bytes; where signatures stand beside them, each member.
    pub control: u64,
    /// The unpacked data.
    pub data: Limits,
    /// The members of the data.
    pub tar: TarLimits,
}

impl Default for PackageLimits {
    fn default() -> Self {
        PackageLimits { control: 64 << 20, data: Limits::default(), tar: TarLimits::default() }
    }
}
