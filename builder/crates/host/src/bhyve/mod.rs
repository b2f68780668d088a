//! The files for FreeBSD's bhyve, for each of the three ways in which people run it there.
//!
//! - wifibox-core (port net/wifibox-core): `bhyve.conf` and `core.conf`;
//! - bhyve by itself: `wifibox.config` for `bhyve -k` (bhyve_config(5)) and `run.sh`, the same machine
//!   as a command line (bhyve(8));
//! - vm-bhyve: `vm-bhyve.conf`, a template.
//!
//! Beside them the pieces of loader.conf(5), rc.conf(5), devd.conf(5) and rc.local that each of these
//! wants. [`machine`] lays the devices out once, in the slots of the guest contract. Everything here
//! goes through the linter ([`crate::lint`]) before it is given away.

mod config;
pub mod machine;
mod run;
mod system;
#[cfg(test)]
mod tests;
mod vm_bhyve;
mod wifibox_core;

pub(super) use system::drivers_of_hosts;

use super::{HostError, HostFile};
use crate::lint;
use machine::Machine;
use wifibox_ground::guest::Guest;

/// The folder of these files.
const FOLDER: &str = "bhyve";

/// Where the port puts the images.
pub(super) const IMAGES: &str = "/usr/local/share/wifibox";
/// Where the port puts the configuration.
pub(super) const CONFIGURATION: &str = "/usr/local/etc/wifibox";
/// The share `var` of wifibox-core.
pub(super) const VAR: &str = "/var/run/wifibox/appliance";
/// The bridge that wifibox-core makes.
pub(super) const BRIDGE: &str = "wifibox0";
/// The UEFI firmware of the port sysutils/edk2@bhyve.
pub(super) const FIRMWARE: &str = "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd";
/// The boot loader of the port sysutils/u-boot-bhyve-arm64.
pub(super) const U_BOOT: &str = "/usr/local/share/u-boot/u-boot-bhyve-arm64/u-boot.bin";

/// The files for bhyve.
///
/// # Errors
/// [`HostError::Unfit`] for cards on another PCI domain than 0, more devices than slots, or cards on
/// aarch64.
pub fn files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let machine = Machine::of(guest)?;
    let mut files = vec![
        ("wifibox.config", config::text(guest, &machine)),
        ("run.sh", run::text(guest, &machine)),
        ("loader.conf", system::loader_conf(guest, &machine)),
        ("rc.conf", system::rc_conf(guest, &machine)),
        ("rc.local", system::rc_local(guest)),
        ("devd.conf", system::devd_conf(guest)),
    ];
    if machine.is_pc {
        files.push(("vm-bhyve.conf", vm_bhyve::text(guest, &machine)?));
        // It runs what the contract has and nothing else.
        if machine.is_wifibox_cores(guest) {
            files.push(("bhyve.conf", wifibox_core::bhyve_conf(guest, &machine)));
            files.push(("core.conf", wifibox_core::core_conf(guest)));
        }
    }
    let mut list = Vec::new();
    for (name, text) in files {
        let path = format!("{FOLDER}/{name}");
        if let Some(kind) = lint::Kind::of_name(&path) {
            let problems = lint::lint(kind, text.as_bytes());
            if let Some(problem) = problems.first() {
                return Err(HostError::Faulty { path, why: problem.to_string() });
            }
        }
        list.push(if text.starts_with("#!") {
            HostFile::script(&path, text)
        } else {
            HostFile::plain(&path, text)
        });
    }
    Ok(list)
}

/// `text` as comment lines.
fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}
