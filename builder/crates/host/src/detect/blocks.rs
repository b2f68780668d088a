//! Listings that describe a device by several lines of `key: value` or `KEY=value`:
//!
//! * `lshw -numeric` as text, in any language, and as XML; `hwinfo --network`;
//! * `uevent` of sysfs, `udevadm info` and `udevadm info --attribute-walk`;
//! * macOS' `system_profiler SPPCIDataType` and `ioreg -l`; VMware's `esxcli hardware pci list`.

use super::{Bus, Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards = Vec::new();
    let mut block = Block::default();
    for (number, line) in text.lines().chain([""]).enumerate() {
        let line = line.trim();
        if begins(line) {
            cards.extend(std::mem::take(&mut block).card());
            block.of_lshw = line.starts_with("*-") || line.starts_with("<node ");
        }
        // hwinfo's own head: `05: PCI 200.0: 0282 WLAN controller`.
        if line.contains(": PCI ") && line.ends_with("WLAN controller") {
            block.class = Some(0x0280);
        }
        if let Some((key, value)) = pair(line) {
            if block.line.is_none() {
                block.line = Some(number);
            }
            block.add(key.trim(), value.trim());
        }
    }
    cards
}

/// A key and its value, as each tool writes them.
fn pair(line: &str) -> Option<(&str, &str)> {
    // XML of lshw: `<businfo>pci@0000:03:00.0</businfo>`, `<setting id="driver" value="iwlwifi" />`.
    if let Some(element) = line.strip_prefix('<') {
        if let Some(setting) = element.strip_prefix("setting id=\"driver\" value=") {
            return Some(("DRIVER", setting.trim_end_matches(['>', '/', ' '])));
        }
        let (key, rest) = element.split_once('>')?;
        return Some((key, rest.split_once("</")?.0));
    }
    let line = line.strip_prefix("E: ").unwrap_or(line);
    // `ATTRS{vendor}=="0x8086"` of udev, `"vendor-id" = <e4140000>` of macOS.
    if let Some((key, value)) = line.split_once("==") {
        return Some((
            key.trim_start_matches("ATTRS").trim_start_matches("ATTR"),
            value.trim_matches('"'),
        ));
    }
    if let Some((key, value)) = line.split_once("\" = <") {
        return Some((key.trim_start_matches(['|', ' ', '"']), value.trim_end_matches('>')));
    }
    line.split_once(": ").or_else(|| line.split_once('='))
}

/// Whether lines look like those of lshw without numbers.
pub(super) fn is_lshw(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .any(|line| line.starts_with("*-network") || line.starts_with("bus info: pci@"))
        || text.lines().any(|line| line.starts_with("H/W path"))
        || text.lines().any(|line| line.starts_with("Bus info "))
}

/// Whether a line begins another device, or ends the last one.
fn begins(line: &str) -> bool {
    let numbered = || {
        let (number, rest) = line.split_once(": ")?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (digits && rest.contains(':')).then_some(())
    };
    let words = ["*-", "P: ", "+-o ", "<node ", "looking at "];
    line.is_empty() || words.iter().any(|word| line.starts_with(word)) || numbered().is_some()
}

#[derive(Default)]
struct Block {
    line: Option<usize>,
    of_lshw: bool,
    address: Option<Address>,
    usb: bool,
    class: Option<u16>,
    vendor: Option<u16>,
    device: Option<u16>,
    subvendor: Option<u16>,
    subdevice: Option<u16>,
    maker: Option<String>,
    name: Option<String>,
    driver: Option<String>,
}

impl Block {
    fn add(&mut self, key: &str, value: &str) {
        // `pci 0x8086 "Intel Corporation"` of hwinfo, `0x8086` of macOS.
        let number = || {
            let value = value.strip_prefix("pci ").unwrap_or(value);
            let first = value.split_whitespace().next()?;
            text::hex4(first.strip_prefix("0x")?)
        };
        let both = || text::pair(&value.to_ascii_lowercase());
        // `e4140000`: the lowest byte first.
        let swapped = || Some(text::hex4(value.get(..4)?)?.swap_bytes());
        match key {
            "Vendor" | "Vendor ID" | "ID_VENDOR_ID" | "{vendor}" => {
                self.vendor = number().or(self.vendor);
            }
            "Device" | "Device ID" | "ID_MODEL_ID" | "{device}" => {
                self.device = number().or(self.device);
            }
            "SubVendor" | "SubVendor ID" | "Subsystem Vendor ID" | "{subsystem_vendor}" => {
                self.subvendor = number();
            }
            "SubDevice" | "SubDevice ID" | "Subsystem ID" | "{subsystem_device}" => {
                self.subdevice = number();
            }
            "vendor-id" => self.vendor = swapped().or(self.vendor),
            "device-id" => self.device = swapped().or(self.device),
            "subsystem-vendor-id" => self.subvendor = swapped(),
            "subsystem-id" => self.subdevice = swapped(),
            "Device Class" => self.class = number().or(self.class),
            "{class}" => {
                let class = text::hex(value).and_then(|class| u16::try_from(class >> 8).ok());
                self.class = class.or(self.class);
            }
            "SysFS BusID" | "PCI_SLOT_NAME" | "Address" | "KERNELS" | "KERNEL" => {
                self.address = Address::parse_linux(value).or(self.address);
            }
            "ID_PATH" => {
                let place = value.strip_prefix("pci-").and_then(Address::parse_linux);
                self.address = place.or(self.address);
            }
            "ID_BUS" => self.usb = value == "usb",
            "DRIVERS" | "ID_NET_DRIVER" => self.driver = self.driver.take().or(text::name(value)),
            "Driver" | "DRIVER" => {
                let first = value.split(',').next().unwrap_or_default();
                self.driver = text::name(first.trim_matches('"'));
            }
            "Model" if value.starts_with('"') => self.name = text::name(value.trim_matches('"')),
            "PCI_ID" => {
                if let Some((vendor, device)) = both() {
                    (self.vendor, self.device) = (Some(vendor), Some(device));
                }
            }
            "PCI_SUBSYS_ID" => {
                if let Some((vendor, device)) = both() {
                    (self.subvendor, self.subdevice) = (Some(vendor), Some(device));
                }
            }
            "PCI_CLASS" => {
                let class = text::hex(value).and_then(|class| u16::try_from(class >> 8).ok());
                self.class = class.or(self.class);
            }
            "description" if value == "Wireless interface" => self.class = Some(0x0280),
            "vendor" => {
                let name = text::last_bracket(value).map_or(value, |(name, _)| name);
                self.maker = text::name(name);
            }
            _ if self.of_lshw => self.lshw(value),
            _ => {}
        }
    }

