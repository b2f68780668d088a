//! Listings that name devices and not their numbers: what they are, and which command prints the numbers.

use super::{blocks, inxi};
use wifibox_ground::address::Address;

/// A listing without numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnumbered {
    /// A description of the listing.
    pub listing: &'static str,
    /// The command that prints numbers.
    pub run: &'static str,
}

/// Recognizes a known listing among texts without any numbers of devices.
pub(super) fn recognized(text: &str) -> Option<Unnumbered> {
    let any = |test: &dyn Fn(&str) -> bool| text.lines().map(str::trim).any(test);
    let known = |listing, run| Some(Unnumbered { listing, run });
    if any(&|line| line.contains("BHYVE ID") || line.contains("BHYVEID") || is_passthru(line)) {
        known("the output of vm-bhyve's `vm passthru`", "pciconf -lv")
    } else if any(&is_freebsd_message) {
        known("FreeBSD's dmesg", "pciconf -lv")
    } else if any(&is_attached_at) {
        known("the messages of OpenBSD or NetBSD", "pcidump -v, or pcictl pci0 list -n")
    } else if any(&|line| line.contains(": ") && is_pcictl(line)) {
        known("the output of NetBSD's pcictl without numbers", "pcictl pci0 list -n")
    } else if any(&|line| line.starts_with("dom0:") && line.contains('_')) {
        known("the output of Qubes' qvm-pci", "lspci -nnk, in dom0")
    } else if text.lines().any(|line| !line.trim().is_empty())
        && text.lines().all(|line| is_address(line.trim()))
    {
        known("a list of addresses, without any names", "lspci -nnk")
    } else if any(&|line| line.starts_with("wlan") && line.contains(": flags=")) {
        known("the output of FreeBSD's ifconfig", "pciconf -lv")
    } else if blocks::is_lshw(text) {
        known("the output of lshw without numbers", "lshw -numeric -C network (as root)")
    } else if inxi::has_names_only(text) {
        known("the output of inxi without numbers", "inxi -Nxxz, or lspci -nnk")
    } else if any(&|line| line.contains(": <") && line.contains("mtu ") || is_about_interface(line))
    {
        known("a list of network interfaces, which says nothing of devices", "lspci -nnk")
    } else if any(&|line| line.starts_with("alias")) && text.contains("pci:v") {
        known(
            "the aliases of modules: cards that drivers know, not those of a machine",
            "lspci -nnk",
        )
    } else if any(&|line| line.starts_with("bus-info: ")) {
        known("the output of ethtool, which names the driver only", "lspci -nnk")
    } else if any(&|line| line.starts_with("pci-id (")) {
        known("the output of XCP-ng's xe", "lspci -nnk, in dom0")
    } else if any(&|line| line.starts_with("ugen") && line.contains(" at usbus")) {
        known("the output of FreeBSD's usbconfig, of USB devices", "pciconf -lv")
    } else if any(&|line| line == "network:") {
        known("the output of hwinfo --short", "hwinfo --network")
    } else if any(&is_driver_message) {
        known("messages of Linux' drivers (dmesg)", "lspci -nnk")
    } else if any(&|line| line.starts_with("Card Type:") && line.contains("0x")) {
        known(
            "macOS' report on Wi-Fi, which has the numbers of the board and not of the chip",
            "system_profiler SPPCIDataType",
        )
    } else if any(&|line| {
        line.starts_with("InterfaceDescription") || line.starts_with("Ethernet adapter")
    }) || any(&|line| {
        // Of ipconfig, netsh and in German.
        line.starts_with("Wireless LAN adapter")
            || line.starts_with("Drahtlos-LAN-Adapter")
            || line.starts_with("Description ") && text.contains("GUID ")
    }) {
        known(
            "a list of interfaces of Windows",
            "Get-PnpDevice -Class Net | Format-List InstanceId, in PowerShell",
        )
    } else {
        None
    }
}

/// `iwm0: <Intel(R) Dual Band Wireless AC 8265> mem 0xd1000000-0xd1001fff at device 0.0 on pci3`
fn is_freebsd_message(line: &str) -> bool {
    let Some((name, rest)) = line.split_once(": <") else { return false };
    let name = name.rsplit([' ', ']']).next().unwrap_or_default();
    let numbered = name.ends_with(|c: char| c.is_ascii_digit());
    numbered && (rest.contains(" on pci") || rest.contains("> at device "))
}

