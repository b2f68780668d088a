//! Listings of other systems and programs, by what they have in common: a vendor and a device, named as such.
//!
//! * tables with a heading, as Proxmox' `pvesh get /nodes/NODE/hardware/pci` draws them;
//! * `virsh nodedev-dumpxml`; `pcidump -v` of OpenBSD; `listdev` of Haiku; `pci` of the UEFI shell;
//! * `pcictl list -n` of NetBSD, kernel messages of both about devices without a driver, `info pci` of QEMU, U-Boot's `pci`;
//! * VMware's `vmkchdev -l`, GRUB's `lspci`, `prtconf` of illumos, hardware probes (`pci:8086-2723-8086-0084`);
//! * `grep . /sys/bus/pci/devices/*/{vendor,device}`; sentences: `vendor 17cb, device 1103`.
//!
//! Most of these name no class, so a device counts only where a driver knows it.

use super::{Card, Ident, makers, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// How many lines may stand between a vendor and its device.
const REACH: usize = 4;

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards = Vec::new();
    let mut heading: Option<Vec<String>> = None;
    let mut place: Option<(usize, Address)> = None;
    let mut vendor: Option<(usize, u16)> = None;
    for (number, line) in text.lines().enumerate() {
        let columns = columns(line);
        if columns.len() >= 3 && is_heading(&columns) {
            heading = Some(columns.iter().map(|name| name.to_ascii_lowercase()).collect());
            continue;
        }
        if let Some(heading) = heading.as_ref().filter(|names| names.len() == columns.len()) {
            cards.extend(row(heading, &columns).map(|card| (number, card)));
            continue;
        }
        let found = one_line(line);
        if !found.is_empty() {
            cards.extend(found.into_iter().map(|card| (number, card)));
            continue;
        }
        place = address(line).map(|address| (number, address)).or(place);
        let place = place.filter(|(at, _)| number - at <= REACH).map(|(_, address)| address);
        if let Some((_, (with, device))) = qemu(line) {
            cards.push((number, card(with, device, place)));
            continue;
        }
        if let Some(board) = board(line) {
            if let Some(Ident::Pci { id, .. }) = cards.last_mut().map(|(_, card)| &mut card.ident) {
                id.subsystem = Some(board);
            }
            continue;
        }
        let (its_vendor, its_device) = (labelled(line, "vendor"), its_device(line));
        if let (Some(vendor), Some(device)) = (its_vendor, its_device) {
            cards.push((number, card(vendor, device, place)));
        } else if let Some(new) = its_vendor {
            vendor = Some((number, new));
        } else if let (Some((at, with)), Some(device)) = (vendor.take(), its_device)
            && number - at <= REACH
        {
            cards.push((at, card(with, device, place)));
        } else if let Some(old) = vendor {
            vendor = Some(old);
        }
    }
    cards.extend(nodes(text));
    cards
}

fn card(vendor: u16, device: u16, address: Option<Address>) -> Card {
    let mut card = Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class: None });
    card.address = address;
    card
}

/// The cells of a line of a table, without the lines that are drawn round it.
fn columns(line: &str) -> Vec<&str> {
    let line = line.trim().trim_matches(['\u{2502}', '|', '\u{2551}']);
    let cells = line.split(['\u{2502}', '|', '\u{2551}']).map(str::trim);
    cells.filter(|cell| !cell.is_empty() || line.contains('\u{2502}')).collect()
}

fn is_heading(columns: &[&str]) -> bool {
    let has = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    has("vendor") && has("device")
}

/// A row of a table whose heading names `vendor` and `device`.
fn row(heading: &[String], cells: &[&str]) -> Option<Card> {
    let cell = |name: &str| {
        let at = heading.iter().position(|column| column == name)?;
        cells.get(at).copied()
    };
    let number = |name: &str| text::hex4(cell(name)?.trim_start_matches("0x"));
    let id = DeviceId::new(number("vendor")?, number("device")?);
    let class = cell("class").and_then(text::hex).and_then(|class| u16::try_from(class >> 8).ok());
    let mut card = Card::new(Ident::Pci { id, class });
    card.address = heading.iter().zip(cells).find_map(|(_, cell)| Address::parse_linux(cell));
    card.name = cell("device_name").or(cell("name")).and_then(text::name);
    Some(card)
}

