//! What `lspci` prints with numbers (lspci(8)): `-n`, `-nn`, both with `-k` or `-v`, `-mm -nn`, and the
//! records of `-vmm -nn`.
//!
//! ```text
//! 00:14.3 Network controller [0280]: Intel Corporation Wi-Fi 6 AX201 [8086:a0f0] (rev 20)
//!         Subsystem: Intel Corporation Device [8086:0074]
//!         Kernel driver in use: iwlwifi
//! 00:14.3 0280: 8086:a0f0 (rev 20)
//! 00:14.3 "Network controller [0280]" "Intel Corporation [8086]" "Wi-Fi 6 AX201 [a0f0]" -r20 "Intel Corporation [8086]" "Device [0074]"
//! ```

use std::collections::BTreeMap;

use super::{Card, Ident, words};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that lines describe, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    let mut groups = Groups::default();
    // Whether the last line without indentation was a device.
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '\t']) {
            let found = device(line);
            inside = found.is_some();
            cards.extend(found.map(|card| (number, card)));
            continue;
        }
        let Some((_, card)) = cards.last_mut().filter(|_| inside) else { continue };
        let line = line.trim();
        if let Some((key, value)) = line.split_once(": ") {
            match key {
                "Subsystem" => set_subsystem(card, subsystem(value)),
                "Kernel driver in use" => card.driver = words::name(value),
                "IOMMU group" => groups.add(value, card),
                _ => {}
            }
        }
        if let Some((_, group)) = line.split_once(", IOMMU group ") {
            groups.add(group.split(',').next().unwrap_or_default(), card);
        }
    }
    groups.tell(cards.iter_mut().map(|(_, card)| card));
    cards
}

/// Whether lines look like those of `lspci` without numbers.
pub fn has_names_only(text: &str) -> bool {
    text.lines().any(|line| {
        let parts = line.split_once(' ');
        parts.is_some_and(|(slot, rest)| {
            Address::parse_linux(slot).is_some() && rest.contains(": ") && device(line).is_none()
        })
    })
}

/// A device's own line.
fn device(line: &str) -> Option<Card> {
    let (slot, rest) = line.split_once(' ')?;
    let address = Address::parse_linux(slot)?;
    let mut card = if rest.starts_with('"') { quoted(rest)? } else { plain(rest)? };
    card.address = Some(address);
    Some(card)
}

/// `Network controller [0280]: Intel Corporation ... [8086:a0f0] (rev 20)` or `0280: 8086:a0f0 (rev 20)`.
fn plain(text: &str) -> Option<Card> {
    let (class, rest) = text.split_once(": ")?;
    let class = match words::hex4(class) {
        Some(class) => class,
        None => words::hex4(words::last_bracket(class)?.1)?,
    };
    // What follows in parentheses: (rev 20), (prog-if 02 [NVM Express]).
    let rest = rest.split(" (rev ").next().unwrap_or(rest);
    let rest = rest.split(" (prog-if ").next().unwrap_or(rest);
    let (name, numbers) = match words::pair(rest.trim()) {
        Some(numbers) => (None, numbers),
        None => {
            let (name, numbers) = words::last_bracket(rest)?;
            (words::name(name), words::pair(numbers)?)
        }
    };
    let id = DeviceId::new(numbers.0, numbers.1);
    let mut card = Card::new(Ident::Pci { id, class: Some(class) });
    card.name = name;
    Some(card)
}

/// The fields of `-mm`: class, vendor, device, and behind options the subsystem.
fn quoted(text: &str) -> Option<Card> {
    let fields: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    let [class, vendor, device, ..] = *fields.as_slice() else { return None };
    let (vendor_name, vendor) = numbered(vendor)?;
    let (device_name, device) = numbered(device)?;
    let number = |field: Option<&&str>| field.and_then(|field| numbered(field)).map(|(_, n)| n);
    let subsystem = number(fields.get(3)).zip(number(fields.get(4)));
    let id = DeviceId { vendor, device, subsystem };
    let mut card = Card::new(Ident::Pci { id, class: Some(numbered(class)?.1) });
    card.name = words::name(&format!("{vendor_name} {device_name}"));
    Some(card)
}

/// `Name [8086]` or `8086`.
fn numbered(text: &str) -> Option<(&str, u16)> {
    match words::hex4(text) {
        Some(number) => Some(("", number)),
        None => {
            let (name, number) = words::last_bracket(text)?;
            Some((name, words::hex4(number)?))
        }
    }
}

/// `Intel Corporation Device [8086:0074]` or `8086:0074`.
fn subsystem(text: &str) -> Option<(u16, u16)> {
    words::pair(text.trim()).or_else(|| words::pair(words::last_bracket(text)?.1))
}

fn set_subsystem(card: &mut Card, numbers: Option<(u16, u16)>) {
    if let Ident::Pci { id, .. } = &mut card.ident {
        id.subsystem = numbers;
    }
}

/// The devices that records of `-vmm` describe, each with the number of its first line.
pub fn read_records(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    let mut groups = Groups::default();
    let mut record = Record::default();
    // An empty line ends a record; so does the end of the text.
    for (number, line) in text.lines().chain([""]).enumerate() {
        if line.trim().is_empty() {
            let group = record.fields.remove("IOMMUGroup");
            let first = record.first;
            if let Some(card) = std::mem::take(&mut record).card() {
                groups.add(group.unwrap_or_default(), &card);
                cards.push((first, card));
            }
        } else if let Some((key, value)) = line.split_once(":\t") {
            if record.fields.is_empty() {
                record.first = number;
            }
            // A single -m calls the slot a device, too; it comes first.
            let slot = key == "Device" && Address::parse_linux(value.trim()).is_some();
            let key = if slot { "Slot" } else { key };
            // Of several modules, the first one stays.
            record.fields.entry(key).or_insert(value.trim());
        }
    }
    groups.tell(cards.iter_mut().map(|(_, card)| card));
    cards
}

