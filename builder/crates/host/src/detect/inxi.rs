//! The output of `inxi -Nx`, `-Nxx` and `-Fz` (inxi(1)): pairs of a key and a value, broken at any blank.
//!
//! ```text
//! Network:
//!   Device-1: Intel Wi-Fi 6 AX210 driver: iwlwifi v: kernel
//!     bus-ID: 02:00.0 chip-ID: 8086:2725 class-ID: 0280
//! ```
//!
//! Older versions write `Card-1:` or `Card:`, `bus ID:` and `chip ID:`.

use super::{Bus, Card, Ident, text};
use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// The devices that the text describes, each with the number of its line.
pub fn read(text: &str) -> Vec<(usize, Card)> {
    let mut cards = Vec::new();
    let mut open: Option<Device> = None;
    let mut key = "";
    for (number, line) in text.lines().enumerate() {
        let mut previous = "";
        for word in line.split_whitespace() {
            if begins(word) {
                cards.extend(open.take().and_then(Device::card));
                open = Some(Device { line: number, ..Device::default() });
                key = "name";
            } else if let Some(name) = word.strip_suffix(':').filter(|name| is_key(name)) {
                key = match (previous, name) {
                    ("bus" | "chip" | "class", "ID") => previous,
                    _ => name.strip_suffix("-ID").unwrap_or(name),
                };
            } else if let Some(device) = &mut open {
                device.add(key, word);
            }
            previous = word;
        }
        // A device does not go on behind an empty line.
        if line.trim().is_empty() && open.as_ref().is_some_and(|device| !device.chip.is_empty()) {
            cards.extend(open.take().and_then(Device::card));
        }
    }
    cards.extend(open.and_then(Device::card));
    cards
}

/// Whether lines look like those of inxi without numbers.
pub(super) fn has_names_only(text: &str) -> bool {
    text.split_whitespace().any(begins) && text.contains("driver:")
}

/// `Device-1:`, `Card-1:`, `Card:`.
fn begins(word: &str) -> bool {
    let Some(word) = word.strip_suffix(':') else { return false };
    let (kind, number) = word.split_once('-').unwrap_or((word, "1"));
    (kind == "Card" || kind == "Device" && word != kind)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_key(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
}

#[derive(Default)]
struct Device {
    line: usize,
    name: String,
    driver: String,
    kind: String,
    bus: String,
    chip: String,
    class: String,
}

impl Device {
    fn add(&mut self, key: &str, word: &str) {
        let field = match key {
            "name" => &mut self.name,
            "driver" => &mut self.driver,
            "type" => &mut self.kind,
            "bus" => &mut self.bus,
            "chip" => &mut self.chip,
            "class" => &mut self.class,
            _ => return,
        };
        if key == "name" && !field.is_empty() {
            field.push(' ');
        } else if key != "name" && !field.is_empty() {
            return;
        }
        field.push_str(word.trim_end_matches(','));
    }

    fn card(self) -> Option<(usize, Card)> {
        let (vendor, device) = text::pair(&self.chip)?;
        let address = Address::parse_linux(&self.bus);
        let class = text::hex4(&self.class);
        let usb = self.kind == "USB" || address.is_none() && self.bus.contains('-');
        let mut card = Card::new(if usb {
            Ident::Numbers { bus: Bus::Usb, vendor, product: device }
        } else {
            Ident::Pci { id: DeviceId::new(vendor, device), class }
        });
        card.address = address.filter(|_| !usb);
        card.name = text::name(&self.name);
        card.driver = text::name(&self.driver).filter(|driver| driver != "N/A");
        Some((self.line, card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let tell = |(_, card): &(usize, Card)| {
            let place = card.address.map(|address| address.to_string()).unwrap_or_default();
            format!("{} {place} {}", card.ident, card.driver.clone().unwrap_or_default())
        };
        read(text).iter().map(tell).collect()
    }

    #[test]
    fn each_age_is_read_however_it_is_broken() {
        for text in [
            "Network:\n  Device-1: Intel AX210 driver: iwlwifi\n    v: kernel bus-ID:\n 02:00.0 chip-ID: 8086:2725\n    class-ID: 0280\n  IF: wlan0 state: up",
            "Network:   Card-1: Intel AX210 driver: iwlwifi v: kernel bus ID: 02:00.0 chip ID: 8086:2725",
            "Network:   Card: Intel AX210 driver: iwlwifi bus-ID: 02:00.0 chip-ID: 8086:2725",
            "Network: Device-1: Intel AX210 bus-ID: 02:00.0 driver: iwlwifi chip-ID: 8086:2725",
        ] {
            assert_eq!(told(text), ["8086:2725 0000:02:00.0 iwlwifi"], "{text}");
            assert_eq!(read(text)[0].1.name.as_deref(), Some("Intel AX210"));
        }
    }

    #[test]
    fn usb_is_told_apart() {
        let text = "Device-1: Realtek RTL8811AU type: USB driver: N/A bus-ID: 1-2:3 chip-ID: 0bda:a811\n\
                    Device-2: Intel Bluetooth driver: btusb bus-ID: 3-10:3 chip-ID: 8087:0032";
        assert_eq!(told(text), ["0bda:a811  ", "8087:0032  btusb"]);
        assert!(read(text).iter().all(|(_, card)| card.ident.bus() == Bus::Usb));
    }

    #[test]
    fn names_alone_are_noticed() {
        let text = "Network:\n  Device-1: Intel Wi-Fi 6 AX210 driver: iwlwifi\n";
        assert!(read(text).is_empty() && has_names_only(text));
        assert!(!has_names_only("Device: x driver: y"));
    }
}
