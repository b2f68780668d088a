//! Linux with VFIO, the guest under libvirt or QEMU.

use super::capture::Capture;
use super::finding::Finding;
use super::guest::{self, Ways};
use wifibox_ground::address::Address;

/// The share `var` and the configuration, as libvirt's files have them.
const VAR: &str = "/var/lib/wifibox";
const CONFIGURATION: &str = "/etc/wifibox";
const IMAGES: &str = "/var/lib/libvirt/images/wifibox";
const REBOOT: &str = "reboot";

/// What is wrong on a Linux host.
pub(super) fn examine(capture: &Capture) -> Vec<Finding> {
    let mut list = Vec::new();
    let list_of_domains = capture.output("virsh-list");
    let running =
        list_of_domains.lines().any(|line| line.contains("wifibox") && line.contains("running"))
            || capture.runs("guest=wifibox");
    machine(capture, &mut list);
    let domain = capture.output("virsh-domain");
    let cards = cards(&domain);
    files(capture, &domain, &mut list);
    for card in &cards {
        group(capture, *card, &domain, &mut list);
    }
    if domain.contains("<domain") && cards.is_empty() {
        let what = "The guest's domain has no card: nothing is handed over.";
        list.push(Finding::guest("no-card-named", what).cure([
            "lspci -Dnn | wifibox-build detect -",
            "wifibox-build host --hypervisor libvirt --passthru 0000:03:00.0 out/alpine-iwlwifi",
            "virsh define out/alpine-iwlwifi/host/libvirt/wifibox.xml",
        ]));
    }
    let nets = capture.output("virsh-net");
    if domain.contains("network='wifibox'")
        && !nets.lines().any(|line| line.contains("wifibox") && line.contains(" active"))
    {
        let what =
            "libvirt's network wifibox is not active, and the guest does not start without it.";
        list.push(
            Finding::guest("no-bridge", what)
                .cure(["virsh net-start wifibox", "virsh start wifibox"]),
        );
    }
    let restart = "virsh reboot wifibox";
    let ways = Ways { var: VAR, configuration: CONFIGURATION, restart, editor: "vi" };
    guest::examine(capture, &ways, running, &mut list);
    list
}

fn machine(capture: &Capture, list: &mut Vec<Finding>) {
    let processor = capture.file("/proc/cpuinfo").unwrap_or_default();
    if capture.lacks("/dev/kvm") {
        let what = "The kernel offers no KVM: switch on VT-x or SVM (AMD-V) in the setup of the machine's firmware, \
                    or load the module.";
        list.push(
            Finding::guest("virtualization-off", what)
                .cure(["modprobe -a kvm_intel kvm_amd", "dmesg | grep -i kvm"]),
        );
    }
    let groups = capture.find("iommu-groups");
    if groups.is_some_and(|text| !text.contains("/devices/")) {
        let messages = capture.output("dmesg");
        let table = messages.lines().find(|line| line.contains("DMAR:") || line.contains("AMD-Vi"));
        let amd = processor.contains("AuthenticAMD");
        let (cause, what, word) = match table {
            None => (
                "iommu-off",
                "The machine shows no IOMMU: switch on VT-d or AMD-Vi in the setup of its firmware.",
                None,
            ),
            Some(_) => (
                "iommu-disabled",
                "The kernel does not use the IOMMU unless its command line says so.",
                Some(if amd { "amd_iommu=on" } else { "intel_iommu=on" }),
            ),
        };
        let mut finding = Finding::guest(cause, what);
        if let Some(word) = word {
            finding = finding.because(capture.file("/proc/cmdline").unwrap_or_default()).cure([
                format!("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{word} /' /etc/default/grub"),
                "update-grub || grub2-mkconfig -o /boot/grub2/grub.cfg".to_owned(),
            ]);
        }
        list.push(finding.cure([REBOOT]));
    }
}

/// The cards of libvirt's domain.
fn cards(domain: &str) -> Vec<Address> {
    let mut list = Vec::new();
    let mut inside = false;
    for line in domain.lines() {
        inside |= line.contains("<hostdev");
        if inside && line.contains("<address domain=") {
            let number = |name: &str| {
                let rest = line.split_once(&format!("{name}='0x"))?.1;
                u32::from_str_radix(rest.split('\'').next()?, 16).ok()
            };
            let parts = [number("domain"), number("bus"), number("slot"), number("function")];
            if let [Some(domain), Some(bus), Some(slot), Some(function)] = parts {
                list.extend(Address::new(domain, bus, slot, function));
            }
            inside = false;
        }
        inside &= !line.contains("</hostdev");
    }
    list
}

