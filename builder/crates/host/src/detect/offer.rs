//! The guests that recipes offer: each flavor on each base and release, with its modules, firmware and memory.

use super::table::Table;
use wifibox_ground::device::DeviceId;
use wifibox_recipe::{Catalog, Devices, DriverSet, Module, Recipe, RecipeError, Selection};

/// The user's choices; the rest is the recipes' choice.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Base.
    pub base: Option<String>,
    /// Release of the base.
    pub release: Option<String>,
    /// Role.
    pub role: Option<String>,
    /// Hypervisor.
    pub hypervisor: Option<String>,
}

/// The drivers of one manifest.
#[derive(Debug, Clone)]
pub struct Drivers {
    /// The modules that know devices.
    pub modules: Vec<String>,
    /// Modules that those ask for while they run.
    pub runtime_modules: Vec<Module>,
    /// Firmware and modules that single cards need.
    pub devices: Option<Devices>,
    /// Firmware that no module names, as globs.
    pub firmware: Vec<String>,
    /// The packages that hold the firmware.
    pub packages: Vec<String>,
}

impl Drivers {
    /// The entry of a single card.
    pub fn card(&self, id: DeviceId) -> Option<&wifibox_recipe::Card> {
        let cards = &self.devices.as_ref()?.cards;
        cards.iter().find(|card| card.ids.iter().any(|known| known.covers(id)))
    }

    /// Whether boards with the same chip need different things.
    pub(crate) fn tells_boards_apart(&self, id: DeviceId) -> bool {
        let cards = self.devices.iter().flat_map(|devices| &devices.cards);
        let mut ids = cards.flat_map(|card| &card.ids);
        ids.any(|known| known.chip() == id.chip() && known.subsystem.is_some())
    }
}

impl Offer {
    /// The manifest that has a driver.
    pub fn with(&self, driver: &str) -> Option<&Drivers> {
        self.drivers.iter().find(|drivers| drivers.modules.iter().any(|module| module == driver))
    }

    /// How many drivers it brings.
    fn size(&self) -> usize {
        self.drivers.iter().map(|drivers| drivers.modules.len()).sum()
    }
}

/// A guest that can be built.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its base.
    pub base: String,
    /// Whether that is the base that is meant where none is named.
    pub default_base: bool,
    /// Its release.
    pub release: String,
    /// Whether that is the release that the base takes by itself.
    pub default_release: bool,
    /// Its flavor.
    pub flavor: String,
    /// The recipe's summary of the flavor.
    pub summary: String,
    /// Its kernel's name, if it is not the one that the base takes by itself.
    pub other_kernel: Option<String>,
    /// The place of its kernel in the table, if that knows it.
    pub kernel: Option<usize>,
    /// Its drivers, by manifest.
    pub drivers: Vec<Drivers>,
    /// Memory without which the guest does not come up, in MiB.
    pub memory_smallest: Option<u32>,
    /// Memory with which it works well, in MiB.
    pub memory_recommended: Option<u32>,
}

/// All guests: those of the default base first, then those of known kernels, then as the recipes list
/// them; a base's own release before its others, and its own kernel before those that must be asked for; of one
/// base, release and kernel the flavor with the fewest drivers first.
///
/// # Errors
/// Nothing can be composed; the error is that of the first try.
pub fn offers(
    catalog: &Catalog,
    table: &Table,
    wanted: &Wanted,
) -> Result<Vec<Offer>, RecipeError> {
    let listing = catalog.list();
    let mut offers = Vec::new();
    let mut failure = None;
    for base in &listing.bases {
        if wanted.base.as_ref().is_some_and(|wanted| *wanted != base.name) {
            continue;
        }
        for flavor in &listing.flavors {
            let mut own_release: Option<String> = None;
            // The base's own release first, then all: so the first is known by name.
            let named = base.only_with.iter().map(|release| (Some(release.clone()), None));
            // Other kernels only where the table knows them.
            let others = base.only_with.iter().flat_map(|release| {
                let kernels = listing.kernels.iter().map(|kernel| &kernel.name);
                let key = move |kernel: &String| format!("{}/{release}/{kernel}", base.name);
                let known = kernels.filter(move |kernel| table.kernel_of(&key(kernel)).is_some());
                known.map(move |kernel| (Some(release.clone()), Some(kernel.clone())))
            });
            for (release, kernel) in std::iter::once((None, None)).chain(named).chain(others) {
                if wanted.release.is_some() && release.is_some() && release != wanted.release {
                    continue;
                }
                let selection = Selection {
                    base: base.name.clone(),
                    release: release.clone(),
                    flavor: flavor.name.clone(),
                    role: wanted.role.clone(),
                    hypervisor: wanted.hypervisor.clone(),
                    kernel: kernel.clone(),
                    ..Selection::default()
                };
                let recipe = match catalog.compose(&selection) {
                    Ok(recipe) => recipe,
                    Err(error) => {
                        // A flavor need not exist on each base.
                        failure.get_or_insert(error);
                        break;
                    }
                };
                let own = recipe.release.value.clone();
                if release.is_none() {
                    own_release = Some(own);
                    continue;
                }
                let place = match &kernel {
                    Some(kernel) => format!("{}/{own}/{kernel}", base.name),
                    None => format!("{}/{own}", base.name),
                };
                offers.push(Offer {
                    other_kernel: kernel,
                    kernel: table.kernel_of(&place),
                    default_base: catalog.default_base() == Some(base.name.as_str()),
                    default_release: own_release.as_ref() == Some(&own),
                    base: base.name.clone(),
                    release: own,
                    flavor: flavor.name.clone(),
                    summary: flavor.summary.clone(),
                    drivers: drivers(&recipe),
                    memory_smallest: recipe.memory_smallest.map(|memory| memory.value),
                    memory_recommended: recipe.memory_recommended.map(|memory| memory.value),
                });
            }
        }
    }
    if let (true, Some(failure)) = (offers.is_empty(), failure) {
        return Err(failure);
    }
    // Stable: what is equal stays in the order of the recipes.
    offers.sort_by(|a, b| {
        let key =
            |o: &Offer| (!o.default_base, o.kernel.is_none(), o.base.clone(), !o.default_release);
        let newer = b.release.cmp(&a.release);
        let kernels = a.other_kernel.cmp(&b.other_kernel);
        key(a).cmp(&key(b)).then(newer).then(kernels).then(a.size().cmp(&b.size()))
    });
    Ok(offers)
}

/// The drivers of a recipe, with the firmware that goes with them.
fn drivers(recipe: &Recipe) -> Vec<Drivers> {
    let one = |set: &DriverSet| {
        let need = recipe.firmware.iter().find(|need| need.chipset.value == set.chipset.value);
        let include = need.iter().flat_map(|need| &need.include);
        let file = format!("firmware-blobs/{}.yaml", set.chipset.value);
        let packages = recipe.firmware_packages.iter().filter(|p| *p.origin.file == *file);
        Drivers {
            modules: set.modules.iter().map(|module| module.name.clone()).collect(),
            runtime_modules: set.runtime_modules.clone(),
            devices: set.devices.as_ref().map(|devices| devices.value.clone()),
            firmware: include.map(|pattern| pattern.value.to_string()).collect(),
            packages: packages.map(|package| package.value.clone()).collect(),
        }
    };
    recipe.drivers.iter().map(one).collect()
}
