//! The output of `lspci` with numbers (lspci(8)): `-n`, `-nn`, both with `-k` or `-v`, `-mm -nn`, and the records of
//! `-vmm -nn`.
//!
//! ```text
//! 00:14.3 Network controller [0280]: Intel Corporation Wi-Fi 6 AX201 [8086:a0f0] (rev 20)
//!         Subsystem: Intel Corporation Device [8086:0074]
//!         Kernel driver in use: iwlwifi
//! 00:14.3 0280: 8086:a0f0 (rev 20)
//! 00:14.3 "Network controller [0280]" "Intel Corporation [8086]" "Wi-Fi 6 AX201 [a0f0]" -r20 "Intel Corporation [8086]" "Device [0074]"
//! ```

use std::collections::BTreeMap;

use super::groups::Groups;
use super::{Card, Ident, makers, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that lines describe, each with the number of its line.
///
/// Lines may be indented, and stand under or behind the number of their IOMMU group.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    let mut groups = Groups::default();
    // Whether the lines that follow are about the last device.
    let mut inside = false;
    // The group of a heading, and the address of a device whose numbers may stand in a dump.
    let mut group: Option<String> = None;
    let mut dumped: Option<(usize, Address)> = None;
    for (number, line) in text.lines().enumerate() {
        // Under a device `IOMMU group: 9` is about that one.
        let own = inside && line.trim_start().starts_with("IOMMU group: ");
        if let Some(heading) = group_heading(line).filter(|_| !own) {
            (group, inside, dumped) = (Some(heading), false, None);
        } else if let Some((own_group, address, rest)) = head(line) {
            let found = device(address, rest);
            inside = found.is_some();
            dumped = found.is_none().then_some((number, address));
            if let Some(card) = found {
                groups.meet(&card);
                groups.add(own_group.as_deref().or(group.as_deref()).unwrap_or_default(), &card);
                cards.push((number, card));
            }
        } else if let Some(bytes) = dump(line, "00: ") {
            if let Some((number, address)) = dumped.take()
                && let Some(card) = of_dump(address, &bytes)
            {
                groups.meet(&card);
                cards.push((number, card));
                inside = true;
            }
        } else if let Some((_, card)) = cards.last_mut().filter(|_| inside) {
            if let Some(bytes) = dump(line, "20: ")
                && let Ident::Pci { id, .. } = &mut card.ident
                && id.subsystem.is_none()
            {
                let word =
                    |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
                id.subsystem = word(12).zip(word(14)).filter(|both| *both != (0, 0));
            }
            attribute(line.trim(), card, &mut groups);
        }
    }
    groups.tell(cards.iter_mut().map(|(_, card)| card));
    cards
}

/// A line about the last device.
fn attribute(line: &str, card: &mut Card, groups: &mut Groups) {
    if let Some((key, value)) = line.split_once(": ") {
        match key {
            "Subsystem" => set_subsystem(card, subsystem(value)),
            "Kernel driver in use" => card.driver = text::name(value),
            "IOMMU group" => groups.add(value, card),
            _ => {}
        }
    }
    if let Some((_, group)) = line.split_once(", IOMMU group ") {
        groups.add(group.split(',').next().unwrap_or_default(), card);
    }
}

/// Whether lines look like those of `lspci` without numbers.
pub(crate) fn has_names_only(text: &str) -> bool {
    text.lines().any(|line| {
        head(line).is_some_and(|(_, address, rest)| {
            (rest.contains(": ") || rest.starts_with('"')) && device(address, rest).is_none()
        })
    }) || text.lines().any(|line| {
        let slot = line.trim().strip_prefix("Slot:");
        slot.is_some_and(|slot| Address::parse_linux(slot.trim()).is_some())
    })
}

/// Whether a line begins something: a device, or one of the lines about it.
pub(super) fn begins(line: &str) -> bool {
    const WORDS: [&str; 9] = [
        "Subsystem:",
        "Kernel ",
        "Flags:",
        "Control:",
        "Status:",
        "DeviceName:",
        "IOMMU ",
        "Capabilities:",
        "00: ",
    ];
    let line = line.trim_start();
    head(line).is_some() || WORDS.iter().any(|word| line.starts_with(word))
}

