//! The machine that bhyve makes for a guest: which device is in which PCI slot.
//!
//! The slots are those of wifibox-core (`docs/`, the guest contract): host bridge 0, disks and 9P
//! shares on the functions of slot 4, network cards on slot 5, passed cards on the functions of slot 6,
//! the LPC bridge 31.

use super::{BRIDGE, CONFIGURATION, FIRMWARE, IMAGES, U_BOOT, VAR};
use crate::{HostError, Hypervisor, shares};
use wifibox_ground::address::Address;
use wifibox_ground::guest::Nic;
use wifibox_ground::guest::{Guest, HostPath};

/// The model of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Model {
    /// The bridge between processor and PCI.
    HostBridge,
    /// The bridge to serial ports and firmware.
    Lpc,
    /// A disk.
    Block {
        /// The image.
        path: String,
        /// Whether the guest may only read.
        read_only: bool,
    },
    /// A 9P share.
    Share {
        /// The mount tag.
        tag: String,
        /// The folder.
        path: String,
        /// Whether the guest may only read.
        read_only: bool,
    },
    /// A network card.
    Network {
        /// bhyve's name of the card: `e1000` or `virtio-net`.
        card: &'static str,
    },
    /// A card of the host, on PCI domain 0.
    Passthru(Address),
}

/// A device in its place, on bus 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Slot: 0 to 31.
    pub slot: u8,
    /// Function: 0 to 7.
    pub function: u8,
    /// Its model.
    pub model: Model,
}

/// The machine of a guest, as bhyve's configuration and command line describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// A PC; otherwise a 64-bit Arm machine.
    pub is_pc: bool,
    /// The devices, by place.
    pub devices: Vec<Device>,
    /// The firmware that starts the guest.
    pub firmware: &'static str,
    /// The bridge that the first network card is on.
    pub bridge: String,
    /// The folder of the images.
    pub folder: String,
}

/// Slots for disks and shares: 5 and 6 are taken.
const STORAGE_SLOTS: [u8; 4] = [4, 7, 8, 9];
const NETWORK_SLOT: u8 = 5;
const PASSTHRU_SLOT: u8 = 6;
const FUNCTIONS: usize = 8;

impl Machine {
    /// The machine for `guest`.
    ///
    /// # Errors
    /// [`HostError::Unfit`].
    pub fn of(guest: &Guest) -> Result<Self, HostError> {
        let unfit = |why: String| HostError::Unfit { hypervisor: Hypervisor::Bhyve, why };
        let is_pc = guest.architecture == "x86_64";
        let folder = guest.folder.as_ref().map_or(IMAGES, HostPath::as_str).to_owned();
        let mut devices = vec![Device { slot: 0, function: 0, model: Model::HostBridge }];
        let disks = guest.disks.iter().map(|disk| Model::Block {
            path: format!("{folder}/{}", disk.file),
            read_only: disk.read_only,
        });
        let shares = guest.shares.iter().map(|share| Model::Share {
            tag: share.tag.clone(),
            path: share_folder(guest, &share.tag),
            read_only: share.read_only,
        });
        for (index, model) in disks.chain(shares).enumerate() {
            let slot = STORAGE_SLOTS
                .get(index / FUNCTIONS)
                .ok_or_else(|| unfit("it has more disks and shares than fit".to_owned()))?;
            devices.push(Device { slot: *slot, function: function(index), model });
        }
        if guest.nics.len() > FUNCTIONS {
            return Err(unfit("it has more than 8 network cards".to_owned()));
        }
        for (index, card) in guest.nics.iter().enumerate() {
            let card = match card.model {
                Nic::E1000 => "e1000",
                Nic::VirtioNet => "virtio-net",
                Nic::XenNetfront => return Err(unfit("its network card is Xen's".to_owned())),
            };
            let model = Model::Network { card };
            devices.push(Device { slot: NETWORK_SLOT, function: function(index), model });
        }
        if !is_pc && !guest.passthru.is_empty() {
            return Err(unfit("bhyve hands cards over on x86_64 only".to_owned()));
        }
        for (index, card) in guest.passthru.iter().enumerate() {
            if card.bhyve().is_none() {
                return Err(unfit(format!(
                    "{card} is on another PCI domain than 0, which bhyve does not know"
                )));
            }
            let (function, model) = (function(index), Model::Passthru(*card));
            devices.push(Device { slot: PASSTHRU_SLOT, function, model });
        }
        if is_pc {
            devices.push(Device { slot: 31, function: 0, model: Model::Lpc });
        }
        devices.sort_by_key(|device| (device.slot, device.function));
        let uplink = guest.nics.first().and_then(|card| card.uplink.clone());
        Ok(Machine {
            is_pc,
            devices,
            firmware: if is_pc { FIRMWARE } else { U_BOOT },
            bridge: uplink.unwrap_or_else(|| BRIDGE.to_owned()),
            folder,
        })
    }

    /// Whether this is the machine that wifibox-core makes, which knows no other disks than the ESP
    /// and the root, no other bridge and no other name.
    #[must_use]
    pub(crate) fn is_wifibox_cores(&self, guest: &Guest) -> bool {
        let tags: Vec<&str> = guest.shares.iter().map(|share| share.tag.as_str()).collect();
        guest.disks.len() == 2
            && tags == ["config", "var", "app_config"]
            && self.bridge == BRIDGE
            && self.folder == IMAGES
            && guest.name == "wifibox"
            && matches!(guest.nics.as_slice(), [card] if card.model == Nic::E1000)
    }

    /// The cards that are passed through, as `BUS/SLOT/FUNCTION`.
    #[must_use]
    pub fn cards(&self) -> Vec<String> {
        let cards = self.devices.iter().filter_map(|device| match device.model {
            Model::Passthru(card) => card.bhyve(),
            _ => None,
        });
        cards.collect()
    }
}

fn function(index: usize) -> u8 {
    u8::try_from(index % FUNCTIONS).unwrap_or_default()
}

/// The folder of the host that is shared under `tag`.
fn share_folder(guest: &Guest, tag: &str) -> String {
    shares::installed(guest, tag, CONFIGURATION, VAR)
}
