//! `run.sh`: the machine as a command line of bhyve(8), with what the host has to do round it.

use std::fmt::Write as _;

use super::machine::{Device, Machine, Model};
use wifibox_ground::guest::Guest;

const TEMPLATE: &str = include_str!("run.sh.in");

/// What a signal is to bhyve: ACPI's power button, which it has on PCs only (`usr.sbin/bhyve/amd64/pm.c`).
const BUTTON: &str = "bhyve takes the signal for the power button.";
const NO_BUTTON: &str = "bhyve has no power button on Arm: the signal ends the guest at once, and 'poweroff' on its \
                         console in order.";
const OFF: &str = "1 | 2) break ;; # powered off, halted";
const OFF_OR_ENDED: &str = "1 | 2 | 143) break ;; # powered off, halted, ended by the signal";

/// The file's text.
pub(super) fn text(guest: &Guest, machine: &Machine) -> String {
    let shares: Vec<&str> = machine
        .devices
        .iter()
        .filter_map(|device| match &device.model {
            Model::Share { path, .. } => Some(path.as_str()),
            _ => None,
        })
        .collect();
    let cards: Vec<String> = machine.cards();
    TEMPLATE
        .replace("@TITLE@", &guest.title())
        .replace("@FOLDER@", &machine.folder)
        .replace("@FIRMWARE@", machine.firmware)
        .replace(
            "@PORT@",
            if machine.is_pc { "sysutils/edk2@bhyve" } else { "sysutils/u-boot-bhyve-arm64" },
        )
        .replace("@SIGNAL@", if machine.is_pc { BUTTON } else { NO_BUTTON })
        .replace("@OFF@", if machine.is_pc { OFF } else { OFF_OR_ENDED })
        .replace("@NAME@", &guest.name)
        .replace("@BRIDGE@", &machine.bridge)
        .replace("@CARDS@", &cards.join(" "))
        .replace("@SHARES@", &shares.join(" "))
        .replace("@BHYVE@", &command(guest, machine))
}

/// The options and the name, on lines of a shell command.
pub(super) fn command(guest: &Guest, machine: &Machine) -> String {
    let mut text = format!("-c {} -m {}M", guest.vcpus, guest.memory);
    if machine.is_pc {
        text.push_str(" -AHPSuw \\\n\t\t-l bootrom,\"$firmware\" -l com1,\"$console\"");
    } else {
        text.push_str(" \\\n\t\t-o bootrom=\"$firmware\" -o console=\"$console\"");
    }
    for device in &machine.devices {
        let _ = write!(text, " \\\n\t\t-s {}", slot(device));
    }
    text.push_str(" \\\n\t\t\"$name\"");
    text
}

/// The value of `-s`.
pub(super) fn slot(device: &Device) -> String {
    let Device { slot, function, model } = device;
    let place = match model {
        Model::HostBridge | Model::Lpc => slot.to_string(),
        _ => format!("{slot}:{function}"),
    };
    let ro = |read_only: &bool| if *read_only { ",ro" } else { "" };
    let what = match model {
        Model::HostBridge => "hostbridge".to_owned(),
        Model::Lpc => "lpc".to_owned(),
        Model::Block { path, read_only } => format!("virtio-blk,{path}{}", ro(read_only)),
        Model::Share { tag, path, read_only } => {
            format!("virtio-9p,{tag}={path}{}", ro(read_only))
        }
        Model::Network { card } if *function == 0 => format!("{card},\"$tap\""),
        Model::Network { card } => format!("{card},tap{function}"),
        Model::Passthru(card) => {
            format!("passthru,{}/{}/{}", card.bus, card.slot, card.function)
        }
    };
    format!("{place},{what}")
}
