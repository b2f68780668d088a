//! `detect`: which guest a wireless card needs.
//!
//! Listings of hardware in the formats that people have at hand ([`pciconf`], `pnpinfo`, [`lspci`],
//! [`inxi`], [`blocks`], `inventory`, [`json`], other systems': `elsewhere`, or ids anywhere: [`loose`]),
//! as they paste them ([`tidy`]), or a running Linux ([`sysfs`]) become [`Card`]s; the generated [`table`] says which Linux
//! driver knows them, and [`answer`] which flavor has it, or why none can.

pub mod answer;
pub mod blocks;
mod by_flavor;
pub mod cards;
pub(crate) mod elsewhere;
pub(crate) mod exceptions;
mod groups;
pub(crate) mod inventory;
pub mod inxi;
pub mod json;
pub mod loose;
pub mod lspci;
mod makers;
mod merge;
mod notes;
pub mod offer;
#[cfg(test)]
mod pasted_tests;
pub mod pciconf;
pub(crate) mod pnpinfo;
pub mod reason;
pub mod sysfs;
#[cfg(test)]
mod systems_tests;
pub mod table;
#[cfg(test)]
mod tests;
mod text;
pub mod tidy;
mod unnumbered;

pub use by_flavor::by_flavor;
pub use unnumbered::Unnumbered;

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// Largest listing that is read, in bytes: `lspci -vvv` of a server has less than one million.
pub const LISTING_LIMIT: usize = 16 << 20;
/// Most devices that are taken from one listing.
pub(crate) const CARD_LIMIT: usize = 4096;

/// The bus of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bus {
    /// PCI, PCI Express, M.2 with PCI Express, CardBus.
    Pci,
    /// USB.
    Usb,
    /// SDIO.
    Sdio,
    /// 16-bit PC Cards.
    Pcmcia,
    /// ISA, with plug and play or without.
    Isa,
}

impl Bus {
    /// The bus whose devices have aliases that begin so (`pci`, `usb`, ...).
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "pci" => Bus::Pci,
            "usb" => Bus::Usb,
            "sdio" => Bus::Sdio,
            "pcmcia" => Bus::Pcmcia,
            "isa" | "isapnp" | "pnp" => Bus::Isa,
            _ => return None,
        })
    }

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            Bus::Pci => "PCI",
            Bus::Usb => "USB",
            Bus::Sdio => "SDIO",
            Bus::Pcmcia => "PCMCIA",
            Bus::Isa => "ISA",
        }
    }
}

/// The numbers by which drivers know a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ident {
    /// A PCI function.
    Pci {
        /// Vendor, device and, where known, subsystem.
        id: DeviceId,
        /// Class and subclass, such as 0x0280, where known.
        class: Option<u16>,
    },
    /// A device of another bus, by vendor and product.
    Numbers {
        /// Which bus.
        bus: Bus,
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
    },
    /// A device of another bus, by the alias that Linux gives it.
    Modalias {
        /// Which bus.
        bus: Bus,
        /// The alias, such as `usb:v0BDAp8179d0000...`.
        text: String,
    },
}

impl Ident {
    /// The bus that the device is attached to.
    pub fn bus(&self) -> Bus {
        match self {
            Ident::Pci { .. } => Bus::Pci,
            Ident::Numbers { bus, .. } | Ident::Modalias { bus, .. } => *bus,
        }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ident::Pci { id, .. } => write!(f, "{id}"),
            Ident::Numbers { vendor, product, .. } => write!(f, "{vendor:04x}:{product:04x}"),
            Ident::Modalias { text, .. } => f.write_str(text),
        }
    }
}

impl Serialize for Ident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A device as a listing describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The numbers or the alias by which drivers know it.
    pub ident: Ident,
    /// Where it is, if it is a PCI function and the listing says so.
    pub address: Option<Address>,
    /// Its name in the listing.
    pub name: Option<String>,
    /// The host's driver that holds it, such as `iwm0` or `vfio-pci`.
    pub driver: Option<String>,
    /// Other PCI functions that can only be handed over together with it, where the listing says so.
    pub companions: Vec<Address>,
    /// Whether the user asked for just this device, so that it gets an answer whatever it is.
    pub asked: bool,
}

