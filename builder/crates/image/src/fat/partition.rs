//! The partition table of a disk with one partition: U-Boot looks for files in partitions only.
//!
//! Format: UEFI specification, "Legacy Master Boot Record (MBR)", with the type of an EFI system partition.

use super::volume::Fields;
use wifibox_ground::digest::Sha256;

/// The sector that the partition begins at, in which a cluster begins, too.
pub(super) const FIRST: u32 = 8;
/// "Too far away for cylinders, heads and sectors": the numbers of sectors behind them count.
const FAR: [u8; 3] = [0xfe, 0xff, 0xff];
const EFI_SYSTEM_PARTITION: u8 = 0xef;

/// The disk's first sector, for a partition of so many sectors. The disk's signature is made of `id`.
pub(super) fn table(sectors: u64, id: &Sha256) -> [u8; 512] {
    let [_, _, _, _, a, b, c, d, ..] = *id.as_bytes();
    let mut sector = Fields::<512>::default();
    sector.put(440, &[a, b, c, d]);
    sector.put(447, &FAR);
    sector.put(450, &[EFI_SYSTEM_PARTITION]);
    sector.put(451, &FAR);
    sector.put(454, &FIRST.to_le_bytes());
    sector.put(458, &u32::try_from(sectors).unwrap_or(u32::MAX).to_le_bytes());
    sector.put(510, &[0x55, 0xaa]);
    sector.0
}
