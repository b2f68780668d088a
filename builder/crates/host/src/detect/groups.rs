//! IOMMU groups, as listings tell them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Card, Ident};
use wifibox_ground::address::Address;

/// Which functions share an IOMMU group: they can only be handed over together.
#[derive(Default)]
pub(super) struct Groups {
    /// By listing and group.
    members: BTreeMap<(usize, String), Vec<Address>>,
    /// Where devices are in this listing.
    seen: BTreeSet<Address>,
    /// How many listings came before: an address that comes again begins one.
    listing: usize,
}

impl Groups {
    /// A device of the listing, before its group is known.
    pub(super) fn meet(&mut self, card: &Card) {
        if let Some(address) = card.address
            && !self.seen.insert(address)
        {
            self.seen = BTreeSet::from([address]);
            self.listing += 1;
        }
    }

    /// A device and its group, if that is a number.
    pub(super) fn add(&mut self, group: &str, card: &Card) {
        // Bridges stay with the host.
        let bridge = matches!(card.ident, Ident::Pci { class: Some(0x0600..=0x06ff), .. });
        let digits = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(address) = card.address
            && digits
            && !bridge
        {
            let members = self.members.entry((self.listing, group.to_owned())).or_default();
            if !members.contains(&address) {
                members.push(address);
            }
        }
    }

    /// Tells each card which others are in its group.
    pub(super) fn tell<'a>(self, cards: impl Iterator<Item = &'a mut Card>) {
        let mut others: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for members in self.members.into_values().filter(|members| members.len() > 1) {
            for member in &members {
                let rest: Vec<_> = members.iter().copied().filter(|m| m != member).collect();
                others.insert(*member, rest);
            }
        }
        for card in cards {
            let companions = card.address.and_then(|address| others.get(&address));
            card.companions = companions.cloned().unwrap_or_default();
        }
    }
}
