//! A guest for one card (`--device 8086:2725`): of the flavor's drivers, those that know the card.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;

use super::Error;
use crate::kernel::ModuleName;
use crate::kernel::builtin::Builtin;
use crate::kernel::closure::{Closure, Want, close};
use crate::kernel::modules::Modules;
use wifibox_ground::device::DeviceId;
use wifibox_recipe::{Card, DriverSet, Recipe};

/// The part of its flavor that a guest for one card keeps.
#[derive(Debug, Clone)]
pub struct Focus {
    /// The card.
    pub device: DeviceId,
    /// Manifests with a driver for it, each with what it says about the card, if it says something.
    pub chipsets: BTreeMap<String, Option<Card>>,
    /// Names of the flavor's modules that stay out.
    dropped: BTreeSet<String>,
}

impl Focus {
    /// Whether a module that the recipe asks for stays in.
    pub fn keeps(&self, module: &str) -> bool {
        !self.dropped.contains(module)
    }

    /// The wish in the user's words.
    pub fn label(&self) -> String {
        format!("--device {}", self.device)
    }
}

/// Finds the drivers that know `device` by their aliases, or by those of the modules that they need
/// (a BCM4313 is announced to bcma, and brcmsmac drives what bcma finds).
///
/// # Errors
/// [`Error::NoDriver`], and whatever reading modules meets.
pub(crate) fn focus(
    recipe: &Recipe,
    modules: &Modules,
    builtin: &Builtin,
    device: DeviceId,
    jobs: NonZero<usize>,
) -> Result<Focus, Error> {
    let mut chipsets = BTreeMap::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for set in &recipe.drivers {
        let mut knows = false;
        for module in &set.modules {
            let name = ModuleName::new(&module.name)
                .map_err(|error| Error::Unsupported(format!("{}: {error}", set.chipset.origin)))?;
            if !modules.contains(&name) {
                // One that must be there fails with all others that are missing.
                continue;
            }
            let by = set.chipset.origin.to_string();
            let want = Want { name, optional: false, by };
            let closure = close(modules, builtin, &[want], jobs)?;
            if announced(modules, &closure, device) {
                kept.insert(module.name.clone());
                knows = true;
            }
        }
        if knows {
            let card = card(set, device);
            let chosen = card.map(|card| card.modules.as_slice()).unwrap_or_default();
            let runtime = set.runtime_modules.iter();
            let runtime = runtime.filter(|module| {
                chosen.is_empty() || chosen.iter().any(|chosen| chosen.name == module.name)
            });
            kept.extend(runtime.map(|module| module.name.clone()));
            chipsets.insert(set.chipset.value.clone(), card.cloned());
        }
    }
    if chipsets.is_empty() {
        return Err(Error::NoDriver {
            device,
            flavor: recipe.flavor.value.clone(),
            kernel: modules.version().to_owned(),
        });
    }
    let all = recipe.drivers.iter().flat_map(|set| set.modules.iter().chain(&set.runtime_modules));
    let all = all.map(|module| module.name.clone());
    let dropped = all.filter(|name| !kept.contains(name)).collect();
    Ok(Focus { device, chipsets, dropped })
}

fn announced(modules: &Modules, closure: &Closure, device: DeviceId) -> bool {
    let loaded = closure.members.keys().filter_map(|name| modules.loaded(name));
    let mut aliases = loaded.flat_map(|loaded| &loaded.module.info.aliases);
    aliases.any(|alias| device.matches_alias(alias))
}

