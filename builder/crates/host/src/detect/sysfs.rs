//! The devices of a running Linux, from sysfs (Documentation/ABI/testing/sysfs-bus-pci, -bus-usb of Linux).
//!
//! Reads `sys/bus/{pci,usb,sdio,pcmcia}/devices` below a root folder; a bus that the machine does not have
//! is left out. sysfs knows no names of PCI cards.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::inventory;
use super::{CARD_LIMIT, Card, DetectError, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// Largest attribute that is read, in bytes: the kernel's own limit.
const ATTRIBUTE_LIMIT: u64 = 4096;

/// The devices below `root` (`/` on a running system), in the order of their addresses.
///
/// # Errors
/// [`DetectError::Io`] if there is no PCI bus below `root`, or a folder cannot be listed.
pub fn read(root: &Path) -> Result<Vec<Card>, DetectError> {
    let buses = root.join("sys/bus");
    let mut cards = Vec::new();
    for device in entries(&buses.join("pci/devices"))? {
        cards.extend(pci(&device));
    }
    for bus in ["usb", "sdio", "pcmcia"] {
        let folder = buses.join(bus).join("devices");
        let devices = if folder.is_dir() { entries(&folder)? } else { Vec::new() };
        for device in devices {
            let Some(text) = attribute(&device, "modalias") else { continue };
            let Some(mut card) = inventory::alias(&text) else { continue };
            // The modalias is the interface's, the name its device's: 1-3:1.0 belongs to 1-3.
            let name = device.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let parent = name.split_once(':').map_or(name, |(device, _)| device);
            card.name = attribute(&device.with_file_name(parent), "product");
            card.driver = link(&device, "driver");
            cards.push(card);
        }
    }
    cards.truncate(CARD_LIMIT);
    Ok(cards)
}

fn pci(device: &Path) -> Option<Card> {
    let number = |name: &str| text::hex(&attribute(device, name)?);
    let half = |name: &str| u16::try_from(number(name)?).ok();
    let subsystem = half("subsystem_vendor").zip(half("subsystem_device"));
    let id = DeviceId {
        vendor: half("vendor")?,
        device: half("device")?,
        subsystem: subsystem.filter(|numbers| *numbers != (0, 0)),
    };
    let class = number("class").and_then(|class| u16::try_from(class >> 8).ok());
    let mut card = Card::new(Ident::Pci { id, class });
    card.address = Address::parse_linux(device.file_name()?.to_str()?);
    card.driver = link(device, "driver");
    let group = device.join("iommu_group/devices");
    for other in if group.is_dir() { entries(&group).ok()? } else { Vec::new() } {
        let address = other.file_name().and_then(|name| Address::parse_linux(name.to_str()?));
        let bridge = attribute(&other, "class").is_some_and(|class| class.starts_with("0x06"));
        card.companions.extend(address.filter(|a| Some(*a) != card.address && !bridge));
    }
    Some(card)
}

/// The entries of a folder, sorted; at most [`CARD_LIMIT`].
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DetectError> {
    let failed = |source: io::Error| DetectError::Io { path: folder.to_owned(), source };
    let mut list = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)?.take(CARD_LIMIT) {
        list.push(entry.map_err(failed)?.path());
    }
    list.sort();
    Ok(list)
}

/// The text of an attribute; `None` if there is none, or none that can be read.
fn attribute(device: &Path, name: &str) -> Option<String> {
    let file = fs::File::open(device.join(name)).ok()?;
    let mut text = String::new();
    file.take(ATTRIBUTE_LIMIT).read_to_string(&mut text).ok()?;
    text::name(&text)
}

/// The name of what a link leads to.
fn link(device: &Path, name: &str) -> Option<String> {
    let target = fs::read_link(device.join(name)).ok()?;
    text::name(target.file_name()?.to_str()?)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A device's folder below `root`, with these attributes.
    fn device(root: &Path, bus: &str, name: &str, attributes: &[(&str, &str)]) -> PathBuf {
        let folder = root.join("sys/bus").join(bus).join("devices").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in attributes {
            fs::write(folder.join(name), format!("{text}\n")).expect("a file");
        }
        folder
    }

    #[test]
    fn a_machine_is_read() {
        let root = tempfile::tempdir().expect("a folder");
        let numbers = [
            ("vendor", "0x8086"),
            ("device", "0xa0f0"),
            ("subsystem_vendor", "0x8086"),
            ("subsystem_device", "0x0074"),
            ("class", "0x028000"),
        ];
        let wifi = device(root.path(), "pci", "0000:00:14.3", &numbers);
        let usb = [("vendor", "0x8086"), ("device", "0xa0ed"), ("class", "0x0c0330")];
        let usb = device(root.path(), "pci", "0000:00:14.0", &usb);
        let group = root.path().join("groups/9/devices");
        fs::create_dir_all(&group).expect("a folder");
        for member in [&wifi, &usb] {
            symlink(member, group.join(member.file_name().expect("a name"))).expect("a link");
            symlink(root.path().join("groups/9"), member.join("iommu_group")).expect("a link");
        }
        symlink("../../drivers/iwlwifi", wifi.join("driver")).expect("a link");
        device(root.path(), "usb", "1-3", &[("product", "802.11n NIC")]);
        let text = "usb:v0BDAp8179d0000dc00dsc00dp00icFFiscFFipFFin00";
        device(root.path(), "usb", "1-3:1.0", &[("modalias", text)]);

        let cards = read(root.path()).expect("readable");
        let [_, wifi, nic] = cards.as_slice() else { panic!("{cards:?}") };
        assert_eq!(wifi.ident.to_string(), "8086:a0f0:8086:0074");
        assert!(wifi.has_wireless_class());
        assert_eq!(wifi.driver.as_deref(), Some("iwlwifi"));
        assert_eq!(wifi.companions, [Address::parse_linux("00:14.0").expect("an address")]);
        assert_eq!(nic.ident.to_string(), text);
        assert_eq!(nic.name.as_deref(), Some("802.11n NIC"));
    }

    #[test]
    fn no_bus_is_an_error_with_its_path() {
        let root = tempfile::tempdir().expect("a folder");
        let error = read(root.path()).expect_err("nothing there").to_string();
        assert!(error.contains("sys/bus/pci/devices"), "{error}");
    }
}
