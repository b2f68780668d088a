//! Remarks about a card that a guest can drive: doubts, and obstacles on the host.

use super::answer::{Guest, Oracle};
use super::offer::Offer;
use super::table::{BRIDGES, Claim};
use super::{Card, Ident, exceptions};
use wifibox_ground::address::Address;

impl Oracle<'_> {
    /// The notes for a card, a sentence each.
    pub(super) fn notes(&self, card: &Card, claims: &[Claim<'_>], guests: &[Guest]) -> Vec<String> {
        let mut notes = Vec::new();
        let bridged = claims.iter().find(|claim| BRIDGES.contains(&claim.module));
        if let (Some(bridge), [_, _, ..]) = (bridged, guests) {
            notes.push(format!(
                "The wireless core of this card is behind a bridge ({}), and only what the guest finds there \
                 tells which driver takes it, if one does: build one, and if no interface comes up, the other.",
                bridge.module
            ));
        }
        let unsure = |claim: &Claim<'_>| claim.kernels.is_empty() && !claim.some_boards.is_empty();
        if claims.iter().any(unsure) {
            notes.push(
                "The driver takes only some of the boards with this chip: a listing with the subsystem \
                 (pciconf -lv, lspci -nnv) tells whether this is one."
                    .to_owned(),
            );
        }
        let held = |guest: &Guest| {
            let same = |o: &&Offer| o.base == guest.base && o.release == guest.release;
            self.offers.iter().find(same).is_some_and(|offer| offer.kernel.is_some())
        };
        let own = exceptions::of(&card.ident);
        if let (Some(guest), Some(exception)) = (guests.first(), own) {
            let Guest { base, driver, .. } = guest;
            notes.push(format!(
                "No driver of Linux has its radio ({}): {driver} is its maker's own, built for the kernels of {base}, \
                 and nobody maintains it any more.",
                exception.why
            ));
        } else if let Some(guest) = guests.first().filter(|guest| !held(guest)) {
            let what = if self.drivers_of_all(claims).contains(&guest.driver) {
                "all kernels that were looked at have the driver."
            } else {
                "whether it is new enough for this card, only the build tells."
            };
            let Guest { base, release, .. } = guest;
            notes.push(format!("The kernel of {base} {release} was not looked at; {what}"));
        }
        if let Ident::Pci { id, .. } = card.ident
            && id.vendor == 0x8086
            && card.address.is_some_and(|address| address.bus == 0)
        {
            notes.push(
                "It is on bus 0, part of the chipset (CNVi), and cannot be moved to another slot; whether \
                 it can be handed over depends on what shares its IOMMU group."
                    .to_owned(),
            );
        }
        if !card.companions.is_empty() {
            let others: Vec<String> = card.companions.iter().map(Address::to_string).collect();
            notes.push(format!(
                "Linux hands over only whole IOMMU groups, and {} {} in its group.",
                others.join(", "),
                if others.len() == 1 { "is" } else { "are" }
            ));
        }
        notes.extend(card.driver.as_deref().map(held_by));
        notes
    }
}

/// A sentence about the driver of the host that holds the card.
fn held_by(driver: &str) -> String {
    let name = driver.trim_end_matches(|c: char| c.is_ascii_digit());
    if matches!(name, "ppt" | "vfio-pci" | "pciback" | "xen-pciback") {
        format!("It is reserved for guests already ({driver}).")
    } else if name.len() < driver.len() {
        format!(
            "The host's driver {driver} holds it; with pptdevs set, ppt takes it at the next boot."
        )
    } else {
        format!(
            "The host's driver {driver} holds it: bind it to vfio-pci or xen-pciback first (libvirt does \
             that by itself)."
        )
    }
}