fn card(set: &DriverSet, device: DeviceId) -> Option<&Card> {
    let cards = set.devices.as_ref().map(|devices| devices.cards.as_slice()).unwrap_or_default();
    let about = |card: &&Card| card.ids.iter().any(|id| id.covers(device));
    cards.iter().find(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_ground::content::{Content, Spool};
    use wifibox_ground::path::GuestPath;
    use wifibox_recipe::{Catalog, Selection, Sources};
    use wifibox_testkit::module::{Spec, elf};

    fn recipe(flavor: &str) -> Recipe {
        let catalog = Catalog::load(&Sources::embedded()).expect("loaded");
        let selection =
            Selection { base: "debian".into(), flavor: flavor.into(), ..Selection::default() };
        catalog.compose(&selection).expect("composed")
    }

    fn focused(flavor: &str, device: &str) -> Result<Focus, Error> {
        let spool = Spool::new_in(&std::env::temp_dir()).expect("a spool");
        let mut modules = Modules::new("6.12", spool);
        for (name, modinfo) in [
            (
                "iwlwifi",
                vec![
                    "alias=pci:v00008086d00002725sv*sd*bc*sc*i*",
                    "alias=pci:v00008086d00004232sv*sd00001201bc*sc*i*",
                ],
            ),
            ("iwlmvm", vec!["depends=iwlwifi"]),
            ("iwldvm", vec!["depends=iwlwifi"]),
            ("rtw88_8822ce", vec!["alias=pci:v000010ECd0000C822sv*sd*bc*sc*i*"]),
            ("brcmsmac", vec!["depends=bcma", "alias=bcma:m04BFid0812rev18cl*"]),
            ("bcma", vec!["alias=pci:v000014E4d00004727sv*sd*bc*sc*i*"]),
        ] {
            let path = GuestPath::new(format!("lib/modules/6.12/{name}.ko")).expect("a path");
            modules.insert(&path, Content::from_bytes(elf(&Spec::new(&modinfo))));
        }
        let device = device.parse().expect("an id");
        focus(&recipe(flavor), &modules, &Builtin::default(), device, NonZero::<usize>::MIN)
    }

    #[test]
    fn a_card_keeps_its_driver_and_what_its_entry_says() {
        let focus = focused("default", "8086:2725").expect("a driver");
        assert_eq!(focus.chipsets.keys().collect::<Vec<_>>(), ["iwlwifi"]);
        let card = focus.chipsets["iwlwifi"].as_ref().expect("an entry");
        assert_eq!(card.name, "Wi-Fi 6E AX210");
        for (module, kept) in [
            ("iwlwifi", true),
            ("iwlmvm", true),
            ("iwldvm", false),
            ("rtw88_8822ce", false),
            ("qrtr_mhi", false),
            ("e1000", true),
        ] {
            assert_eq!(focus.keeps(module), kept, "{module}");
        }
        // The old card wants the other operation mode.
        let focus = focused("iwlwifi", "8086:4232:8086:1201").expect("a driver");
        assert!(focus.keeps("iwldvm") && !focus.keeps("iwlmvm"));
    }

    #[test]
    fn a_card_without_an_entry_keeps_all_of_its_manifest() {
        let focus = focused("rtw88", "10ec:c822").expect("a driver");
        assert_eq!(focus.chipsets, BTreeMap::from([("rtw88".to_owned(), None)]));
        assert!(focus.keeps("rtw88_8822ce") && !focus.keeps("rtw88_8821ce"));
    }

    #[test]
    fn a_card_may_be_announced_to_a_bus_that_its_driver_needs() {
        let focus = focused("brcm", "14e4:4727").expect("a driver");
        assert!(focus.keeps("brcmsmac") && !focus.keeps("brcmfmac"));
    }

    #[test]
    fn a_card_that_no_driver_knows_is_refused() {
        for (flavor, device) in
            [("iwlwifi", "10ec:c822"), ("iwlwifi", "8086:4232:8086:9999"), ("hwsim", "8086:2725")]
        {
            let error = focused(flavor, device).expect_err("refused").to_string();
            assert!(error.contains(device) && error.contains(flavor), "{error}");
        }
    }

    #[test]
    fn no_card_has_two_entries() {
        for set in recipe("default").drivers {
            let mut seen = BTreeSet::new();
            let devices = set.devices.iter();
            for id in devices.flat_map(|devices| &devices.value.cards).flat_map(|card| &card.ids) {
                assert!(seen.insert(*id), "{} of {}", id, set.chipset.value);
            }
        }
    }
}
