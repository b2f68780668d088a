//! Listings of one machine name a card several times: each card once, with all that any of them says.

use super::{Card, Ident};
use wifibox_ground::device::DeviceId;

/// Adds a card to the list, or what is new about it to the one that it is.
pub(super) fn add(cards: &mut Vec<Card>, card: Card) {
    match cards.iter_mut().find(|known| is_same(known, &card)) {
        Some(known) => learn(known, card),
        None => cards.push(card),
    }
}

/// Whether both are one device. Without an address, equal chips are one; a machine with two of them
/// says where they are.
fn is_same(known: &Card, card: &Card) -> bool {
    let places = match (known.address, card.address) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    places
        && match (&known.ident, &card.ident) {
            (Ident::Pci { id: a, .. }, Ident::Pci { id: b, .. }) => same_board(*a, *b),
            (a, b) => a == b,
        }
}

fn same_board(a: DeviceId, b: DeviceId) -> bool {
    let boards = match (a.subsystem, b.subsystem) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    boards && a.chip() == b.chip()
}

fn learn(known: &mut Card, card: Card) {
    if let (Ident::Pci { id, class }, Ident::Pci { id: new, class: its_class }) =
        (&mut known.ident, &card.ident)
    {
        id.subsystem = id.subsystem.or(new.subsystem);
        *class = class.or(*its_class);
    }
    known.address = known.address.or(card.address);
    known.name = known.name.take().or(card.name);
    known.driver = known.driver.take().or(card.driver);
    known.asked |= card.asked;
    for companion in card.companions {
        if !known.companions.contains(&companion) {
            known.companions.push(companion);
        }
    }
}
