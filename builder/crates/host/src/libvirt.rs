//! The files for libvirt: a domain that UEFI starts, the same with the kernel started directly, and the
//! network that both are on. The format is that of libvirt's formatdomain and formatnetwork.

use std::fmt::Write as _;

use super::{HostError, HostFile, Hypervisor};
use wifibox_ground::guest::Nic;
use wifibox_ground::guest::{Guest, HostPath, Purpose};

/// Where libvirt keeps images.
const IMAGES: &str = "/var/lib/libvirt/images/wifibox";
/// Where the shares are.
const CONFIGURATION: &str = "/etc/wifibox";
const VAR: &str = "/var/lib/wifibox";
/// The network, and its interface on the host.
const NETWORK: &str = "wifibox";
const BRIDGE: &str = "wifibox0";

/// How the domain starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Uefi,
    Direct,
}

/// The files for libvirt.
///
/// # Errors
/// [`HostError::Unfit`] for a network card that QEMU does not make.
pub fn files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let mut files = Vec::new();
    if guest.boot.uefi.is_some() {
        files.push(HostFile::plain("libvirt/wifibox.xml", domain(guest, Start::Uefi)?));
    }
    if guest.boot.direct.is_some() {
        files.push(HostFile::plain("libvirt/wifibox-direct.xml", domain(guest, Start::Direct)?));
    }
    if guest.nics.first().is_some_and(|card| card.uplink.is_none()) {
        files.push(HostFile::plain("libvirt/network.xml", network(guest)));
    }
    Ok(files)
}

fn folder(guest: &Guest) -> &str {
    guest.folder.as_ref().map_or(IMAGES, HostPath::as_str)
}

/// The folder of the host that is shared under `tag`.
fn share_folder(guest: &Guest, tag: &str) -> String {
    match tag {
        "config" => format!("{CONFIGURATION}/appliance"),
        "var" => VAR.to_owned(),
        "app_config" => format!("{CONFIGURATION}/{}", guest.application.name()),
        other => format!("{CONFIGURATION}/{other}"),
    }
}

/// A comment at the head of a file.
fn head(text: &str) -> String {
    // Two dashes would end the comment.
    let text = text.replace("--", "- -");
    format!("<!--\n{}-->\n", text.lines().map(|line| format!("  {line}\n")).collect::<String>())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&apos;")
}

/// What a person does with the domain.
fn instructions(guest: &Guest, start: Start) -> String {
    let folder = folder(guest);
    let way = match start {
        Start::Uefi => "started by UEFI, as under bhyve",
        Start::Direct => "its kernel started directly, which takes less memory than UEFI",
    };
    let file = match start {
        Start::Uefi => "wifibox.xml",
        Start::Direct => "wifibox-direct.xml",
    };
    let mut text = format!(
        "For libvirt with QEMU/KVM: {}, {way}.\nThe images go to {folder}; then, as root:\n",
        guest.title()
    );
    if guest.nics.first().is_some_and(|card| card.uplink.is_none()) {
        let _ = writeln!(text, "    virsh net-define network.xml && virsh net-start {NETWORK}");
    }
    let _ = writeln!(text, "    virsh define {file} && virsh start {}", guest.name);
    if !guest.shares.is_empty() {
        let _ = writeln!(
            text,
            "The output's etc/wifibox goes to {CONFIGURATION} (.sample dropped from names), var to {VAR}.\n\
             QEMU must reach them: setfacl -R -m u:libvirt-qemu:rwX {CONFIGURATION} {VAR}"
        );
    }
    for disk in &guest.disks {
        match disk.purpose {
            Purpose::Efi | Purpose::Root => {}
            Purpose::Configuration => {
                let _ = writeln!(text, "{} is what wifibox-build config-disk makes.", disk.file);
            }
            Purpose::Persistent => {
                let _ = writeln!(
                    text,
                    "{} keeps the guest's own data: 'wifibox-build --persistent' makes it for OpenWrt, in a GPT partition rootfs_data.",
                    disk.file
                );
            }
        }
    }
    if guest.passthru.is_empty() {
        text.push_str("A card is handed over with: wifibox-build host (option passthru).\n");
    }
    text
}

