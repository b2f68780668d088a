//! A guest for tests.

use wifibox_ground::guest::{AppConfig, Nic, ShareTransport};
use wifibox_ground::guest::{Boot, DirectBoot, Disk, Guest, NetworkCard, Purpose, Share};

/// A station for bhyve and QEMU on a PC.
pub fn guest() -> Guest {
    let disk = |purpose, file: &str, device: &str| Disk {
        purpose,
        file: file.to_owned(),
        device: device.to_owned(),
        read_only: true,
    };
    let share = |tag: &str, mount: &str, read_only, samples: &str| Share {
        tag: tag.to_owned(),
        mount: mount.to_owned(),
        read_only,
        samples: Some(samples.to_owned()),
    };
    Guest {
        name: "wifibox".to_owned(),
        base: "debian".to_owned(),
        release: "trixie".to_owned(),
        flavor: "iwlwifi".to_owned(),
        role: "station".to_owned(),
        application: AppConfig::WpaSupplicant,
        hypervisor: "bhyve".to_owned(),
        architecture: "x86_64".to_owned(),
        memory: 160,
        smallest_memory: Some(160),
        vcpus: 1,
        boot: Boot {
            uefi: Some("esp.img".to_owned()),
            direct: Some(DirectBoot {
                kernel: "vmlinuz".to_owned(),
                initramfs: Some("initramfs.img".to_owned()),
                cmdline: "quiet console=ttyS0,115200 root=/dev/vdb".to_owned(),
            }),
        },
        console: "ttyS0".to_owned(),
        disks: vec![disk(Purpose::Efi, "esp.img", "vda"), disk(Purpose::Root, "root.img", "vdb")],
        nics: vec![NetworkCard { model: Nic::E1000, uplink: None }],
        transport: ShareTransport::Virtio,
        shares: vec![
            share("config", "media/etc", true, "etc/wifibox/appliance"),
            share("var", "var", false, "var"),
            share("app_config", "etc/wpa_supplicant", false, "etc/wifibox/wpa_supplicant"),
        ],
        passthru: Vec::new(),
        firewall_backend: None,
        folder: None,
    }
}
