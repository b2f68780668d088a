//! PCI cards by their numbers, `8086:2725` or `8086:2725:8086:0024`, and how they match the aliases of
//! kernel modules.
//!
//! The order is that of `lspci -nn` and of a module's alias: vendor, device, the subsystem's vendor, the
//! subsystem. A module's alias reads `pci:v00008086d00002725sv*sd*bc*sc*i*` (`do_pci_entry` in
//! scripts/mod/file2alias.c of Linux); each part is a number in upper-case hexadecimal or `*`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A PCI card: vendor and device, and where it is known the subsystem (the maker of the board).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    /// Who made the chip.
    pub vendor: u16,
    /// Which chip.
    pub device: u16,
    /// Who made the board, and which it is.
    pub subsystem: Option<(u16, u16)>,
}

/// A text that is no PCI id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a PCI id: VENDOR:DEVICE or VENDOR:DEVICE:SUBVENDOR:SUBDEVICE is expected, four \
     hexadecimal digits each, such as 8086:2725"
)]
pub struct NotADeviceId(pub String);

impl DeviceId {
    /// A card of which only vendor and device are known.
    pub fn new(vendor: u16, device: u16) -> Self {
        DeviceId { vendor, device, subsystem: None }
    }

    /// The same card without its subsystem.
    pub fn chip(self) -> Self {
        DeviceId { subsystem: None, ..self }
    }

    /// Whether `self`, an entry of a table, is about `card`: an entry without a subsystem is about all
    /// boards with the chip, and a card whose subsystem is not known may be any of them.
    pub fn covers(self, card: DeviceId) -> bool {
        let boards = match (self.subsystem, card.subsystem) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.chip() == card.chip() && boards
    }

    /// Whether a module's alias may be about this card: its vendor and device are named, and its
    /// subsystem is not excluded. Aliases that name no device (only a class) are about none.
    pub fn matches_alias(self, alias: &str) -> bool {
        let Some(alias) = PciAlias::parse(alias) else { return false };
        let is = |part: Option<u32>, own: u16| part == Some(own.into());
        let may = |part: Option<u32>, own: u16| part.is_none() || is(part, own);
        is(alias.vendor, self.vendor)
            && is(alias.device, self.device)
            && self.subsystem.is_none_or(|(vendor, device)| {
                may(alias.subvendor, vendor) && may(alias.subdevice, device)
            })
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.device)?;
        match self.subsystem {
            Some((vendor, device)) => write!(f, ":{vendor:04x}:{device:04x}"),
            None => Ok(()),
        }
    }
}

impl FromStr for DeviceId {
    type Err = NotADeviceId;

    fn from_str(text: &str) -> Result<Self, NotADeviceId> {
        let bad = || NotADeviceId(text.to_owned());
        let numbers: Vec<u16> = text
            .split(':')
            .map(|part| {
                let hexadecimal = part.len() == 4 && part.bytes().all(|b| b.is_ascii_hexdigit());
                let number = hexadecimal.then(|| u16::from_str_radix(part, 16).ok());
                number.flatten().ok_or_else(bad)
            })
            .collect::<Result<_, _>>()?;
        match *numbers.as_slice() {
            [vendor, device] => Ok(DeviceId::new(vendor, device)),
            [vendor, device, subvendor, subdevice] => {
                Ok(DeviceId { vendor, device, subsystem: Some((subvendor, subdevice)) })
            }
            _ => Err(bad()),
        }
    }
}

impl JsonSchema for DeviceId {
    fn schema_name() -> Cow<'static, str> {
        "DeviceId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}(:[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4})?$",
            "description": "A PCI card: vendor:device or vendor:device:subvendor:subdevice."
        })
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A module's PCI alias, taken apart; a part is `None` where the alias has `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PciAlias {
    /// Vendor.
    pub vendor: Option<u32>,
    /// Device.
    pub device: Option<u32>,
    /// The subsystem's vendor.
    pub subvendor: Option<u32>,
    /// The subsystem.
    pub subdevice: Option<u32>,
    /// Base class (02 is a network card).
    pub class: Option<u32>,
    /// Class below that (80 is "other", which Wi-Fi cards have).
    pub subclass: Option<u32>,
}

impl PciAlias {
    /// Takes an alias apart; `None` for one of another bus or form.
    pub fn parse(alias: &str) -> Option<Self> {
        let rest = alias.strip_prefix("pci:v")?;
        let (vendor, rest) = part(rest, "d")?;
        let (device, rest) = part(rest, "sv")?;
        let (subvendor, rest) = part(rest, "sd")?;
        let (subdevice, rest) = part(rest, "bc")?;
        let (class, rest) = part(rest, "sc")?;
        let (subclass, _) = part(rest, "i")?;
        Some(PciAlias { vendor, device, subvendor, subdevice, class, subclass })
    }
}

/// The number before the next key, and what follows that key.
fn part<'a>(text: &'a str, next: &str) -> Option<(Option<u32>, &'a str)> {
    // Numbers are in upper case, keys in lower case: the first key found is the next one.
    let (value, rest) = text.split_once(next)?;
    match value {
        "*" => Some((None, rest)),
        _ => Some((Some(u32::from_str_radix(value, 16).ok()?), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DeviceId {
        text.parse().expect("an id")
    }

    #[test]
    fn ids_are_read_and_written() {
        for text in ["8086:2725", "14e4:43a0:106b:0117"] {
            assert_eq!(id(text).to_string(), text);
        }
        assert_eq!(id("10EC:C821").to_string(), "10ec:c821");
        for bad in ["", "8086", "8086:", "8086:27255", "8086:2725:1028", "0x8086:2725", "8086:+725"]
        {
            assert!(bad.parse::<DeviceId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn aliases_match_what_is_known_of_a_card() {
        let chip = "pci:v00008086d00002725sv*sd*bc*sc*i*";
        assert!(id("8086:2725").matches_alias(chip));
        assert!(id("8086:2725:8086:0024").matches_alias(chip));
        assert!(!id("8086:2723").matches_alias(chip));
        let board = "pci:v00008086d00002725sv*sd00000024bc*sc*i*";
        assert!(id("8086:2725").matches_alias(board), "any board may be meant");
        assert!(id("8086:2725:1028:0024").matches_alias(board));
        assert!(!id("8086:2725:8086:0025").matches_alias(board));
        assert!(id("14e4:43a0").matches_alias("pci:v000014E4d000043A0sv*sd*bc02sc80i*"));
        assert!(!id("8086:2725").matches_alias("pci:v*d*sv*sd*bc02sc80i*"), "a class is no device");
        assert!(!id("8086:2725").matches_alias("usb:v8086p2725d*dc*dsc*dp*ic*isc*ip*in*"));
        assert!(!id("8086:2725").matches_alias("pci:v8086"));
    }

    #[test]
    fn entries_of_a_table_cover_cards() {
        assert!(id("8086:2725").covers(id("8086:2725:8086:0024")));
        assert!(id("8086:2725:8086:0024").covers(id("8086:2725")));
        assert!(!id("8086:2725:8086:0024").covers(id("8086:2725:8086:0025")));
        assert!(!id("8086:2723").covers(id("8086:2725")));
    }
}
