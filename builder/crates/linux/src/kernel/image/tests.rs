//! Tests of image recognition, over headers written here.

use proptest::prelude::*;

use super::*;
use wifibox_ground::codec::Compression;
use wifibox_testkit::tarball::pack;

fn put(bytes: &mut [u8], at: usize, data: &[u8]) {
    bytes[at..at + data.len()].copy_from_slice(data);
}

fn bz(efi: bool, wide: bool, protocol: u16) -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    put(&mut bytes, 0x1fe, &0xaa55u16.to_le_bytes());
    put(&mut bytes, X86_MAGIC_AT, b"HdrS");
    put(&mut bytes, 0x206, &protocol.to_le_bytes());
    put(&mut bytes, 0x20e, &0x400u16.to_le_bytes());
    put(&mut bytes, 0x600, b"6.12.1-test (builder@host) #1 SMP\0");
    bytes[0x234] = 1;
    bytes[0x236] = u8::from(wide);
    put(&mut bytes, 0x238, &2047u32.to_le_bytes());
    put(&mut bytes, 0x260, &0x0400_0000u32.to_le_bytes());
    if efi {
        put(&mut bytes, 0, b"MZ");
        put(&mut bytes, 0x3c, &0x800u32.to_le_bytes());
        put(&mut bytes, 0x800, b"PE\0\0\x64\x86");
    }
    bytes
}

fn arm() -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    put(&mut bytes, 0, b"MZ");
    put(&mut bytes, 16, &0x0200_0000u64.to_le_bytes());
    put(&mut bytes, 24, &10u64.to_le_bytes());
    put(&mut bytes, 56, b"ARM\x64");
    put(&mut bytes, 0x3c, &0x40u32.to_le_bytes());
    put(&mut bytes, 0x40, b"PE\0\0\x64\xaa");
    put(&mut bytes, 0x100, b"Linux version %s (%s)\0Linux version 6.6.8-arm (x@y) #2\n");
    bytes
}

#[test]
fn bzimages_of_all_ages() {
    let image = KernelImage::parse(&bz(true, true, 0x20f)).expect("recognised");
    assert_eq!(image.format, Format::BzImage);
    assert_eq!(image.machine, Machine::X86_64);
    assert_eq!(image.release.as_deref(), Some("6.12.1-test"));
    assert_eq!(image.init_size, Some(64 << 20));
    assert!(image.efi && image.relocatable);
    assert_eq!(image.cmdline_limit, Some(2047));
    let old = KernelImage::parse(&bz(false, false, 0x204)).expect("recognised");
    assert_eq!((old.machine, old.init_size, old.efi), (Machine::X86, None, false));
    assert!(!old.relocatable && old.cmdline_limit.is_none());
    let error = KernelImage::parse(&bz(true, true, 0x20f)[..0x210]).expect_err("refused");
    assert!(matches!(error, ImageError::Damaged { format: Format::BzImage, .. }), "{error}");
}

#[test]
fn the_head_of_a_bzimage_says_all() {
    let mut bytes = bz(true, true, 0x20f);
    bytes.resize(3 << 20, 0x90);
    // As far away as 16 bits can point.
    put(&mut bytes, 0x20e, &0xffffu16.to_le_bytes());
    put(&mut bytes, 0x1_01ff, b"6.12.1-far (builder@host)\0");
    let head = &bytes[..usize::try_from(BZIMAGE_HEAD).expect("small")];
    assert!(is_bzimage(head) && !is_bzimage(&arm()));
    let image = KernelImage::parse(head).expect("recognised");
    assert_eq!(image, KernelImage::parse(&bytes).expect("recognised"));
    assert_eq!(image.release.as_deref(), Some("6.12.1-far"));
}

#[test]
fn arm64_images_plain_packed_and_in_zboot() {
    for kind in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let image = KernelImage::parse(&pack(kind, &arm())).expect("recognised");
        assert_eq!((image.format, image.machine), (Format::Arm64, Machine::Arm64));
        assert_eq!(image.release.as_deref(), Some("6.6.8-arm"));
        assert_eq!(image.init_size, Some(32 << 20));
        assert!(image.efi && image.relocatable);
    }
    let packed = pack(Compression::Gzip, &arm());
    let mut zboot = vec![0; 0x200];
    put(&mut zboot, 0, b"MZ\0\0zimg");
    put(&mut zboot, 8, &0x200u32.to_le_bytes());
    put(&mut zboot, 12, &u32::try_from(packed.len()).expect("small").to_le_bytes());
    put(&mut zboot, 0x3c, &0x80u32.to_le_bytes());
    put(&mut zboot, 0x80, b"PE\0\0\x64\xaa");
    zboot.extend_from_slice(&packed);
    let image = KernelImage::parse(&zboot).expect("recognised");
    assert_eq!((image.format, image.machine), (Format::Zboot, Machine::Arm64));
    assert_eq!(image.release.as_deref(), Some("6.6.8-arm"));
    assert!(KernelImage::parse(&zboot[..0x210]).is_err());

    assert_eq!(unpacked(&arm()).expect("plain"), Unpacked::default());
    let both = Unpacked { for_loaders: Some(arm()), for_firmware: Some(arm()) };
    assert_eq!(unpacked(&packed).expect("packed"), both);
    let inner = Unpacked { for_loaders: Some(arm()), for_firmware: None };
    assert_eq!(unpacked(&zboot).expect("zboot"), inner);
    assert!(unpacked(&zboot[..0x210]).is_err());
    // Packed by a codec that is not known here.
    put(&mut zboot, 0x200, b"\0\0\0\0");
    assert_eq!(unpacked(&zboot).expect("unknown"), Unpacked::default());
}

#[test]
fn elf_kernels() {
    // An ELF header, and one loaded segment of 0x5000 bytes at 0x100000.
    let mut bytes = vec![0; 0x200];
    put(&mut bytes, 0, b"\x7fELF\x02\x01\x01");
    put(&mut bytes, 16, &[2, 0, 62, 0, 1]);
    put(&mut bytes, 32, &64u64.to_le_bytes());
    put(&mut bytes, 52, &[64, 0, 56, 0, 1, 0]);
    put(&mut bytes, 64, &[1, 0, 0, 0, 5]);
    put(&mut bytes, 64 + 24, &0x10_0000u64.to_le_bytes());
    put(&mut bytes, 64 + 40, &0x5000u64.to_le_bytes());
    put(&mut bytes, 0x100, b"Linux version 5.4.0 (a@b)");
    let image = KernelImage::parse(&bytes).expect("recognised");
    assert_eq!((image.format, image.machine), (Format::Elf, Machine::X86_64));
    assert_eq!((image.release.as_deref(), image.init_size), (Some("5.4.0"), Some(0x5000)));
}

#[test]
fn other_files_are_refused_with_what_they_begin_with() {
    let error = KernelImage::parse(b"#!/bin/sh").expect_err("refused");
    assert!(error.to_string().contains("23 21 2f"), "{error}");
    assert!(KernelImage::parse(b"").is_err());
}

proptest! {
    #[test]
    fn damage_never_panics(
        which in 0usize..3, hits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..20),
        cut in any::<usize>(),
    ) {
        let mut bytes = match which {
            0 => bz(true, true, 0x20f),
            1 => arm(),
            _ => b"MZ\0\0zimg".iter().copied().chain(std::iter::repeat_n(1, 300)).collect(),
        };
        for (at, value) in hits {
            let at = at % bytes.len().min(0x280);
            bytes[at] = value;
        }
        let _ = KernelImage::parse(&bytes);
        let _ = KernelImage::parse(&bytes[..cut % bytes.len()]);
    }
}
