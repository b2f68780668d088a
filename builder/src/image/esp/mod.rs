//! The EFI system partition: a bare FAT volume, without a partition table, that holds one program
//! under the name that UEFI firmware starts by itself.
//!
//! Format: Microsoft's "FAT32 File System Specification" (which defines FAT12 and FAT16 too) and
//! the UEFI specification, "Removable Media Boot Behavior". The volume is as large as its content
//! needs and holds nothing but `EFI/BOOT/BOOTX64.EFI`, so everything lies in one piece and is
//! written from front to back. The kind of FAT follows from the number of clusters alone; clusters
//! are 4 KiB until FAT16 runs out of them. Times are the oldest that FAT knows, and the volume id
//! comes from a hash.

mod volume;

use std::io::{self, Read, Write};

use crate::digest::Sha256;
use volume::{BOOT, EFI, ENTRY, Fields, LABEL, PROGRAM, ROOT_ENTRIES, SECTOR, Volume};

/// 1980-01-01, the oldest date.
const OLDEST_DATE: u16 = 1 << 5 | 1;
const IS_LABEL: u8 = 0x08;
const IS_DIRECTORY: u8 = 0x10;
const IS_FILE: u8 = 0x20;

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
