//! Why a card cannot be handed to a guest, and what can be done: nothing here promises more than what is
//! known for certain.

use schemars::JsonSchema;
use serde::Serialize;

use super::Bus;

/// A driver that is not part of Linux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutOfTree {
    /// The module.
    pub driver: String,
    /// The base that pins a package of it.
    pub base: String,
}

/// Why no guest of these recipes can drive a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Reason {
    /// It is not a PCI function.
    OtherBus {
        /// The bus that it is attached to.
        bus: Bus,
        /// The Linux drivers that know it.
        drivers: Vec<String>,
    },
    /// No Linux driver of the table knows it.
    NoDriver {
        /// The kernels of the table.
        kernels: Vec<String>,
        /// Whether its class says that it is a wireless card.
        wireless: bool,
    },
    /// A driver knows the card's bridge, and none knows the radio behind it.
    NoRadio {
        /// The chip's name.
        chip: String,
        /// The drivers of the bridge.
        drivers: Vec<String>,
        /// The code that is missing, as a clause.
        why: String,
        /// A driver that is not part of Linux.
        #[serde(skip_serializing_if = "Option::is_none")]
        elsewhere: Option<OutOfTree>,
    },
    /// The driver takes other boards with this chip, and not this one.
    OtherBoards {
        /// The drivers.
        drivers: Vec<String>,
    },
    /// Only kernels that no base has drive it.
    OtherKernels {
        /// The drivers.
        drivers: Vec<String>,
        /// The kernels that have them.
        kernels: Vec<String>,
        /// The kernels of the bases.
        ours: Vec<String>,
    },
    /// Linux has a driver, and no flavor has it.
    NoFlavor {
        /// The drivers.
        drivers: Vec<String>,
        /// The kernels that have them.
        kernels: Vec<String>,
        /// The only base that was asked about.
        base: Option<String>,
    },
}

fn all(list: &[String]) -> String {
    list.join(", ")
}

impl Reason {
    /// The reason as a sentence or two.
    pub fn text(&self) -> String {
        match self {
            Reason::OtherBus { bus, drivers } => {
                let driver = match drivers.as_slice() {
                    [] => "None of the Linux drivers in the table knows it".to_owned(),
                    list => format!("Linux has a driver for it ({})", all(list)),
                };
                let why = match bus {
                    Bus::Usb => {
                        "a USB device is no PCI function, and PCI passthrough cannot carry it"
                    }
                    Bus::Sdio => {
                        "an SDIO device sits behind an SD host controller: PCI passthrough cannot carry it"
                    }
                    Bus::Pcmcia => {
                        "a 16-bit PC Card is no PCI function, and PCI passthrough cannot carry it"
                    }
                    Bus::Isa => {
                        "an ISA device is no PCI function, and PCI passthrough cannot carry it"
                    }
                    Bus::Pci => "it is no PCI function of its own",
                };
                format!("{driver}, but {why}.")
            }
            Reason::NoDriver { kernels, wireless: true } => format!(
                "Linux has no driver for it, at least in the kernels known here ({}, as Debian builds them).",
                all(kernels)
            ),
            Reason::NoDriver { kernels, wireless: false } => format!(
                "Linux has no wireless driver for this id, at least up to the kernels known here ({}); it may \
                 not be a wireless card at all.",
                all(kernels)
            ),
            Reason::NoRadio { chip, drivers, why, elsewhere } => {
                let linux = format!(
                    "Linux finds the card ({}), but has no driver for its radio, a {chip}: {why}.",
                    all(drivers)
                );
                match elsewhere {
                    Some(OutOfTree { driver, base }) => format!(
                        "{linux} The maker's own driver {driver} has one, on the base {base}."
                    ),
                    None => linux,
                }
            }
            Reason::OtherBoards { drivers } => format!(
                "Linux' driver {} knows this chip, but lists the boards that it takes, and not this one \
                 (see the subsystem).",
                all(drivers)
            ),
            Reason::OtherKernels { drivers, kernels, ours } => format!(
                "Linux has a driver ({}) in {}, but not in the kernels of the guests ({}).",
                all(drivers),
                all(kernels),
                all(ours)
            ),
            Reason::NoFlavor { drivers, kernels, base } => format!(
                "Linux has a driver ({}, in {}), but no flavor of {} brings it.",
                all(drivers),
                all(kernels),
                base.as_ref().map_or("these recipes".to_owned(), |base| format!("the base {base}"))
            ),
        }
    }

    /// Suggestions about it, a sentence each.
    pub fn advice(&self) -> Vec<String> {
        let another = "Take a PCI Express or M.2 card of a flavor that `wifibox-build list` shows.";
        let mut advice: Vec<&str> = Vec::new();
        match self {
            Reason::OtherBus { bus: Bus::Usb, .. } => advice.extend([
                "A hypervisor may hand over the USB controller that it is plugged into, a PCI function, \
                 with all that is plugged in; the guests made here have no USB drivers to use it.",
                another,
            ]),
            Reason::OtherBus { .. } => advice.push(another),
            Reason::NoRadio { elsewhere: Some(_), .. } => {
                advice.extend(["Ask without --base: another base has that driver.", another]);
            }
            Reason::NoDriver { wireless: true, .. } | Reason::NoRadio { .. } => advice.extend([
                "A driver that is not part of Linux is built for one kernel; the recipes have none.",
                another,
            ]),
            Reason::NoDriver { wireless: false, .. } => {
                advice.push("Check the id: `pciconf -lv` or `lspci -nn` show it beside the card's name.");
            }
            Reason::OtherBoards { .. } => advice.push(another),
            Reason::OtherKernels { .. } => advice.extend([
                "A base with such a kernel will do; of bases whose kernels were not looked at, ask with --base.",
                another,
            ]),
            Reason::NoFlavor { base: Some(_), .. } => {
                advice.push("Ask without --base: another base may have it.");
            }
            Reason::NoFlavor { base: None, .. } => advice.extend([
                "A flavor is a small file: name the driver in a manifest in `firmware-blobs/` and the \
                 manifest in `recipes/flavors/`, and build with --recipes.",
                another,
            ]),
        }
        advice.into_iter().map(str::to_owned).collect()
    }
}