impl Card {
    /// A device of which nothing but its numbers is known yet.
    pub fn new(ident: Ident) -> Self {
        Card {
            ident,
            address: None,
            name: None,
            driver: None,
            companions: Vec::new(),
            asked: false,
        }
    }

    /// Whether its class says that it is a wireless network card.
    pub(crate) fn has_wireless_class(&self) -> bool {
        // 02 80: network, other; 0d 20, 21: 802.11a and b; 0d 80: wireless, other (PCI Code and ID
        // Assignment Specification).
        matches!(self.ident, Ident::Pci { class: Some(0x0280 | 0x0d20 | 0x0d21 | 0x0d80), .. })
    }
}

/// Why a listing cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Too large.
    #[error("the listing has {size} bytes; at most {LISTING_LIMIT} are expected")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Nothing is in it.
    #[error("the listing is empty")]
    Empty,
    /// No line of it names a device by its numbers.
    #[error("no line names a device by its numbers")]
    NothingKnown,
    /// `lspci` without numbers.
    #[error(
        "this is the output of lspci without numbers, and names are not enough to tell cards apart"
    )]
    NamesOnly,
    /// Another listing without numbers.
    #[error("this looks like {}, and names are not enough to tell cards apart", .0.listing)]
    Unnumbered(Unnumbered),
    /// Begins like JSON, but is not JSON.
    #[error("not readable as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A file or folder of the running system.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Reads a listing in any of the known formats, or several of them one after the other; gives its
/// devices in the order of the text, at most `CARD_LIMIT`.
///
/// # Errors
/// [`DetectError`] if it is too large or names no device.
pub fn read(text: &str) -> Result<Vec<Card>, DetectError> {
    if text.len() > LISTING_LIMIT {
        return Err(DetectError::TooLarge { size: text.len() });
    }
    let text = tidy::clean(text);
    let lines = tidy::lines(&text).join("\n");
    let mut found: Vec<(usize, Card)> = Vec::new();
    let json = if is_json(&lines) { Some(json::read(&lines)?) } else { None };
    let objects = json.into_iter().flatten();
    found.extend(objects.map(|card| (0, card)));
    if found.is_empty() {
        // JSON whose texts are those of another listing: PowerShell's ids.
        let lines = if is_json(&lines) { json::unescaped(&lines) } else { lines.clone() };
        for read in READERS {
            found.extend(read(&lines));
        }
        // Stable: what one line says stays in order.
        found.sort_by_key(|(line, _)| *line);
    }
    let mut cards: Vec<Card> = Vec::new();
    for (_, card) in found.into_iter().take(CARD_LIMIT) {
        merge::add(&mut cards, card);
    }
    if !cards.is_empty() {
        Ok(cards)
    } else if lines.trim().is_empty() {
        Err(DetectError::Empty)
    } else if lspci::has_names_only(&lines) {
        Err(DetectError::NamesOnly)
    } else if let Some(unnumbered) = unnumbered::recognized(&lines) {
        Err(DetectError::Unnumbered(unnumbered))
    } else {
        Err(DetectError::NothingKnown)
    }
}

/// Finds devices in lines, each with the number of its line.
type Reader = fn(&str) -> Vec<(usize, Card)>;

/// All of them, the most telling ones first.
const READERS: [Reader; 9] = [
    pciconf::read,
    lspci::read,
    lspci::read_records,
    pnpinfo::read,
    inxi::read,
    blocks::read,
    inventory::read,
    elsewhere::read,
    loose::read,
];

/// Whether a text begins as a JSON object or list does. Kernel messages begin with `[`, too, and a time.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let list = text.strip_prefix('[').map(str::trim_start);
    text.starts_with('{') || list.is_some_and(|inside| inside.starts_with(['{', '[']))
}
