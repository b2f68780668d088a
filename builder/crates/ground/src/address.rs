//! Where a card is, and how each hypervisor writes that.
//!
//! `lspci`, Linux, Xen, QEMU and libvirt count in hexadecimal (`0000:0a:14.3`), FreeBSD's `pciconf`,
//! loader and bhyve in decimal (`pci0:10:20:3`, `10/20/3`). The notations are those of ppt(4) and
//! bhyve(8), vm(8) of vm-bhyve, xl.cfg(5) and xl-pci-configuration(5), qemu-system-x86_64(1), libvirt's
//! formatdomain, and the configuration of L4Re's `io`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The address of one PCI function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Domain (segment): 0 on nearly all machines.
    pub domain: u32,
    /// Bus.
    pub bus: u8,
    /// Slot (device) on the bus, at most 31.
    pub slot: u8,
    /// Function of the device, at most 7.
    pub function: u8,
}

/// How one hypervisor is told which card to hand over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notation {
    /// Which hypervisor: a name of `recipes/hypervisors`, or `l4re`.
    pub hypervisor: &'static str,
    /// Which file or command the text is for.
    pub place: &'static str,
    /// The text.
    pub text: String,
}

impl Address {
    /// An address, if its parts are in range.
    pub fn new(domain: u32, bus: u32, slot: u32, function: u32) -> Option<Self> {
        let bus = u8::try_from(bus).ok()?;
        let slot = u8::try_from(slot).ok().filter(|slot| *slot < 32)?;
        let function = u8::try_from(function).ok().filter(|function| *function < 8)?;
        Some(Address { domain, bus, slot, function })
    }

    /// Reads `BB:SS.F` or `DDDD:BB:SS.F`, hexadecimal, as Linux writes it. A domain has four to eight
    /// digits.
    pub fn parse_linux(text: &str) -> Option<Self> {
        let (rest, function) = text.rsplit_once('.')?;
        let (rest, slot) = rest.rsplit_once(':')?;
        let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
        let lengths = (4..=8).contains(&domain.len()) && bus.len() == 2 && slot.len() == 2;
        if !lengths || function.len() != 1 {
            return None;
        }
        Address::new(hex(domain)?, hex(bus)?, hex(slot)?, hex(function)?)
    }

    /// Reads `DOMAIN:BUS:SLOT:FUNCTION`, decimal, as FreeBSD writes it behind `pci`; before FreeBSD 7
    /// it was `BUS:SLOT:FUNCTION`.
    pub fn parse_freebsd(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u32>().ok()).flatten()
        };
        let parts: Vec<u32> = text.split(':').map(number).collect::<Option<_>>()?;
        match *parts.as_slice() {
            [domain, bus, slot, function] => Address::new(domain, bus, slot, function),
            [bus, slot, function] => Address::new(0, bus, slot, function),
            _ => None,
        }
    }

    /// Reads what a user gives: `DDDD:BB:SS.F` or `BB:SS.F` as Linux and Xen write it, `pci0:3:0:0` as
    /// FreeBSD does, or `3/0/0` as bhyve does. Bare decimal numbers with colons are in no notation.
    pub fn parse_any(text: &str) -> Option<Self> {
        if let Some(freebsd) = text.strip_prefix("pci") {
            return Address::parse_freebsd(freebsd);
        }
        if text.contains('/') {
            let triple = text.matches('/').count() == 2 && !text.contains(':');
            return triple.then(|| Address::parse_freebsd(&text.replace('/', ":"))).flatten();
        }
        Address::parse_linux(text)
    }

    /// `BUS/SLOT/FUNCTION` in decimal, as FreeBSD's loader and bhyve want it. They know domain 0 only.
    pub fn bhyve(self) -> Option<String> {
        (self.domain == 0).then(|| format!("{}/{}/{}", self.bus, self.slot, self.function))
    }

    /// The settings that pass the card through, one for each hypervisor and place. `class` is the card's class and
    /// subclass (0x0280), where known: L4Re chooses cards by it.
    pub fn notations(self, class: Option<u16>) -> Vec<Notation> {
        let mut list = Vec::new();
        let mut add = |hypervisor, place, text| list.push(Notation { hypervisor, place, text });
        if let Some(triple) = self.bhyve() {
            add("bhyve", "/boot/loader.conf", format!("pptdevs=\"{triple}\""));
            add("bhyve", "wifibox bhyve.conf", format!("passthru={triple}"));
            add("bhyve", "bhyve", format!("-s 6:0,passthru,{triple}"));
            add("bhyve", "vm-bhyve", format!("passthru0=\"{triple}\""));
        }
        add("xen", "dom0 command line", format!("xen-pciback.hide=({self})"));
        add("xen", "xl.cfg", format!("pci = [\"{self}\"]"));
        add("qemu", "QEMU", format!("-device vfio-pci,host={self}"));
        let Address { domain, bus, slot, function } = self;
        let libvirt = format!(
            "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x{domain:04x}' \
             bus='0x{bus:02x}' slot='0x{slot:02x}' function='0x{function:x}'/></source></hostdev>"
        );
        add("qemu", "libvirt", libvirt);
        // io matches devices by class; a class of two digits takes every network card.
        let class = class.map_or_else(|| "02".to_owned(), |class| format!("{class:04x}"));
        add("l4re", "io .vbus", format!("wrap(Io.system_bus():match(\"PCI/CC_{class}\"))"));
        list
    }
}

