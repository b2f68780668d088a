//! Devices and daemons of which a guest has one each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How 9P shares reach the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShareTransport {
    /// virtio-9p: the mount option `trans=virtio`.
    Virtio,
    /// Xen's 9pfs: the mount option `trans=xen`.
    Xen,
    /// There is no 9P: a disk brings what the shares would.
    Disk,
}

/// The network card that the guest has towards its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nic {
    /// An emulated Intel 82540/82545.
    E1000,
    /// virtio-net.
    VirtioNet,
    /// Xen's netfront.
    XenNetfront,
}

/// The daemon whose configuration is the share `app_config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppConfig {
    /// wpa_supplicant, in /etc/wpa_supplicant.
    WpaSupplicant,
    /// hostapd, in /etc/hostapd.
    Hostapd,
}

impl AppConfig {
    /// The daemon's name, and that of its folder of samples.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WpaSupplicant => "wpa_supplicant",
            Self::Hostapd => "hostapd",
        }
    }
}
