//! The manifest of a guest, from what the stages made.

use wifibox_ground::content::ReadBack;
use wifibox_ground::device::DeviceId;
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::Guest;
use wifibox_linux::drivers::Kernel;
use wifibox_linux::firmware::{Outcome, Selection, report::Line};
use wifibox_recipe::Recipe;
use wifibox_tree::Tree;
use wifibox_tree::packages::ChosenPackage;
use wifibox_tree::scripts::ScriptReport;

use crate::Sizes;
use crate::manifest::{self, Composition, Firmware, Manifest, Module, Package};

/// The inputs of a manifest.
pub struct Facts<'a> {
    /// The composition.
    pub recipe: &'a Recipe,
    /// The only card that the guest is for.
    pub device: Option<DeviceId>,
    /// Identifies the build.
    pub build_id: &'a Sha256,
    /// The guest as its host sees it.
    pub guest: Guest,
    /// Times are clamped to this, in seconds since 1970.
    pub source_date_epoch: u32,
    /// The kernel's command line.
    pub cmdline: String,
    /// The packages.
    pub packages: &'a [ChosenPackage],
    /// How their maintainer scripts were carried out.
    pub scripts: Vec<ScriptReport>,
    /// The kernel.
    pub kernel: &'a Kernel,
    /// The result for each firmware name.
    pub firmware: &'a Selection,
    /// The guest's root.
    pub tree: &'a Tree,
}

/// The manifest, but for licences and the list of outputs, which [`crate::stage::write`] completes.
///
/// # Errors
/// [`ReadBack`]: a file of the guest cannot be read again.
pub fn manifest(facts: Facts<'_>) -> Result<Manifest, ReadBack> {
    let Facts { recipe, kernel, .. } = facts;
    Ok(Manifest {
        format: manifest::FORMAT,
        build_id: facts.build_id.to_string(),
        builder: concat!("wifibox-build ", env!("CARGO_PKG_VERSION")).to_owned(),
        recipe: composition(recipe, facts.device),
        guest: Some(facts.guest),
        source_date_epoch: facts.source_date_epoch,
        kernel: manifest::Kernel {
            release: kernel.release.clone(),
            package: kernel.package.clone(),
            cmdline: facts.cmdline,
        },
        packages: facts.packages.iter().map(package).collect(),
        scripts: facts.scripts,
        modules: modules(kernel),
        firmware: firmware_lines(facts.firmware),
        sizes: Sizes::of(facts.tree),
        files: manifest::files(facts.tree).map_err(ReadBack::of("the guest's files"))?,
        outputs: Vec::new(),
        links: Vec::new(),
    })
}

fn composition(recipe: &Recipe, device: Option<DeviceId>) -> Composition {
    Composition {
        base: recipe.base.value.clone(),
        release: recipe.release.value.clone(),
        architecture: recipe.architecture.value.clone(),
        flavor: recipe.flavor.value.clone(),
        device,
        role: recipe.role.value.clone(),
        features: recipe.features.iter().map(|feature| feature.value.clone()).collect(),
        hypervisor: recipe.hypervisor.name.value.clone(),
        kernel: recipe.kernel.name.value.clone(),
        compression: format!("{:?}", recipe.compression.value).to_lowercase(),
        services: recipe.services.iter().map(|service| service.value.clone()).collect(),
    }
}

fn package(package: &ChosenPackage) -> Package {
    let source = &package.record.origin;
    Package {
        name: package.name.clone(),
        version: package.record.version.clone(),
        source: (!source.is_empty()).then(|| source.clone()),
        sha256: package.file.sha256,
        licence: None,
        why: package.why.clone(),
    }
}

fn modules(kernel: &Kernel) -> Vec<Module> {
    let members = kernel.closure.members.iter();
    members
        .filter_map(|(name, member)| {
            let why: Vec<String> = member.why.iter().map(ToString::to_string).collect();
            let path = kernel.modules.path(name)?;
            Some(Module { name: name.to_string(), path, why: why.join("; ") })
        })
        .collect()
}

fn firmware_lines(selection: &Selection) -> Vec<Firmware> {
    let line = |line: &Line| {
        let (state, files) = match &line.outcome {
            Outcome::Kept(names) => ("kept", names.clone()),
            Outcome::Older(name) => ("replaced", vec![name.clone()]),
            Outcome::Superseded(name) => ("superseded", vec![name.clone()]),
            Outcome::Dropped(_) => ("dropped", Vec::new()),
            Outcome::Missing { .. } => ("missing", Vec::new()),
        };
        let why = match &line.outcome {
            Outcome::Kept(_) => None,
            other => Some(other.to_string()),
        };
        Firmware {
            wanted: line.name.clone(),
            by: line.by.to_string(),
            state: state.to_owned(),
            file: files.first().cloned(),
            others: files.into_iter().skip(1).collect(),
            why,
            licence: None,
        }
    };
    selection.report.iter().map(line).collect()
}
