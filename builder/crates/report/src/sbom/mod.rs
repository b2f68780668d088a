//! Software bills of materials: `sbom.spdx.json` (SPDX 2.3) and `sbom.cdx.json` (CycloneDX 1.6).
//!
//! Both say the same: the packages in the guest with their licences, hashes, sources and package URLs,
//! its firmware, its files, the images, and the builder. Ids and times follow from the build id and
//! from SOURCE_DATE_EPOCH; there is no clock and nothing random in them.

mod cyclonedx;
mod facts;
mod id;
mod purl;
mod spdx;
mod spdx_model;

pub use cyclonedx::cyclonedx;
pub use facts::{FileFacts, PackageFacts};
pub(crate) use facts::{file_facts, output_facts};
pub use purl::PackageUrl;
pub(crate) use purl::package_url;
pub use spdx::spdx;

use super::licences::Licences;
use super::manifest::Manifest;

/// The input of both bills.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The guest; its `outputs` are not read.
    pub manifest: &'a Manifest,
    /// Its licences; packages in the order of `packages`.
    pub licences: &'a Licences,
    /// Its packages.
    pub packages: &'a [PackageFacts<'a>],
    /// The regular files of its root.
    pub files: &'a [FileFacts],
    /// The images of the output folder.
    pub images: &'a [FileFacts],
    /// The package of the stub in esp.img, where there is one.
    pub stub_package: Option<&'a str>,
}

impl Subject<'_> {
    /// The guest's name in the bills.
    fn name(&self) -> String {
        let recipe = &self.manifest.recipe;
        format!("wifibox-{}-{}", recipe.base, recipe.flavor)
    }

    /// A URI that no other build has: SPDX's namespace, and what CycloneDX's serial number is made of.
    fn namespace(&self) -> String {
        format!("{}/spdx/{}-{}", env!("CARGO_PKG_REPOSITORY"), self.name(), self.manifest.build_id)
    }

    /// SOURCE_DATE_EPOCH in words.
    fn time(&self) -> String {
        id::time(self.manifest.source_date_epoch)
    }
}
