//! The card: whether bhyve.conf names it, who has it, and whether it can be handed over.

use super::{Finding, Host, REBOOT, RESTART, Severity, set_guest, set_loader};
use crate::bhyve;
use crate::detect::{self, Card};
use wifibox_ground::address::Address;

pub(super) fn examine(host: &Host<'_>, list: &mut Vec<Finding>) {
    let devices = detect::read(&host.capture.output("pciconf")).unwrap_or_default();
    let radio = devices.iter().find(|card| card.has_wireless_class() || looks_wireless(card));
    let radio_at = radio.and_then(|card| card.address).map(triple);
    if host.cards().is_empty() {
        if host.settings.is_empty() {
            return;
        }
        let what = "bhyve.conf names no card, so that the guest has none.";
        let mut finding = Finding::guest("no-card-named", what);
        if let Some((card, at)) = radio.zip(radio_at.as_deref()) {
            finding = finding.because(describe(card));
            let cure = [set_guest("passthru", at), set_loader("pptdevs", at), REBOOT.to_owned()];
            list.push(finding.cure(cure));
        } else {
            list.push(finding.cure(["pciconf -lv | wifibox-build detect -"]));
        }
        return;
    }
    let named: Vec<Address> =
        host.cards().split_whitespace().filter_map(Address::parse_any).collect();
    for address in &named {
        let Some(card) = devices.iter().find(|card| card.address == Some(*address)) else {
            if !devices.is_empty() {
                list.push(not_there(*address, radio, radio_at.as_deref()));
            }
            continue;
        };
        owner(host, card, *address, list);
        interrupts(host, *address, list);
        functions(host, &devices, &named, *address, list);
    }
}

fn triple(address: Address) -> String {
    format!("{}/{}/{}", address.bus, address.slot, address.function)
}

fn selector(address: Address) -> String {
    let Address { domain, bus, slot, function } = address;
    format!("pci{domain}:{bus}:{slot}:{function}")
}

/// Cards of older chipsets call themselves wired.
fn looks_wireless(card: &Card) -> bool {
    let name = card.name.as_deref().unwrap_or_default().to_lowercase();
    ["wireless", "wi-fi", "wifi", "802.11", "wlan"].iter().any(|word| name.contains(word))
}

fn describe(card: &Card) -> String {
    let at = card.address.map(selector).unwrap_or_default();
    let name = card.name.as_deref().unwrap_or("a wireless card");
    let driver = card.driver.as_deref().unwrap_or("none");
    format!("{driver}@{at}: {name}")
}

fn not_there(address: Address, radio: Option<&Card>, at: Option<&str>) -> Finding {
    let what = format!(
        "bhyve.conf names the card {}, and there is none at this address: addresses change when cards or \
         settings of the firmware do.",
        triple(address)
    );
    let finding = Finding::guest("card-not-there", what);
    match radio.zip(at) {
        Some((card, at)) => finding.because(describe(card)).cure([
            set_guest("passthru", at),
            set_loader("pptdevs", at),
            REBOOT.to_owned(),
        ]),
        None => finding.cure(["pciconf -lv", "pciconf -lv | wifibox-build detect -"]),
    }
}

/// Who has the card.
fn owner(host: &Host<'_>, card: &Card, address: Address, list: &mut Vec<Finding>) {
    let driver = card.driver.as_deref().unwrap_or_default();
    let driver = driver.trim_end_matches(|c: char| c.is_ascii_digit());
    let reserved = host.loader.get("pptdevs").is_some_and(|cards| {
        cards.split_whitespace().any(|card| Address::parse_any(card) == Some(address))
    });
    match driver {
        "ppt" => native_module(host, list),
        "" | "none" if host.running => {
            let what = format!(
                "The guest runs without its card: ppt(4) does not have {}.",
                selector(address)
            );
            let set = format!("devctl set driver -f {} ppt", selector(address));
            let finding = Finding::guest("ppt-not-attached", what).because(describe(card));
            list.push(finding.cure([set, RESTART.to_owned()]));
        }
        "" | "none" => {}
        driver => {
            let reason = if reserved {
                "although pptdevs names it: vmm(4) must be loaded by the loader for that to count"
            } else {
                "and pptdevs in loader.conf does not keep it for ppt(4)"
            };
            let what = format!("FreeBSD's own driver {driver} has the card, {reason}.");
            list.push(Finding::guest("native-driver", what).because(describe(card)).cure([
                set_loader("vmm_load", "YES"),
                set_loader("pptdevs", &triple(address)),
                format!("sysrc devmatch_blocklist+=\" if_{driver}\""),
                REBOOT.to_owned(),
            ]));
        }
    }
}

