//! How a FAT volume is divided: boot sector, two allocation tables, root directory, clusters.

use wifibox_ground::digest::Sha256;

pub(super) const SECTOR: u64 = 512;
/// The smallest cluster, and what a volume's length is a multiple of.
const CLUSTER: u64 = 4096;
const LARGEST_CLUSTER: u64 = 32 * 1024;
/// FAT12 has at most this many clusters, by the specification.
const FAT12_CLUSTERS: u64 = 4084;
/// FAT16 has at most this many.
const FAT16_CLUSTERS: u64 = 65524;
/// Readers disagree by a few about those limits: the specification asks to stay 16 away from them.
const MARGIN: u64 = 16;
/// The first cluster that there is.
pub(super) const FIRST_CLUSTER: u64 = 2;
pub(super) const ROOT_ENTRIES: u16 = 512;
pub(super) const ENTRY: u64 = 32;
/// A fixed disk.
const MEDIA: u8 = 0xf8;

/// How a volume is divided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Bytes in a cluster.
    pub(super) cluster: u64,
    /// Clusters of each piece of the content, in order.
    pieces: Vec<u64>,
    /// Bits of an entry of the allocation table: 12 or 16.
    bits: u64,
    /// Sectors of each of the two tables.
    table_sectors: u64,
    /// Sectors of the whole volume.
    pub(super) sectors: u64,
}

impl Volume {
    /// The smallest volume for pieces (folders and files) of these lengths in bytes; `None` where
    /// FAT16 cannot hold them.
    pub(super) fn for_content(lengths: &[u64]) -> Option<Volume> {
        let mut cluster = CLUSTER;
        while needed(lengths, cluster)? > FAT16_CLUSTERS - MARGIN {
            cluster *= 2;
            if cluster > LARGEST_CLUSTER {
                return None;
            }
        }
        let (clusters, bits) = match needed(lengths, cluster)? {
            clusters if clusters <= FAT12_CLUSTERS - MARGIN => (clusters, 12),
            clusters => (clusters.max(FAT12_CLUSTERS + 1 + MARGIN), 16),
        };
        Some(Volume::new(lengths, cluster, clusters, bits))
    }

    /// A volume of at most `size` bytes; `None` where the pieces do not fit it, or FAT16 cannot fill
    /// it.
    pub(super) fn of_size(lengths: &[u64], size: u64) -> Option<Volume> {
        let sectors = size / SECTOR;
        let mut cluster = CLUSTER;
        while sectors / (cluster / SECTOR) > FAT16_CLUSTERS - MARGIN {
            cluster *= 2;
            if cluster > LARGEST_CLUSTER {
                return None;
            }
        }
        // Tables take from the clusters that they are for: try fewer until all fits.
        let mut clusters = sectors / (cluster / SECTOR);
        let least = needed(lengths, cluster)?.max(1);
        loop {
            if clusters < least {
                return None;
            }
            let bits = if clusters <= FAT12_CLUSTERS - MARGIN {
                12
            } else if clusters > FAT12_CLUSTERS + MARGIN {
                16
            } else {
                clusters = FAT12_CLUSTERS - MARGIN;
                12
            };
            let volume = Volume::new(lengths, cluster, clusters, bits);
            if volume.sectors <= sectors {
                return Some(volume);
            }
            clusters -= 1;
        }
    }

    fn new(lengths: &[u64], cluster: u64, clusters: u64, bits: u64) -> Volume {
        let pieces = lengths.iter().map(|length| length.div_ceil(cluster)).collect();
        let table_sectors = ((clusters + FIRST_CLUSTER) * bits).div_ceil(8 * SECTOR);
        let mut volume = Volume { cluster, pieces, bits, table_sectors, sectors: 0 };
        let used = volume.first_data_sector() + clusters * (cluster / SECTOR);
        // Less than a cluster is added, so the number of clusters stays.
        volume.sectors = used.next_multiple_of(CLUSTER / SECTOR);
        volume
    }

    fn first_data_sector(&self) -> u64 {
        1 + 2 * self.table_sectors + u64::from(ROOT_ENTRIES) * ENTRY / SECTOR
    }

    /// The bytes that the pieces leave free at the end.
    pub(super) fn rest(&self) -> u64 {
        let used = self.pieces.iter().sum::<u64>() * self.cluster;
        self.sectors * SECTOR - self.first_data_sector() * SECTOR - used
    }

    /// The first cluster of each piece; 0 for one without a byte.
    pub(super) fn first_clusters(&self) -> Vec<u16> {
        let mut next = FIRST_CLUSTER;
        let mut starts = Vec::with_capacity(self.pieces.len());
        for &clusters in &self.pieces {
            starts.push(if clusters == 0 { 0 } else { u16::try_from(next).unwrap_or(0) });
            next += clusters;
        }
        starts
    }

