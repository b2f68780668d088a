//! Other listings that name devices by their numbers, line by line:
//!
//! * plain ids: `8086:2725`, `8086:2725:8086:0024`, `usb 0bda:8179`, also with `0x` or a `#` comment;
//! * aliases, as in `/sys/bus/*/devices/*/modalias`: `pci:v...`, `usb:v...`, `sdio:c...`, `pcmcia:m...`;
//! * Windows' hardware ids: `PCI\VEN_8086&DEV_2725&SUBSYS_00248086`, `USB\VID_0BDA&PID_8179`;
//! * kernel messages: Linux' `pci 0000:06:00.0: [8086:2725] type 00 class 0x028000`, and FreeBSD's of a
//!   verbose boot (`found-> vendor=0x8086, dev=0x2725, ...`, pci_print_verbose in sys/dev/pci/pci.c);
//! * `lsusb` and `usbconfig dump_device_desc`; `pccardctl ident`.

use super::{Bus, Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::{DeviceId, PciAlias};

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards: Vec<(usize, Card)> = Vec::new();
    let mut open = Open::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if open.line(line) {
            cards.extend(open.take().map(|card| (number, card)));
        } else {
            cards.extend(one_line(line).into_iter().map(|card| (number, card)));
        }
        if let (Some(address), Some((_, card))) = (windows_place(line), cards.last_mut())
            && card.ident.bus() == Bus::Pci
        {
            card.address = card.address.or(Some(address));
        }
    }
    cards
}

/// The devices that one line describes.
fn one_line(line: &str) -> Vec<Card> {
    // What a driver knows (modinfo, modules.alias) is not what a machine has.
    if line.starts_with("alias") {
        return Vec::new();
    }
    if let Some(card) = linux_message(line).or_else(|| lsusb(line)) {
        return vec![card];
    }
    let words = line.split(|c: char| c.is_whitespace() || c == ';');
    let named: Vec<Card> = words.filter_map(|word| windows(word).or_else(|| alias(word))).collect();
    if named.is_empty() { plain(line) } else { named }
}

fn numbers(bus: Bus, vendor: u16, product: u16) -> Card {
    Card::new(Ident::Numbers { bus, vendor, product })
}

/// A line that holds ids and nothing else but a comment.
fn plain(line: &str) -> Vec<Card> {
    let line = line.split('#').next().unwrap_or_default();
    let line = line.trim().trim_matches(['"', '\'', ',', '[', ']', '(', ')']);
    let mut cards = Vec::new();
    let mut bus = Bus::Pci;
    let words = line.split(|c: char| c.is_whitespace() || ",;".contains(c));
    for word in words.filter(|word| !word.is_empty()) {
        let word = word.trim_matches(['"', '\'']);
        if let Some(named) = Bus::of_scheme(&word.to_ascii_lowercase()) {
            bus = named;
        } else if let Some(card) = id(bus, word) {
            cards.push(card);
        } else {
            return Vec::new();
        }
    }
    cards
}

/// `8086:2725`, `0x8086:0x2725`, `8086:2725:8086:0024`.
fn id(bus: Bus, id: &str) -> Option<Card> {
    let parts: Vec<u16> = id
        .split(':')
        .map(|part| text::hex4(part.strip_prefix("0x").unwrap_or(part)))
        .collect::<Option<_>>()?;
    let mut card = match (bus, parts.as_slice()) {
        (Bus::Pci, [vendor, device]) => {
            Card::new(Ident::Pci { id: DeviceId::new(*vendor, *device), class: None })
        }
        (Bus::Pci, [vendor, device, subvendor, subdevice]) => {
            let subsystem = Some((*subvendor, *subdevice));
            let id = DeviceId { vendor: *vendor, device: *device, subsystem };
            Card::new(Ident::Pci { id, class: None })
        }
        (bus, [vendor, product]) => numbers(bus, *vendor, *product),
        _ => return None,
    };
    card.asked = true;
    Some(card)
}

