//! How a FAT volume is divided: boot sector, two allocation tables, root directory, clusters.

use crate::digest::Sha256;

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
pub(super) const ROOT_ENTRIES: u16 = 512;
pub(super) const ENTRY: u64 = 32;
pub(super) const LABEL: [u8; 11] = *b"WIFIBOX    ";
/// A fixed disk.
const MEDIA: u8 = 0xf8;
/// Where things are, in clusters; 2 is the first that there is.
pub(super) const EFI: u16 = 2;
pub(super) const BOOT: u16 = 3;
pub(super) const PROGRAM: u16 = 4;

/// How a volume is divided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Bytes in a cluster.
    pub(super) cluster: u64,
    /// Clusters that the program takes.
    program_clusters: u64,
    /// Bits of an entry of the allocation table: 12 or 16.
    bits: u64,
    /// Sectors of each of the two tables.
    table_sectors: u64,
    /// Sectors of the whole volume.
    pub(super) sectors: u64,
}

impl Volume {
    /// The smallest volume for a file of `length` bytes; `None` where FAT16 cannot hold it.
    pub(super) fn for_content(length: u64) -> Option<Volume> {
        let mut cluster = CLUSTER;
        // The two directories take a cluster each.
        while length.div_ceil(cluster) + 2 > FAT16_CLUSTERS - MARGIN {
            cluster *= 2;
            if cluster > LARGEST_CLUSTER {
                return None;
            }
        }
        let program_clusters = length.div_ceil(cluster);
        let (clusters, bits) = match program_clusters + 2 {
            clusters if clusters <= FAT12_CLUSTERS - MARGIN => (clusters, 12),
            clusters => (clusters.max(FAT12_CLUSTERS + 1 + MARGIN), 16),
        };
        let table_sectors = ((clusters + 2) * bits).div_ceil(8 * SECTOR);
        let mut volume = Volume { cluster, program_clusters, bits, table_sectors, sectors: 0 };
        let used = volume.first_data_sector() + clusters * (cluster / SECTOR);
        // Less than a cluster is added, so the number of clusters stays.
        volume.sectors = used.next_multiple_of(CLUSTER / SECTOR);
        Some(volume)
    }

    fn first_data_sector(&self) -> u64 {
        1 + 2 * self.table_sectors + u64::from(ROOT_ENTRIES) * ENTRY / SECTOR
    }

    /// Where the program begins, in bytes.
    pub(super) fn first_program_byte(&self) -> u64 {
        self.first_data_sector() * SECTOR + 2 * self.cluster
    }

    /// The first sector: what the volume is like, and a program that asks the BIOS for another disk.
    pub(super) fn boot_sector(&self, id: &Sha256) -> [u8; 512] {
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
        sector.put(32, &large.to_le_bytes());
        // Drive number, and the mark of the fields that follow.
        sector.put(36, &[0x80, 0, 0x29]);
        sector.put(39, &u32::from_be_bytes([a, b, c, d]).to_le_bytes());
        sector.put(43, &LABEL);
        sector.put(54, if self.bits == 12 { b"FAT12   " } else { b"FAT16   " });
        // int 0x18; hlt; jmp
        sector.put(62, &[0xcd, 0x18, 0xf4, 0xeb, 0xfd]);
        sector.put(510, &[0x55, 0xaa]);
        sector.0
    }

    /// An allocation table: two reserved entries, the two directories, the program's chain.
    pub(super) fn table(&self) -> Vec<u8> {
        let last = u16::MAX;
        let first = u64::from(PROGRAM);
        let chain = (first + 1..first + self.program_clusters)
            .map(|next| u16::try_from(next).unwrap_or(last))
            .chain((self.program_clusters > 0).then_some(last));
        let entries = [0xff00 | u16::from(MEDIA), last, last, last].into_iter().chain(chain);
        let mut table: Vec<u8> = if self.bits == 16 {
            entries.flat_map(u16::to_le_bytes).collect()
        } else {
            pack12(entries)
        };
        table.resize(usize::try_from(self.table_sectors * SECTOR).unwrap_or(0), 0);
        table
    }
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