/// One record, by its keys.
#[derive(Default)]
struct Record<'a> {
    first: usize,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Record<'_> {
    fn card(self) -> Option<Card> {
        let field = |key: &str| self.fields.get(key).and_then(|value| numbered(value));
        let address = Address::parse_linux(self.fields.get("Slot")?)?;
        let (vendor_name, vendor) = field("Vendor")?;
        let (device_name, device) = field("Device")?;
        let subsystem = field("SVendor").map(|(_, n)| n).zip(field("SDevice").map(|(_, n)| n));
        let id = DeviceId { vendor, device, subsystem };
        let class = field("Class").map(|(_, class)| class);
        let mut card = Card::new(Ident::Pci { id, class });
        card.address = Some(address);
        card.name = words::name(&format!("{vendor_name} {device_name}"));
        card.driver = self.fields.get("Driver").and_then(|driver| words::name(driver));
        Some(card)
    }
}

/// Which functions share an IOMMU group: they can only be handed over together.
#[derive(Default)]
struct Groups(BTreeMap<String, Vec<Address>>);

impl Groups {
    fn add(&mut self, group: &str, card: &Card) {
        // Bridges stay with the host.
        let bridge = matches!(card.ident, Ident::Pci { class: Some(0x0600..=0x06ff), .. });
        let digits = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(address) = card.address
            && digits
            && !bridge
        {
            self.0.entry(group.to_owned()).or_default().push(address);
        }
    }

    fn tell<'a>(self, cards: impl Iterator<Item = &'a mut Card>) {
        let mut others = BTreeMap::new();
        for members in self.0.into_values().filter(|members| members.len() > 1) {
            for member in &members {
                let rest: Vec<_> = members.iter().copied().filter(|m| m != member).collect();
                others.insert(*member, rest);
            }
        }
        for card in cards {
            let companions = card.address.and_then(|address| others.get(&address));
            card.companions = companions.cloned().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_print_a_card_says_the_same() {
        let with_subsystem = "8086:a0f0:8086:0074";
        for (text, id) in [
            ("00:14.3 0280: 8086:a0f0 (rev 20)\n\tSubsystem: 8086:0074\n", with_subsystem),
            (
                "0000:00:14.3 Network controller [0280]: Intel Corporation Wi-Fi 6 AX201 [8086:a0f0] (rev 20)\n\
              \tSubsystem: Intel Corporation Device [8086:0074]\n\tKernel driver in use: iwlwifi\n\
              \tKernel modules: iwlwifi\n",
                with_subsystem,
            ),
            (
                "00:14.3 Network controller [0280]: Intel Corporation Device [8086:a0f0]\n",
                "8086:a0f0",
            ),
            (
                "00:14.3 \"Network controller [0280]\" \"Intel Corporation [8086]\" \"Wi-Fi 6 AX201 [a0f0]\" \
              -r20 -p00 \"Intel Corporation [8086]\" \"Device [0074]\"\n",
                with_subsystem,
            ),
            ("00:14.3 \"0280\" \"8086\" \"a0f0\" -r20 \"\" \"\"\n", "8086:a0f0"),
        ] {
            let cards = read(text);
            let [(0, card)] = cards.as_slice() else { panic!("{text}: {cards:?}") };
            assert_eq!(card.ident.to_string(), id, "{text}");
            assert_eq!(card.address, Address::parse_linux("00:14.3"));
            assert!(card.has_wireless_class() && read_records(text).is_empty());
        }
    }

    #[test]
    fn records_are_read() {
        let text = "Slot:\t00:14.3\nClass:\tNetwork controller [0280]\nVendor:\tIntel Corporation [8086]\n\
                    Device:\tWi-Fi 6 AX201 [a0f0]\nSVendor:\tIntel Corporation [8086]\nSDevice:\tDevice [0074]\n\
                    Rev:\t20\nProgIf:\t00\nDriver:\tiwlwifi\nModule:\tiwlwifi\nIOMMUGroup:\t9\n\n\
                    Device:\t00:14.0\nClass:\tUSB controller [0c03]\nVendor:\tIntel Corporation [8086]\n\
                    Device:\tTiger Lake [a0ed]\nIOMMUGroup:\t9\n";
        let cards = read_records(text);
        let [(0, wifi), (12, _)] = cards.as_slice() else { panic!("{cards:?}") };
        assert_eq!(wifi.ident.to_string(), "8086:a0f0:8086:0074");
        assert_eq!(wifi.name.as_deref(), Some("Intel Corporation Wi-Fi 6 AX201"));
        assert_eq!(wifi.driver.as_deref(), Some("iwlwifi"));
        assert_eq!(wifi.companions, [Address::parse_linux("00:14.0").expect("an address")]);
        assert!(read(text).is_empty());
    }

    #[test]
    fn groups_come_from_verbose_output_too() {
        let text = "00:14.0 0c03: 8086:a0ed\n\tFlags: bus master, IRQ 1, IOMMU group 9\n\
                    00:14.3 0280: 8086:a0f0\n\tIOMMU group: 9\n";
        let cards = read(text);
        assert!(cards.iter().all(|(_, card)| card.companions.len() == 1), "{cards:?}");
    }

    #[test]
    fn names_alone_are_noticed() {
        let text = "00:14.3 Network controller: Intel Corporation Wi-Fi 6 AX201 (rev 20)\n";
        assert!(read(text).is_empty() && has_names_only(text));
        assert!(!has_names_only("12:30 lunch: soup\n"));
    }
}