/// Where Windows says that a device is, in its language: `PCI bus 3, device 0, function 0`, `PCI-Bus 3, Gerät 0,
/// Funktion 0`, `(3,0,0)` behind a pattern of that.
fn windows_place(line: &str) -> Option<Address> {
    let line = line.to_lowercase();
    let (_, rest) = line.split_once("pci")?;
    let rest = match rest.split_once("%3;(") {
        Some((_, numbers)) => numbers,
        None if line.contains("bus") || line.contains("шина") => rest,
        None => return None,
    };
    let mut numbers = rest.split(',').map(|part| {
        let word = part.split_whitespace().next_back()?;
        word.trim_end_matches([')', '.']).parse::<u32>().ok()
    });
    let mut next = || numbers.next().flatten();
    Address::new(0, next()?, next()?, next()?)
}

/// A device's alias.
pub(super) fn alias(word: &str) -> Option<Card> {
    let word = word.trim_matches(['"', '\'', ',']);
    let word = word.strip_prefix("MODALIAS=").unwrap_or(word);
    let (scheme, rest) = word.split_once(':')?;
    let bus = Bus::of_scheme(scheme).filter(|_| rest.len() >= 4 && rest.len() <= 500)?;
    if bus != Bus::Pci {
        // `usb:v`, `sdio:c`, `pcmcia:m`; a bare `usb:` is just a word.
        let known = match bus {
            Bus::Usb => rest.starts_with('v') && rest.contains('p'),
            Bus::Sdio => rest.starts_with('c') && rest.contains('v'),
            Bus::Pcmcia => rest.starts_with('m'),
            _ => rest.starts_with('d') || rest.starts_with('c'),
        };
        let good = known && rest.bytes().all(|byte| byte.is_ascii_graphic());
        return good.then(|| Card::new(Ident::Modalias { bus, text: word.to_owned() }));
    }
    let alias = PciAlias::parse(word)?;
    let low = |part: Option<u32>| part.and_then(|number| u16::try_from(number).ok());
    let class = alias.class.zip(alias.subclass).map(|(class, sub)| class << 8 | sub);
    let id = DeviceId {
        vendor: low(alias.vendor)?,
        device: low(alias.device)?,
        subsystem: low(alias.subvendor).zip(low(alias.subdevice)).filter(|both| *both != (0, 0)),
    };
    Some(Card::new(Ident::Pci { id, class: low(class) }))
}

/// The number after a key such as `VEN_`.
fn after(text: &str, key: &str, digits: usize) -> Option<u32> {
    let (_, rest) = text.split_once(key)?;
    text::hex(rest.get(..digits)?)
}

/// One of Windows' hardware ids.
fn windows(word: &str) -> Option<Card> {
    let word = word.to_ascii_uppercase();
    let number = |key, digits| after(&word, key, digits);
    let low = |number: u32| u16::try_from(number & 0xffff).ok();
    if word.contains("PCI\\VEN_") || word.starts_with("VEN_") && word.contains("&DEV_") {
        let subsystem = number("&SUBSYS_", 8);
        // The subsystem's vendor is in the lower half.
        let subsystem = subsystem.and_then(|both| Some((low(both)?, low(both >> 16)?)));
        let id = DeviceId {
            vendor: low(number("VEN_", 4)?)?,
            device: low(number("&DEV_", 4)?)?,
            subsystem,
        };
        let class = number("&CC_", 4).and_then(low);
        Some(Card::new(Ident::Pci { id, class }))
    } else if word.contains("USB\\VID_") {
        Some(numbers(Bus::Usb, low(number("VID_", 4)?)?, low(number("&PID_", 4)?)?))
    } else if word.contains("SD\\VID_") {
        Some(numbers(Bus::Sdio, low(number("VID_", 4)?)?, low(number("&PID_", 4)?)?))
    } else {
        None
    }
}

