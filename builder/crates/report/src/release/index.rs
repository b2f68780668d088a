//! `index.json`: what a release holds, for programs. Its schema is docs/schema/release.json.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use wifibox_ground::device::DeviceId;
use wifibox_ground::digest::Sha256;

/// The number of the index's format.
pub const FORMAT: u32 = 1;

/// The index of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The number of the format: 1. It rises when a field changes its meaning.
    pub format: u32,
    /// The release's version.
    pub version: String,
    /// Name and version of the builder.
    pub builder: String,
    /// Where the builder and its recipes are from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// The newest SOURCE_DATE_EPOCH of the guests: seconds since 1970-01-01 UTC.
    pub source_date_epoch: u32,
    /// The guests, by name.
    pub guests: Vec<Guest>,
    /// Guests that are not in the release, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub omitted: Vec<Omitted>,
    /// The builder as static programs, by target.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tools: Vec<Tool>,
    /// Every other file but this one, SHA256SUMS and its signature.
    pub files: Vec<Artefact>,
}

/// Where sources are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The repository's URL.
    pub uri: String,
    /// The commit.
    #[schemars(regex(pattern = "^[0-9a-f]{40}$|^[0-9a-f]{64}$"))]
    pub commit: String,
}

/// A guest of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// The name of its folder below guests/.
    pub name: String,
    /// Identifies everything that went in.
    pub build_id: String,
    /// Where packages come from.
    pub base: String,
    /// Release of the base.
    pub release: String,
    /// Architecture, in the base's own spelling.
    pub architecture: String,
    /// Which chipset.
    pub flavor: String,
    /// The only card that it is for, as VENDOR:DEVICE.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<DeviceId>,
    /// Its role.
    pub role: String,
    /// Features, sorted.
    pub features: Vec<String>,
    /// Its hypervisor.
    pub hypervisor: String,
    /// The kernel's descriptor.
    pub kernel: String,
    /// The kernel's own release, as `uname -r` says it.
    pub kernel_release: String,
    /// Compressor of root.img.
    pub compression: String,
    /// The ways in which it passed its boot test before the release: `direct`, `uefi`, `modules`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub boot_tested: Vec<String>,
    /// Its files, by path.
    pub artefacts: Vec<Artefact>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// Its path in the release, with `/`.
    pub path: String,
    /// Its kind.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Hash.
    pub sha256: Sha256,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The root file system.
    RootImage,
    /// The UEFI boot disk.
    EspImage,
    /// The kernel, for direct boot.
    Kernel,
    /// The initramfs, for direct boot.
    Initramfs,
    /// The kernel's command line, for direct boot.
    Cmdline,
    /// A list of all that is in a guest.
    Manifest,
    /// A bill of materials: SPDX 2.3.
    SbomSpdx,
    /// A bill of materials: CycloneDX 1.6.
    SbomCyclonedx,
    /// Licences, and what they ask for.
    Licence,
    /// A page for people: which guest is for which card.
    Page,
    /// Hashes.
    Sums,
    /// A signature over hashes.
    Signature,
    /// A sample of configuration on the host, or of the skeleton of the share `var`.
    Sample,
    /// A file for the hypervisor.
    Host,
    /// A lock.
    Lock,
    /// The builder.
    Program,
    /// A guest as a package of FreeBSD.
    Package,
    /// A source of the release.
    Provenance,
    /// Anything else.
    Other,
}

impl Kind {
    /// The kind of the file at `path` of an output folder.
    pub fn of_output(path: &str) -> Self {
        match path {
            "root.img" => Kind::RootImage,
            "esp.img" => Kind::EspImage,
            "vmlinuz" => Kind::Kernel,
            "initramfs.img" => Kind::Initramfs,
            "cmdline" => Kind::Cmdline,
            "manifest.json" => Kind::Manifest,
            "sbom.spdx.json" => Kind::SbomSpdx,
            "sbom.cdx.json" => Kind::SbomCyclonedx,
            "SHA256SUMS" => Kind::Sums,
            "SHA256SUMS.minisig" => Kind::Signature,
            _ => match path.split_once('/') {
                Some(("licenses", _)) => Kind::Licence,
                Some(("etc" | "var", _)) => Kind::Sample,
                Some(("host", _)) => Kind::Host,
                _ => Kind::Other,
            },
        }
    }

    /// The kind of the file at `path` of a repository of packages.
    pub(crate) fn of_repository(path: &str) -> Self {
        match path {
            "SHA256SUMS" => Kind::Sums,
            _ if path.starts_with("All/") => Kind::Package,
            _ => Kind::Other,
        }
    }
}

/// Something that is not in the release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// The name that its folder would have.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

/// The builder as a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The target, as Rust calls it.
    pub target: String,
    /// The file.
    pub artefact: Artefact,
}

impl Index {
    /// Every artefact that it lists.
    pub fn artefacts(&self) -> impl Iterator<Item = &Artefact> {
        self.guests
            .iter()
            .flat_map(|guest| &guest.artefacts)
            .chain(self.tools.iter().map(|tool| &tool.artefact))
            .chain(&self.files)
    }
}
