//! Which guest fits which hypervisor, and the files for those that it fits.
//!
//! A guest fits where its kernel, initramfs and mounts find their devices: one made for bhyve or QEMU
//! (virtio disks, 9P by virtio) runs under bhyve, QEMU and libvirt alike, one made for Xen only there.

use super::{HostError, HostFile, Hypervisor};
use super::{bhyve, l4re, libvirt, qemu, xen};
use wifibox_ground::guest::{Boot, Guest, ShareTransport};

impl Hypervisor {
    /// Whether the guest can run here.
    ///
    /// # Errors
    /// [`HostError::Unfit`] says what is in the way.
    fn suits(self, guest: &Guest) -> Result<(), HostError> {
        let unfit = |why: String| Err(HostError::Unfit { hypervisor: self, why });
        let other = |devices: &str| {
            let recipe = match self {
                Self::Bhyve | Self::Xen | Self::L4re => self.name(),
                Self::Qemu | Self::Libvirt => "qemu",
            };
            unfit(format!(
                "the guest was built for {}, whose devices are others than {devices}; build it \
                 with --hypervisor {recipe}",
                guest.hypervisor
            ))
        };
        let built_for = guest.hypervisor.as_str();
        match self {
            Self::Bhyve | Self::Qemu | Self::Libvirt => {
                if guest.transport != ShareTransport::Virtio || built_for == "l4re" {
                    return other("virtio's");
                }
                if !["x86_64", "aarch64"].contains(&guest.architecture.as_str()) {
                    return unfit(format!(
                        "guests for {} are not known to run there",
                        guest.architecture
                    ));
                }
                let Boot { uefi, direct } = &guest.boot;
                match self {
                    Self::Bhyve if uefi.is_none() => {
                        unfit("the guest has no esp.img that UEFI firmware could start".to_owned())
                    }
                    _ if uefi.is_none() && direct.is_none() => {
                        unfit("the guest cannot be started in any way".to_owned())
                    }
                    _ => Ok(()),
                }
            }
            Self::Xen if guest.transport != ShareTransport::Xen => other("Xen's"),
            Self::L4re if built_for != "l4re" => other("L4Re's"),
            Self::Xen | Self::L4re => Ok(()),
        }
    }

    /// The files for this guest, by path.
    ///
    /// # Errors
    /// [`HostError::Unfit`] for a guest that cannot run here; [`HostError::Faulty`] for a file that the
    /// hypervisor would refuse.
    pub fn files(self, guest: &Guest) -> Result<Vec<HostFile>, HostError> {
        guest.check()?;
        self.suits(guest)?;
        let mut files = match self {
            Self::Bhyve => bhyve::files(guest),
            Self::Qemu => qemu::files(guest),
            Self::Libvirt => libvirt::files(guest),
            Self::Xen => xen::files(guest),
            Self::L4re => l4re::files(guest),
        }?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// The files for every hypervisor that the guest can run under: an output serves on any of them.
///
/// # Errors
/// As [`Hypervisor::files`], but for hypervisors that do not suit the guest.
pub fn all_files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let mut all = Vec::new();
    for hypervisor in Hypervisor::ALL {
        match hypervisor.files(guest) {
            Ok(files) => all.extend(files),
            Err(HostError::Unfit { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::guest;

    #[test]
    fn a_guest_runs_where_its_devices_are() {
        let suiting = |guest: &Guest| -> Vec<&str> {
            let all = Hypervisor::ALL.into_iter();
            all.filter(|h| h.suits(guest).is_ok()).map(Hypervisor::name).collect()
        };
        assert_eq!(suiting(&guest()), ["bhyve", "libvirt", "qemu"]);
        let mut direct = guest();
        direct.boot.uefi = None;
        assert_eq!(suiting(&direct), ["libvirt", "qemu"]);
        let mut xen = guest();
        xen.transport = ShareTransport::Xen;
        assert_eq!(suiting(&xen), ["xen"]);
        let message = Hypervisor::Bhyve.suits(&xen).unwrap_err().to_string();
        assert!(message.contains("build it with --hypervisor bhyve"), "{message}");
        let mut other = guest();
        other.architecture = "mips".to_owned();
        assert!(suiting(&other).is_empty());
    }
}
