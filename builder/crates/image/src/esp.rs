//! The EFI system partition: a FAT volume that holds one program under the name that UEFI firmware starts by itself.
//!
//! Format: [`super::fat`] and the UEFI specification, "Removable Media Boot Behavior". The volume is as
//! large as its content needs and holds nothing but `EFI/BOOT/BOOTX64.EFI`. On PCs it is the whole disk. The firmware of
//! 64-bit Arm machines is often U-Boot, as under bhyve, which takes a partition only.

use std::io::{Read, Write};

use super::fat::{self, Folder, Node};
use wifibox_ground::digest::Sha256;

pub use super::fat::Error;

const LABEL: [u8; 11] = *b"WIFIBOX    ";

/// The guest's processor, which decides what the firmware looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86: `BOOTX64.EFI`.
    X86_64,
    /// 64-bit Arm: `BOOTAA64.EFI`.
    Aarch64,
}

impl Architecture {
    /// The name of the program that the firmware starts from `EFI/BOOT`.
    fn program(self) -> &'static str {
        match self {
            Architecture::X86_64 => "BOOTX64.EFI",
            Architecture::Aarch64 => "BOOTAA64.EFI",
        }
    }
}

/// Writes a boot disk with `program`, which is `length` bytes long, to `out`; returns its
/// length, a multiple of 4096 bytes. The volume id is made of the first four bytes of `id`.
///
/// # Errors
/// [`Error`]: the program is too large or not as long as announced, or reading or writing failed.
pub fn write<W: Write>(
    program: &mut dyn Read,
    length: u64,
    architecture: Architecture,
    id: &Sha256,
    out: W,
) -> Result<u64, Error> {
    let content: Box<dyn Read + '_> = Box::new(program);
    let file = Node::File { length, content };
    let boot = Folder::from([(architecture.program().to_owned(), file)]);
    let efi = Folder::from([("BOOT".to_owned(), Node::Folder(boot))]);
    let root = Folder::from([("EFI".to_owned(), Node::Folder(efi))]);
    let partitioned = architecture == Architecture::Aarch64;
    fat::write(root, &fat::Options { label: LABEL, id, size: None, partitioned }, out)
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

    /// These bytes are in images that people have: another order of folders and files is another image.
    #[test]
    fn bytes_stay_as_they_are() {
        for (length, digest) in [
            (0, "bf6151a7eeb57e28ac270836f6399caff18e198421741af176773a13a8ed509a"),
            (5000, "93041ebe02551ed00443c97d1670cc65fa6a75ed713aaa85070f548f0eb83fa3"),
        ] {
            let program: Vec<u8> = (0..length).map(|n: usize| (n * 7 + n / 251) as u8).collect();
            let id = Sha256::of(b"id");
            let mut out = Vec::new();
            write(&mut &program[..], length as u64, Architecture::X86_64, &id, &mut out)
                .expect("written");
            assert_eq!(Sha256::of(&out).to_string(), digest, "{length}");
        }
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