/// Lines that say all themselves.
fn one_line(line: &str) -> Vec<Card> {
    let words: Vec<&str> = line.split_whitespace().collect();
    // `0000:03:00.0 8086:2723 8086:0084 vmkernel vmnic0`, `03:00.0 8086:2723 [0280] Network controller`.
    if let [slot, id, rest @ ..] = words.as_slice()
        && let (Some(address), Some((vendor, device))) =
            (Address::parse_linux(slot), text::pair(id))
    {
        let mut card = card(vendor, device, Some(address));
        if let Ident::Pci { id, class } = &mut card.ident {
            id.subsystem = rest.first().and_then(|word| text::pair(word));
            let bracket = rest.first().map(|word| word.trim_matches(['[', ']', ':']));
            *class = bracket.and_then(text::hex4).filter(|_| id.subsystem.is_none());
        }
        return vec![card];
    }
    if let Some(card) = pcictl(&words).or_else(|| u_boot(&words)).or_else(|| unknown(line)) {
        return vec![card];
    }
    words.iter().filter_map(|word| probe(word)).collect()
}

/// `Network controller: PCI device 8086:2723` of QEMU's monitor: the device's kind and its numbers.
fn qemu(line: &str) -> Option<(&str, (u16, u16))> {
    let (kind, numbers) = line.split_once(": PCI device ")?;
    Some((kind, text::pair(numbers.trim())?))
}

/// `0x002c: Subsystem Vendor ID: 8086 Product ID: 0084` of OpenBSD, `PCI subsystem 8086:0084` of QEMU.
fn board(line: &str) -> Option<(u16, u16)> {
    if let Some(numbers) = line.trim().strip_prefix("PCI subsystem ") {
        return text::pair(numbers.trim());
    }
    let (_, numbers) = line.split_once("Subsystem Vendor ID: ")?;
    let (vendor, product) = numbers.split_once(" Product ID: ")?;
    Some((text::hex4(vendor)?, text::hex4(product.trim())?))
}

/// `003:00:0: 0x27238086 (0x0280001a)` of NetBSD: where, the device above its vendor, the class.
fn pcictl(words: &[&str]) -> Option<Card> {
    let [place, numbers, class, ..] = words else { return None };
    let short = |number: u32| u16::try_from(number).ok();
    let number =
        |word: &str| text::hex(word.strip_prefix("0x").filter(|digits| digits.len() == 8)?);
    let numbers = number(numbers)?;
    let class = number(class.trim_matches(['(', ')']))?;
    let mut card = card(short(numbers & 0xffff)?, short(numbers >> 16)?, None);
    card.address = Address::parse_freebsd(place.strip_suffix(':')?);
    if let Ident::Pci { class: its_class, .. } = &mut card.ident {
        *its_class = short(class >> 16);
    }
    card.address.is_some().then_some(card)
}

/// `01.00.00   0x8086     0x2723     Network controller      0x80` of U-Boot.
fn u_boot(words: &[&str]) -> Option<Card> {
    let [place, vendor, device, ..] = words else { return None };
    let hex = |part: &str| text::hex(part).filter(|_| part.len() == 2);
    let place: Vec<u32> = place.split('.').map(hex).collect::<Option<_>>()?;
    let [bus, slot, function] = *place.as_slice() else { return None };
    let number = |word: &str| text::hex4(word.strip_prefix("0x")?);
    Some(card(number(vendor)?, number(device)?, Address::new(0, bus, slot, function)))
}

/// `vendor "Intel", unknown product 0x2725 (class network ...)` of OpenBSD.
fn unknown(line: &str) -> Option<Card> {
    let (_, rest) = line.split_once("vendor \"")?;
    let (maker, rest) = rest.split_once("\", unknown product 0x")?;
    Some(card(makers::number(maker)?, text::hex4(rest.get(..4)?)?, None))
}

