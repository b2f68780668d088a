//! The user's changes to a guest beside the recipe: memory, processors, cards, a configuration
//! disk, a disk that keeps the guest's data, another name or place.

use super::HostError;
use wifibox_ground::address::Address;
use wifibox_ground::guest::{CONFIGURATION_FILE, Guest, HostPath, PERSISTENT_FILE, Purpose};

/// Changes to the description of a guest; what is `None`, empty or `false` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// The name of the virtual machine.
    pub name: Option<String>,
    /// Memory in MiB.
    pub memory: Option<u32>,
    /// Virtual processors.
    pub vcpus: Option<u16>,
    /// Cards to pass through.
    pub passthru: Vec<Address>,
    /// The bridge or network of the host that the first network card is on.
    pub uplink: Option<String>,
    /// Another driver domain, in which the firewall's other cable ends (Xen).
    pub firewall_backend: Option<String>,
    /// Whether the configuration comes from the disk [`CONFIGURATION_FILE`] and not by 9P.
    pub configuration_disk: bool,
    /// Whether the guest gets the disk [`PERSISTENT_FILE`].
    pub persistent: bool,
    /// Where the output's files are on the host.
    pub folder: Option<HostPath>,
}

impl Overrides {
    /// `guest` with these overrides granted.
    ///
    /// # Errors
    /// [`HostError::Value`] for a value that is not allowed.
    pub fn apply(&self, guest: &Guest) -> Result<Guest, HostError> {
        let overrides = self;
        let mut guest = guest.clone();
        if let Some(name) = &overrides.name {
            guest.name.clone_from(name);
        }
        guest.memory = overrides.memory.unwrap_or(guest.memory);
        guest.vcpus = overrides.vcpus.unwrap_or(guest.vcpus);
        if !overrides.passthru.is_empty() {
            guest.passthru.clone_from(&overrides.passthru);
        }
        if let (Some(uplink), Some(card)) = (&overrides.uplink, guest.nics.first_mut()) {
            card.uplink = Some(uplink.clone());
        }
        if let Some(name) = &overrides.firewall_backend {
            guest.firewall_backend = Some(name.clone());
        }
        if overrides.configuration_disk && !guest.has_configuration_disk() {
            guest.shares.clear();
            guest.add_disk(Purpose::Configuration, CONFIGURATION_FILE, true);
        }
        if overrides.persistent && guest.disk(Purpose::Persistent).is_none() {
            guest.add_disk(Purpose::Persistent, PERSISTENT_FILE, false);
        }
        if let Some(folder) = &overrides.folder {
            guest.folder = Some(folder.clone());
        }
        guest.check()?;
        Ok(guest)
    }
}

/// Reads the address of a card in any notation: of Linux and Xen (`0000:03:00.0`, `03:00.0`), of
/// FreeBSD (`pci0:3:0:0`), of bhyve (`3/0/0`).
///
/// # Errors
/// [`HostError::Address`].
pub fn parse_address(text: &str) -> Result<Address, HostError> {
    Address::parse_any(text).ok_or_else(|| HostError::Address { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::guest;
    use wifibox_ground::guest::Purpose;

    #[test]
    fn disks_follow_each_other() {
        let overrides =
            Overrides { configuration_disk: true, persistent: true, ..Overrides::default() };
        let changed = overrides.apply(&guest()).unwrap();
        let disks: Vec<(&str, &str, bool)> = changed
            .disks
            .iter()
            .map(|disk| (disk.device.as_str(), disk.file.as_str(), disk.read_only))
            .collect();
        assert_eq!(
            disks,
            [
                ("vda", "esp.img", true),
                ("vdb", "root.img", true),
                ("vdc", "config.img", true),
                ("vdd", "rootfs_data.img", false),
            ]
        );
        assert!(changed.shares.is_empty() && changed.has_configuration_disk());
        // The same overrides again change nothing.
        assert_eq!(overrides.apply(&changed).unwrap(), changed);
        let mut xen = guest();
        xen.disks.retain(|disk| disk.purpose == Purpose::Root);
        xen.disks[0].device = "xvde".to_owned();
        assert_eq!(overrides.apply(&xen).unwrap().disks[2].device, "xvdg");
    }

    #[test]
    fn no_wish_changes_nothing() {
        assert_eq!(Overrides::default().apply(&guest()).unwrap(), guest());
    }
}
