//! The files for Xen: the guest as a network driver domain, a firewall behind it, and what dom0 needs.
//!
//! - `wifibox.cfg`, `wifibox-hvm.cfg`: the driver domain, paravirtual and with an emulated PC (xl.cfg(5)).
//!   There is none of type PVH: Xen hands no PCI device to such a domain.
//! - `firewall.cfg`: OPNsense or pfSense behind it, connected by Xen's own network devices only.
//! - `setup.sh`, `xen-pciback.conf`, `README`: what dom0 needs.
//! - `reconnect.sh`, and a unit of systemd that runs it: connects others to the guest again after it restarted.
//!
//! Configurations of xl go through [`crate::lint`] before they are given away. Facts: xl.cfg(5),
//! xl-disk-configuration(5), xl-network-configuration(5), xl-pci-configuration(5).

mod dom0;
mod domain;
mod firewall;
#[cfg(test)]
mod tests;

use super::{HostError, HostFile, Hypervisor};
use crate::lint::{self, Kind};
use crate::shares;
use wifibox_ground::guest::Guest;

/// The folder of these files.
const FOLDER: &str = "xen";

/// Where dom0 keeps the images of a guest with the usual name.
pub(super) const IMAGES: &str = "/var/lib/xen/images/wifibox";
/// The domain behind the guest.
const FIREWALL: &str = "firewall";
/// The bridge of dom0 that the guest is on, as Xen's own documents call it.
const BRIDGE: &str = "xenbr0";

/// The files for Xen.
///
/// # Errors
/// [`HostError::Unfit`] for a guest on another machine than a PC, or without a kernel that Xen can load.
pub fn files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let unfit = |why: &str| HostError::Unfit { hypervisor: Hypervisor::Xen, why: why.to_owned() };
    if guest.architecture != "x86_64" {
        return Err(unfit("cards are passed through on PCs (x86_64) only"));
    }
    let direct = guest.boot.direct.as_ref();
    let direct = direct.ok_or_else(|| unfit("the output has no kernel that Xen could load"))?;
    if guest.name == FIREWALL {
        return Err(unfit(
            "the domain behind the guest is called firewall: give the guest another --name",
        ));
    }
    let mut files = Vec::new();
    for (name, text) in [
        ("wifibox.cfg", domain::text(guest, direct, domain::Type::Pv)),
        ("wifibox-hvm.cfg", domain::text(guest, direct, domain::Type::Hvm)),
        ("firewall.cfg", firewall::text(guest)),
    ] {
        let path = format!("{FOLDER}/{name}");
        if let Some(problem) = lint::lint(Kind::Xl, text.as_bytes()).first() {
            return Err(HostError::Faulty { path, why: problem.to_string() });
        }
        files.push(HostFile::plain(&path, text));
    }
    let more = |name: &str| format!("{FOLDER}/{name}");
    files.push(HostFile::script(&more("setup.sh"), dom0::setup(guest, direct)));
    files.push(HostFile::script(&more("reconnect.sh"), dom0::RECONNECT.to_owned()));
    files.push(HostFile::plain(&more("wifibox-reconnect.service"), dom0::SERVICE.to_owned()));
    files.push(HostFile::plain(&more("xen-pciback.conf"), dom0::pciback(guest)));
    files.push(HostFile::plain(&more("README"), dom0::readme(guest)));
    Ok(files)
}

/// The folder of dom0 that holds the images. A dom0 may have several guests, which differ in name.
fn images(guest: &Guest) -> String {
    let named = || format!("/var/lib/xen/images/{}", guest.name);
    guest.folder.as_ref().map_or_else(named, |folder| folder.as_str().to_owned())
}

/// Where dom0 keeps the configuration of the guest.
fn configuration(guest: &Guest) -> String {
    format!("/etc/{}", guest.name)
}

/// The folder of dom0 that is the share `var`.
fn var(guest: &Guest) -> String {
    format!("/var/lib/{}", guest.name)
}

/// The folder of dom0 that the guest mounts by `tag`.
fn share(guest: &Guest, tag: &str) -> String {
    shares::installed(guest, tag, &configuration(guest), &var(guest))
}

/// Lines of a comment.
fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}
