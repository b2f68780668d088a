//! Xen's dom0, the guest a driver domain that xl starts.

use super::capture::Capture;
use super::configuration;
use super::finding::{Finding, Severity};
use super::guest::{self, Ways};
use crate::lint::Kind;
use wifibox_ground::address::Address;

const VAR: &str = "/var/lib/wifibox";
const CONFIGURATION: &str = "/etc/wifibox";
const IMAGES: &str = "/var/lib/xen/images/wifibox";
/// The domain.
const DOMAIN: &str = "/etc/xen/wifibox.cfg";

/// What is wrong in dom0.
pub(super) fn examine(capture: &Capture) -> Vec<Finding> {
    let mut list = Vec::new();
    let info = capture.output("xl-info");
    let capable = |line: &&str| line.starts_with("virt_caps");
    if let Some(line) = info.lines().find(capable).filter(|line| !line.contains("directio")) {
        let what = "Xen sees no IOMMU: switch on VT-d or AMD-Vi in the setup of the machine's firmware, and see \
                    that Xen's command line has no iommu=off.";
        list.push(
            Finding::guest("iommu-off", what)
                .because(line)
                .cure(["xl dmesg | grep -i iommu", "reboot"]),
        );
    }
    let domain = capture.file(DOMAIN);
    let Some(text) = domain else {
        let what = "xl has no configuration of the guest.";
        list.push(
            Finding::guest("no-domain", what)
                .because(DOMAIN)
                .cure(["wifibox-build install --hypervisor xen out/alpine-iwlwifi"]),
        );
        return list;
    };
    configuration::examine(capture, &[(DOMAIN, Kind::Xl, Severity::Guest)], &mut list);
    for image in ["root.img", "vmlinuz"] {
        let path = format!("{IMAGES}/{image}");
        if capture.lacks(&path) {
            let what = format!("The guest's image {path} is not there.");
            let cure = ["wifibox-build install --hypervisor xen out/alpine-iwlwifi"];
            list.push(Finding::guest("no-image", what).cure(cure));
            break;
        }
    }
    cards(capture, &text, &mut list);
    bridge(capture, &text, &mut list);
    let running = capture.output("xl-list").lines().any(|line| line.starts_with("wifibox "));
    let restart = "xl shutdown -w wifibox; xl create /etc/xen/wifibox.cfg";
    let ways = Ways { var: VAR, configuration: CONFIGURATION, restart, editor: "vi" };
    if running || list.iter().all(|finding| finding.severity != Severity::Guest) {
        guest::examine(capture, &ways, running, &mut list);
    }
    list
}

fn cards(capture: &Capture, text: &str, list: &mut Vec<Finding>) {
    let line = text.lines().find(|line| line.trim_start().starts_with("pci"));
    let words = line.unwrap_or_default().split(['"', '\'', ',']);
    let named: Vec<Address> = words.filter_map(|word| Address::parse_linux(word.trim())).collect();
    if named.is_empty() {
        let what = "The domain is given no card.";
        let cure = ["lspci -Dnn | wifibox-build detect -".to_owned(), format!("vi {DOMAIN}")];
        list.push(Finding::guest("no-card-named", what).cure(cure));
        return;
    }
    let assignable = capture.find("xl-assignable");
    let running = capture.output("xl-list").lines().any(|line| line.starts_with("wifibox "));
    for card in named {
        let Address { domain, bus, slot, function } = card;
        let name = format!("{domain:04x}:{bus:02x}:{slot:02x}.{function}");
        let listing = capture.output("lspci");
        if !listing.is_empty() && !listing.lines().any(|line| line.starts_with(&name)) {
            let what =
                format!("The domain is given the card {name}, and there is none at this address.");
            let cure = ["lspci -Dnn | wifibox-build detect -".to_owned(), format!("vi {DOMAIN}")];
            list.push(Finding::guest("card-not-there", what).cure(cure));
        } else if assignable.as_ref().is_some_and(|text| !running && !text.contains(&name)) {
            let what = "dom0's own driver has the card: it must be made assignable before the domain starts.";
            list.push(
                Finding::guest("native-driver", what)
                    .because(name.clone())
                    .cure([format!("xl pci-assignable-add {name}"), format!("xl create {DOMAIN}")]),
            );
        }
    }
}

/// The bridges that the domain's cables go to.
fn bridge(capture: &Capture, text: &str, list: &mut Vec<Finding>) {
    let Some(bridges) = capture.find("bridges") else { return };
    let vif = text.lines().find(|line| line.trim_start().starts_with("vif")).unwrap_or_default();
    let names = vif.split("bridge=").skip(1);
    let names = names.filter_map(|rest| rest.split([',', '"', '\'', ' ']).next());
    for name in names.filter(|name| !name.is_empty()) {
        if !bridges.lines().any(|line| line.contains(&format!(" {name}:"))) {
            let what = format!("dom0 has no bridge {name}, to which the domain's cable goes.");
            let cure =
                [format!("ip link add {name} type bridge"), format!("ip link set {name} up")];
            list.push(Finding::guest("no-bridge", what).cure(cure));
        }
    }
}
