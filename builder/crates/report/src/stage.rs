//! The reports that a build writes: licences, bills of materials, and the manifest over all of it.

use wifibox_formats::Package;
use wifibox_ground::content::ReadBack;
use wifibox_ground::digest::Sha256;
use wifibox_ground::failure::Kind;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_recipe::Composed;
use wifibox_resolve::Locked;
use wifibox_tree::Tree;
use wifibox_tree::packages::ChosenPackage;
use wifibox_tree::packages::licences::Collector;

use crate::Manifest;
use crate::licences::{self, Distribution, Licences, NOASSERTION, Packaged};
use crate::sbom::{self, FileFacts, PackageFacts};

/// Why the reports of a build cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output folder cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file of the guest cannot be read again.
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
    /// A report cannot be put into words.
    #[error("a report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Output(_) | Error::ReadBack(_) | Error::Json(_) => Kind::Failed,
        }
    }
}

/// The images that bills of materials list.
const IMAGES: [&str; 4] = ["root.img", "esp.img", "vmlinuz", "initramfs.img"];

/// The inputs of the reports, besides the manifest.
pub struct Material<'a> {
    /// The composition.
    pub composed: &'a Composed<'a>,
    /// The packages, as they are in the manifest.
    pub packages: &'a [ChosenPackage],
    /// The locks that they were chosen from.
    pub locks: &'a [Locked],
    /// The licence texts and `copyright` files of the packages.
    pub collected: &'a Collector,
    /// The guest's root.
    pub tree: &'a Tree,
}

/// The part of the reports that does not depend on the images.
pub struct Prepared<'a> {
    packages: Vec<PackageFacts<'a>>,
    licences: Licences,
    files: Vec<FileFacts>,
    stub: Option<String>,
}

/// Writes `licenses/`, and takes together what the bills of materials say.
///
/// # Errors
/// [`Error`].
pub fn prepare<'a>(
    material: &Material<'a>,
    kernel_package: &str,
    build_id: &Sha256,
    folder: &OutputFolder,
) -> Result<Prepared<'a>, Error> {
    let recipe = &material.composed.recipe;
    let own = material.locks.first();
    let packages: Vec<(Packaged<'a>, Option<String>)> = material
        .packages
        .iter()
        .map(|package| {
            let locked = of(material.locks, &package.record).or(own);
            let target = locked.map(|locked| &locked.source.target);
            let distribution = Distribution {
                base: target.map_or(&recipe.base.value, |target| &target.base),
                release: target.map_or(&recipe.release.value, |target| &target.release),
                format: package.format,
            };
            let packaged = Packaged { record: &package.record, distribution };
            (packaged, locked.and_then(|locked| download(locked, &package.record)))
        })
        .collect();
    let packaged: Vec<Packaged<'_>> = packages.iter().map(|(packaged, _)| *packaged).collect();
    let stub = recipe.kernel.efi_stub.as_ref().map(|stub| stub.value.package.clone());
    let mut elsewhere = vec![kernel_package.to_owned()];
    elsewhere.extend(stub.clone());
    let named: Vec<String> = recipe.licences.iter().map(|name| name.value.clone()).collect();
    let subject = licences::Subject {
        packages: &packaged,
        collected: material.collected,
        tree: material.tree,
        elsewhere: &elsewhere,
        named: &named,
    };
    let licences = licences::analyse(&subject).map_err(ReadBack::of("the guest's firmware"))?;
    for (path, bytes) in &licences.texts {
        folder.write_bytes(&format!("licenses/{path}"), 0o644, bytes)?;
    }
    let title = format!(
        "the Wi-Fi guest {} as {} on {} {}",
        recipe.flavor.value, recipe.role.value, recipe.base.value, recipe.release.value
    );
    folder.write_bytes("licenses/SUMMARY.txt", 0o644, licences.to_text(&title).as_bytes())?;
    let text = licences.to_json(&build_id.to_string())?;
    folder.write_bytes("licenses/summary.json", 0o644, text.as_bytes())?;
    let packages = packages
        .into_iter()
        .zip(&licences.packages)
        .map(|((Packaged { record, distribution }, download), licence)| {
            let upstream = licence.sources.first().map_or("", |source| source.name.as_str());
            let url = sbom::package_url(distribution, record, upstream);
            PackageFacts { record, distribution, url, download }
        })
        .collect();
    let files = sbom::file_facts(material.tree).map_err(ReadBack::of("the guest's files"))?;
    Ok(Prepared { packages, licences, files, stub })
}

/// Writes the bills of materials, completes the manifest by licences and outputs, and writes it. All
/// other outputs are written before.
///
/// # Errors
/// [`Error`].
pub fn write(
    prepared: &Prepared<'_>,
    manifest: &mut Manifest,
    folder: &OutputFolder,
) -> Result<(), Error> {
    annotate(manifest, &prepared.licences);
    let images = sbom::output_facts(folder, &IMAGES);
    let subject = sbom::Subject {
        manifest,
        licences: &prepared.licences,
        packages: &prepared.packages,
        files: &prepared.files,
        images: &images,
        stub_package: prepared.stub.as_deref(),
    };
    let spdx = sbom::spdx(&subject)?;
    let cyclonedx = sbom::cyclonedx(&subject)?;
    folder.write_bytes("sbom.spdx.json", 0o644, spdx.as_bytes())?;
    folder.write_bytes("sbom.cdx.json", 0o644, cyclonedx.as_bytes())?;
    manifest.outputs = folder.files();
    manifest.links = folder.links();
    let text = manifest.to_json()?;
    folder.write_bytes("manifest.json", 0o644, text.as_bytes())?;
    Ok(())
}

/// Notes each licence where the manifest names its package or firmware file.
fn annotate(manifest: &mut Manifest, found: &Licences) {
    let known = |licence: &str| (licence != NOASSERTION).then(|| licence.to_owned());
    for (package, licence) in manifest.packages.iter_mut().zip(&found.packages) {
        package.licence = known(&licence.licence);
    }
    for line in &mut manifest.firmware {
        let served = line.file.iter().chain(&line.others);
        let licence = |name: &String| found.firmware.iter().find(|file| file.name == *name);
        let mut licences: Vec<&str> =
            served.filter_map(licence).map(|file| file.licence.as_str()).collect();
        licences.sort_unstable();
        licences.dedup();
        // A pattern may bring files under several; each file's own is in licenses/summary.json.
        line.licence = match licences[..] {
            [only] => known(only),
            _ => None,
        };
    }
}

/// The lock that a package was chosen from.
fn of<'a>(locks: &'a [Locked], record: &Package) -> Option<&'a Locked> {
    locks.iter().find(|locked| locked.lock.packages.iter().any(|known| known.package == *record))
}

/// Where a package can be fetched by anybody: on the recipe's own mirror, not on the host's.
fn download(locked: &Locked, record: &Package) -> Option<String> {
    let known = locked.lock.packages.iter().find(|known| known.package == *record)?;
    let mut repositories = locked.source.repositories.iter();
    let repository = repositories.find(|repository| repository.name == known.repository)?;
    let mirror = repository.mirrors.first()?.trim_end_matches('/');
    (!record.path.is_empty()).then(|| format!("{mirror}/{}", record.path))
}
