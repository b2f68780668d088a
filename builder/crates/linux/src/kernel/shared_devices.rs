//! Devices that several modules claim: two drivers for one card, of which the kernel loads both.
//!
//! It happens with drivers from outside the kernel beside the kernel's own (rtl8821ce and
//! rtw88_8821ce). Which of them gets the card is then a matter of luck.

use std::collections::{BTreeMap, BTreeSet};

use super::depmod::Source;
use super::name::ModuleName;
use super::pattern;

/// Buses whose devices belong to one driver. On others (`cpu:`, `acpi:`, `dmi:`) sharing is usual.
const BUSES: [&str; 3] = ["pci:", "usb:", "sdio:"];

/// Aliases of devices that more than one of these modules has, with those modules.
pub fn shared<'a>(sources: &'a [Source<'_>]) -> BTreeMap<String, BTreeSet<&'a ModuleName>> {
    let mut claims: BTreeMap<String, BTreeSet<&ModuleName>> = BTreeMap::new();
    for source in sources {
        for alias in &source.module.info.aliases {
            if BUSES.iter().any(|bus| alias.starts_with(bus))
                && let Some(alias) = pattern::normalize(alias)
            {
                claims.entry(alias).or_default().insert(&source.name);
            }
        }
    }
    claims.retain(|_, modules| modules.len() > 1);
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::modinfo::{Modinfo, Module};
    use wifibox_ground::path::GuestPath;

    #[test]
    fn two_drivers_of_one_card_are_found() {
        let module = |aliases: &[&str]| Module {
            info: Modinfo {
                aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
                ..Modinfo::default()
            },
            ..Module::default()
        };
        let card = "pci:v000010ECd0000C821sv*sd*bc*sc*i*";
        let modules = [
            ("rtw88_8821ce", module(&[card, card, "cpu:x"])),
            ("8821ce", module(&["cpu:x", card])),
            ("other", module(&["pci:v1d2sv*", "crypto-x"])),
        ];
        let sources: Vec<Source<'_>> = modules
            .iter()
            .map(|(name, module)| Source {
                name: ModuleName::new(name).expect("a name"),
                path: GuestPath::new(format!("{name}.ko")).expect("a path"),
                module,
            })
            .collect();
        let shared = shared(&sources);
        assert_eq!(shared.len(), 1);
        let names: Vec<&str> = shared[card].iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["8821ce", "rtw88_8821ce"]);
    }
}