/// Whether a line begins with the address of a device.
pub(super) fn is_head(line: &str) -> bool {
    head(line).is_some()
}

/// Whether a text begins with a device and its numbers.
pub(super) fn is_device(text: &str) -> bool {
    // Of a long line only what one device takes.
    let end = text.char_indices().nth(200).map_or(text.len(), |(at, _)| at);
    let text = text.get(..end).unwrap_or_default();
    head(text).is_some_and(|(_, address, rest)| device(address, rest).is_some())
}

/// Whether a line begins like a device or its subsystem, and its numbers are missing.
pub(super) fn is_cut(line: &str) -> bool {
    match head(line) {
        Some((_, address, rest)) => {
            !rest.starts_with('"') && device(address, rest).is_none() && !rest.contains("@pci")
        }
        None => line
            .trim_start()
            .strip_prefix("Subsystem: ")
            .is_some_and(|value| subsystem(value).is_none()),
    }
}

/// `IOMMU Group 26:` alone on its line.
fn group_heading(line: &str) -> Option<String> {
    let lower = line.trim().trim_matches(['*', '#', '=', '-', ' ']).to_ascii_lowercase();
    let rest = lower.strip_prefix("iommu")?.trim_start_matches([' ', '_', '-']);
    let digits = rest.strip_prefix("group")?.trim_matches([' ', ':', '#', '\t']);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.to_owned())
}

/// The head of a device's own line: its IOMMU group, where it is, and what else the line says.
fn head(line: &str) -> Option<(Option<String>, Address, &str)> {
    let mut rest = line.trim_start();
    let mut group = None;
    // `IOMMU Group 26 07:00.0 ...`, `Group 26: 07:00.0 ...`, `[26] 07:00.0 ...`
    let lower = rest.get(..12).unwrap_or(rest).to_ascii_lowercase();
    let skip = ["iommu group", "iommu_group", "group"].iter().find(|word| lower.starts_with(*word));
    if let Some(word) = skip {
        rest = rest.get(word.len()..)?.trim_start_matches([' ', ':', '\t', '#']);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        group = (!number.is_empty()).then(|| number.to_owned());
        rest = after.trim_start_matches([':', ' ', '\t', '-', ',']);
    }
    let (slot, mut after) = rest.split_once([' ', '\t']).filter(|(slot, _)| slot.len() < 300)?;
    // A path of bridges (-P) ends with the device; grep puts the name of the file in front.
    let slot = slot.rsplit('/').next().unwrap_or(slot);
    let named = || {
        let places = slot.match_indices(':').map(|(at, _)| slot.split_at(at));
        places.into_iter().find_map(|(before, at)| {
            let file = before.contains(|c: char| !c.is_ascii_hexdigit() && c != ':');
            file.then(|| Address::parse_linux(at.get(1..)?)).flatten()
        })
    };
    let address = Address::parse_linux(slot).or_else(named)?;
    after = after.trim_start();
    Some((group, address, after))
}

/// The bytes of a row of `lspci -x`.
fn dump(line: &str, row: &str) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = line
        .trim_start()
        .strip_prefix(row)?
        .split_whitespace()
        .map(|byte| if byte.len() == 2 { u8::from_str_radix(byte, 16).ok() } else { None })
        .collect::<Option<_>>()?;
    (bytes.len() == 16).then_some(bytes)
}

/// A device by the first sixteen bytes of its configuration space.
fn of_dump(address: Address, bytes: &[u8]) -> Option<Card> {
    let word = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let id = DeviceId::new(word(0)?, word(2)?);
    let mut card = Card::new(Ident::Pci { id, class: word(10) });
    card.address = Some(address);
    Some(card)
}

/// A device's own line.
fn device(address: Address, rest: &str) -> Option<Card> {
    let mut card = if rest.starts_with('"') { quoted(rest)? } else { plain(rest)? };
    card.address = Some(address);
    Some(card)
}

