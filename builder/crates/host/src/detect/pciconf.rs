//! The output of FreeBSD's `pciconf -l` and `pciconf -lv` (pciconf(8)).
//!
//! ```text
//! iwlwifi0@pci0:0:20:3:   class=0x028000 rev=0x20 hdr=0x00 vendor=0x8086 device=0xa0f0 subvendor=0x8086 subdevice=0x0074
//!     vendor     = 'Intel Corporation'
//!     device     = 'Wi-Fi 6 AX201'
//! ```
//!
//! Before FreeBSD 13.1 the numbers were `card=0x00748086 chip=0xa0f08086`, the device in the upper half;
//! before FreeBSD 7 the selector had no domain. `none` stands for a device without a driver.

use super::{Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    // The vendor's name, until the device's name follows.
    let mut vendor: Option<&str> = None;
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(card) = device(line) {
            cards.push((number, card));
            (vendor, inside) = (None, true);
            continue;
        }
        inside &= line.starts_with([' ', '\t']);
        let Some((key, value)) = line.split_once('=').filter(|_| inside) else { continue };
        let value = value.trim().trim_matches('\'');
        match (key.trim(), cards.last_mut()) {
            ("vendor", Some((_, card))) => {
                vendor = Some(value);
                card.name = text::name(value);
            }
            ("device", Some((_, card))) => {
                card.name = text::name(&format!("{} {value}", vendor.unwrap_or_default()));
            }
            _ => {}
        }
    }
    cards
}

/// A device's own line.
fn device(line: &str) -> Option<Card> {
    let (driver, rest) = line.split_once("@pci")?;
    // Grep puts the name of the file in front, people quote with "> ".
    let driver = driver.rsplit([' ', '\t', '>', ':']).next()?;
    let (selector, rest) = rest.split_once(|c: char| c.is_whitespace())?;
    let address = Address::parse_freebsd(selector.strip_suffix(':').unwrap_or(selector))?;
    let (mut vendor, mut device, mut subvendor, mut subdevice) = (None, None, None, None);
    let mut class = None;
    let low = |number: u32| u16::try_from(number & 0xffff).ok();
    let high = |number: u32| u16::try_from(number >> 16).ok();
    for word in rest.split_whitespace() {
        let Some((key, value)) = word.split_once('=') else { continue };
        let number = text::hex(value)?;
        match key {
            "class" => class = u16::try_from(number >> 8).ok(),
            "vendor" => vendor = low(number),
            "device" => device = low(number),
            "subvendor" => subvendor = low(number),
            "subdevice" => subdevice = low(number),
            "chip" => (vendor, device) = (low(number), high(number)),
            "card" => (subvendor, subdevice) = (low(number), high(number)),
            _ => {}
        }
    }
    // Bridges have none: both are 0 then.
    let subsystem = subvendor.zip(subdevice).filter(|numbers| *numbers != (0, 0));
    let id = DeviceId { vendor: vendor?, device: device?, subsystem };
    let mut card = Card::new(Ident::Pci { id, class });
    card.address = Some(address);
    let free = driver.trim_end_matches(|c: char| c.is_ascii_digit()) == "none";
    card.driver = text::name(driver).filter(|_| !free);
    Some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Card {
        let mut cards = read(text);
        assert_eq!(cards.len(), 1, "{cards:?}");
        cards.remove(0).1
    }

    #[test]
    fn all_three_ages_say_the_same() {
        for text in [
            "iwm0@pci0:0:20:3:\tclass=0x028000 rev=0x20 hdr=0x00 vendor=0x8086 device=0xa0f0 \
             subvendor=0x8086 subdevice=0x0074",
            "iwm0@pci0:0:20:3:\tclass=0x028000 card=0x00748086 chip=0xa0f08086 rev=0x20 hdr=0x00",
            "iwm0@pci0:20:3: class=0x028000 card=0x00748086 chip=0xa0f08086 rev=0x20 hdr=0x00",
        ] {
            let card = only(text);
            assert_eq!(card.ident.to_string(), "8086:a0f0:8086:0074");
            assert!(card.has_wireless_class());
            assert_eq!(card.address.expect("where it is").to_string(), "0000:00:14.3");
            assert_eq!(card.driver.as_deref(), Some("iwm0"));
        }
    }

    #[test]
    fn names_and_missing_drivers_are_understood() {
        let card = only(
            "none3@pci0:6:0:0:\tclass=0x028000 rev=0x1a hdr=0x00 vendor=0x8086 device=0x2725 \
             subvendor=0x8086 subdevice=0x0024\n    vendor     = 'Intel Corporation'\n    \
             device     = 'Wi-Fi 6E(802.11ax) AX210/AX1675* 2x2 [Typhoon Peak]'\n    \
             class      = network\n    cap 01[c8] = powerspec 3  supports D0 D3  current D0\n",
        );
        assert_eq!(card.driver, None);
        let name = "Intel Corporation Wi-Fi 6E(802.11ax) AX210/AX1675* 2x2 [Typhoon Peak]";
        assert_eq!(card.name.as_deref(), Some(name));
    }

    #[test]
    fn what_is_damaged_is_not_a_device() {
        for text in [
            "",
            "iwm0@pci0:0:20:3:",
            "iwm0@pci0:0:20:3: class=0x028000",
            "iwm0@pci0:0:20:9: class=0x028000 vendor=0x8086 device=0x2725",
            "iwm0@pci0:0:20:3: class=0x028000 vendor=0x8086 device=zz",
            "@pci",
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
    }
}
