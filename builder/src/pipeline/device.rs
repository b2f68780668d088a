//! A guest for one card (`--device 8086:2725`): of the flavor's drivers, those that know the card.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;

use super::Error;
use crate::device::DeviceId;
use crate::kernel::ModuleName;
use crate::kernel::builtin::Builtin;
use crate::kernel::closure::{Closure, Want, close};
use crate::kernel::modules::Modules;
use crate::recipe::{Card, DriverSet, Recipe};

/// What a guest for one card keeps of its flavor.
#[derive(Debug, Clone)]
pub struct Focus {
    /// The card.
    pub device: DeviceId,
    /// Manifests with a driver for it, each with what it says about the card, if it says something.
    pub manifests: BTreeMap<String, Option<Card>>,
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
pub fn focus(
    recipe: &Recipe,
    modules: &Modules,
    builtin: &Builtin,
    device: DeviceId,
    jobs: NonZero<usize>,
) -> Result<Focus, Error> {
    let mut manifests = BTreeMap::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for set in &recipe.drivers {
        let mut knows = false;
        for module in &set.modules {
            let name = ModuleName::new(&module.name)
                .map_err(|error| Error::Kernel(format!("{}: {error}", set.manifest.origin)))?;
            if !modules.contains(&name) {
                // One that must be there fails with all others that are missing.
                continue;
            }
            let by = set.manifest.origin.to_string();
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
            manifests.insert(set.manifest.value.clone(), card.cloned());
        }
    }
    if manifests.is_empty() {
        return Err(Error::NoDriver {
            device,
            flavor: recipe.flavor.value.clone(),
            kernel: modules.version().to_owned(),
        });
    }
    let all = recipe.drivers.iter().flat_map(|set| set.modules.iter().chain(&set.runtime_modules));
    let all = all.map(|module| module.name.clone());
    let dropped = all.filter(|name| !kept.contains(name)).collect();
    Ok(Focus { device, manifests, dropped })
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