/// `Network controller [0280]: Intel Corporation ... [8086:a0f0] (rev 20)` or `0280: 8086:a0f0 (rev 20)`;
/// BusyBox and old versions write `Class 0280: 8086:a0f0`, and BusyBox the driver behind that. Other tools leave out
/// the colon.
fn plain(text: &str) -> Option<Card> {
    let (class, rest) = class(text)?;
    // What follows in parentheses: (rev 20), (prog-if 02 [NVM Express]).
    let rest = rest.split(" (rev ").next().unwrap_or(rest);
    let rest = rest.split(" (prog-if ").next().unwrap_or(rest).trim();
    let (first, driver) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, numbers) = match text::pair(first) {
        Some(numbers) => (None, numbers),
        None => {
            let (name, numbers) = text::last_pair(rest).or_else(|| makers::unnamed(rest))?;
            (text::name(name), numbers)
        }
    };
    let id = DeviceId::new(numbers.0, numbers.1);
    let mut card = Card::new(Ident::Pci { id, class });
    if name.is_none() && !driver.is_empty() && !driver.contains([' ', '(', '[']) {
        card.driver = text::name(driver);
    }
    card.name = name;
    Some(card)
}

/// A device's class, as a number or by its name, and what follows it.
fn class(text: &str) -> Option<(Option<u16>, &str)> {
    let (words, rest) = text.split_once(": ").unwrap_or((text, ""));
    let short = words.strip_prefix("Class ").unwrap_or(words);
    if let Some(class) = text::hex4(short.trim_matches(['[', ']'])) {
        return Some((Some(class), rest));
    }
    for (at, _) in text.match_indices('[') {
        let after = text.get(at + 5..).and_then(|after| after.strip_prefix(']'));
        let class = text.get(at + 1..at + 5).and_then(text::hex4);
        if let (Some(class), Some(after)) = (class, after)
            && after.starts_with([':', ' '])
        {
            return Some((Some(class), after.trim_start_matches([':', ' '])));
        }
    }
    let class = match words {
        "Network controller" => Some(0x0280),
        "Ethernet controller" => Some(0x0200),
        _ => None,
    };
    (!rest.is_empty()).then_some((class, rest))
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
    let class = class.strip_prefix("Class ").unwrap_or(class);
    let mut card = Card::new(Ident::Pci { id, class: Some(numbered(class)?.1) });
    card.name = text::name(&format!("{vendor_name} {device_name}"));
    // BusyBox puts the driver behind the subsystem.
    card.driver = fields.get(5).and_then(|driver| text::name(driver));
    Some(card)
}

/// `Name [8086]` or `8086`.
fn numbered(text: &str) -> Option<(&str, u16)> {
    match text::hex4(text) {
        Some(number) => Some(("", number)),
        None => {
            let (name, number) = text::last_bracket(text)?;
            Some((name, text::hex4(number)?))
        }
    }
}

/// `Intel Corporation Device [8086:0074]`, `8086:0074` or `Intel Corporation Device 0074`.
fn subsystem(text: &str) -> Option<(u16, u16)> {
    let named = || text::last_pair(text).or_else(|| makers::unnamed(text.trim()));
    text::pair(text.trim()).or_else(|| Some(named()?.1))
}

fn set_subsystem(card: &mut Card, numbers: Option<(u16, u16)>) {
    if let Ident::Pci { id, .. } = &mut card.ident {
        id.subsystem = numbers;
    }
}

/// The devices that records of `-vmm` describe, each with the number of its first line.
pub(crate) fn read_records(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    let mut groups = Groups::default();
    let mut record = Record::default();
    // An empty line ends a record; so does the end of the text.
    for (number, line) in text.lines().chain([""]).enumerate() {
        let pair = line.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
        // A single -m calls the slot a device, too; it comes first.
        let slot = pair.is_some_and(|(key, value)| {
            ["Slot", "Device"].contains(&key) && Address::parse_linux(value).is_some()
        });
        if line.trim().is_empty() || slot {
            let group = record.fields.remove("IOMMUGroup");
            let first = record.first;
            if let Some(card) = std::mem::take(&mut record).card() {
                groups.meet(&card);
                groups.add(group.unwrap_or_default(), &card);
                cards.push((first, card));
            }
        }
        if let Some((key, value)) = pair {
            if record.fields.is_empty() {
                record.first = number;
            }
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
        card.name = text::name(&format!("{vendor_name} {device_name}"));
        card.driver = self.fields.get("Driver").and_then(|driver| text::name(driver));
        Some(card)
    }
}

#[cfg(test)]
#[path = "lspci_tests.rs"]
mod tests;
