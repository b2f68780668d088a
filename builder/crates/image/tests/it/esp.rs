//! The boot volume, read by dosfstools and mtools.

use wifibox_ground::digest::Sha256;
use wifibox_image::esp::{Architecture, write};

use crate::support::{lines, noise, run};

fn volume(program: &[u8]) -> Vec<u8> {
    disk(program, Architecture::X86_64)
}

fn disk(program: &[u8], architecture: Architecture) -> Vec<u8> {
    let mut out = Vec::new();
    let id = Sha256::of(program);
    let length = write(&mut &program[..], program.len() as u64, architecture, &id, &mut out)
        .expect("written");
    assert_eq!(length, out.len() as u64);
    out
}

#[test]
fn on_arm_others_find_one_partition_that_fills_the_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("esp.img");
    let name = file.to_str().expect("a plain name");
    for length in [100_000, 33 << 20] {
        let program = noise(length, 9);
        let image = disk(&program, Architecture::Aarch64);
        std::fs::write(&file, &image).expect("written");
        if let Some(dumped) = run("sfdisk", &["--dump", name], None) {
            let sectors = image.len() / 512 - 8;
            let wanted = format!("start=8,size={sectors},type=ef");
            let text = lines(&dumped).concat().replace(' ', "");
            assert!(text.contains(&wanted), "{wanted}: {text}");
            assert_eq!(text.matches("start=").count(), 1, "{text}");
        }
        // Which counts hidden sectors, too.
        std::fs::write(&file, &image[4096..]).expect("written");
        if let Some(checked) = run("fsck.vfat", &["-n", "-v", name], None) {
            let text = lines(&checked).join("\n");
            assert!(text.contains("8 hidden sectors"), "{text}");
        }
        if let Some(copied) = run("mtype", &["-i", name, "::/EFI/BOOT/BOOTAA64.EFI"], None) {
            assert!(copied.stdout == program, "{length} bytes");
        }
    }
}

#[test]
fn others_find_the_program_and_nothing_wrong() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("esp.img");
    let name = file.to_str().expect("a plain name");
    // FAT12, its last size, FAT16's first, and FAT16.
    for length in [0, 100_000, 4066 * 4096, 4066 * 4096 + 1, 18 << 20, 33 << 20] {
        let program = noise(length, 9);
        let image = volume(&program);
        assert!(image == volume(&program), "the same bytes again");
        assert_eq!(image.len() % 4096, 0);
        std::fs::write(&file, image).expect("written");
        // fsck.vfat fails where it would change anything.
        let checked = run("fsck.vfat", &["-n", "-v", name], None);
        if let Some(checked) = checked {
            let text = lines(&checked).join("\n");
            assert!(text.contains("4096 bytes per cluster"), "{text}");
            assert!(!text.contains("differences"), "{text}");
        }
        if let Some(listed) = run("mdir", &["-i", name, "-b", "-/", "::"], None) {
            assert!(lines(&listed).iter().any(|line| line == "::/EFI/BOOT/BOOTX64.EFI"));
        }
        if let Some(copied) = run("mtype", &["-i", name, "::/EFI/BOOT/BOOTX64.EFI"], None) {
            assert!(copied.stdout == program, "{length} bytes");
        }
        if let Some(labelled) = run("mlabel", &["-i", name, "-s", "::"], None) {
            assert_eq!(lines(&labelled).concat().trim(), "Volume label is WIFIBOX");
        }
    }
}
