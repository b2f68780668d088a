//! The cards of each flavor, for pages that answer without this program.

use std::collections::BTreeMap;

use super::answer::Oracle;
use super::{Card, Ident};
use wifibox_report::html::FlavorCards;

/// The cards of the table by the flavor that drives them, and those that no guest drives by the reason.
#[must_use]
pub fn by_flavor(oracle: &Oracle<'_>) -> (Vec<FlavorCards>, BTreeMap<String, Vec<String>>) {
    let mut flavors: BTreeMap<String, FlavorCards> = BTreeMap::new();
    let mut without: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in oracle.table.pci_chips() {
        let mut card = Card::new(Ident::Pci { id, class: None });
        card.asked = true;
        let Some(answer) = oracle.answer(&card) else { continue };
        if let Some(guest) = answer.guests.into_iter().next() {
            let command = guest.command.split(" --device").next().unwrap_or_default().to_owned();
            let entry = flavors.entry(guest.flavor.clone()).or_insert_with(|| FlavorCards {
                flavor: guest.flavor,
                summary: guest.summary,
                command,
                ids: Vec::new(),
            });
            entry.ids.push(id.to_string());
        } else if let Some(because) = answer.because {
            without.entry(because).or_default().push(id.to_string());
        }
    }
    (flavors.into_values().collect(), without)
}