/// A row of `vm passthru` without its heading: `ppt0  3/0/0  Yes  Wireless 7265`.
fn is_passthru(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().take(3).collect();
    let [_, place, ready] = words.as_slice() else { return false };
    let parts: Vec<&str> = place.split('/').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && ["Yes", "No"].contains(ready)
}

/// `iwx0 at pci2 dev 0 function 0 "Intel Wi-Fi 6 AX200" rev 0x1a, msix`
fn is_attached_at(line: &str) -> bool {
    line.split_once(" at pci")
        .is_some_and(|(_, rest)| rest.contains(" dev ") && rest.contains(" function "))
}

/// `0000:03:00.0` alone or with its driver, a prompt, or nothing.
fn is_address(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let alone = words.count() <= 1;
    line.is_empty()
        || line.starts_with(['#', '$'])
        || alone && Address::parse_linux(first).is_some()
}

/// `003:00:0: Intel Wi-Fi 6 AX200 (miscellaneous network, revision 0x1a)`
fn is_pcictl(line: &str) -> bool {
    let place = line.split_whitespace().next().and_then(|word| word.strip_suffix(':'));
    place.is_some_and(|place| place.len() == 8 && Address::parse_freebsd(place).is_some())
}

/// Of iw, iwconfig, rfkill or nmcli.
fn is_about_interface(line: &str) -> bool {
    line.starts_with("phy#")
        || line.starts_with("GENERAL.DEVICE:")
        || line.contains("IEEE 802.11") && line.contains("SSID")
        || line.starts_with(|c: char| c.is_ascii_digit()) && line.ends_with(": Wireless LAN")
}

/// `iwlwifi 0000:03:00.0: Detected Intel(R) Wi-Fi 6 AX200 160MHz, REV=0x340`
fn is_driver_message(line: &str) -> bool {
    line.split_whitespace().any(|word| {
        let place = word.strip_suffix(':').unwrap_or_default();
        place.len() >= 12 && Address::parse_linux(place).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listing_is_recognized() {
        for (text, words) in [
            (
                "DEVICE     BHYVE ID     READY        DESCRIPTION\nppt0 3/0/0 Yes Wireless",
                "vm passthru",
            ),
            ("iwm0: <Some AC 8265> mem 0xd1000000-0xd1001fff at device 0.0 on pci3", "dmesg"),
            ("pci3: <network> at device 0.0 (no driver attached)", "dmesg"),
            ("  *-network\n  product: AX200\n  bus info: pci@0000:03:00.0", "lshw"),
            ("Network:\n  Device-1: Intel AX200 driver: iwlwifi", "inxi"),
            ("2: wlan0: <BROADCAST,MULTICAST,UP> mtu 1500", "interfaces"),
            ("wlan0     IEEE 802.11  ESSID:off/any", "interfaces"),
            ("0: phy0: Wireless LAN\n\tSoft blocked: no", "interfaces"),
            ("filename: x.ko\nalias:          pci:v00008086d00002723sv*sd*bc*sc*i*", "modules"),
            ("driver: iwlwifi\nbus-info: 0000:03:00.0", "ethtool"),
            ("         pci-id ( RO): 0000:03:00.0", "XCP-ng"),
            ("ugen0.3: <Realtek 802.11n NIC> at usbus0, cfg=0", "usbconfig"),
            ("network:\n  wlp3s0               Intel Wi-Fi 6 AX200", "hwinfo"),
            ("[ 5.1] iwlwifi 0000:03:00.0: Detected Intel(R) Wi-Fi 6", "dmesg"),
            ("003:00:0: Intel Wi-Fi 6 AX200 (miscellaneous network)", "pcictl"),
            ("0000:03:00.0 iwlwifi\n0000:04:00.0 r8169", "addresses"),
            ("Drahtlos-LAN-Adapter WLAN:", "Windows"),
            ("ppt0       3/0/0        Yes          Wireless 7265", "vm passthru"),
            ("iwx0 at pci2 dev 0 function 0 \"Intel Wi-Fi 6 AX200\" rev 0x1a, msix", "OpenBSD"),
            ("dom0:00_14.3 Network controller: Intel Corporation", "Qubes"),
            ("# xl pci-assignable-list\n0000:03:00.0\n", "a list of addresses"),
        ] {
            let found = recognized(text).unwrap_or_else(|| panic!("{text}"));
            assert!(found.listing.contains(words), "{text}: {found:?}");
        }
        assert_eq!(recognized("hello"), None);
    }
}