/// `pci:8086-2723-8086-0084` of hardware probes, `pciex8086,2723` of illumos.
fn probe(word: &str) -> Option<Card> {
    let word = word.trim_matches(['(', ')', '"', '\'', ',', '[', ']']);
    if let Some(ids) = word.strip_prefix("pci:") {
        let parts: Vec<u16> = ids.split('-').map(text::hex4).collect::<Option<_>>()?;
        let [vendor, device, rest @ ..] = parts.as_slice() else { return None };
        let mut card = card(*vendor, *device, None);
        if let (Ident::Pci { id, .. }, [vendor, device]) = (&mut card.ident, rest) {
            id.subsystem = Some((*vendor, *device)).filter(|both| *both != (0, 0));
        }
        return Some(card);
    }
    // The name without `ex` is the board's.
    let (vendor, device) = word.strip_prefix("pciex")?.split_once(',')?;
    let padded = |digits: &str| text::hex4(&format!("{digits:0>4}"));
    Some(card(padded(vendor)?, padded(device)?, None))
}

/// The number that follows a word as its value: `Vendor ID: 8086`, `vendor 17cb`, `vendor=0x8086`.
fn labelled(line: &str, label: &str) -> Option<u16> {
    let lower = line.to_ascii_lowercase();
    for (at, _) in lower.match_indices(label) {
        let (before, rest) = lower.split_at(at);
        // `subvendor`, `SubVendor ID` and the like are about the board.
        let before = before.trim_end_matches([' ', '_', '-']);
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        if word.is_some_and(|word| word.starts_with("sub")) || before.ends_with("sub") {
            continue;
        }
        let rest = rest.get(label.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', '_', '-', '\t', '"', '\'']);
        let rest = rest.strip_prefix("id").unwrap_or(rest);
        let value = rest.trim_start_matches([' ', '\t', ':', '=', '(', '[', '<', '"', '\'', '#']);
        let value = value.strip_prefix("0x").unwrap_or(value);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
        if let Some(number) = value.get(..end).and_then(text::hex4) {
            return Some(number);
        }
    }
    None
}

fn its_device(line: &str) -> Option<u16> {
    labelled(line, "device").or_else(|| labelled(line, "product"))
}

/// ` 2:0:0: Intel Wi-Fi` of OpenBSD; `00 03 00 00 ==> Network Controller` of the UEFI shell; `Bus  3, device   0,
/// function 0:` of QEMU; a path of sysfs.
fn address(line: &str) -> Option<Address> {
    let hex = |text: &str| text::hex(text).filter(|_| text.len() <= 2);
    let line = line.trim();
    if line.contains("/devices/") {
        return line.split('/').filter_map(Address::parse_linux).next_back();
    }
    if let Some(rest) = line.strip_prefix("Bus ") {
        let mut parts = rest.split(',').map(|part| {
            part.split_whitespace().next_back()?.trim_end_matches(':').parse::<u32>().ok()
        });
        let mut next = || parts.next().flatten();
        return Address::new(0, next()?, next()?, next()?);
    }
    if let Some((numbers, _)) = line.split_once("==>") {
        let parts: Vec<u32> = numbers.split_whitespace().map(hex).collect::<Option<_>>()?;
        let [segment, bus, device, function] = *parts.as_slice() else { return None };
        return Address::new(segment, bus, device, function);
    }
    let (numbers, _) = line.split_once(": ")?;
    let parts: Vec<u32> =
        numbers.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [bus, device, function] = *parts.as_slice() else { return None };
    Address::new(0, bus, device, function)
}

/// The PCI devices of `virsh nodedev-dumpxml`, several one after the other.
fn nodes(text: &str) -> Vec<(usize, Card)> {
    let mut cards = Vec::new();
    let mut from = 0;
    for part in text.split_inclusive("</device>") {
        let line = text.get(..from).unwrap_or_default().matches('\n').count();
        from += part.len();
        cards.extend(node(part).map(|card| (line, card)));
    }
    cards
}

fn node(xml: &str) -> Option<Card> {
    let (_, capability) = xml.split_once("<capability type='pci'>")?;
    let element = |name: &str| {
        let (_, rest) = capability.split_once(&format!("<{name}>"))?;
        rest.split('<').next()
    };
    let attribute = |name: &str| {
        let (_, rest) = capability.split_once(&format!("<{name} id='"))?;
        let (id, rest) = rest.split_once('\'')?;
        let says = rest.strip_prefix('>').and_then(|rest| rest.split('<').next());
        Some((text::hex4(id.trim_start_matches("0x"))?, says))
    };
    let number = |name: &str| element(name)?.trim().parse::<u32>().ok();
    let ((device, name), (vendor, _)) = (attribute("product")?, attribute("vendor")?);
    let class = element("class").and_then(text::hex);
    let class = class.and_then(|class| u16::try_from(class >> 8).ok());
    let mut card = Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class });
    card.address =
        Address::new(number("domain")?, number("bus")?, number("slot")?, number("function")?);
    card.name = name.and_then(text::name);
    let driver = xml.split_once("<driver>").and_then(|(_, rest)| rest.split_once("<name>"));
    card.driver = driver.and_then(|(_, rest)| text::name(rest.split('<').next()?));
    Some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |(_, card): &(usize, Card)| {
            let place = card.address.map_or("-".to_owned(), |address| address.to_string());
            format!("{} {place}", card.ident)
        };
        read(text).iter().map(tell).collect()
    }

    #[test]
    fn each_system_says_it_its_own_way() {
        let bars = "\u{2502} class    \u{2502} device \u{2502} id           \u{2502} vendor \u{2502} device_name \u{2502}\n\
                    \u{255e}\u{2550}\u{2550}\u{2561}\n\
                    \u{2502} 0x028000 \u{2502} 0x2725 \u{2502} 0000:03:00.0 \u{2502} 0x8086 \u{2502} AX210       \u{2502}\n";
        let xml = "<device>\n<name>pci_0000_03_00_0</name>\n<driver>\n<name>iwlwifi</name>\n</driver>\n\
                   <capability type='pci'>\n<class>0x028000</class>\n<domain>0</domain>\n<bus>3</bus>\n<slot>0</slot>\n\
                   <function>0</function>\n<product id='0x2725'>Wi-Fi 6E</product>\n<vendor id='0x8086'>Intel</vendor>\n\
                   </capability>\n</device>\n";
        for (text, expected) in [
            (bars, "8086:2725 0000:03:00.0"),
            (xml, "8086:2725 0000:03:00.0"),
            (
                " 3:0:0: Intel Wi-Fi\n\t0x0000: Vendor ID: 8086, Product ID: 2725\n",
                "8086:2725 0000:03:00.0",
            ),
            (
                "   00   03   00   00 ==> Network Controller - Other network controller\n   \
                 Vendor 8086 Device 2725 Prog Interface 0\n",
                "8086:2725 0000:03:00.0",
            ),
            (
                "device Network controller [2|80|0]\n  vendor 8086: Intel Corporation\n  device 2725: Wi-Fi 6E AX210\n",
                "8086:2725 -",
            ),
            ("0000:03:00.0 8086:2725 8086:0024 vmkernel", "8086:2725:8086:0024 0000:03:00.0"),
            ("03:00.0 8086:2725 [0280] Network controller", "8086:2725 0000:03:00.0"),
            ("pci:8086-2725-8086-0024 Intel Wi-Fi", "8086:2725:8086:0024 -"),
            ("pci8086,24 (pciex8086,2725) [Intel Wi-Fi], instance #0", "8086:2725 -"),
            ("a card (vendor 8086, device 2725), does it work?", "8086:2725 -"),
            ("Vendor ID = 0x8086; Device ID = 0x2725; SubVendor ID = 0x1a56", "8086:2725 -"),
        ] {
            assert_eq!(told(text), [expected], "{text}");
        }
    }

    #[test]
    fn words_are_no_numbers() {
        for text in
            ["vendor and device", "the vendor is dead, the device beef2", "1:2:3 go", "pci:v8086"]
        {
            assert_eq!(told(text), [""; 0], "{text}");
        }
        let far = format!("vendor 8086\n{}device 2725\n", "x\n".repeat(9));
        assert_eq!(told(&far), [""; 0]);
    }
}
