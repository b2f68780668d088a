//! A guest as its host sees it: plain data, from which the files of every hypervisor come.
//!
//! A build makes it from the composed recipe and keeps it in `manifest.json` under `guest`; for an
//! output that is there already it is read from there. File names are relative to the output folder, so
//! that nothing here depends on where a build ran; [`Guest::folder`] says where the files are on the
//! host.

mod check;
mod kinds;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use check::{BadValue, MEMORY};
pub use kinds::{AppConfig, Nic, ShareTransport};

use crate::address::Address;

/// The volume label of the configuration disk's FAT file system.
pub const CONFIGURATION_LABEL: [u8; 11] = *b"WIFIBOX_CFG";
/// The name of the configuration disk's image: `wifibox-build config-disk` writes it.
pub const CONFIGURATION_FILE: &str = "config.img";
/// The feature of a recipe that gives a guest a disk to keep its own data on.
pub const PERSISTENT_FEATURE: &str = "persistent";
/// The name of the image of the disk that keeps the guest's own data.
pub const PERSISTENT_FILE: &str = "rootfs_data.img";

/// A guest, and the machine that its host makes for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The name of the virtual machine on the host: letters, digits, `-` and `_`.
    pub name: String,
    /// Base: where the guest's packages come from.
    pub base: String,
    /// Release of the base.
    pub release: String,
    /// Flavor: which chipset.
    pub flavor: String,
    /// Role: `station` or `access-point`.
    pub role: String,
    /// The daemon whose configuration is the share `app_config`.
    pub application: AppConfig,
    /// The recipe of the hypervisor that the guest was built for.
    pub hypervisor: String,
    /// Architecture, as `uname -m` says: `x86_64`, `aarch64`, `mips`.
    pub architecture: String,
    /// Memory in MiB.
    pub memory: u32,
    /// The least memory with which the guest comes up, in MiB, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_memory: Option<u32>,
    /// Virtual processors.
    pub vcpus: u16,
    /// How the guest starts.
    pub boot: Boot,
    /// The console, a name in the guest's /dev: `ttyS0`, `hvc0`.
    pub console: String,
    /// Disks, in the order in which the guest meets them.
    pub disks: Vec<Disk>,
    /// Network cards towards the host: the first is the guest's `eth0`.
    pub nics: Vec<NetworkCard>,
    /// How the guest's kernel and initramfs reach 9P shares.
    pub transport: ShareTransport,
    /// 9P shares; none where the configuration comes from a disk.
    pub shares: Vec<Share>,
    /// Cards of the host that become the guest's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passthru: Vec<Address>,
    /// Another driver domain of the host, in which the firewall's other cable ends (Xen).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall_backend: Option<String>,
    /// The folder of the host that holds the output's files; the hypervisor's usual place if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<HostPath>,
}

/// The ways in which a guest can be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The image of the EFI system partition, if UEFI firmware can start the guest: a disk of
    /// [`Purpose::Efi`] has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uefi: Option<String>,
    /// The kernel, if the hypervisor can load it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<DirectBoot>,
}

/// The files for hypervisors that start a kernel without firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectBoot {
    /// The kernel's image.
    pub kernel: String,
    /// The initramfs, if the kernel needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initramfs: Option<String>,
    /// The kernel's command line.
    pub cmdline: String,
}

/// The use of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The EFI system partition: only UEFI firmware reads it.
    Efi,
    /// The root file system, SquashFS.
    Root,
    /// The host's configuration: FAT with the label [`CONFIGURATION_LABEL`].
    Configuration,
    /// The guest's data that stay from run to run.
    Persistent,
}

/// A disk of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its use.
    pub purpose: Purpose,
    /// Its image (raw).
    pub file: String,
    /// Its name in the guest's /dev: `vdb`, `xvde`.
    pub device: String,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// A network card of the guest towards its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkCard {
    /// The model that the guest sees.
    pub model: Nic,
    /// The bridge or network of the host that it is on; the hypervisor's usual one if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<String>,
}

/// A folder of the host that the guest mounts by 9P.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The mount tag.
    pub tag: String,
    /// Where the guest mounts it, without the leading `/`.
    pub mount: String,
    /// Whether the guest may only read.
    pub read_only: bool,
    /// The folder of the output that holds samples for it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<String>,
}

/// An absolute path on the host, of characters that no configuration file gives a meaning: letters,
/// digits and `._/+@-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPath(String);

/// A path on the host that configuration files could not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} cannot be a folder of the host: expected an absolute path of letters, digits and \
     ._/+@- (others mean something in the configuration of one hypervisor or another)"
)]
pub struct BadHostPath {
    /// The text that was given.
    pub text: String,
}

impl HostPath {
    /// Checks `text`; a `/` at its end goes.
    ///
    /// # Errors
    /// [`BadHostPath`].
    pub fn new(text: &str) -> Result<Self, BadHostPath> {
        let trimmed = text.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/+@-".contains(c);
        let parts = trimmed.split('/').skip(1).all(|part| !["", ".", ".."].contains(&part));
        if trimmed.starts_with('/') && trimmed.chars().all(plain) && parts {
            Ok(HostPath(trimmed.to_owned()))
        } else {
            Err(BadHostPath { text: text.to_owned() })
        }
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A file or folder below it, whose name was checked when the guest was read.
    #[must_use]
    pub fn join(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }
}

impl TryFrom<String> for HostPath {
    type Error = BadHostPath;
    fn try_from(text: String) -> Result<Self, BadHostPath> {
        HostPath::new(&text)
    }
}

impl From<HostPath> for String {
    fn from(path: HostPath) -> Self {
        path.0
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Guest {
    /// The disk for `purpose`, if there is one.
    #[must_use]
    pub fn disk(&self, purpose: Purpose) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.purpose == purpose)
    }

    /// Whether the configuration comes from a disk instead of 9P shares.
    #[must_use]
    pub fn has_configuration_disk(&self) -> bool {
        self.disk(Purpose::Configuration).is_some()
    }

    /// One line that says which guest this is, for the heads of files.
    #[must_use]
    pub fn title(&self) -> String {
        let Guest { flavor, role, base, release, architecture, .. } = self;
        format!("the Wi-Fi guest {flavor} as {role} on {base} {release} {architecture}")
    }

    /// Adds a disk behind the others.
    pub fn add_disk(&mut self, purpose: Purpose, file: &str, read_only: bool) {
        let last = self.disks.last().map_or("vda", |disk| disk.device.as_str());
        let letter = last.chars().last().map_or(b'a', |letter| letter as u8);
        let device = with_letter(last, char::from(letter.saturating_add(1)));
        self.disks.push(Disk { purpose, file: file.to_owned(), device, read_only });
    }
}

/// The name of another disk on the same bus: `vda` for `vdb` and `a`.
#[must_use]
pub fn with_letter(device: &str, letter: char) -> String {
    let mut name: String = device.chars().take(device.chars().count().saturating_sub(1)).collect();
    name.push(letter);
    name
}
