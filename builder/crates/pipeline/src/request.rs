//! The options of a build, and its report.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use wifibox_ground::device::DeviceId;
use wifibox_ground::meter::Stage;
use wifibox_ground::output::Output;
use wifibox_linux::drivers::{ArchiveChoice, FirmwareAdd};
use wifibox_report::Sizes;
use wifibox_report::manifest::FirmwareCounts;
use wifibox_resolve::Locked;

/// The user's options for a build, besides the recipe.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The output folder.
    pub out: PathBuf,
    /// Globs over firmware names: only those come in.
    pub firmware_files: Vec<String>,
    /// Firmware of the user's own.
    pub firmware_adds: Vec<FirmwareAdd>,
    /// An archive of firmware, instead of packages.
    pub firmware_archive: Option<ArchiveChoice>,
    /// Manifests to whose licence the user agrees.
    pub accepted_licences: Vec<String>,
    /// The only card that the guest is for.
    pub device: Option<DeviceId>,
    /// Block size of root.img, in bytes.
    pub block_size: u32,
    /// Build although nothing changed.
    pub force: bool,
}

/// The report of a build.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BuildReport {
    /// The output folder.
    pub out: PathBuf,
    /// Whether it was there already, made of the same inputs.
    pub up_to_date: bool,
    /// The build id.
    pub build_id: String,
    /// The kernel's release.
    pub kernel: String,
    /// How many packages.
    pub packages: usize,
    /// How many modules.
    pub modules: usize,
    /// How many firmware names were asked for, by result.
    pub firmware: FirmwareCounts,
    /// Firmware request that nothing serves, in words.
    pub missing_firmware: Vec<String>,
    /// Sizes by part, before compression.
    pub sizes: Sizes,
    /// The output's files.
    pub outputs: Vec<Output>,
    /// The locks, and how they changed.
    pub locks: Vec<Locked>,
    /// The cost of each stage, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timings: Vec<Stage>,
}
