//! What the recipes offer: each flavor on each base and release, with its modules, firmware and memory.

use std::collections::BTreeSet;

use super::table::Table;
use crate::recipe::{Catalog, RecipeError, Selection};

/// What the user has settled already; the rest is the recipes' choice.
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

/// A guest that can be built.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its base.
    pub base: String,
    /// Its release.
    pub release: String,
    /// Whether that is the release that the base takes by itself.
    pub default_release: bool,
    /// Its flavor.
    pub flavor: String,
    /// What the recipe says of the flavor.
    pub summary: String,
    /// The place of its kernel in the table, if that knows it.
    pub kernel: Option<usize>,
    /// The modules of its manifests.
    pub modules: BTreeSet<String>,
    /// Packages that hold its firmware.
    pub firmware_packages: Vec<String>,
    /// Memory without which the guest does not come up, in MiB.
    pub memory_smallest: Option<u32>,
    /// Memory with which it works well, in MiB.
    pub memory_recommended: Option<u32>,
}

/// All guests, those of known kernels first, then as the recipes list them, a base's own release before
/// its others; of one base and release the flavor with the fewest modules first.
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
            let named = base.only_with.iter().map(|release| Some(release.clone()));
            for release in std::iter::once(None).chain(named) {
                if wanted.release.is_some() && release.is_some() && release != wanted.release {
                    continue;
                }
                let selection = Selection {
                    base: base.name.clone(),
                    release: release.clone(),
                    flavor: flavor.name.clone(),
                    role: wanted.role.clone(),
                    hypervisor: wanted.hypervisor.clone(),
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
                let of_manifest = |file: &str| file.starts_with("firmware-blobs/");
                let modules = recipe.modules.iter().chain(&recipe.load_modules);
                offers.push(Offer {
                    kernel: table.kernel_of(&format!("{}/{own}", base.name)),
                    default_release: own_release.as_ref() == Some(&own),
                    base: base.name.clone(),
                    release: own,
                    flavor: flavor.name.clone(),
                    summary: flavor.summary.clone(),
                    modules: modules
                        .filter(|module| of_manifest(&module.origin.file))
                        .map(|module| module.value.name.clone())
                        .collect(),
                    firmware_packages: recipe
                        .firmware_packages
                        .iter()
                        .filter(|package| of_manifest(&package.origin.file))
                        .map(|package| package.value.clone())
                        .collect(),
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
        let key = |o: &Offer| (o.kernel.is_none(), o.base.clone(), !o.default_release);
        let newer = b.release.cmp(&a.release);
        key(a).cmp(&key(b)).then(newer).then(a.modules.len().cmp(&b.modules.len()))
    });
    Ok(offers)
}
