//! FreeBSD's other listings of PCI devices, and the table in `/proc` of Linux:
//!
//! * `devinfo -v`: `iwm0 pnpinfo vendor=0x8086 device=0x24fd ... at slot=0 function=0 dbsf=pci0:3:0:0`;
//! * `sysctl dev`: `dev.iwm.0.%pnpinfo: vendor=0x8086 ...` and `dev.iwm.0.%location: ... dbsf=pci0:3:0:0`;
//! * `pciconf -ll`: `iwm0@pci0:3:0:0: 028000 78 00 8086 24fd 8086 0010`, columns under a head;
//! * `/proc/bus/pci/devices`.

use std::collections::BTreeMap;

use super::{Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    // By the name of the device in sysctl: where it is, and which of the cards it is.
    let mut places: BTreeMap<&str, Address> = BTreeMap::new();
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some((name, _)) = line.split_once(".%location") {
            places.extend(location(line).map(|address| (name, address)));
        } else if let Some(card) = pairs(line).or_else(|| columns(line)).or_else(|| proc(line)) {
            if let Some((name, _)) = line.split_once(".%pnpinfo") {
                named.insert(name, cards.len());
            }
            cards.push((number, card));
        }
    }
    for (name, index) in named {
        if let (Some((_, card)), Some(address)) = (cards.get_mut(index), places.get(name)) {
            card.address = Some(*address);
        }
    }
    cards
}

/// `dbsf=pci0:3:0:0`
fn location(line: &str) -> Option<Address> {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix("dbsf="))?;
    Address::parse_freebsd(word.strip_prefix("pci")?)
}

/// `vendor=0x8086 device=0x24fd subvendor=0x8086 subdevice=0x0010 class=0x028000`
fn pairs(line: &str) -> Option<Card> {
    // pciconf has a reader of its own, kernel messages have others.
    if line.contains("@pci") || line.contains("found->") {
        return None;
    }
    let value = |key: &str| {
        let mut words = line.split([' ', '\t', ',', ';', '"']);
        words.find_map(|word| text::hex(word.strip_prefix(key)?.strip_prefix('=')?))
    };
    let short = |key: &str| value(key).and_then(|number| u16::try_from(number).ok());
    let subsystem = short("subvendor").zip(short("subdevice")).filter(|both| *both != (0, 0));
    let id = DeviceId { vendor: short("vendor")?, device: short("device")?, subsystem };
    let class = value("class").and_then(|class| u16::try_from(class >> 8).ok());
    let mut card = Card::new(Ident::Pci { id, class });
    card.address = location(line);
    let first = line.split_whitespace().next().filter(|_| line.contains(" pnpinfo "));
    let sysctl = line.strip_prefix("dev.").and_then(|rest| rest.split_once(".%pnpinfo"));
    card.driver = match (first, sysctl) {
        (_, Some((name, _))) => text::name(&name.replace('.', "")),
        (Some(first), _) if first != "unknown" => text::name(first),
        _ => None,
    };
    Some(card)
}

/// A row of `pciconf -ll`.
fn columns(line: &str) -> Option<Card> {
    let (driver, rest) = line.split_once("@pci").or_else(|| {
        let (driver, rest) = line.split_once(char::is_whitespace)?;
        Some((driver.trim_end_matches('@'), rest.trim_start().strip_prefix("pci")?))
    })?;
    let mut words = rest.split_whitespace();
    let selector = words.next()?;
    let address = Address::parse_freebsd(selector.strip_suffix(':').unwrap_or(selector))?;
    let words: Vec<&str> = words.collect();
    let [class, _, _, numbers @ ..] = words.as_slice() else { return None };
    let class = class.strip_prefix("0x").unwrap_or(class);
    let class = text::hex(class).filter(|_| class.len() == 6)?;
    let numbers: Vec<u16> = numbers
        .iter()
        .map(|word| text::hex4(word.strip_prefix("0x").unwrap_or(word)))
        .collect::<Option<_>>()?;
    let (vendor, device, subsystem) = match *numbers.as_slice() {
        [vendor, device] => (vendor, device, None),
        [vendor, device, subvendor, subdevice] => (vendor, device, Some((subvendor, subdevice))),
        _ => return None,
    };
    let subsystem = subsystem.filter(|both| *both != (0, 0));
    let class = u16::try_from(class >> 8).ok();
    let mut card = Card::new(Ident::Pci { id: DeviceId { vendor, device, subsystem }, class });
    card.address = Some(address);
    let driver = driver.rsplit([' ', '\t', ':']).next()?;
    let free = driver.trim_end_matches(|c: char| c.is_ascii_digit()) == "none";
    card.driver = text::name(driver).filter(|_| !free);
    Some(card)
}

/// A row of `/proc/bus/pci/devices`: bus and function, vendor and device, an interrupt, seven addresses,
/// seven sizes, a driver.
fn proc(line: &str) -> Option<Card> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [place, numbers, ..] = *words.as_slice() else { return None };
    if words.len() < 17 || place.len() != 4 || numbers.len() != 8 {
        return None;
    }
    let (place, numbers) = (u32::from(text::hex4(place)?), text::hex(numbers)?);
    let vendor = u16::try_from(numbers >> 16).ok()?;
    let device = u16::try_from(numbers & 0xffff).ok()?;
    let mut card = Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class: None });
    card.address = Address::new(0, place >> 8, (place >> 3) & 31, place & 7);
    card.driver = words.get(17).and_then(|driver| text::name(driver));
    Some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listing_says_the_same() {
        let numbers =
            "vendor=0x8086 device=0x24fd subvendor=0x8086 subdevice=0x0010 class=0x028000";
        let place = "slot=0 function=0 dbsf=pci0:3:0:0 handle=\\_SB_.PCI0";
        for text in [
            format!("    iwm0 pnpinfo {numbers} at {place}\n        I/O memory addresses:\n"),
            format!("dev.iwm.0.%pnpinfo: {numbers}\ndev.iwm.0.%location: {place}\n"),
            format!("dev.iwm.0.%location: {place}\ndev.iwm.0.%pnpinfo: {numbers}\n"),
            "drv\tselector\tclass    rev  hdr  vendor device subven subdev\n\
             iwm0@pci0:3:0:0:\t028000   78   00   8086   24fd   8086   0010\n"
                .to_owned(),
            "iwm0@ pci0:3:0:0: 028000 78 00 8086 24fd 8086 0010\n".to_owned(),
        ] {
            let cards = read(&text);
            let [(_, card)] = cards.as_slice() else { panic!("{text}: {cards:?}") };
            assert_eq!(card.ident.to_string(), "8086:24fd:8086:0010", "{text}");
            assert!(card.has_wireless_class());
            assert_eq!(card.address, Address::parse_linux("03:00.0"), "{text}");
            assert_eq!(card.driver.as_deref(), Some("iwm0"), "{text}");
        }
    }

    #[test]
    fn proc_is_read() {
        let text = format!("0300\t808624fd\t8b{}\tiwlwifi\n", "\t0".repeat(14));
        let cards = read(&text);
        assert_eq!(cards[0].1.ident.to_string(), "8086:24fd");
        assert_eq!(cards[0].1.address, Address::parse_linux("03:00.0"));
        assert_eq!(cards[0].1.driver.as_deref(), Some("iwlwifi"));
    }
}
