//! The EFI system partition: a bare FAT volume, without a partition table, that holds one program
//! under the name that UEFI firmware starts by itself.
//!
//! Format: Microsoft's "FAT32 File System Specification" (which defines FAT12 and FAT16 too) and
//! the UEFI specification, "Removable Media Boot Behavior". The volume is as large as its content
//! needs and holds nothing but `EFI/BOOT/BOOTX64.EFI`, so everything lies in one piece and is
//! written from front to back. The kind of FAT follows from the number of clusters alone; clusters
//! are 4 KiB until FAT16 runs out of them. Times are the oldest that FAT knows, and the volume id
//! comes from a hash.

use std::io::{self, Read, Write};

use crate::digest::Sha256;

const SECTOR: u64 = 512;
/// The smallest cluster, and what a volume's length is a multiple of.
const CLUSTER: u64 = 4096;
const LARGEST_CLUSTER: u64 = 32 * 1024;
/// FAT12 has at most this many clusters, by the specification.
const FAT12_CLUSTERS: u64 = 4084;
/// FAT16 has at most this many.
const FAT16_CLUSTERS: u64 = 65524;
/// Readers disagree by a few about those limits: the specification asks to stay 16 away from them.
const MARGIN: u64 = 16;
const ROOT_ENTRIES: u16 = 512;
const ENTRY: u64 = 32;
const LABEL: [u8; 11] = *b"WIFIBOX    ";
/// A fixed disk.
const MEDIA: u8 = 0xf8;
/// 1980-01-01, the oldest date.
const OLDEST_DATE: u16 = 1 << 5 | 1;
const IS_LABEL: u8 = 0x08;
const IS_DIRECTORY: u8 = 0x10;
const IS_FILE: u8 = 0x20;

/// Where things are, in clusters; 2 is the first that there is.
const EFI: u16 = 2;
const BOOT: u16 = 3;
const PROGRAM: u16 = 4;

/// The guest's processor, which decides what the firmware looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86: `BOOTX64.EFI`.
    X86_64,
    /// 64-bit Arm: `BOOTAA64.EFI`.
    Aarch64,
}

impl Architecture {
    /// The name of the program that the firmware starts from `EFI/BOOT`, as FAT stores it: eight
    /// bytes of name, three of extension.
    fn stored_name(self) -> [u8; 11] {
        match self {
            Architecture::X86_64 => *b"BOOTX64 EFI",
            Architecture::Aarch64 => *b"BOOTAA64EFI",
        }
    }
}

