//! Whether the drivers of a guest know the cards of its flavor: kernels move cards from one module to another, and a
//! guest whose modules know none starts, says nothing, and drives nothing.
//!
//! What is expected is in the table of devices: the cards that the flavor's drivers knew in some kernel. What is there
//! are the aliases of the modules that the guest keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Kernels, Kind, LoadError, Table};
use wifibox_ground::device::{DeviceId, PciAlias};
use wifibox_linux::drivers::Kernel;
use wifibox_recipe::{Composed, DriverSet, Recipe};

/// No module of a guest knows a card of the chipset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no module of the chipset {chipset} knows a card in the kernel {kernel}, so that the guest would drive none{}",
    hint(.known, .elsewhere)
)]
pub struct NoCard {
    /// The chipset.
    pub chipset: String,
    /// `uname -r`.
    pub kernel: String,
    /// The modules of the kernel that know its cards, and are not among those of the chipset.
    pub known: Vec<String>,
    /// The kernels in which its modules know cards.
    pub elsewhere: Vec<String>,
}

fn hint(known: &[String], elsewhere: &[String]) -> String {
    match (known, elsewhere) {
        ([], []) => String::new(),
        ([], kernels) => format!("; they do in {}", kernels.join(", ")),
        (modules, _) => format!("; here {} does: the chipset must name it", modules.join(", ")),
    }
}

