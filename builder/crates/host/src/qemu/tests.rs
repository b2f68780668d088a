//! The machine is the guest's, whatever hypervisor it was made for; what QEMU has not is said.

use std::fs;
use std::path::Path;

use super::*;
use crate::sample::guest;
use wifibox_ground::guest::{Boot, CONFIGURATION_FILE, Guest, PERSISTENT_FILE, Purpose};
use wifibox_ground::guest::{Nic as Model, ShareTransport};

fn of(guest: &Guest) -> Result<Machine, Error> {
    Machine::of(guest, Path::new("/out"), Path::new("/state"), None)
}

fn line(machine: &Machine) -> String {
    machine.arguments().unwrap().join(" ")
}

fn uefi() -> Firmware {
    Firmware::Uefi { code: "/c.fd".into(), variables: "/v.fd".into() }
}

/// A guest for L4Re: two disks, no shares.
fn for_l4re() -> Guest {
    let mut guest = guest();
    guest.hypervisor = "l4re".to_owned();
    guest.transport = ShareTransport::Disk;
    guest.boot.uefi = None;
    guest.shares.clear();
    guest.disks.retain(|disk| disk.purpose == Purpose::Root);
    guest.disks[0].device = "vda".to_owned();
    guest.add_disk(Purpose::Configuration, CONFIGURATION_FILE, true);
    guest.nics[0].model = Model::VirtioNet;
    guest
}

#[test]
fn the_machine_is_the_one_of_the_guest() {
    let mut described = guest();
    described.memory = 192;
    described.vcpus = 2;
    described.add_disk(Purpose::Persistent, PERSISTENT_FILE, false);
    let line = line(&of(&described).unwrap());
    for part in [
        "-m 192 ",
        "-machine q35 -smp 2 ",
        "-kernel /out/vmlinuz -initrd /out/initramfs.img ",
        "-append quiet console=ttyS0,115200 root=/dev/vdb ",
        "-drive if=none,id=esp,format=raw,readonly=on,file=/out/esp.img \
         -device virtio-blk-pci,drive=esp \
         -drive if=none,id=root,format=raw,readonly=on,file=/out/root.img \
         -device virtio-blk-pci,drive=root \
         -drive if=none,id=vdc,format=raw,file=/state/rootfs_data.img ",
        "path=/state/config,security_model=mapped-xattr,readonly=on ",
        "path=/state/wpa_supplicant,security_model=mapped-xattr -device ",
        "mount_tag=app_config",
        "-device e1000,netdev=net",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn another_architecture_is_another_machine() {
    let mut described = guest();
    described.architecture = "aarch64".to_owned();
    described.nics[0].model = Model::VirtioNet;
    let machine = of(&described).unwrap();
    assert_eq!(machine.board.program(), "qemu-system-aarch64");
    let line = line(&machine);
    for part in ["-machine virt", "-cpu max,pauth-impdef=on ", "-device virtio-net-pci,netdev=net"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    described.architecture = "mips".to_owned();
    assert!(of(&described).unwrap_err().to_string().contains("no machine is known for mips"));
}

#[test]
fn commas_of_paths_are_written_twice() {
    let machine = Machine::of(&guest(), Path::new("/a,b"), Path::new("/s,t"), None).unwrap();
    let line = line(&machine);
    assert!(line.contains("file=/a,,b/root.img") && line.contains("path=/s,,t/config"), "{line}");
}

#[test]
fn firmware_boots_without_a_kernel_argument() {
    let start =
        |guest: &Guest, uefi| Machine::of(guest, Path::new("/out"), Path::new("/state"), uefi);
    let text = line(&start(&guest(), Some(uefi())).unwrap());
    assert!(!text.contains("-kernel"));
    assert!(text.contains("unit=0,readonly=on,file=/c.fd"));
    assert!(text.contains("unit=1,snapshot=on,file=/v.fd"));
    let message = start(&for_l4re(), Some(uefi())).unwrap_err().to_string();
    assert!(message.contains("no EFI image"), "{message}");
    let mut only = guest();
    only.boot = Boot { uefi: only.boot.uefi, direct: None };
    start(&only, Some(uefi())).unwrap();
    let message = start(&only, None).unwrap_err().to_string();
    assert!(message.contains("no kernel that QEMU could load"), "{message}");
}

#[test]
fn a_guest_for_another_hypervisor_starts_where_its_devices_are() {
    for name in ["bhyve", "qemu"] {
        of(&Guest { hypervisor: name.to_owned(), ..guest() }).unwrap();
    }
    let text = line(&of(&for_l4re()).unwrap());
    let disks = "-device virtio-blk-pci,drive=root \
                 -drive if=none,id=vdb,format=raw,readonly=on,file=/out/config.img";
    assert!(text.contains(disks) && !text.contains("9p"), "{text}");
    let mut xen = guest();
    xen.hypervisor = "xen".to_owned();
    xen.transport = ShareTransport::Xen;
    let message = of(&xen).unwrap_err().to_string();
    assert!(
        message.contains("built for xen") && message.contains("--hypervisor qemu"),
        "{message}"
    );
    let mut card = guest();
    card.nics[0].model = Model::XenNetfront;
    assert!(of(&card).unwrap_err().to_string().contains("network card is Xen's"));
}

#[test]
fn disks_of_the_guest_are_made_once_outside_the_output() {
    let (output, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut described = for_l4re();
    described.add_disk(Purpose::Persistent, PERSISTENT_FILE, false);
    let laid_out = || {
        let mut machine = Machine::of(&described, output.path(), state.path(), None).unwrap();
        machine.lay_out_disks(output.path(), state.path()).map(|()| machine)
    };
    let put = |name: &str| {
        let path = output.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    };
    for name in ["vmlinuz", "initramfs.img", "root.img"] {
        let message = laid_out().unwrap_err().to_string();
        assert!(message.contains(&format!("{name} is missing")), "{message}");
        put(name);
    }
    assert!(laid_out().unwrap_err().to_string().contains("no configuration"));
    put("etc/wifibox/appliance/hostname.sample");
    std::os::unix::fs::symlink("hostapd", output.path().join("etc/wifibox/app_config")).unwrap();
    put("etc/wifibox/hostapd/hostapd.conf.sample");
    assert!(laid_out().unwrap_err().to_string().contains("rootfs_data.img is missing"));
    put(PERSISTENT_FILE);
    let machine = laid_out().unwrap();
    let images: Vec<&Path> = machine.disks.iter().map(|disk| disk.image.as_path()).collect();
    let own = [CONFIGURATION_FILE, PERSISTENT_FILE].map(|name| state.path().join(name));
    assert_eq!(images[1..], [own[0].as_path(), own[1].as_path()]);
    assert!(fs::metadata(&own[0]).unwrap().len() > 0);

    // What is there already stays, and a disk of the output's owner comes first.
    for image in &own {
        fs::write(image, "mine").unwrap();
    }
    laid_out().unwrap();
    for image in &own {
        assert_eq!(fs::read_to_string(image).unwrap(), "mine");
    }
    put(CONFIGURATION_FILE);
    assert_eq!(laid_out().unwrap().disks[1].image, output.path().join(CONFIGURATION_FILE));
}
