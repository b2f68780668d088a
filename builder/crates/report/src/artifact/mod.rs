//! Guests and releases as artifacts of a registry (OCI image specification 1.1), and back.
//!
//! A guest is a manifest of the type [`GUEST`]: one layer for each file of its output folder, the file itself and not an
//! archive, so that a registry keeps a file of two guests once and a file that did not change is not moved again. A
//! layer's annotation `org.opencontainers.image.title` is the file's path. Nothing but the folder is in it, so that the
//! same build gives the same manifest, whoever pushes it.
//!
//! A release is a manifest of the type [`RELEASE`] with its own files, and an index ([`INDEX`]) of it and of its guests.
//!
//! What is about them refers to their manifests (`subject`): minisign's signature ([`SIGNATURE`]), which may be made and
//! pushed later, and the bills of materials. A signature is over `SHA256SUMS`, and so over all files; a manifest is
//! trusted in nothing that `SHA256SUMS` does not say.

mod pack;
mod plan;

pub use pack::{Artifact, File, PackError, Packed, Referrer, outputs, pack};
pub use plan::{Listed, Planned, is_inside};

use crate::release::Kind;

/// The artifact type of a guest.
pub const GUEST: &str = "application/vnd.wifibox-build.guest.v1";
/// The artifact type of a release, of which the guests are artifacts of their own.
pub const RELEASE: &str = "application/vnd.wifibox-build.release.v1";
/// The artifact type of an index of guests.
pub const INDEX: &str = "application/vnd.wifibox-build.index.v1";
/// The artifact type of minisign's signature over `SHA256SUMS`.
pub const SIGNATURE: &str = "application/vnd.wifibox-build.minisig.v1";

/// The path of a file.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The permission bits of a file, in octal digits, where they are not 0644.
pub(crate) const MODE: &str = "io.github.wifibox-build.mode";
/// Folders in which there is no file, one a line.
pub(crate) const FOLDERS: &str = "io.github.wifibox-build.folders";
/// A guest's name in its release.
pub const NAME: &str = "io.github.wifibox-build.name";
/// A guest's flavor.
pub const FLAVOR: &str = "io.github.wifibox-build.flavor";
/// A guest's build id.
pub(crate) const BUILD_ID: &str = "io.github.wifibox-build.build-id";

/// The media type of a file of an output folder.
fn media_type(path: &str) -> &'static str {
    match Kind::of_output(path) {
        Kind::RootImage => "application/vnd.wifibox-build.root.v1+squashfs",
        Kind::EspImage => "application/vnd.wifibox-build.esp.v1",
        Kind::Kernel => "application/vnd.wifibox-build.kernel.v1",
        Kind::Initramfs => "application/vnd.wifibox-build.initramfs.v1",
        Kind::Cmdline => "application/vnd.wifibox-build.cmdline.v1",
        Kind::Manifest => "application/vnd.wifibox-build.manifest.v1+json",
        Kind::SbomSpdx => "application/spdx+json",
        Kind::SbomCyclonedx => "application/vnd.cyclonedx+json",
        Kind::Licence => "application/vnd.wifibox-build.licence.v1",
        Kind::Sums => "application/vnd.wifibox-build.sums.v1",
        Kind::Sample => "application/vnd.wifibox-build.sample.v1",
        Kind::Host => "application/vnd.wifibox-build.host.v1",
        _ => "application/octet-stream",
    }
}
