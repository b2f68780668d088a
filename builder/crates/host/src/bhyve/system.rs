//! The settings of FreeBSD itself: loader.conf(5), rc.conf(5), devd.conf(5), rc.local.

use super::comment;
use super::machine::Machine;
use wifibox_ground::guest::Guest;

/// FreeBSD's own drivers for the cards of a flavor: they must not take a card before ppt(4) does.
const DRIVERS: [(&str, &str); 14] = [
    ("ath10k", "if_ath10k"),
    ("ath11k", "if_ath11k"),
    ("ath12k", "if_ath12k"),
    ("ath9k", "if_ath if_ath_pci"),
    ("b43", "if_bwi if_bwn_pci"),
    ("b43legacy", "if_bwi"),
    ("ipw2x00", "if_ipw if_iwi"),
    ("iwlegacy", "if_wpi if_iwn"),
    ("iwlwifi", "if_iwlwifi if_iwm if_iwn if_iwx"),
    ("mediatek", "if_mt76_pci"),
    ("rt61", "if_ral_pci"),
    ("rtlwifi", "if_rtwn_pci"),
    ("rtw88", "if_rtw88 if_rtw88_pci if_rtwn_pci"),
    ("rtw89", "if_rtw89"),
];

/// The drivers to keep out, sorted.
fn drivers(guest: &Guest) -> String {
    let is_in = |flavor: &str| guest.flavor.split('+').any(|name| name == flavor);
    let of_flavor = DRIVERS.iter().filter(|(flavor, _)| is_in(flavor));
    let mut names: Vec<&str> = of_flavor.flat_map(|(_, names)| names.split(' ')).collect();
    if guest.flavor == "default" {
        names = DRIVERS.iter().flat_map(|(_, names)| names.split(' ')).collect();
    }
    names.sort_unstable();
    names.dedup();
    names.join(" ")
}

/// The modules of FreeBSD's own drivers for wireless cards, of all flavors.
pub(crate) fn drivers_of_hosts() -> Vec<&'static str> {
    DRIVERS.iter().flat_map(|(_, names)| names.split(' ')).collect()
}

/// The lines for `/boot/loader.conf`.
pub(super) fn loader_conf(guest: &Guest, machine: &Machine) -> String {
    let mut text = comment(&format!(
        "For the FreeBSD host of {}.\n\
         These lines go to /boot/loader.conf; they count from the next boot on.",
        guest.title()
    ));
    text.push_str("vmm_load=\"YES\"\n");
    text.push_str("if_bridge_load=\"YES\"\n");
    text.push_str("if_tuntap_load=\"YES\"\n");
    if machine.is_pc {
        text.push_str("nmdm_load=\"YES\"\n");
        text.push_str(
            "# The IOMMU of AMD's processors is off unless this says so; Intel's needs nothing.\n",
        );
        text.push_str("hw.vmm.amdvi.enable=\"1\"\n");
        let cards = machine.cards();
        if cards.is_empty() {
            text.push_str(
                "# The card, as bus/slot/function (3/0/0 for pci0:3:0:0 of pciconf -l):\n",
            );
            text.push_str("#pptdevs=\"3/0/0\"\n");
        } else {
            text.push_str("# The cards, as bus/slot/function: no driver of the host takes them.\n");
            text.push_str(&format!("pptdevs=\"{}\"\n", cards.join(" ")));
        }
    }
    text
}

/// The lines for `/etc/rc.conf`.
pub(super) fn rc_conf(guest: &Guest, machine: &Machine) -> String {
    let mut text = comment(&format!(
        "For the FreeBSD host of {}.\n\
         These lines go to /etc/rc.conf, or to a file of their own: /etc/rc.conf.d/network has those for\n\
         interfaces.",
        guest.title()
    ));
    let bridge = &machine.bridge;
    if machine.is_wifibox_cores(guest) {
        text.push_str(
            "# wifibox-core starts the guest and makes the bridge; without it, see rc.local.\n",
        );
        text.push_str("wifibox_enable=\"YES\"\n");
    }
    let drivers = drivers(guest);
    if !drivers.is_empty() {
        text.push_str("# The host's own drivers for these cards stay away.\n");
        text.push_str(&format!("devmatch_blocklist=\"{drivers}\"\n"));
    }
    if guest.role == "access-point" {
        text.push_str("# The guest's network: the host is its way out.\n");
        text.push_str(&format!("ifconfig_{bridge}=\"inet 10.0.0.1/24\"\n"));
        text.push_str(&format!("ifconfig_{bridge}_ipv6=\"inet6 fd00::1/64\"\n"));
        text.push_str("gateway_enable=\"YES\"\n");
    } else {
        text.push_str("# The guest leases an address of 10.0.0.0/24, and is the way out.\n");
        text.push_str(&format!("ifconfig_{bridge}=\"SYNCDHCP\"\n"));
        text.push_str(&format!("ifconfig_{bridge}_ipv6=\"inet6 accept_rtadv auto_linklocal\"\n"));
        text.push_str(&format!("background_dhclient_{bridge}=\"YES\"\n"));
        text.push_str("defaultroute_delay=\"0\"\n");
    }
    text
}

/// `rc.local`: for hosts without wifibox-core.
pub(super) fn rc_local(guest: &Guest) -> String {
    let name = &guest.name;
    format!(
        "#!/bin/sh\n\
         # For the FreeBSD host of {title}.\n\
         # These lines go to /etc/rc.local of a host without wifibox-core; the service 'local' runs them last\n\
         # at boot. run.sh is expected in /usr/local/libexec/{name}.\n\
         \n\
         /usr/sbin/daemon -f -t {name} -o /var/log/{name}-bhyve.log \\\n\
         \t/usr/local/libexec/{name}/run.sh --console /dev/nmdm-{name}.1A\n",
        title = guest.title()
    )
}

/// `devd.conf`: what happens when the host sleeps and wakes up.
pub(super) fn devd_conf(guest: &Guest) -> String {
    let mut text = comment(&format!(
        "For the FreeBSD host of {}.\n\
         It goes to /usr/local/etc/devd/wifibox.conf; then: service devd restart.\n\
         FreeBSD 13 does not run the services' suspend and resume commands: this does. From 14 on it is\n\
         not needed. The priority is above that of /etc/devd.conf, which suspends the machine.",
        guest.title()
    ));
    text.push_str(
        "notify 11 {\n\
         \tmatch \"system\"\t\t\"ACPI\";\n\
         \tmatch \"subsystem\"\t\"Suspend\";\n\
         \taction \"service wifibox suspend; /etc/rc.suspend acpi $notify\";\n\
         };\n\
         \n\
         notify 11 {\n\
         \tmatch \"system\"\t\t\"ACPI\";\n\
         \tmatch \"subsystem\"\t\"Resume\";\n\
         \taction \"/etc/rc.resume acpi $notify; service wifibox resume\";\n\
         };\n",
    );
    text
}