/// A driver that is loaded beside ppt(4) interferes when the guest lets go of the card.
fn native_module(host: &Host<'_>, list: &mut Vec<Finding>) {
    let drivers = bhyve::drivers_of_hosts();
    let loaded = host.capture.output("kldstat");
    let names =
        loaded.lines().filter_map(|line| line.split_whitespace().last()?.strip_suffix(".ko"));
    let Some(module) = names.into_iter().find(|name| drivers.contains(name)) else { return };
    // One that another card of the machine needs is none of the guest's business.
    let short = module.trim_start_matches("if_");
    let used = detect::read(&host.capture.output("pciconf")).unwrap_or_default();
    if used.iter().any(|card| card.driver.as_deref().is_some_and(|d| d.starts_with(short))) {
        return;
    }
    let what = format!(
        "The host's driver {module} is loaded beside ppt(4), and takes the card whenever the guest lets go of it."
    );
    let block = format!("sysrc devmatch_blocklist+=\" {module}\"");
    let cure = [block, format!("kldunload {module}"), RESTART.to_owned()];
    list.push(Finding::advice("native-module-loaded", what).cure(cure));
}

/// bhyve hands message-signalled interrupts over only.
fn interrupts(host: &Host<'_>, address: Address, list: &mut Vec<Finding>) {
    let text = host.capture.output("pciconf-caps");
    let mut lines = text.lines();
    let own = format!("@{}:", selector(address));
    if !lines.any(|line| line.contains(&own)) {
        return;
    }
    let block: Vec<&str> = lines.take_while(|line| line.starts_with([' ', '\t'])).collect();
    if !block.is_empty() && !block.iter().any(|line| line.contains("MSI")) {
        let what = "The card has no message-signalled interrupts (MSI), and bhyve hands over no others. Another \
                    card is needed.";
        let evidence = format!("{}: no MSI among its capabilities", selector(address));
        let check = format!("pciconf -lc {}", selector(address));
        list.push(Finding::guest("no-msi", what).because(evidence).cure([check]));
    }
}

/// Functions of one card are reset together, and share the IOMMU's protection.
fn functions(
    host: &Host<'_>,
    devices: &[Card],
    named: &[Address],
    address: Address,
    list: &mut Vec<Finding>,
) {
    // Those on bus 0 are parts of the chipset, which only look like one card.
    let siblings = devices.iter().filter(|card| {
        card.address.is_some_and(|other| {
            let same = (other.domain, other.bus, other.slot);
            same == (address.domain, address.bus, address.slot)
                && other.function != address.function
        })
    });
    let mut left: Vec<&Card> = siblings.collect();
    left.retain(|card| card.address.is_some_and(|other| !named.contains(&other)));
    let Some(first) = left.first().filter(|_| address.bus != 0) else { return };
    if list.iter().any(|finding| finding.cause == "several-functions") {
        return;
    }
    let all = named.iter().copied().chain(left.iter().filter_map(|card| card.address));
    let all: Vec<String> = all.map(triple).collect();
    let all = all.join(" ");
    let what = "The card has more functions than are handed over: they are reset together, and the host's \
                drivers must not have the others.";
    let severity = if host.running { Severity::Advice } else { Severity::Guest };
    list.push(Finding::new(severity, "several-functions", what).because(describe(first)).cure([
        set_guest("passthru", &all),
        set_loader("pptdevs", &all),
        REBOOT.to_owned(),
    ]));
}
