//! Ids in the middle of other text: `My card is an AX200 [8086:2723]`, listings of scripts, `lspci -tnn`,
//! `lshw -businfo -numeric`, parameters of kernels and modules (`vfio-pci.ids=8086:2723,8086:2725`).
//!
//! Nothing says that such a number is a wireless card, so it counts only where a driver knows it.

use super::{Card, Ident, text};
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

/// The ids in a line: between brackets, or after `ids=`.
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
    ids
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