/// Why the cards of a guest cannot be told, or that there is none.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The table of devices cannot be read.
    #[error(transparent)]
    Table(#[from] LoadError),
    /// There is none.
    #[error(transparent)]
    None(#[from] NoCard),
}

/// Checks the cards of a guest by the table of its recipes.
///
/// # Errors
/// [`CardError`].
pub fn of(composed: &Composed<'_>, kernel: &Kernel) -> Result<Vec<String>, CardError> {
    Ok(check(&composed.recipe, kernel, &Table::load(composed.sources)?)?)
}

/// Checks the cards of each chipset of a guest; a line for each chipset of which the guest's kernel knows fewer cards
/// than an older one did.
///
/// # Errors
/// [`NoCard`]: there is none at all.
fn check(recipe: &Recipe, kernel: &Kernel, table: &Table) -> Result<Vec<String>, NoCard> {
    // With --device the guest has the drivers of that card, and there is one.
    if kernel.focus.is_some() {
        return Ok(Vec::new());
    }
    let here: BTreeSet<&str> = kernel
        .closure
        .members
        .keys()
        .filter_map(|name| kernel.modules.loaded(name))
        .flat_map(|loaded| &loaded.module.info.aliases)
        .map(String::as_str)
        .filter(|alias| names_a_card(alias))
        .collect();
    let mut lines = Vec::new();
    for set in &recipe.drivers {
        lines.extend(check_set(set, &kernel.release, &here, table)?);
    }
    Ok(lines)
}

/// Whether an alias is about something that a guest can be handed, or what is behind its bridge.
fn names_a_card(alias: &str) -> bool {
    ["pci:", "bcma:", "ssb:"].iter().any(|bus| alias.starts_with(bus))
}

fn check_set(
    set: &DriverSet,
    release: &str,
    here: &BTreeSet<&str>,
    table: &Table,
) -> Result<Option<String>, NoCard> {
    let mut known: BTreeMap<&str, Kernels> = BTreeMap::new();
    for module in &set.modules {
        for (alias, kernels) in table.about(Kind::Alias, &module.name) {
            if names_a_card(alias) {
                let all = known.entry(alias).or_default();
                *all = all.with(kernels);
            }
        }
    }
    // Simulated radios are no cards.
    if known.is_empty() {
        return Ok(None);
    }
    let chips: BTreeSet<DeviceId> = here.iter().filter_map(|alias| chip(alias)).collect();
    let is_here = |alias: &&str| match chip(alias) {
        Some(chip) => chips.contains(&chip),
        None => here.contains(*alias),
    };
    if !known.keys().any(is_here) && !has_own_cards(set, &chips) {
        let kernels = known.values().fold(Kernels::default(), |all, one| all.with(*one));
        return Err(NoCard {
            chipset: set.chipset.value.clone(),
            kernel: release.to_owned(),
            known: takers(set, release, &known, table),
            elsewhere: owned(table.versions(kernels)),
        });
    }
    let older = table.older_than(release);
    let lost: BTreeMap<DeviceId, Kernels> = known
        .iter()
        .filter(|(alias, _)| !is_here(alias))
        .filter_map(|(alias, kernels)| Some((chip(alias)?, kernels.both(older))))
        .filter(|(_, kernels)| !kernels.is_empty())
        .collect();
    let Some(kernels) = lost.values().copied().reduce(Kernels::with) else { return Ok(None) };
    let names: Vec<String> = lost.keys().map(|id| named(set, *id)).collect();
    Ok(Some(format!(
        "the kernel {release} has no driver any more for {} of the chipset {}; kernel {} has it",
        names.join(", "),
        set.chipset.value,
        table.versions(kernels).last().copied().unwrap_or_default(),
    )))
}

/// Whether the chipset's own list of cards names one that is known: the table may not have it yet.
fn has_own_cards(set: &DriverSet, chips: &BTreeSet<DeviceId>) -> bool {
    let cards = set.devices.iter().flat_map(|devices| &devices.value.cards);
    cards.flat_map(|card| &card.ids).any(|id| chips.contains(&id.chip()))
}

/// Other modules of the table that know these cards in the guest's kernel.
fn takers(
    set: &DriverSet,
    release: &str,
    known: &BTreeMap<&str, Kernels>,
    table: &Table,
) -> Vec<String> {
    let Some(place) = table.like(release) else { return Vec::new() };
    let wanted: BTreeSet<DeviceId> = known.keys().filter_map(|alias| chip(alias)).collect();
    let modules = table.modules();
    let takes = |module: &str| {
        let aliases = table.about(Kind::Alias, module).filter(|(_, kernels)| kernels.has(place));
        aliases.filter_map(|(alias, _)| chip(alias)).any(|chip| wanted.contains(&chip))
    };
    let own = |module: &str| set.modules.iter().any(|known| known.name == module);
    let others = modules.keys().filter(|module| !own(module) && takes(module));
    others.map(|module| (*module).to_owned()).collect()
}

/// The chip that an alias of the PCI bus is about.
fn chip(alias: &str) -> Option<DeviceId> {
    let alias = PciAlias::parse(alias)?;
    let (vendor, device) = alias.vendor.zip(alias.device)?;
    Some(DeviceId::new(u16::try_from(vendor).ok()?, u16::try_from(device).ok()?))
}

fn named(set: &DriverSet, id: DeviceId) -> String {
    let mut cards = set.devices.iter().flat_map(|devices| &devices.value.cards);
    match cards.find(|card| card.ids.iter().any(|known| known.chip() == id)) {
        Some(card) => format!("{id} ({})", card.name),
        None => id.to_string(),
    }
}

fn owned(list: Vec<&str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_recipe::{Catalog, Selection, Sources};

    const OLD: &str = "pci:v000017CBd00001107sv*sd*bc*sc*i*";
    const OTHER: &str = "pci:v000017CBd00001109sv*sd*bc*sc*i*";

    fn table() -> Table {
        let text = format!(
            "format\t1\nkernel\t6.12\t6.12.107+deb13-amd64\tdebian/trixie\n\
             kernel\t7.3\t7.3.4+deb13-amd64\tdebian/trixie/backports\n\
             alias\tath12k\t{OLD}\t6.12\nalias\tath12k\t{OTHER}\t6.12\n\
             alias\tath12k_wifi7\t{OLD}\t7.3\nalias\tath12k_wifi7\t{OTHER}\t7.3\n\
             module\tath12k\tkernel/ath12k\t*\nmodule\tath12k_wifi7\tkernel/ath12k_wifi7\t7.3\n"
        );
        Table::parse(&text).expect("a table")
    }

    fn set(modules: &[&str]) -> DriverSet {
        let catalog = Catalog::load(&Sources::embedded()).expect("loaded");
        let selection =
            Selection { base: "debian".into(), flavor: "ath12k".into(), ..Selection::default() };
        let mut set = catalog.compose(&selection).expect("composed").drivers.remove(0);
        set.modules.retain(|module| modules.contains(&module.name.as_str()));
        set
    }

    fn checked(modules: &[&str], release: &str, here: &[&str]) -> Result<Option<String>, NoCard> {
        check_set(&set(modules), release, &here.iter().copied().collect(), &table())
    }

    #[test]
    fn a_guest_without_a_card_is_refused_and_the_module_is_named() {
        let error = checked(&["ath12k"], "7.3.9+deb13-amd64", &[]).expect_err("no card");
        assert_eq!(error.known, ["ath12k_wifi7"]);
        let text = error.to_string();
        assert!(text.contains("here ath12k_wifi7 does"), "{text}");
        let error = checked(&["ath12k", "ath12k_wifi7"], "6.1.1", &[]).expect_err("no card");
        assert!(error.to_string().contains("they do in 6.12, 7.3"), "{error}");
    }

    #[test]
    fn all_cards_are_nothing_to_speak_of() {
        for (release, modules) in [
            ("6.12.120+deb13-amd64", ["ath12k", "ath12k_wifi7"]),
            ("7.3.4+deb13-amd64", ["ath12k", "ath12k_wifi7"]),
        ] {
            assert_eq!(checked(&modules, release, &[OLD, OTHER]), Ok(None), "{release}");
        }
    }

    #[test]
    fn a_card_that_went_is_named_with_the_kernel_that_has_it() {
        let modules = ["ath12k", "ath12k_wifi7"];
        let line = checked(&modules, "7.4.1", &[OLD]).expect("a card").expect("a line");
        assert!(line.contains("17cb:1109 (QCN9274)"), "{line}");
        assert!(line.contains("kernel 7.3 has it"), "{line}");
        // What only newer kernels know was never lost.
        assert_eq!(checked(&modules, "6.1.1", &[OLD]), Ok(None));
    }
}