    /// The first sector: what the volume is like, how many sectors of the disk are before it, and a program that asks the
    /// BIOS for another disk.
    pub(super) fn boot_sector(&self, label: &[u8; 11], id: &Sha256, before: u32) -> [u8; 512] {
        let [a, b, c, d, ..] = *id.as_bytes();
        let word = |value: u64| u16::try_from(value).unwrap_or(0).to_le_bytes();
        let small = if self.sectors < 0x1_0000 { self.sectors } else { 0 };
        let large = if small == 0 { u32::try_from(self.sectors).unwrap_or(0) } else { 0 };
        let mut sector = Fields::<512>::default();
        sector.put(0, &[0xeb, 0x3c, 0x90]);
        sector.put(3, b"MSWIN4.1");
        sector.put(11, &word(SECTOR));
        sector.put(13, &word(self.cluster / SECTOR)[..1]);
        // One reserved sector, two tables.
        sector.put(14, &[1, 0, 2]);
        sector.put(17, &ROOT_ENTRIES.to_le_bytes());
        sector.put(19, &word(small));
        sector.put(21, &[MEDIA]);
        sector.put(22, &word(self.table_sectors));
        // Sectors of a track and heads, which nothing uses.
        sector.put(24, &[32, 0, 64, 0]);
        sector.put(28, &before.to_le_bytes());
        sector.put(32, &large.to_le_bytes());
        // Drive number, and the mark of the fields that follow.
        sector.put(36, &[0x80, 0, 0x29]);
        sector.put(39, &u32::from_be_bytes([a, b, c, d]).to_le_bytes());
        sector.put(43, label);
        sector.put(54, if self.bits == 12 { b"FAT12   " } else { b"FAT16   " });
        // int 0x18; hlt; jmp
        sector.put(62, &[0xcd, 0x18, 0xf4, 0xeb, 0xfd]);
        sector.put(510, &[0x55, 0xaa]);
        sector.0
    }

    /// An allocation table: two reserved entries, and a chain for each piece.
    pub(super) fn table(&self) -> Vec<u8> {
        let last = u16::MAX;
        let mut entries = vec![0xff00 | u16::from(MEDIA), last];
        let mut next = FIRST_CLUSTER;
        for &clusters in self.pieces.iter().filter(|&&clusters| clusters > 0) {
            let chain = next + 1..next + clusters;
            entries.extend(chain.map(|next| u16::try_from(next).unwrap_or(last)));
            entries.push(last);
            next += clusters;
        }
        let mut table: Vec<u8> = if self.bits == 16 {
            entries.into_iter().flat_map(u16::to_le_bytes).collect()
        } else {
            pack12(entries.into_iter())
        };
        table.resize(usize::try_from(self.table_sectors * SECTOR).unwrap_or(0), 0);
        table
    }
}

/// How many clusters pieces take; `None` beyond 2^64.
fn needed(lengths: &[u64], cluster: u64) -> Option<u64> {
    lengths.iter().try_fold(0u64, |sum, length| sum.checked_add(length.div_ceil(cluster)))
}

/// Entries of 12 bits: two to three bytes, the lower bits first.
fn pack12(mut entries: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut table = Vec::new();
    while let Some(even) = entries.next() {
        let pair = u32::from(even & 0xfff) | u32::from(entries.next().unwrap_or(0) & 0xfff) << 12;
        let [low, middle, high, _] = pair.to_le_bytes();
        table.extend_from_slice(&[low, middle, high]);
    }
    table
}

/// A structure of `N` bytes, zero until something is put into it.
pub(super) struct Fields<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Default for Fields<N> {
    fn default() -> Self {
        Fields([0; N])
    }
}

impl<const N: usize> Fields<N> {
    /// Puts `bytes` at `offset`.
    pub(super) fn put(&mut self, offset: usize, bytes: &[u8]) {
        for (slot, byte) in self.0.iter_mut().skip(offset).zip(bytes) {
            *slot = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_grow_when_fat16_runs_out_of_them() {
        let folders = |length| [4096, 4096, length];
        let cluster = |length| Volume::for_content(&folders(length)).map(|volume| volume.cluster);
        assert_eq!(cluster(65506 * 4096), Some(4096));
        assert_eq!(cluster(65506 * 4096 + 1), Some(8192));
        assert_eq!(cluster(65507 * 32768), None);
        assert_eq!(cluster(u64::MAX), None);
    }

    #[test]
    fn a_volume_of_a_size_is_not_larger_and_no_kind_in_doubt() {
        let at = |size| Volume::of_size(&[4096], size);
        for size in [64 << 10, 1 << 20, 4 << 20, 17 << 20, 256 << 20, 2000 << 20] {
            let volume = at(size).expect("fits");
            let length = volume.sectors * SECTOR;
            assert!(length <= size && size - length < 300 << 10, "{length} of {size}");
        }
        assert_eq!(at(4096), None);
        assert_eq!(at(1 << 32), None);
        // Between the two kinds there is a gap of 32 clusters.
        let volume = at(4090 * 4096 + (64 << 10)).expect("fits");
        assert_eq!((volume.bits, volume.rest() / 4096), (12, 4067));
    }
}