/// `Bus 001 Device 003: ID 0bda:8179 Realtek Semiconductor Corp. RTL8188EUS`
fn lsusb(line: &str) -> Option<Card> {
    let (_, rest) = line.split_once("Bus ")?;
    let (_, rest) = rest.split_once(": ID ")?;
    let (id, name) = rest.split_once(' ').unwrap_or((rest, ""));
    let (vendor, product) = text::pair(id)?;
    let mut card = numbers(Bus::Usb, vendor, product);
    card.name = text::name(name);
    Some(card)
}

/// `pci 0000:00:14.3: [8086:a0f0] type 00 class 0x028000`
fn linux_message(line: &str) -> Option<Card> {
    let (_, rest) = line.split_once("pci ")?;
    let (address, rest) = rest.split_once(": [")?;
    let (id, rest) = rest.split_once(']')?;
    let (vendor, device) = text::pair(id)?;
    let class = rest.split_once("class ").and_then(|(_, rest)| {
        text::hex(rest.split_whitespace().next()?).and_then(|class| u16::try_from(class >> 8).ok())
    });
    let mut card = Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class });
    card.address = Some(Address::parse_linux(address)?);
    Some(card)
}

/// A device whose description takes several lines, as far as it was read.
#[derive(Default)]
struct Open {
    /// FreeBSD's `found->`: vendor and device, domain to function.
    found: Option<(u16, u16)>,
    address: Option<Address>,
    /// `usbconfig`: where and what the device is, its vendor.
    usb: Option<(String, Option<u16>)>,
    done: Option<Card>,
}

impl Open {
    /// Whether the line belongs to such a description.
    fn line(&mut self, line: &str) -> bool {
        let number = |key: &str| {
            let (_, rest) = line.split_once(key)?;
            text::hex(rest.split([',', ' ', '\t']).next()?)
        };
        let decimal = |key: &str| {
            let (_, rest) = line.split_once(key)?;
            rest.split([',', ' ']).next()?.parse::<u32>().ok()
        };
        let low = |number: u32| u16::try_from(number).ok();
        if line.contains("found->") {
            let both = number("vendor=").and_then(low).zip(number("dev=").and_then(low));
            (self.found, self.address) = (both, None);
            both.is_some()
        } else if self.found.is_some() && line.contains("domain=") {
            let parts = ["domain=", "bus=", "slot=", "func="].map(decimal);
            if let [Some(domain), Some(bus), Some(slot), Some(function)] = parts {
                self.address = Address::new(domain, bus, slot, function);
            }
            true
        } else if let (Some((vendor, device)), Some((_, rest))) =
            (self.found, line.split_once("class="))
        {
            // class=02-80-00, hdrtype=0x00, mfdev=0
            let mut bytes = rest.split(['-', ',']).map(|part| text::hex(part.trim()));
            let class = bytes.next().flatten().zip(bytes.next().flatten());
            let class = class.and_then(|(class, sub)| u16::try_from(class << 8 | sub).ok());
            let mut card = Card::new(Ident::Pci { id: DeviceId::new(vendor, device), class });
            card.address = self.address;
            (self.found, self.done) = (None, Some(card));
            true
        } else if line.starts_with("ugen") && line.contains(" at usbus") {
            // ugen0.2: <Realtek 802.11n NIC> at usbus0, cfg=0 md=HOST spd=HIGH (480Mbps) pwr=ON (500mA)
            let name = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            self.usb = Some((name.map(|(name, _)| name).unwrap_or_default().to_owned(), None));
            true
        } else if let (Some((_, vendor)), Some((key, value))) =
            (&mut self.usb, line.split_once(" = "))
        {
            let number = value.split_whitespace().next().and_then(text::hex).and_then(low);
            match key.trim() {
                "idVendor" => *vendor = number,
                "idProduct" => {
                    if let (Some((name, Some(vendor))), Some(product)) = (self.usb.take(), number) {
                        let mut card = numbers(Bus::Usb, vendor, product);
                        card.name = text::name(&name);
                        self.done = Some(card);
                    }
                }
                _ => {}
            }
            true
        } else if let Some(rest) = line.strip_prefix("manfid: ") {
            // manfid: 0x0156, 0x0002
            let mut parts = rest.split(", ").map(|part| text::hex(part.trim()).and_then(low));
            if let (Some(Some(vendor)), Some(Some(product))) = (parts.next(), parts.next()) {
                self.done = Some(numbers(Bus::Pcmcia, vendor, product));
            }
            true
        } else {
            false
        }
    }