    /// What lshw says under names in the user's language: told apart by what they are.
    fn lshw(&mut self, value: &str) {
        if let Some(place) = value.strip_prefix("pci@") {
            self.address = Address::parse_linux(place);
        } else if value.starts_with("usb@") {
            self.usb = true;
        } else if let Some((name, (vendor, device))) =
            text::last_pair(value).filter(|_| value.ends_with(']'))
        {
            (self.vendor, self.device) = (Some(vendor), Some(device));
            self.name = text::name(name);
        } else if value.contains("driver=") {
            let driver = value.split_whitespace().find_map(|word| word.strip_prefix("driver="));
            self.driver = driver.and_then(text::name);
            if value.contains(" wireless=") {
                self.class = Some(0x0280);
            }
        }
    }

    fn card(self) -> Option<(usize, Card)> {
        let (vendor, device) = self.vendor.zip(self.device)?;
        let subsystem = self.subvendor.zip(self.subdevice).filter(|both| *both != (0, 0));
        let mut card = Card::new(if self.usb {
            Ident::Numbers { bus: Bus::Usb, vendor, product: device }
        } else {
            Ident::Pci { id: DeviceId { vendor, device, subsystem }, class: self.class }
        });
        card.address = self.address;
        let maker = self.maker.map(|maker| maker + " ").unwrap_or_default();
        card.name = self.name.and_then(|name| text::name(&format!("{maker}{name}")));
        card.driver = self.driver;
        Some((self.line?, card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_says_the_same() {
        for (text, id, place) in [
            (
                "  *-network\n       description: Wireless interface\n       product: AX200 [8086:2723]\n       \
                 vendor: Intel Corporation [8086]\n       physical id: 0\n       bus info: pci@0000:03:00.0\n       \
                 configuration: broadcast=yes driver=iwlwifi\n  *-usb\n       product: Hub [1d6b:0002]\n       \
                 bus info: usb@1:2\n",
                "8086:2723",
                true,
            ),
            (
                "05: PCI 300.0: 0282 WLAN controller\n  SysFS BusID: 0000:03:00.0\n  Model: \"Intel AX200\"\n  \
                 Vendor: pci 0x8086 \"Intel Corporation\"\n  Device: pci 0x2723 \"AX200\"\n  SubVendor: pci 0x8086 \"Intel\"\n  \
                 SubDevice: pci 0x0084\n  Driver: \"iwlwifi\"\n  Driver Modules: \"iwlwifi\"\n",
                "8086:2723:8086:0084",
                true,
            ),
            (
                "E: DRIVER=iwlwifi\nE: PCI_CLASS=28000\nE: PCI_ID=8086:2723\nE: PCI_SUBSYS_ID=8086:0084\n\
                 E: PCI_SLOT_NAME=0000:03:00.0\n",
                "8086:2723:8086:0084",
                true,
            ),
            (
                "ARPT:\n\n  Type: AirPort Extreme\n  Bus: PCI\n  Slot: AirPort\n  Vendor ID: 0x14e4\n  \
                 Device ID: 0x43a0\n  Subsystem Vendor ID: 0x106b\n  Subsystem ID: 0x0134\n",
                "14e4:43a0:106b:0134",
                false,
            ),
        ] {
            let cards = read(text);
            let (_, card) = cards.first().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(card.ident.to_string(), id, "{text}");
            assert_eq!(card.address, Address::parse_linux("03:00.0").filter(|_| place), "{text}");
            assert!(!place || card.has_wireless_class(), "{text}");
            assert_eq!(card.driver.as_deref(), place.then_some("iwlwifi"), "{text}");
        }
    }

    #[test]
    fn lshw_without_numbers_is_noticed() {
        let text = "  *-network\n       product: AX200\n       bus info: pci@0000:03:00.0\n";
        assert!(read(text).is_empty() && is_lshw(text));
    }
}