fn hex(text: &str) -> Option<u32> {
    // from_str_radix takes a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { domain, bus, slot, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{slot:02x}.{function:x}")
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Address::parse_linux(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is not a PCI address like 0000:03:00.0"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_and_decimal_are_not_mixed_up() {
        let linux = Address::parse_linux("0a:14.3").expect("an address");
        assert_eq!(Some(linux), Address::parse_freebsd("0:10:20:3"));
        assert_eq!(Some(linux), Address::parse_freebsd("10:20:3"));
        assert_eq!(linux.to_string(), "0000:0a:14.3");
        assert_eq!(linux.bhyve().as_deref(), Some("10/20/3"));
        assert_eq!(Address::parse_linux("10000:e1:00.0").map(|a| a.domain), Some(0x10000));
    }

    #[test]
    fn a_user_may_take_any_notation() {
        let expected = Address::new(0, 10, 20, 3);
        for text in ["0000:0a:14.3", "0a:14.3", "pci0:10:20:3", "pci10:20:3", "10/20/3"] {
            assert_eq!(Address::parse_any(text), expected, "{text}");
        }
        for bad in ["", "pci", "10:20:3", "0:10:20:3", "10/20", "0/10/20/3", "10/20:3", "a/0/0"] {
            assert_eq!(Address::parse_any(bad), None, "{bad}");
        }
        let text = serde_json::to_string(&expected).expect("text");
        assert_eq!(serde_json::from_str::<Option<Address>>(&text).expect("read"), expected);
        assert!(serde_json::from_str::<Address>("\"10/20/3\"").is_err());
    }

    #[test]
    fn what_is_out_of_range_is_no_address() {
        for bad in ["", "6", "06:00", "06:00.8", "06:20.0", "6:0.0", "+6:00.0", "000:06:00.0"] {
            assert_eq!(Address::parse_linux(bad), None, "{bad}");
        }
        for bad in ["", "0:256:0:0", "0:0:32:0", "0:0:0:8", "0:0:+1:0", "0:a:0:0", "1:2:3:4:5"] {
            assert_eq!(Address::parse_freebsd(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_hypervisor_gets_its_own_notation() {
        let text = |address: &str| {
            let list = Address::parse_linux(address).expect("an address").notations(Some(0x0280));
            list.into_iter().map(|n| n.text).collect::<Vec<_>>()
        };
        assert_eq!(
            text("06:00.0"),
            [
                "pptdevs=\"6/0/0\"",
                "passthru=6/0/0",
                "-s 6:0,passthru,6/0/0",
                "passthru0=\"6/0/0\"",
                "xen-pciback.hide=(0000:06:00.0)",
                "pci = [\"0000:06:00.0\"]",
                "-device vfio-pci,host=0000:06:00.0",
                "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' \
                 bus='0x06' slot='0x00' function='0x0'/></source></hostdev>",
                "wrap(Io.system_bus():match(\"PCI/CC_0280\"))",
            ]
        );
        let other_domain = text("0001:06:00.0");
        assert!(!other_domain.iter().any(|text| text.contains("6/0/0")), "{other_domain:?}");
    }
}
