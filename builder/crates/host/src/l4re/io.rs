//! The files that io reads: `wifi.vbus`, `storage.vbus` and `io.cfg`, in Lua.

use super::{Guest, Machine};

/// `wifi.vbus`: the card.
pub fn wifi(guest: &Guest, title: &str) -> String {
    let (cards, how) = if guest.passthru.is_empty() {
        (
            "      wifi = wrap(Io.system_bus():match(\"PCI/CC_0280\"));\n".to_owned(),
            "the PCI cards of class 0280, network controllers that are not Ethernet: name one with\n\
             -- wifibox-build host --passthru, or as \"PCI/ADR_0000:03:00.0\" or \"PCI/VEN_8086&DEV_2725\" below",
        )
    } else {
        let cards = guest.passthru.iter().enumerate().map(|(number, card)| {
            format!("      wifi{number} = wrap(Io.system_bus():match(\"PCI/ADR_{card}\"));\n")
        });
        (cards.collect(), "the cards at these addresses")
    };
    format!(
        "-- vi:ft=lua\n\
         -- wifi.vbus: what io gives {title} of the machine:\n\
         -- {how}.\n\
         -- Goes beside wifibox.ned.\n\
         Io.add_vbusses\n\
         {{\n  \
           wifi = Io.Vi.System_bus(function ()\n    \
             Property.num_msis = 32;\n    \
             PCI0 = Io.Vi.PCI_bus(function ()\n\
         {cards}    \
             end);\n  \
           end);\n\
         }};\n"
    )
}

/// `storage.vbus`: the controller of the disks.
pub fn storage(machine: Machine, title: &str) -> String {
    let head = format!(
        "-- vi:ft=lua\n\
         -- storage.vbus: what io gives the server of the disks of {title}.\n\
         -- Goes beside wifibox.ned.\n"
    );
    let (what, class) = match machine {
        Machine::Pc => ("NVMe controllers (CC_0108); for ahci-drv: CC_0106", "PCI/CC_0108"),
        Machine::Mips => ("SATA controllers (CC_0106)", "PCI/CC_0106"),
        Machine::Arm64 => {
            return head
                + "-- eMMC and SD controllers have no address that could be asked for: take their name from io.cfg\n\
                   -- of your board (L4Re: pkg/uvmm/configs/bsp). On PCI: PCI/CC_0805.\n\
                   Io.add_vbusses\n\
                   {\n  \
                     storage = Io.Vi.System_bus(function ()\n    \
                       Property.num_msis = 4;\n    \
                       PCI0 = Io.Vi.PCI_bus(function ()\n      \
                         disks = wrap(Io.system_bus():match(\"PCI/CC_0805\"));\n    \
                       end);\n  \
                     end);\n\
                   };\n";
        }
    };
    format!(
        "{head}\
         -- {what}.\n\
         Io.add_vbusses\n\
         {{\n  \
           storage = Io.Vi.System_bus(function ()\n    \
             Property.num_msis = 8;\n    \
             PCI0 = Io.Vi.PCI_bus(function ()\n      \
               disks = wrap(Io.system_bus():match(\"{class}\"));\n    \
             end);\n  \
           end);\n\
         }};\n"
    )
}

/// `io.cfg`: the machine's hardware, as far as io does not find it.
pub fn hardware(machine: Machine) -> String {
    let found = match machine {
        Machine::Pc => {
            "-- On a PC there is nothing to declare: io finds everything by ACPI and PCI.\n"
        }
        Machine::Arm64 => {
            "-- Arm boards cannot be asked: take the io.cfg of your board instead (L4Re:\n\
             -- pkg/uvmm/configs/bsp/plat-BOARD/io.cfg) and declare its PCI bridge, or its card and its disks,\n\
             -- there. As it is, io offers what it finds by ACPI.\n"
        }
        Machine::Mips => {
            "-- MIPS boards cannot be asked: declare the board's PCI bridge, or its card and its disks, here.\n"
        }
    };
    format!(
        "-- vi:ft=lua\n\
         -- io.cfg: the hardware of the machine, for io. Goes beside wifibox.ned.\n\
         {found}"
    )
}
