//! The driver domain's configuration for xl.

use std::fmt::Write as _;

use super::{BRIDGE, comment, images, share};
use wifibox_ground::guest::{DirectBoot, Guest};

/// How Xen runs the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Paravirtual: works without an IOMMU's interrupt remapping, and without QEMU.
    Pv,
    /// A whole PC, with the processor's own protection; needs an IOMMU, and QEMU in dom0.
    Hvm,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Pv => "pv",
            Type::Hvm => "hvm",
        }
    }
}

/// The comment at the head of the file.
fn head(guest: &Guest, of: Type) -> String {
    let file = match of {
        Type::Pv => "wifibox.cfg",
        Type::Hvm => "wifibox-hvm.cfg",
    };
    let how = match of {
        Type::Pv => {
            "A paravirtual domain (PV): it needs no device model, and starts fastest. Where the machine\n\
             has an IOMMU, wifibox-hvm.cfg confines it better."
        }
        Type::Hvm => {
            "A domain with a whole PC (HVM): confined by the processor and the IOMMU, which must be there.\n\
             Its device model is QEMU (Debian: qemu-system-xen)."
        }
    };
    comment(&format!(
        "{file}: the network driver domain {}.\n\
         setup.sh puts it into dom0 as /etc/xen/{name}.cfg; start it with: xl create /etc/xen/{name}.cfg\n\
         {how}",
        guest.title(),
        name = guest.name
    ))
}

/// The text of `wifibox.cfg` or `wifibox-hvm.cfg`.
pub(super) fn text(guest: &Guest, direct: &DirectBoot, of: Type) -> String {
    let folder = images(guest);
    let mut text = head(guest, of);
    let mut line = |words: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{words}");
    };
    line(format_args!("\nname = \"{}\"", guest.name));
    line(format_args!("type = \"{}\"", of.name()));
    line(format_args!("memory = {}", guest.memory));
    line(format_args!("maxmem = {}", guest.memory));
    line(format_args!("vcpus = {}", guest.vcpus));
    line(format_args!("kernel = \"{folder}/{}\"", direct.kernel));
    if let Some(initramfs) = &direct.initramfs {
        line(format_args!("ramdisk = \"{folder}/{initramfs}\""));
    }
    // xl reads `\` and quotation marks in strings as Python does.
    let cmdline = direct.cmdline.replace('\\', "\\\\").replace('"', "\\\"");
    line(format_args!("cmdline = \"{cmdline}\""));
    if of == Type::Hvm {
        line(format_args!(
            "\n# No emulated devices but the serial port: what is used is Xen's own."
        ));
        line(format_args!("serial = \"pty\"\nvga = \"none\"\nnographic = 1\nvnc = 0\nsdl = 0"));
    }
    line(format_args!(
        "\n# The root file system is read-only: nothing of the guest outlives it but its shares."
    ));
    let disks: Vec<String> = guest
        .disks
        .iter()
        .map(|disk| {
            let access = if disk.read_only { "ro" } else { "rw" };
            let (device, file) = (&disk.device, &disk.file);
            format!("format=raw,vdev={device},access={access},target={folder}/{file}")
        })
        .collect();
    line(format_args!("{}", list("disk", &disks)));
    if !guest.shares.is_empty() {
        line(format_args!(
            "\n# Folders of dom0 that the guest mounts by 9P; Xen knows no read-only ones. They are served by QEMU\n\
             # (Debian: qemu-system-xen), also for a PV domain. Xen's own server (type=xen_9pfsd, since 4.19) is\n\
             # for xenstore domains: it ends when Linux mounts from it."
        ));
        let shares: Vec<String> = guest
            .shares
            .iter()
            .map(|one| {
                let path = share(guest, &one.tag);
                format!("tag={},path={path},security_model=none", one.tag)
            })
            .collect();
        line(format_args!("{}", list("p9", &shares)));
    }
    line(format_args!(
        "\n# The cable to dom0, host0 in the guest. Without it the guest serves other domains all the same."
    ));
    let cards: Vec<String> = guest
        .nics
        .iter()
        .map(|card| {
            let kind = if of == Type::Hvm { ",type=vif" } else { "" };
            format!("bridge={}{kind}", card.uplink.as_deref().unwrap_or(BRIDGE))
        })
        .collect();
    line(format_args!("{}", list("vif", &cards)));
    line(format_args!(
        "\n# The card, as lspci in dom0 names it; xl pci-assignable-list must show it (xen-pciback.conf).\n\
         # If the driver in the guest complains about the card's configuration space, add `,permissive=1`."
    ));
    if guest.passthru.is_empty() {
        line(format_args!("#pci = [ \"0000:03:00.0\" ]"));
    } else {
        let cards: Vec<String> = guest.passthru.iter().map(ToString::to_string).collect();
        line(format_args!("{}", list("pci", &cards)));
    }
    line(format_args!(
        "\n# Other domains connect to it by vif = [ \"backend={}\" ]; the guest itself answers them, no `xl devd`.\n\
         driver_domain = 1",
        guest.name
    ));
    line(format_args!(
        "\non_poweroff = \"destroy\"\non_reboot = \"restart\"\non_crash = \"restart\""
    ));
    text
}

/// `NAME = [ "...", "..." ]`, a line to each item where there are several.
pub(super) fn list(name: &str, items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    match quoted.as_slice() {
        [] => format!("{name} = [ ]"),
        [one] => format!("{name} = [ {one} ]"),
        several => format!("{name} = [\n  {}\n]", several.join(",\n  ")),
    }
}
