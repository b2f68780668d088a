//! `wifibox.config`: the machine for `bhyve -k`, in the variables of bhyve_config(5).

use std::fmt::Write as _;

use super::comment;
use super::machine::{Machine, Model};
use wifibox_ground::guest::Guest;

/// The file's text.
pub(super) fn text(guest: &Guest, machine: &Machine) -> String {
    let Machine { folder, bridge, firmware, .. } = machine;
    let mut text = comment(&format!(
        "For bhyve(8) of FreeBSD: {}.\n\
         Put it anywhere; the images go to {folder}. Then, as root, with a tap interface on {bridge}:\n\
         \x20   bhyve -k wifibox.config\n\
         run.sh beside this file says the same on a command line, and makes the interfaces as well.\n\
         The variables are those of bhyve_config(5). Mind that a blank counts on either side of a\n\
         '=', that '#' is a comment in the first column only, and that bhyve says nothing about names\n\
         it does not know: 'wifibox-build lint wifibox.config' does.",
        guest.title()
    ));
    let mut set = |key: &str, value: &str| {
        let _ = writeln!(text, "{key}={value}");
    };
    set("name", &guest.name);
    set("cpus", &guest.vcpus.to_string());
    set("memory.size", &format!("{}M", guest.memory));
    if machine.is_pc {
        // Those of wifibox-core: bhyve -AHPSuw.
        set("acpi_tables", "true");
        set("memory.wired", "true");
        set("rtc.use_localtime", "false");
        set("x86.strictmsr", "false");
        set("x86.vmexit_on_hlt", "true");
        set("x86.vmexit_on_pause", "true");
        set("lpc.bootrom", firmware);
        set("lpc.com1.path", "stdio");
    } else {
        set("bootrom", firmware);
        set("console", "stdio");
    }
    for device in &machine.devices {
        let node = format!("pci.0.{}.{}", device.slot, device.function);
        let mut set = |key: &str, value: &str| set(&format!("{node}.{key}"), value);
        match &device.model {
            Model::HostBridge => set("device", "hostbridge"),
            Model::Lpc => set("device", "lpc"),
            Model::Block { path, read_only } => {
                set("device", "virtio-blk");
                set("path", path);
                if *read_only {
                    set("ro", "true");
                }
            }
            Model::Share { tag, path, read_only } => {
                set("device", "virtio-9p");
                set("sharename", tag);
                set("path", path);
                if *read_only {
                    set("ro", "true");
                }
            }
            Model::Network { card } => {
                set("device", card);
                set("backend", &format!("tap{}", device.function));
            }
            Model::Passthru(card) => {
                set("device", "passthru");
                set("bus", &card.bus.to_string());
                set("slot", &card.slot.to_string());
                set("func", &card.function.to_string());
            }
        }
    }
    text
}