    fn take(&mut self) -> Option<Card> {
        self.done.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Card {
        let mut cards = read(text);
        assert_eq!(cards.len(), 1, "{text}: {cards:?}");
        cards.remove(0).1
    }

    #[test]
    fn each_form_names_the_card() {
        for (text, id) in [
            ("8086:2725", "8086:2725"),
            ("8086:2725:8086:0024 # the new one", "8086:2725:8086:0024"),
            ("0x8086:0x2725", "8086:2725"),
            ("pci:v00008086d00002725sv00008086sd00000024bc02sc80i00", "8086:2725:8086:0024"),
            ("MODALIAS=pci:v00008086d00002725sv*sd*bc*sc*i*", "8086:2725"),
            (r"PCI\VEN_8086&DEV_2725&SUBSYS_00248086&REV_1A\4&1a2b", "8086:2725:8086:0024"),
            (r"PCI\VEN_8086&DEV_2725&CC_0280", "8086:2725"),
            (
                "[    0.6] pci 0000:06:00.0: [8086:2725] type 00 class 0x028000 PCIe Endpoint",
                "8086:2725",
            ),
            (
                "found->\tvendor=0x8086, dev=0x2725, revid=0x1a\n\tdomain=0, bus=6, slot=0, func=0\n\
              \tclass=02-80-00, hdrtype=0x00, mfdev=0\n\tcmdreg=0x0406, statreg=0x0010",
                "8086:2725",
            ),
        ] {
            let card = only(text);
            assert_eq!(card.ident.bus(), Bus::Pci, "{text}");
            assert_eq!(card.ident.to_string(), id, "{text}");
        }
    }

    #[test]
    fn kernel_messages_say_where_the_card_is() {
        for text in [
            "pci 0000:06:00.0: [8086:2725] type 00 class 0x028000",
            "found-> vendor=0x8086, dev=0x2725, revid=0x1a\n domain=0, bus=6, slot=0, func=0\n \
             class=02-80-00, hdrtype=0x00, mfdev=0",
        ] {
            let card = only(text);
            assert_eq!(card.address, Address::parse_linux("06:00.0"), "{text}");
            assert!(card.has_wireless_class(), "{text}");
        }
    }

    #[test]
    fn other_buses_are_told_apart() {
        for (text, bus, id) in [
            (
                "Bus 001 Device 003: ID 0bda:8179 Realtek Semiconductor Corp. NIC",
                Bus::Usb,
                "0bda:8179",
            ),
            ("usb 0bda:8179", Bus::Usb, "0bda:8179"),
            (r"USB\VID_0BDA&PID_8179&REV_0000", Bus::Usb, "0bda:8179"),
            (
                "ugen0.2: <Realtek NIC> at usbus0, cfg=0 md=HOST\n\n  bLength = 0x0012 \n  \
              idVendor = 0x0bda \n  idProduct = 0x8179 \n",
                Bus::Usb,
                "0bda:8179",
            ),
            ("sdio 02d0:4330", Bus::Sdio, "02d0:4330"),
            ("sdio:c00v02D0d4330", Bus::Sdio, "sdio:c00v02D0d4330"),
            ("  manfid: 0x0156, 0x0002", Bus::Pcmcia, "0156:0002"),
            ("pnp:dPNP0501", Bus::Isa, "pnp:dPNP0501"),
        ] {
            let card = only(text);
            assert_eq!((card.ident.bus(), card.ident.to_string().as_str()), (bus, id), "{text}");
        }
    }

    #[test]
    fn prose_names_no_device() {
        for text in
            ["", "12:30 tea", "usb: see below", "dead:beef is a number", "8086:27", "pci:", "usb:"]
        {
            assert!(read(text).is_empty(), "{text}");
        }
    }
}