fn domain(guest: &Guest, start: Start) -> Result<String, HostError> {
    let is_pc = guest.architecture == "x86_64";
    let folder = folder(guest);
    let mut text = head(&instructions(guest, start));
    let mut line = |depth: usize, words: &str| {
        let _ = writeln!(text, "{:width$}{words}", "", width = depth * 2);
    };
    line(0, "<domain type='kvm'>");
    line(1, &format!("<name>{}</name>", escape(&guest.name)));
    line(1, &format!("<title>{}</title>", escape(&guest.title())));
    line(1, &format!("<memory unit='MiB'>{}</memory>", guest.memory));
    line(1, &format!("<vcpu>{}</vcpu>", guest.vcpus));
    line(1, if start == Start::Uefi { "<os firmware='efi'>" } else { "<os>" });
    let machine = if is_pc { "q35" } else { "virt" };
    line(2, &format!("<type arch='{}' machine='{machine}'>hvm</type>", guest.architecture));
    if let (Start::Direct, Some(direct)) = (start, &guest.boot.direct) {
        line(2, &format!("<kernel>{folder}/{}</kernel>", direct.kernel));
        if let Some(initramfs) = &direct.initramfs {
            line(2, &format!("<initrd>{folder}/{initramfs}</initrd>"));
        }
        line(2, &format!("<cmdline>{}</cmdline>", escape(&direct.cmdline)));
    } else {
        // The kernel is not signed for secure boot.
        line(2, "<firmware>");
        line(3, "<feature enabled='no' name='secure-boot'/>");
        line(2, "</firmware>");
    }
    line(1, "</os>");
    line(1, "<features>");
    line(2, "<acpi/>");
    if is_pc {
        line(2, "<apic/>");
    }
    line(1, "</features>");
    line(1, "<cpu mode='host-passthrough'/>");
    line(1, "<clock offset='utc'/>");
    line(1, "<on_poweroff>destroy</on_poweroff>");
    line(1, "<on_reboot>restart</on_reboot>");
    line(1, "<on_crash>restart</on_crash>");
    line(1, "<devices>");
    for disk in &guest.disks {
        line(2, "<disk type='file' device='disk'>");
        line(3, "<driver name='qemu' type='raw'/>");
        line(3, &format!("<source file='{folder}/{}'/>", disk.file));
        line(3, &format!("<target dev='{}' bus='virtio'/>", disk.device));
        if disk.read_only {
            line(3, "<readonly/>");
        }
        line(2, "</disk>");
    }
    for share in &guest.shares {
        line(2, "<filesystem type='mount' accessmode='mapped'>");
        line(3, &format!("<source dir='{}'/>", share_folder(guest, &share.tag)));
        line(3, &format!("<target dir='{}'/>", share.tag));
        if share.read_only {
            line(3, "<readonly/>");
        }
        line(2, "</filesystem>");
    }
    for card in &guest.nics {
        let model = match card.model {
            Nic::E1000 => "e1000",
            Nic::VirtioNet => "virtio",
            Nic::XenNetfront => {
                return Err(HostError::Unfit {
                    hypervisor: Hypervisor::Libvirt,
                    why: "its network card is Xen's".to_owned(),
                });
            }
        };
        match &card.uplink {
            Some(bridge) => {
                line(2, "<interface type='bridge'>");
                line(3, &format!("<source bridge='{bridge}'/>"));
            }
            None => {
                line(2, "<interface type='network'>");
                line(3, &format!("<source network='{NETWORK}'/>"));
            }
        }
        line(3, &format!("<model type='{model}'/>"));
        line(2, "</interface>");
    }
    line(2, "<serial type='pty'>");
    let serial = if is_pc { "isa-serial" } else { "system-serial" };
    line(3, &format!("<target type='{serial}' port='0'/>"));
    line(2, "</serial>");
    line(2, "<console type='pty'>");
    line(3, "<target type='serial' port='0'/>");
    line(2, "</console>");
    for card in &guest.passthru {
        line(2, "<hostdev mode='subsystem' type='pci' managed='yes'>");
        line(3, "<source>");
        line(
            4,
            &format!(
                "<address domain='0x{:04x}' bus='0x{:02x}' slot='0x{:02x}' function='0x{:x}'/>",
                card.domain, card.bus, card.slot, card.function
            ),
        );
        line(3, "</source>");
        line(2, "</hostdev>");
    }
    // It would take memory away from a guest that has none to spare.
    line(2, "<memballoon model='none'/>");
    line(1, "</devices>");
    line(0, "</domain>");
    Ok(text)
}

/// The network between host and guest. A station serves addresses on it, so that libvirt must not.
fn network(guest: &Guest) -> String {
    let access_point = guest.role == "access-point";
    let host = if access_point {
        format!("The host is 10.0.0.1 on {BRIDGE}, and the guest's way out.")
    } else {
        format!("The guest serves addresses on it: run a DHCP client on {BRIDGE}.")
    };
    let mut text = head(&format!(
        "For libvirt: the network of {}.\n\
         virsh net-define network.xml && virsh net-start {NETWORK} && virsh net-autostart {NETWORK}\n\
         {host}",
        guest.title()
    ));
    text.push_str("<network>\n");
    let _ = writeln!(text, "  <name>{NETWORK}</name>");
    if access_point {
        text.push_str("  <forward mode='nat'/>\n");
    }
    let _ = writeln!(text, "  <bridge name='{BRIDGE}' stp='off' delay='0'/>");
    if access_point {
        text.push_str("  <dns enable='no'/>\n");
        text.push_str("  <ip address='10.0.0.1' netmask='255.255.255.0'/>\n");
    }
    text.push_str("</network>\n");
    text
}

#[cfg(test)]
mod tests;
