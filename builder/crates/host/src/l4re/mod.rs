//! The files for L4Re: a scenario in which uvmm runs the guest, with the card on a virtual bus, its disks
//! from a disk server, and its network card on a virtual switch.
//!
//! | file | read by |
//! | --- | --- |
//! | `wifibox.ned` | ned, which starts everything |
//! | `wifi.vbus`, `storage.vbus`, `io.cfg` | io, which hands out hardware |
//! | `wifibox.dts` | dtc, which makes uvmm's device tree of it |
//! | `modules.list` | L4Re's build system, which packs the boot modules |
//!
//! Written after the documentation of uvmm (`doc/uvmm.dox`, `configs/vmm.lua`, `configs/dts`), io, and
//! the NVMe, AHCI and eMMC drivers of L4Re. There is no 9P: the guest's configuration comes from a disk.

mod check;
mod device_tree;
mod io;
mod modules;
mod ned;
#[cfg(test)]
mod tests;

use super::{HostError, HostFile, Hypervisor};
use wifibox_ground::guest::{DirectBoot, Disk, Guest, Purpose};

/// The kinds of machine, which differ in buses and console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// x86-64: devices on a virtual PCI bus, a serial port.
    Pc,
    /// 64-bit Arm: devices at fixed addresses, a PL011.
    Arm64,
    /// 32-bit MIPS: devices at fixed addresses, a virtio console.
    Mips,
}

impl Machine {
    fn of(guest: &Guest) -> Option<Self> {
        match guest.architecture.as_str() {
            "x86_64" => Some(Self::Pc),
            "aarch64" => Some(Self::Arm64),
            "mips" | "mipsel" => Some(Self::Mips),
            _ => None,
        }
    }

    /// The console that the guest finds, by its name in /dev.
    fn console(self) -> &'static str {
        match self {
            Self::Pc => "ttyS0",
            Self::Arm64 => "ttyAMA0",
            Self::Mips => "hvc0",
        }
    }

    /// L4Re's server for the machine's disks.
    fn disk_server(self) -> &'static str {
        match self {
            Self::Pc => "nvme-drv",
            Self::Arm64 => "emmc-drv",
            Self::Mips => "ahci-drv",
        }
    }
}

/// A disk of the guest, as L4Re names it.
struct Volume<'a> {
    disk: &'a Disk,
    /// The capability by which uvmm reaches it.
    capability: &'static str,
    /// The label of its GPT partition.
    label: &'static str,
}

fn volumes(guest: &Guest) -> Vec<Volume<'_>> {
    let disks = guest.disks.iter();
    disks
        .filter_map(|disk| {
            let (capability, label) = match disk.purpose {
                // Nothing here reads it.
                Purpose::Efi => return None,
                Purpose::Root => ("disk_root", "wifibox-root"),
                Purpose::Configuration => ("disk_config", "wifibox-config"),
                Purpose::Persistent => ("disk_data", "wifibox-data"),
            };
            Some(Volume { disk, capability, label })
        })
        .collect()
}

/// The files for L4Re.
///
/// # Errors
/// [`HostError::Unfit`] for a machine that is not known, a guest without a kernel to load, a console
/// that is not there, or without a disk that has its configuration; [`HostError::Faulty`] if what was
/// written does not hang together.
pub fn files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let unfit = |why: String| HostError::Unfit { hypervisor: Hypervisor::L4re, why };
    let machine = Machine::of(guest)
        .ok_or_else(|| unfit(format!("no machine of uvmm is known for {}", guest.architecture)))?;
    let Some(direct) = &guest.boot.direct else {
        return Err(unfit("uvmm loads a kernel itself, and the guest has none to load".to_owned()));
    };
    if guest.console != machine.console() {
        return Err(unfit(format!(
            "the guest's console is {}, and uvmm has {} for {}",
            guest.console,
            machine.console(),
            guest.architecture
        )));
    }
    if !guest.has_configuration_disk() {
        return Err(unfit(
            "there is no 9P, and the guest has no disk with its configuration: add --config-disk"
                .to_owned(),
        ));
    }
    if let Some(card) = guest.passthru.iter().find(|card| card.domain > 0) {
        return Err(unfit(format!("io finds cards of PCI domain 0 only, not {card}")));
    }
    let (title, volumes) = (guest.title(), volumes(guest));
    let files = vec![
        HostFile::plain("l4re/wifibox.ned", ned::text(guest, machine, direct, &volumes)),
        HostFile::plain("l4re/wifi.vbus", io::wifi(guest, &title)),
        HostFile::plain("l4re/storage.vbus", io::storage(machine, &title)),
        HostFile::plain("l4re/io.cfg", io::hardware(machine)),
        HostFile::plain("l4re/wifibox.dts", device_tree::text(guest, machine, &volumes)),
        HostFile::plain("l4re/modules.list", modules::text(machine, direct, &title)),
    ];
    check::files(&files)?;
    Ok(files)
}

/// `text` as a string of Lua.
fn lua_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
