//! The things of which recipes choose one: formats, compressors, devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A package format, and with it a package manager's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Debian's.
    Dpkg,
    /// Alpine's, and OpenWrt's from 25.12.
    Apk,
    /// OpenWrt's up to 24.10.
    Opkg,
}

/// A compressor of the root image.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// LZMA2 in .xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// Deflate.
    Gzip,
    /// LZ4.
    Lz4,
    /// LZO.
    Lzo,
}

/// What starts the guest's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InitSystem {
    /// The scripts of `overlays/`: `services` are kept running by BusyBox's init.
    Supervised,
    /// OpenRC, from packages: `runlevels` say what it starts, from the packages' own init scripts.
    /// `services` do not count, and of an overlay `openrc/` is laid over the packages, not `root/`.
    Openrc,
}

/// Where the guest's accounts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountsFrom {
    /// Recipes and their rules for scripts declare all of them.
    Recipes,
    /// A package brings etc/passwd, etc/group and etc/shadow. What recipes and
    /// their rules for scripts declare is added to them.
    Packages,
}

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
