//! The files for libvirt: a domain that UEFI starts, the same with the kernel started directly, and the
//! network that both are on. The format is that of libvirt's formatdomain and formatnetwork.

use std::fmt::Write as _;

use super::{HostError, HostFile, Hypervisor, shares};
use wifibox_ground::guest::Nic;
use wifibox_ground::guest::{Guest, HostPath, Purpose};

/// Where libvirt keeps images.
pub(super) const IMAGES: &str = "/var/lib/libvirt/images/wifibox";
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
    shares::installed(guest, tag, CONFIGURATION, VAR)
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

/// The instructions for the domain, which its file begins with.
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

/// The lines of a file, each as deep as its element.
struct Lines(String);

impl Lines {
    fn line(&mut self, depth: usize, words: &str) {
        let _ = writeln!(self.0, "{:width$}{words}", "", width = depth * 2);
    }
}

fn domain(guest: &Guest, start: Start) -> Result<String, HostError> {
    let is_pc = guest.architecture == "x86_64";
    let folder = folder(guest);
    let mut text = Lines(head(&instructions(guest, start)));
    text.line(0, "<domain type='kvm'>");
    text.line(1, &format!("<name>{}</name>", escape(&guest.name)));
    text.line(1, &format!("<title>{}</title>", escape(&guest.title())));
    text.line(1, &format!("<memory unit='MiB'>{}</memory>", guest.memory));
    text.line(1, &format!("<vcpu>{}</vcpu>", guest.vcpus));
    text.line(1, if start == Start::Uefi { "<os firmware='efi'>" } else { "<os>" });
    let machine = if is_pc { "q35" } else { "virt" };
    text.line(2, &format!("<type arch='{}' machine='{machine}'>hvm</type>", guest.architecture));
    if let (Start::Direct, Some(direct)) = (start, &guest.boot.direct) {
        text.line(2, &format!("<kernel>{folder}/{}</kernel>", direct.kernel));
        if let Some(initramfs) = &direct.initramfs {
            text.line(2, &format!("<initrd>{folder}/{initramfs}</initrd>"));
        }
        text.line(2, &format!("<cmdline>{}</cmdline>", escape(&direct.cmdline)));
    } else {
        // The kernel is not signed for secure boot.
        text.line(2, "<firmware>");
        text.line(3, "<feature enabled='no' name='secure-boot'/>");
        text.line(2, "</firmware>");
    }
    text.line(1, "</os>");
    text.line(1, "<features>");
    text.line(2, "<acpi/>");
    if is_pc {
        text.line(2, "<apic/>");
    }
    text.line(1, "</features>");
    text.line(1, "<cpu mode='host-passthrough'/>");
    text.line(1, "<clock offset='utc'/>");
    text.line(1, "<on_poweroff>destroy</on_poweroff>");
    text.line(1, "<on_reboot>restart</on_reboot>");
    text.line(1, "<on_crash>restart</on_crash>");
    text.line(1, "<devices>");
    storage(guest, &mut text);
    network_cards(guest, &mut text)?;
    console_and_cards(guest, &mut text);
    // It would take memory away from a guest that has none to spare.
    text.line(2, "<memballoon model='none'/>");
    text.line(1, "</devices>");
    text.line(0, "</domain>");
    Ok(text.0)
}

/// Disks and shares.
fn storage(guest: &Guest, text: &mut Lines) {
    let folder = folder(guest);
    for disk in &guest.disks {
        text.line(2, "<disk type='file' device='disk'>");
        text.line(3, "<driver name='qemu' type='raw'/>");
        text.line(3, &format!("<source file='{folder}/{}'/>", disk.file));
        text.line(3, &format!("<target dev='{}' bus='virtio'/>", disk.device));
        if disk.read_only {
            text.line(3, "<readonly/>");
        }
        text.line(2, "</disk>");
    }
    for share in &guest.shares {
        text.line(2, "<filesystem type='mount' accessmode='mapped'>");
        text.line(3, &format!("<source dir='{}'/>", share_folder(guest, &share.tag)));
        text.line(3, &format!("<target dir='{}'/>", share.tag));
        if share.read_only {
            text.line(3, "<readonly/>");
        }
        text.line(2, "</filesystem>");
    }
}

fn network_cards(guest: &Guest, text: &mut Lines) -> Result<(), HostError> {
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
                text.line(2, "<interface type='bridge'>");
                text.line(3, &format!("<source bridge='{bridge}'/>"));
            }
            None => {
                text.line(2, "<interface type='network'>");
                text.line(3, &format!("<source network='{NETWORK}'/>"));
            }
        }
        text.line(3, &format!("<model type='{model}'/>"));
        text.line(2, "</interface>");
    }
    Ok(())
}

/// The console, and cards of the host that become the guest's.
fn console_and_cards(guest: &Guest, text: &mut Lines) {
    let is_pc = guest.architecture == "x86_64";
    text.line(2, "<serial type='pty'>");
    let serial = if is_pc { "isa-serial" } else { "system-serial" };
    text.line(3, &format!("<target type='{serial}' port='0'/>"));
    text.line(2, "</serial>");
    text.line(2, "<console type='pty'>");
    text.line(3, "<target type='serial' port='0'/>");
    text.line(2, "</console>");
    for card in &guest.passthru {
        text.line(2, "<hostdev mode='subsystem' type='pci' managed='yes'>");
        text.line(3, "<source>");
        text.line(
            4,
            &format!(
                "<address domain='0x{:04x}' bus='0x{:02x}' slot='0x{:02x}' function='0x{:x}'/>",
                card.domain, card.bus, card.slot, card.function
            ),
        );
        text.line(3, "</source>");
        text.line(2, "</hostdev>");
    }
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
