//! The files for a station, and what is refused.

use super::super::{HostError, HostFile, Hypervisor, sample};
use super::{check, files};
use wifibox_ground::address::Address;
use wifibox_ground::guest::{Disk, Guest, Purpose};
use wifibox_ground::guest::{Nic, ShareTransport};

fn guest() -> Guest {
    let mut guest = sample::guest();
    guest.hypervisor = "l4re".to_owned();
    guest.transport = ShareTransport::Disk;
    guest.shares.clear();
    guest.nics[0].model = Nic::VirtioNet;
    guest.boot.uefi = None;
    guest.boot.direct.as_mut().expect("a kernel").cmdline =
        "quiet console=ttyS0,115200 root=/dev/vda x=\"a\\b\"".to_owned();
    let disk = |purpose, file: &str, device: &str, read_only| Disk {
        purpose,
        file: file.to_owned(),
        device: device.to_owned(),
        read_only,
    };
    guest.disks = vec![
        disk(Purpose::Root, "root.img", "vda", true),
        disk(Purpose::Configuration, "config.img", "vdb", true),
        disk(Purpose::Persistent, "rootfs_data.img", "vdc", false),
    ];
    guest
}

fn text(files: &[HostFile], path: &str) -> String {
    let file = files.iter().find(|file| file.path == path).expect(path);
    String::from_utf8(file.contents.clone()).expect("text")
}

#[test]
fn disks_card_and_network_reach_the_guest() {
    let mut guest = guest();
    guest.passthru = vec![Address::new(0, 3, 0, 0).expect("an address")];
    guest.vcpus = 3;
    let files = Hypervisor::L4re.files(&guest).expect("files");
    let ned = text(&files, "l4re/wifibox.ned");
    for words in [
        "disk_root = partition(\"wifibox-root\", \"read-only\"),",
        "disk_data = partition(\"wifibox-data\"),",
        "cpus = 0x7,",
        "mem = 160,",
        "kernel = \"rom/vmlinuz\",\n  rd = \"rom/initramfs.img\",",
        // As a string of Lua.
        "root=/dev/vda x=\\\"a\\\\b\\\"\",",
        "--     wifibox-config   config.img (read-only)",
    ] {
        assert!(ned.contains(words), "{words:?} is not in\n{ned}");
    }
    assert!(text(&files, "l4re/wifi.vbus").contains("match(\"PCI/ADR_0000:03:00.0\")"));
    let tree = text(&files, "l4re/wifibox.dts");
    // The guest's names of disks come from this order.
    let place = |word: &str| tree.find(word).unwrap_or_else(|| panic!("{word} in {tree}"));
    assert!(place("\"disk_root\"") < place("\"disk_config\""));
    assert!(place("\"disk_config\"") < place("\"disk_data\""));
    assert!(tree.contains("cpu@2 {") && !tree.contains("cpu@3 {"));
    for file in &files {
        let text = String::from_utf8_lossy(&file.contents);
        let head: Vec<&str> = text.lines().take(4).collect();
        let name = file.path.rsplit('/').next().expect("a name");
        assert!(head.join("\n").contains(name), "{} does not say what it is", file.path);
        assert!(text.contains("beside") || text.contains("MODULE_SEARCH_PATH"), "{}", file.path);
    }
}

#[test]
fn every_machine_has_its_own_console_devices_and_disk_server() {
    for (architecture, console, server, transport) in [
        ("x86_64", "ttyS0", "nvme-drv", "virtio,pci"),
        ("aarch64", "ttyAMA0", "emmc-drv", "virtio,mmio"),
        ("mips", "hvc0", "ahci-drv", "virtio,mmio"),
    ] {
        let mut guest = guest();
        guest.architecture = architecture.to_owned();
        guest.console = console.to_owned();
        let files = files(&guest).expect(architecture);
        assert!(text(&files, "l4re/modules.list").contains(&format!("module {server}\n")));
        assert!(text(&files, "l4re/wifibox.dts").contains(transport));
        guest.console = "ttyUSB0".to_owned();
        let error = Hypervisor::L4re.files(&guest).expect_err("no such console").to_string();
        assert!(error.contains(console), "{error}");
    }
}

#[test]
fn guests_that_cannot_run_there_are_refused() {
    let unfit = |change: &dyn Fn(&mut Guest), word: &str| {
        let mut guest = guest();
        change(&mut guest);
        match Hypervisor::L4re.files(&guest) {
            Err(HostError::Unfit { why, .. }) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
    };
    unfit(&|guest| guest.architecture = "riscv64".to_owned(), "riscv64");
    unfit(&|guest| guest.boot.direct = None, "loads a kernel itself");
    unfit(&|guest| drop(guest.disks.remove(1)), "--config-disk");
    unfit(&|guest| guest.hypervisor = "bhyve".to_owned(), "--hypervisor l4re");
    let far = Address::new(1, 3, 0, 0).expect("an address");
    unfit(&|guest| guest.passthru = vec![far], "domain 0");
    // And a guest of theirs nowhere else.
    Hypervisor::Qemu.files(&guest()).expect_err("other devices");
}

#[test]
fn files_that_do_not_hang_together_are_refused() {
    let sound = files(&guest()).expect("files");
    let broken = |path: &str, from: &str, to: &str, word: &str| {
        let mut files = sound.clone();
        let file = files.iter_mut().find(|file| file.path == path).expect(path);
        let text = String::from_utf8(file.contents.clone()).expect("text");
        assert!(text.contains(from), "{from:?} is not in {path}");
        file.contents = text.replace(from, to).into_bytes();
        let error = check::files(&files).expect_err(from).to_string();
        assert!(error.contains(word), "{error}");
    };
    broken("l4re/modules.list", "module nvme-drv\n", "", "rom/nvme-drv");
    broken("l4re/modules.list", "module wifi.vbus\n", "", "wifi");
    broken("l4re/modules.list", "module vmlinuz\n", "modul vmlinuz\n", "did you mean");
    broken("l4re/modules.list", "configs/vmm.lua", "configs/vmm.txt", "vmm.lua");
    broken("l4re/wifibox.ned", "disk_config = ", "disk_conf = ", "disk_config");
    broken("l4re/storage.vbus", "storage = Io", "disks = Io", "bus storage");
    check::files(&sound[1..]).expect_err("one is missing");
}
