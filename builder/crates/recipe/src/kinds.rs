//! The things of which recipes choose one: formats, compressors, devices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A package format, and with it a package manager's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Debian's.
    Dpkg,
    /// Alpine's.
    Apk,
    /// OpenWrt's from 25.12: apk's format v3, in the layout of OpenWrt's feeds.
    Adb,
    /// OpenWrt's up to 24.10.
    Opkg,
}

/// A compressor of the root image.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Compression")]
pub enum RootCompressor {
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

/// The program that starts the guest's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InitSystem {
    /// The scripts of `overlays/`: `services` are kept running by BusyBox's init.
    Supervised,
    /// OpenRC, from packages: `runlevels` say what it starts, from the packages' own init scripts.
    /// `services` do not count, and of an overlay `openrc/` is laid over the packages, not `root/`.
    Openrc,
    /// OpenWrt's procd, from packages: their own init scripts are enabled as the image builder does,
    /// but for `services_off`. `services` do not count, and of an overlay `procd/` is laid over the
    /// packages, not `root/`.
    Procd,
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
