//! `vm-bhyve.conf`: a template for vm-bhyve(8).
//!
//! vm-bhyve counts slots itself: under UEFI an ISO image on slot 3, each disk on its own slot from
//! 4 to 6, the network card and the cards on the next ones. It attaches three disks at most and knows no
//! 9P, so that shares and further disks are options for bhyve, on slots that it does not reach: 24 and
//! up.

use std::fmt::Write as _;

use super::comment;
use super::machine::{Device, Machine, Model};
use super::run::slot;
use crate::{HostError, Hypervisor};
use wifibox_ground::guest::Guest;

/// The first of the slots that vm-bhyve does not reach, where shares and further disks are.
const OWN_SLOT: u8 = 24;
/// Disks that vm-bhyve attaches under UEFI.
const DISKS: usize = 3;

/// The file's text.
pub(super) fn text(guest: &Guest, machine: &Machine) -> Result<String, HostError> {
    let mut text = comment(&format!(
        "For vm-bhyve of FreeBSD: {}.\n\
         It goes to .templates/wifibox.conf in vm-bhyve's folder; then, with the images in\n\
         {}:\n\
         \x20   vm switch create wifibox\n\
         \x20   vm create -t wifibox {} && vm start {}\n\
         The host's end of the network is then the interface vm-wifibox instead of wifibox0.\n\
         A number sign begins a comment wherever it stands, even between quotation marks.",
        guest.title(),
        machine.folder,
        guest.name,
        guest.name
    ));
    let mut set = |key: &str, value: &str| {
        let _ = writeln!(text, "{key}=\"{value}\"");
    };
    set("loader", "uefi");
    set("cpu", &guest.vcpus.to_string());
    set("memory", &format!("{}M", guest.memory));
    set("wired_memory", "yes");
    set("utctime", "yes");
    let disks = machine.devices.iter().filter(|d| matches!(d.model, Model::Block { .. }));
    let shares = machine.devices.iter().filter(|d| matches!(d.model, Model::Share { .. }));
    let (mut number, mut rest) = (0, Vec::new());
    for device in disks {
        match &device.model {
            Model::Block { path, read_only } if number < DISKS => {
                set(&format!("disk{number}_type"), "virtio-blk");
                set(&format!("disk{number}_dev"), "custom");
                set(&format!("disk{number}_name"), path);
                if *read_only {
                    set(&format!("disk{number}_opts"), "ro");
                }
                number += 1;
            }
            _ => rest.push(device),
        }
    }
    rest.extend(shares);
    let cards = machine.devices.iter().filter_map(|device| match &device.model {
        Model::Network { card } => Some(*card),
        _ => None,
    });
    for (number, card) in cards.enumerate() {
        set(&format!("network{number}_type"), card);
        set(&format!("network{number}_switch"), "wifibox");
    }
    for (number, card) in machine.cards().iter().enumerate() {
        set(&format!("passthru{number}"), card);
    }
    let mut options = Vec::new();
    for (index, device) in rest.into_iter().enumerate() {
        let place = u8::try_from(index).ok().and_then(|index| {
            let slot = OWN_SLOT.checked_add(index / 8)?;
            (slot < 31).then_some((slot, index % 8))
        });
        let (slot_number, function) = place.ok_or_else(|| HostError::Unfit {
            hypervisor: Hypervisor::Bhyve,
            why: "it has more disks and shares than vm-bhyve has slots for".to_owned(),
        })?;
        let moved = Device { slot: slot_number, function, model: device.model.clone() };
        options.push(format!("-s {}", slot(&moved)));
    }
    // wifibox-core's: wired memory, and accesses to unknown registers of the processor ignored.
    options.insert(0, "-Sw".to_owned());
    set("bhyve_options", &options.join(" "));
    Ok(text)
}