/// Why a boot volume cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is larger than a FAT16 volume can hold.
    #[error(
        "a boot program of {length} bytes does not fit a FAT16 volume (2 GiB): make the kernel or \
         the initramfs smaller"
    )]
    TooLarge {
        /// How long it is, in bytes.
        length: u64,
    },
    /// The program was shorter or longer than announced.
    #[error("the boot program was to be {expected} bytes long, but {found} or more came")]
    Length {
        /// The announced length.
        expected: u64,
        /// What was read, at least.
        found: u64,
    },
    /// The program cannot be read.
    #[error("cannot read the boot program for the boot volume")]
    Read(#[source] io::Error),
    /// The volume cannot be written.
    #[error("cannot write the boot volume")]
    Write(#[from] io::Error),
}

/// Writes a boot volume with `program`, which is `length` bytes long, to `out`; returns the volume's
/// length, a multiple of 4096 bytes. The volume id is made of the first four bytes of `id`.
///
/// # Errors
/// [`Error`]: the program is too large or not as long as announced, or reading or writing failed.
pub fn write<W: Write>(
    program: &mut dyn Read,
    length: u64,
    architecture: Architecture,
    id: &Sha256,
    mut out: W,
) -> Result<u64, Error> {
    let volume = Volume::for_content(length).ok_or(Error::TooLarge { length })?;
    let size = u32::try_from(length).map_err(|_| Error::TooLarge { length })?;
    let first = if length == 0 { 0 } else { PROGRAM };
    out.write_all(&volume.boot_sector(id))?;
    let table = volume.table();
    out.write_all(&table)?;
    out.write_all(&table)?;
    let root = [entry(LABEL, IS_LABEL, 0, 0), entry(*b"EFI        ", IS_DIRECTORY, EFI, 0)];
    write_padded(&mut out, &root.concat(), u64::from(ROOT_ENTRIES) * ENTRY)?;
    let efi = [dots(EFI, 0), vec![entry(*b"BOOT       ", IS_DIRECTORY, BOOT, 0)]].concat();
    write_padded(&mut out, &efi.concat(), volume.cluster)?;
    let file = entry(architecture.stored_name(), IS_FILE, first, size);
    let boot = [dots(BOOT, EFI), vec![file]].concat();
    write_padded(&mut out, &boot.concat(), volume.cluster)?;
    copy(program, length, &mut out)?;
    let written = volume.first_program_byte() + length;
    write_padded(&mut out, &[], volume.sectors * SECTOR - written)?;
    out.flush()?;
    Ok(volume.sectors * SECTOR)
}

/// Writes `bytes` and zeros up to `length`.
fn write_padded(out: &mut dyn Write, bytes: &[u8], length: u64) -> io::Result<()> {
    out.write_all(bytes)?;
    io::copy(&mut io::repeat(0).take(length.saturating_sub(bytes.len() as u64)), out).map(drop)
}

/// Copies `length` bytes and makes sure that there are no more.
fn copy(program: &mut dyn Read, length: u64, out: &mut dyn Write) -> Result<(), Error> {
    let mut buffer = vec![0; 64 * 1024];
    let mut found = 0u64;
    loop {
        let count = match program.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result.map_err(Error::Read)?,
        };
        found = found.saturating_add(count as u64);
        if found > length || (count == 0 && found < length) {
            return Err(Error::Length { expected: length, found });
        }
        if count == 0 {
            return Ok(());
        }
        out.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

/// A directory entry.
fn entry(name: [u8; 11], attributes: u8, cluster: u16, size: u32) -> [u8; 32] {
    let mut entry = Fields::<32>::default();
    entry.put(0, &name);
    entry.put(11, &[attributes]);
    // Made, last read, last written.
    for date in [16, 18, 24] {
        entry.put(date, &OLDEST_DATE.to_le_bytes());
    }
    entry.put(26, &cluster.to_le_bytes());
    entry.put(28, &size.to_le_bytes());
    entry.0
}

/// The entries `.` and `..` that a directory begins with; the root has cluster 0.
fn dots(own: u16, parent: u16) -> Vec<[u8; 32]> {
    vec![
        entry(*b".          ", IS_DIRECTORY, own, 0),
        entry(*b"..         ", IS_DIRECTORY, parent, 0),
    ]
}

/// How a volume is divided.
#[derive(Debug, PartialEq, Eq)]
struct Volume {
    /// Bytes in a cluster.
    cluster: u64,
    /// Clusters that the program takes.
    program_clusters: u64,
    /// Bits of an entry of the allocation table: 12 or 16.
    bits: u64,
    /// Sectors of each of the two tables.
    table_sectors: u64,
    /// Sectors of the whole volume.
    sectors: u64,
}

impl Volume {
    /// The smallest volume for a file of `length` bytes; `None` where FAT16 cannot hold it.
    fn for_content(length: u64) -> Option<Volume> {
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

    fn first_program_byte(&self) -> u64 {
        self.first_data_sector() * SECTOR + 2 * self.cluster
    }

    /// The first sector: what the volume is like, and a program that asks the BIOS for another disk.
    fn boot_sector(&self, id: &Sha256) -> [u8; 512] {
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
    fn table(&self) -> Vec<u8> {
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
struct Fields<const N: usize>([u8; N]);

impl<const N: usize> Default for Fields<N> {
    fn default() -> Self {
        Fields([0; N])
    }
}

impl<const N: usize> Fields<N> {
    fn put(&mut self, offset: usize, bytes: &[u8]) {
        for (slot, byte) in self.0.iter_mut().skip(offset).zip(bytes) {
            *slot = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fatfs::{FatType, FileSystem, FsOptions};
    use std::io::Cursor;

    fn volume(length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let program = vec![0x5a; length];
        let id = Sha256::of(b"id");
        let total = write(&mut &program[..], length as u64, Architecture::X86_64, &id, &mut out)
            .expect("written");
        assert_eq!(out.len() as u64, total);
        out
    }

    #[test]
    fn the_kind_of_fat_follows_the_content() {
        for (length, kind, most_more) in [
            (0, FatType::Fat12, 32 << 10),
            (1, FatType::Fat12, 32 << 10),
            (4066 * 4096, FatType::Fat12, 64 << 10),
            (4066 * 4096 + 1, FatType::Fat16, 192 << 10),
            (4099 * 4096, FatType::Fat16, 64 << 10),
            (20 << 20, FatType::Fat16, 64 << 10),
            (33 << 20, FatType::Fat16, 64 << 10),
        ] {
            let image = volume(length);
            assert!(image.len() - length < most_more, "{} for {length}", image.len());
            let fat = FileSystem::new(Cursor::new(image), FsOptions::new()).expect("a volume");
            assert_eq!(fat.fat_type(), kind, "{length}");
            assert_eq!(fat.cluster_size(), 4096);
            assert_eq!(fat.volume_label(), "WIFIBOX");
            let label = fat.read_volume_label_from_root_dir().expect("readable");
            assert_eq!(label.as_deref(), Some("WIFIBOX"));
            let [a, b, c, d, ..] = *Sha256::of(b"id").as_bytes();
            assert_eq!(fat.volume_id(), u32::from_be_bytes([a, b, c, d]));
            let mut found = Vec::new();
            let mut file = fat.root_dir().open_file("EFI/BOOT/BOOTX64.EFI").expect("there");
            file.read_to_end(&mut found).expect("readable");
            assert!(found.len() == length && found.iter().all(|byte| *byte == 0x5a));
        }
    }

    #[test]
    fn clusters_grow_when_fat16_runs_out_of_them() {
        let cluster = |length| Volume::for_content(length).map(|volume| volume.cluster);
        assert_eq!(cluster(65506 * 4096), Some(4096));
        assert_eq!(cluster(65506 * 4096 + 1), Some(8192));
        assert_eq!(cluster(65506 * 32768), Some(32768));
        assert_eq!(cluster(65506 * 32768 + 1), None);
        assert_eq!(cluster(u64::MAX), None);
    }

    #[test]
    fn a_program_of_another_length_is_an_error() {
        for announced in [99, 101] {
            let id = Sha256::of(b"id");
            let mut program = &[0u8; 100][..];
            let error = write(&mut program, announced, Architecture::Aarch64, &id, Vec::new())
                .expect_err("refused");
            assert!(matches!(error, Error::Length { found: 100, .. }), "{error}");
        }
    }
}
