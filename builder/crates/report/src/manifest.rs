//! `manifest.json`: everything that is in a guest, with versions and hashes.
//!
//! The file is read by `wifibox-build boot`, `inspect` and `diff`, by the boot test, and by users'
//! own tools: its `format` number rises when a field changes its meaning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sizes;
use wifibox_ground::device::DeviceId;
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::Guest;
use wifibox_ground::output::{Link, Output};
use wifibox_ground::path::GuestPath;
use wifibox_tree::scripts::ScriptReport;
use wifibox_tree::{Kind, Tree};

/// The number of the manifest's format.
pub const FORMAT: u32 = 1;

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Identifies everything that went in: the builder's version, the recipe, the packages.
    /// The guest carries it in /etc/wifibox/build-id.
    pub build_id: String,
    /// Name and version of the builder.
    pub builder: String,
    /// The composition.
    pub recipe: Composition,
    /// The machine that a host makes for the guest, as the recipe has it: `wifibox-build host` starts
    /// from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub guest: Option<Guest>,
    /// The time that every time in the outputs is clamped to: seconds since 1970-01-01 UTC.
    pub source_date_epoch: u32,
    /// The kernel.
    pub kernel: Kernel,
    /// Packages, by name.
    pub packages: Vec<Package>,
    /// The packages' maintainer scripts, by package, and what became of each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scripts: Vec<ScriptReport>,
    /// Kernel modules, by name.
    pub modules: Vec<Module>,
    /// Firmware, by path.
    pub firmware: Vec<Firmware>,
    /// Sizes by part, before compression.
    pub sizes: Sizes,
    /// Every file, directory, link and device of the root, by path.
    pub files: Vec<File>,
    /// The files of the output folder, by path, this manifest and SHA256SUMS left out.
    pub outputs: Vec<Output>,
    /// The symbolic links of the output folder, by path.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<Link>,
}

/// The configuration that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Composition {
    /// Base: where packages come from.
    pub base: String,
    /// Release of the base.
    pub release: String,
    /// Architecture, in the base's own spelling.
    pub architecture: String,
    /// Flavor: which chipset.
    pub flavor: String,
    /// The only card that the guest is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<DeviceId>,
    /// Role: `station` or `access-point`.
    pub role: String,
    /// Features, sorted.
    pub features: Vec<String>,
    /// Hypervisor that the outputs are for.
    pub hypervisor: String,
    /// Kernel descriptor.
    pub kernel: String,
    /// Compressor of root.img.
    pub compression: String,
    /// Services that the guest keeps running, in the order in which they start.
    #[serde(default)]
    pub services: Vec<String>,
}

/// The kernel of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// `uname -r`.
    pub release: String,
    /// The package that it came from.
    pub package: String,
    /// The command line of direct boot and of the unified kernel image.
    pub cmdline: String,
}

/// A package whose content is in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Source package or origin, where the index names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Hash of the package file.
    pub sha256: Sha256,
    /// Its licence as an SPDX expression, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub licence: Option<String>,
    /// Who asked for it.
    pub why: String,
}

/// A kernel module in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// Name, with underscores.
    pub name: String,
    /// Where it is.
    pub path: GuestPath,
    /// Why it is in.
    pub why: String,
}

/// A firmware file in the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firmware {
    /// The name that a module asks for.
    pub wanted: String,
    /// Who asks for it.
    pub by: String,
    /// The result: `kept`; `replaced` (by an older version); `superseded` (the driver takes a newer version first);
    /// `dropped` (by the recipe or a wish); `missing`.
    pub state: String,
    /// The file that serves it, if any, relative to the firmware folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The other files, where a pattern is served by several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<String>,
    /// Why it is not simply kept, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// That file's licence as an SPDX expression, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub licence: Option<String>,
}

/// How many firmware names were asked for, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FirmwareCounts {
    /// Kept.
    pub kept: usize,
    /// Replaced by an older version.
    pub replaced: usize,
    /// Not needed beside a newer version.
    pub superseded: usize,
    /// Left out by the recipe or a wish.
    pub dropped: usize,
    /// Not there.
    pub missing: usize,
}

impl FirmwareCounts {
    /// Counts the lines of a manifest.
    pub fn of(lines: &[Firmware]) -> Self {
        let count = |state: &str| lines.iter().filter(|line| line.state == state).count();
        FirmwareCounts {
            kept: count("kept"),
            replaced: count("replaced"),
            superseded: count("superseded"),
            dropped: count("dropped"),
            missing: count("missing"),
        }
    }

    /// All names that were asked for.
    pub fn total(self) -> usize {
        self.kept + self.replaced + self.superseded + self.dropped + self.missing
    }
}

/// A node of the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Path, relative to the root.
    pub path: String,
    /// `file`, `directory`, `symbolic link`, ...
    pub kind: String,
    /// Permission bits, octal.
    pub mode: String,
    /// `uid:gid`.
    pub owner: String,
    /// Who put it there.
    pub origin: String,
    /// Bytes, of a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// Hash, of a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<Sha256>,
    /// Target, of a link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
}

/// Every node of `tree` as the manifest lists it.
///
/// # Errors
/// A file's content cannot be read back.
pub fn files(tree: &Tree) -> std::io::Result<Vec<File>> {
    let mut files = Vec::new();
    for (path, node) in tree.iter() {
        let (mut size, mut sha256, mut target) = (None, None, None);
        match &node.kind {
            Kind::File(content) => {
                (size, sha256) = (Some(content.len()), Some(content.digests()?.sha256));
            }
            Kind::Symlink(to) => target = Some(String::from_utf8_lossy(to).into_owned()),
            _ => {}
        }
        files.push(File {
            path: String::from_utf8_lossy(path.as_bytes()).into_owned(),
            kind: node.kind.describe().to_owned(),
            mode: format!("{:04o}", node.meta.mode),
            owner: format!("{}:{}", node.meta.uid, node.meta.gid),
            origin: node.origin.to_string(),
            size,
            sha256,
            target,
        });
    }
    Ok(files)
}

impl Manifest {
    /// The file's text: JSON, indented, with a line break at its end.
    ///
    /// # Errors
    /// Never in practice: every field can be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
