//! An empty disk with one partition, which has a name: OpenWrt keeps its settings on a partition named
//! `rootfs_data` and formats it at its first boot (fstools, `libfstools/partname.c`).
//!
//! Format: UEFI specification, "GUID Partition Table (GPT) Disk Layout". GUIDs are made from a hash.
//! The image is sparse where its file system knows holes.

use std::io::{self, SeekFrom};

use flate2::Crc;

use super::ImageFile;
use wifibox_ground::digest::Sha256;

const SECTOR: u64 = 512;
/// Where the partition begins: a multiple of 1 MiB, as partitioning programs do it.
const FIRST: u64 = 2048;
const ENTRIES: u64 = 128;
const ENTRY: u64 = 128;
/// Sectors of the table of entries.
const TABLE: u64 = ENTRIES * ENTRY / SECTOR;
/// "Linux filesystem data", 0fc63daf-8483-4772-8e79-3d69d8477de4, as it is stored.
const LINUX: [u8; 16] = [
    0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4,
];

/// Writes a disk of `size` bytes (a multiple of 1 MiB, at least 3 MiB) whose one partition, of Linux's
/// type, fills it and is called `name` (at most 36 characters). GUIDs are made of `id`.
///
/// # Errors
/// A size or name that does not fit ([`io::ErrorKind::InvalidInput`]), or whatever the operating system
/// reports.
pub fn write(image: &mut impl ImageFile, name: &str, size: u64, id: &Sha256) -> io::Result<()> {
    let units: Vec<u16> = name.encode_utf16().collect();
    if !size.is_multiple_of(1 << 20) || size < 3 << 20 || units.len() > 36 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let last = size / SECTOR - 1;
    // What follows is the partition: a multiple of 1 MiB, too.
    let end = last - FIRST;
    let guid = |what: &str| {
        let digest = Sha256::of(format!("{what} {id}").as_bytes());
        let mut guid = [0; 16];
        guid.copy_from_slice(digest.as_bytes().get(..16).unwrap_or(&[0; 16]));
        // Version 8 (free of rules) of the variant of RFC 9562; the third field is little-endian.
        guid[7] = guid[7] & 0x0f | 0x80;
        guid[8] = guid[8] & 0x3f | 0x80;
        guid
    };
    let mut table = vec![0u8; (ENTRIES * ENTRY) as usize];
    let mut entry = Vec::new();
    entry.extend_from_slice(&LINUX);
    entry.extend_from_slice(&guid("partition"));
    entry.extend_from_slice(&FIRST.to_le_bytes());
    entry.extend_from_slice(&end.to_le_bytes());
    entry.extend_from_slice(&[0; 8]);
    entry.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    for (slot, byte) in table.iter_mut().zip(&entry) {
        *slot = *byte;
    }
    let header = |own: u64, other: u64, at: u64| {
        let mut header = Vec::with_capacity(92);
        header.extend_from_slice(b"EFI PART\0\0\x01\0");
        header.extend_from_slice(&92u32.to_le_bytes());
        header.extend_from_slice(&[0; 8]);
        for field in [own, other, 2 + TABLE, last - 1 - TABLE] {
            header.extend_from_slice(&field.to_le_bytes());
        }
        header.extend_from_slice(&guid("disk"));
        header.extend_from_slice(&at.to_le_bytes());
        header.extend_from_slice(&(ENTRIES as u32).to_le_bytes());
        header.extend_from_slice(&(ENTRY as u32).to_le_bytes());
        header.extend_from_slice(&crc(&table).to_le_bytes());
        let sum = crc(&header).to_le_bytes();
        header.splice(16..20, sum);
        header
    };
    image.set_len(0)?;
    image.set_len(size)?;
    let mut put = |sector: u64, bytes: &[u8]| {
        image.seek(SeekFrom::Start(sector * SECTOR))?;
        image.write_all(bytes)
    };
    put(0, &protective(last))?;
    put(1, &header(1, last, 2))?;
    put(2, &table)?;
    put(last - TABLE, &table)?;
    put(last, &header(last, 1, last - TABLE))?;
    image.seek(SeekFrom::Start(size))?;
    Ok(())
}

/// The protective MBR: one partition of type 0xee over the whole disk, whose last sector is `last`.
fn protective(last: u64) -> [u8; 512] {
    let mut sector = [0; 512];
    let length = u32::try_from(last).unwrap_or(u32::MAX).to_le_bytes();
    let entry = [0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0];
    let bytes = entry.iter().chain(&length).copied();
    for (slot, byte) in sector.iter_mut().skip(446).zip(bytes) {
        *slot = byte;
    }
    sector[510] = 0x55;
    sector[511] = 0xaa;
    sector
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn the_tables_are_what_readers_check() {
        let mut image = Cursor::new(vec![7; 100]);
        write(&mut image, "rootfs_data", 64 << 20, &Sha256::of(b"id")).expect("written");
        let bytes = image.into_inner();
        assert_eq!(bytes.len(), 64 << 20);
        let last = bytes.len() / 512 - 1;
        for (own, other, table) in [(1, last, 2), (last, 1, last - 32)] {
            let header = &bytes[own * 512..][..92];
            let field = |at: usize| {
                u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes")) as usize
            };
            assert_eq!(&header[..8], b"EFI PART");
            assert_eq!((field(24), field(32), field(72)), (own, other, table));
            let mut plain = header.to_vec();
            plain[16..20].fill(0);
            assert_eq!(header[16..20], crc(&plain).to_le_bytes());
            let entries = &bytes[table * 512..][..128 * 128];
            assert_eq!(header[88..92], crc(entries).to_le_bytes());
            let name: Vec<u8> = entries[56..128].iter().copied().filter(|byte| *byte > 0).collect();
            assert_eq!(name, b"rootfs_data");
            assert!(entries[128..].iter().all(|byte| *byte == 0));
        }
        // The check of the polynomial: "123456789".
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut image = Cursor::new(Vec::new());
        for (name, size) in [("a", 1 << 20), ("a", (4 << 20) + 512), (&*"x".repeat(37), 4 << 20)] {
            assert!(write(&mut image, name, size, &Sha256::of(b"id")).is_err(), "{size}");
        }
    }
}