fn linux(address: Address) -> String {
    let Address { domain, bus, slot, function } = address;
    format!("{domain:04x}:{bus:02x}:{slot:02x}.{function}")
}

/// The card must be there, and alone in its group, or with bridges only.
fn group(capture: &Capture, card: Address, domain: &str, list: &mut Vec<Finding>) {
    let name = linux(card);
    let listing = capture.output("lspci");
    if !listing.is_empty() && !listing.lines().any(|line| line.starts_with(&name)) {
        let what =
            format!("The guest is given the card {name}, and there is none at this address.");
        let cure = ["lspci -Dnn | wifibox-build detect -", "virsh edit wifibox"];
        list.push(Finding::guest("card-not-there", what).cure(cure));
        return;
    }
    let text = capture.output("iommu-groups");
    let member = |line: &str| {
        let (group, device) = line.split_once("/devices/")?;
        Some((group.rsplit('/').next()?.to_owned(), device.trim().to_owned()))
    };
    let members: Vec<(String, String)> = text.lines().filter_map(member).collect();
    let Some((group, _)) = members.iter().find(|(_, device)| *device == name) else { return };
    let others = members.iter().filter(|(other, device)| other == group && *device != name);
    let given = cards(domain);
    let bridge = |device: &str| {
        listing.lines().any(|line| line.starts_with(device) && line.contains("[0604]"))
    };
    let other = others
        .map(|(_, device)| device)
        .find(|device| !bridge(device) && !given.iter().any(|card| linux(*card) == **device));
    if let Some(other) = other {
        let what = "The card shares its IOMMU group with another device: only all of them can be handed over. \
                    Another slot, or a newer firmware, may part them.";
        let evidence =
            listing.lines().find(|line| line.starts_with(other.as_str())).unwrap_or(other);
        list.push(
            Finding::guest("shared-group", what)
                .because(format!("group {group}: {evidence}"))
                .cure([format!("find /sys/kernel/iommu_groups/{group}/devices -type l")]),
        );
    }
    let driver = driver_of(&listing, &name);
    if domain.contains("managed='no'") && driver.is_some_and(|driver| driver != "vfio-pci") {
        let what = "The host's driver has the card, and libvirt is told not to take it from it.";
        let evidence = format!("{name}: {}", driver.unwrap_or_default());
        let id = name.replace([':', '.'], "_");
        list.push(
            Finding::guest("native-driver", what)
                .because(evidence)
                .cure([format!("virsh nodedev-detach pci_{id}"), "virsh start wifibox".to_owned()]),
        );
    }
}

/// The driver that `lspci -k` names for a device.
fn driver_of<'a>(listing: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = listing.lines().skip_while(|line| !line.starts_with(name));
    lines.next()?;
    lines
        .take_while(|line| line.starts_with([' ', '\t']))
        .find_map(|line| line.trim().strip_prefix("Kernel driver in use: "))
}

fn files(capture: &Capture, domain: &str, list: &mut Vec<Finding>) {
    if !domain.contains("<domain") {
        if capture.find("virsh-list").is_some() {
            let what = "libvirt does not know the guest.";
            let file = "/usr/local/share/examples/wifibox/libvirt/wifibox.xml";
            list.push(Finding::guest("no-domain", what).cure([
                "wifibox-build install out/alpine-iwlwifi".to_owned(),
                format!("virsh define {file}"),
            ]));
        }
        return;
    }
    if capture.lacks(&format!("{IMAGES}/root.img")) {
        let what = format!("The guest's image {IMAGES}/root.img is not there.");
        list.push(
            Finding::guest("no-image", what).cure(["wifibox-build install out/alpine-iwlwifi"]),
        );
    }
    let appliance = format!("{CONFIGURATION}/appliance");
    for (path, cause) in [(VAR, "no-share-var"), (appliance.as_str(), "no-share-config")] {
        if capture.lacks(path) && domain.contains("<filesystem") {
            let what = format!("The folder {path}, which the guest mounts, is not there.");
            list.push(
                Finding::guest(cause, what).cure(["wifibox-build install out/alpine-iwlwifi"]),
            );
        }
    }
}
