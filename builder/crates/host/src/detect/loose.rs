//! Ids in the middle of other text: `My card is an AX200 [8086:2723]`, listings of scripts, `lspci -tnn`,
//! `lshw -businfo -numeric`, parameters of kernels and modules (`vfio-pci.ids=8086:2723,8086:2725`).
//!
//! Nothing says that such a number is a wireless card, so it counts only where a driver knows it.

use super::{Card, Ident, makers, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that lines name, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // These say of what make a board is, or belong to readers of their own.
        let other = ["Subsystem", "subsystem", "SVendor", "SDevice", "usb@", "USB", "\": "];
        if other.iter().any(|word| line.contains(word)) {
            continue;
        }
        let found = in_line(line);
        // One device in the line: an address beside it is its own.
        let alone = found.len() == 1;
        let place = || {
            let words = line.split(|c: char| c.is_whitespace() || "()[]\u{2502}|,".contains(c));
            words
                .filter_map(|word| Address::parse_linux(word.strip_prefix("pci@").unwrap_or(word)))
                .next()
        };
        for id in found {
            let mut card = Card::new(Ident::Pci { id, class: None });
            card.address = if alone { place() } else { None };
            cards.push((number, card));
        }
    }
    cards
}

/// The ids in a line: between brackets, after `ids=`, or as words of a sentence.
fn in_line(line: &str) -> Vec<DeviceId> {
    let mut ids = Vec::new();
    for piece in line.split(['[', '(']).skip(1) {
        let inside = piece.split([']', ')', '[']).next().unwrap_or_default();
        ids.extend(text::pair(inside.trim()).map(|(vendor, device)| DeviceId::new(vendor, device)));
    }
    for (_, list) in line.match_indices("ids=").map(|(at, key)| line.split_at(at + key.len())) {
        let list = list.trim_start_matches(['"', '\'']);
        let list = list.split([' ', '\t', '"', '\'']).next().unwrap_or_default();
        for id in list.split(',') {
            let chip: Vec<&str> = id.split(':').take(2).collect();
            let pair = text::pair(&chip.join(":"));
            ids.extend(pair.map(|(vendor, device)| DeviceId::new(vendor, device)));
        }
    }
    for id in words(line) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// `8086:2725`, `8086/2725`, `8086-2725` and `0x8086 0x2725`, where the first is a maker of wireless cards.
fn words(line: &str) -> Vec<DeviceId> {
    let number = |word: &str| text::hex4(word.strip_prefix("0x").unwrap_or(word));
    let id = |vendor: &str, device: &str| {
        let vendor = number(vendor).filter(|vendor| makers::is_one(*vendor))?;
        Some(DeviceId::new(vendor, number(device)?))
    };
    let marks = |c: char| !c.is_ascii_alphanumeric();
    let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(marks)).collect();
    let pairs = words.iter().filter_map(|word| {
        let (vendor, device) = word.split_once([':', '/', '-'])?;
        id(vendor, device)
    });
    let neighbours = words.windows(2).filter_map(|both| match both {
        [vendor, device] if vendor.starts_with("0x") && device.starts_with("0x") => {
            id(vendor, device)
        }
        _ => None,
    });
    pairs.chain(neighbours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_where_they_stand() {
        for (text, id, place) in [
            ("My card is an AX200 [8086:2723], what now?", "8086:2723", None),
            ("Intel AX200 (8086:2723)", "8086:2723", None),
            (
                "Group: 14 [8086:2723] [R] 07:00.0  Network controller AX200",
                "8086:2723",
                Some("07:00.0"),
            ),
            ("options vfio-pci ids=8086:2723", "8086:2723", None),
            ("I have `8086:2723` in my laptop.", "8086:2723", None),
            ("AX200 (8086/2723)", "8086:2723", None),
            ("0x8086, 0x2723", "8086:2723", None),
            ("8086-2723", "8086:2723", None),
            ("linux /vmlinuz quiet vfio-pci.ids=8086:2723 ro", "8086:2723", None),
            ("pci@0000:03:00.0  wlp3s0  network  AX200 [8086:2723]", "8086:2723", Some("03:00.0")),
        ] {
            let cards = read(text);
            let [(0, card)] = cards.as_slice() else { panic!("{text}: {cards:?}") };
            assert_eq!(card.ident.to_string(), id, "{text}");
            assert_eq!(card.address, place.and_then(Address::parse_linux), "{text}");
        }
        assert_eq!(read("vfio-pci.ids=8086:2723,10de:1b80").len(), 2);
        assert!(read("\tSubsystem: Intel Corporation Device [8086:0080]").is_empty());
        assert!(read("at [12:30] and (dead)").is_empty());
    }
}
