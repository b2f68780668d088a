//! The description of a guest from its composed recipe, at the end of a build.

use wifibox_ground::guest::{
    Boot, CONFIGURATION_FILE, DirectBoot, Disk, Guest, NetworkCard, PERSISTENT_FEATURE,
    PERSISTENT_FILE, Purpose, Share, ShareTransport, with_letter,
};
use wifibox_recipe::{Access, Recipe, machine};

/// Memory where no recipe says how much, in MiB.
const MEMORY: u32 = 256;
/// The images of a build.
const ESP: &str = "esp.img";
const ROOT: &str = "root.img";
const KERNEL: &str = "vmlinuz";
const INITRAMFS: &str = "initramfs.img";

/// The guest that `recipe` composes. `cmdline` is its kernel's command line, `has_initramfs`
/// whether its kernel starts from one.
#[must_use]
pub fn of_recipe(recipe: &Recipe, cmdline: &str, has_initramfs: bool) -> Guest {
    let host = &recipe.hypervisor;
    let transport = host.share_transport.value;
    let (root, direct) = (
        host.root_disk.value.clone(),
        DirectBoot {
            kernel: KERNEL.to_owned(),
            initramfs: has_initramfs.then(|| INITRAMFS.to_owned()),
            cmdline: cmdline.to_owned(),
        },
    );
    let mut disks = Vec::new();
    // Firmware looks for its partition on the first disk; a paravirtual guest has no firmware.
    let first = with_letter(&root, 'a');
    if transport == ShareTransport::Virtio && first != root {
        let file = ESP.to_owned();
        disks.push(Disk { purpose: Purpose::Efi, file, device: first, read_only: true });
    }
    let file = ROOT.to_owned();
    disks.push(Disk { purpose: Purpose::Root, file, device: root.clone(), read_only: true });
    if transport == ShareTransport::Disk {
        let device = with_letter(&root, 'b');
        let file = CONFIGURATION_FILE.to_owned();
        let purpose = Purpose::Configuration;
        disks.push(Disk { purpose, file, device, read_only: true });
    }
    let smallest = recipe.memory_smallest.as_ref().map(|memory| memory.value);
    let recommended = recipe.memory_recommended.as_ref().map(|memory| memory.value);
    let mut guest = Guest {
        name: "wifibox".to_owned(),
        base: recipe.base.value.clone(),
        release: recipe.release.value.clone(),
        flavor: recipe.flavor.value.clone(),
        role: recipe.role.value.clone(),
        application: recipe.app_config.value,
        hypervisor: host.name.value.clone(),
        architecture: machine(&recipe.architecture.value).to_owned(),
        memory: recommended.unwrap_or(MEMORY).max(smallest.unwrap_or(0)),
        smallest_memory: smallest,
        vcpus: 1,
        boot: Boot {
            uefi: disks
                .iter()
                .find(|disk| disk.purpose == Purpose::Efi)
                .map(|disk| disk.file.clone()),
            direct: Some(direct),
        },
        console: host.console.value.clone(),
        disks,
        nics: vec![NetworkCard { model: host.nic.value, uplink: None }],
        transport,
        shares: if transport == ShareTransport::Disk { Vec::new() } else { shares(recipe) },
        passthru: Vec::new(),
        firewall_backend: None,
        folder: None,
    };
    if recipe.features.iter().any(|feature| feature.value == PERSISTENT_FEATURE) {
        guest.add_disk(Purpose::Persistent, PERSISTENT_FILE, false);
    }
    guest
}

fn shares(recipe: &Recipe) -> Vec<Share> {
    let application = recipe.app_config.value.name();
    let shares = recipe.shares.iter().map(|share| &share.value);
    shares
        .map(|share| Share {
            tag: share.tag.clone(),
            mount: share.path.to_string().trim_start_matches('/').to_owned(),
            read_only: share.access == Access::ReadOnly,
            samples: match share.tag.as_str() {
                "config" => Some("etc/wifibox/appliance".to_owned()),
                "var" => Some("var".to_owned()),
                "app_config" => Some(format!("etc/wifibox/{application}")),
                _ => None,
            },
        })
        .collect()
}
