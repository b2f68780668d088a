//! The differences between two outputs: configuration, packages, licences, modules, firmware, files, sizes. Files are
//! compared as they are ([`Actual`]), whatever a manifest says of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_ground::digest::Sha256;
use wifibox_ground::sums::SUMS;

use super::Manifest;
use super::actual::Actual;
use super::manifest::{File, Package};
use super::output::MANIFEST;

/// Something that has one value in one output and another in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// The name of the thing.
    pub name: String,
    /// Its value in the first output.
    pub old: String,
    /// Its value in the second output.
    pub new: String,
}

/// Things by name that are in one output only, or differ.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Names {
    /// Only in the second output: name and value.
    pub added: Vec<(String, String)>,
    /// Only in the first output: name and value.
    pub removed: Vec<(String, String)>,
    /// In both, with other values.
    pub changed: Vec<Change>,
}

/// How large something is in both outputs, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SizeChange {
    /// The name of the thing.
    pub name: String,
    /// In the first output; 0 if it is not there.
    pub old: u64,
    /// In the second output; 0 if it is not there.
    pub new: u64,
}

/// All differences between two outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Difference {
    /// Composition, kernel, command line, services, builder.
    pub configuration: Vec<Change>,
    /// Packages, with versions.
    pub packages: Names,
    /// Packages of one version whose files differ, with hashes.
    pub rebuilt: Vec<Change>,
    /// Licences of packages and firmware that are in both.
    pub licences: Vec<Change>,
    /// Kernel modules, with paths.
    pub modules: Names,
    /// Firmware names that modules ask for, with what became of them.
    pub firmware: Names,
    /// Files of the root.
    pub files: Names,
    /// Parts of the root before compression, and files of the output folder.
    pub sizes: Vec<SizeChange>,
    /// Files of the output folder whose contents differ.
    pub outputs: Names,
}

impl Names {
    fn of(old: BTreeMap<String, String>, mut new: BTreeMap<String, String>) -> Self {
        let mut names = Names::default();
        for (name, old) in old {
            match new.remove(&name) {
                Some(new) if new == old => {}
                Some(new) => names.changed.push(Change { name, old, new }),
                None => names.removed.push((name, old)),
            }
        }
        names.added = new.into_iter().collect();
        names
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Difference {
    /// Compares two outputs.
    pub fn between(old: &Actual, new: &Actual) -> Self {
        let mut difference = Difference::of_manifests(&old.manifest, &new.manifest);
        // Where all else is equal the lists are, too; unless somebody wrote them in other words.
        if difference.is_empty() {
            for (name, lists) in [MANIFEST, SUMS].into_iter().zip(old.lists.iter().zip(&new.lists))
            {
                let (old, new) = lists;
                if old != new {
                    let text =
                        |hash: &Option<Sha256>| hash.map_or_else(String::new, |h| h.to_string());
                    let (name, old, new) = (name.to_owned(), text(old), text(new));
                    difference.outputs.changed.push(Change { name, old, new });
                }
            }
        }
        difference
    }

    fn of_manifests(old: &Manifest, new: &Manifest) -> Self {
        let versions = |manifest: &Manifest| -> BTreeMap<String, String> {
            manifest.packages.iter().map(|p| (p.name.clone(), p.version.clone())).collect()
        };
        let modules = |manifest: &Manifest| -> BTreeMap<String, String> {
            let modules = manifest.modules.iter();
            modules.map(|module| (module.name.clone(), module.path.to_string())).collect()
        };
        let outputs = |manifest: &Manifest| -> BTreeMap<String, String> {
            let outputs = manifest.outputs.iter();
            let links = manifest.links.iter();
            let links = links.map(|link| (link.path.clone(), format!("link to {}", link.target)));
            let files = outputs.map(|output| (output.path.clone(), output.sha256.to_string()));
            files.chain(links).collect()
        };
        let files = |manifest: &Manifest| -> BTreeMap<String, String> {
            manifest.files.iter().map(|file| (format!("/{}", file.path), describe(file))).collect()
        };
        Difference {
            configuration: configuration(old, new),
            packages: Names::of(versions(old), versions(new)),
            rebuilt: rebuilt(old, new),
            licences: changes(licences(old), licences(new)),
            modules: Names::of(modules(old), modules(new)),
            firmware: Names::of(firmware(old), firmware(new)),
            files: Names::of(files(old), files(new)),
            sizes: sizes(old, new),
            outputs: Names::of(outputs(old), outputs(new)),
        }
    }

    /// Whether the outputs are the same.
    pub fn is_empty(&self) -> bool {
        *self == Difference::default()
    }
}

/// The things that are in both and differ.
fn changes(old: BTreeMap<String, String>, new: BTreeMap<String, String>) -> Vec<Change> {
    Names::of(old, new).changed
}

fn configuration(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let values = |manifest: &Manifest| -> Vec<(&'static str, String)> {
        let recipe = &manifest.recipe;
        vec![
            ("builder", manifest.builder.clone()),
            ("base", recipe.base.clone()),
            ("release", recipe.release.clone()),
            ("architecture", recipe.architecture.clone()),
            ("flavor", recipe.flavor.clone()),
            ("role", recipe.role.clone()),
            ("features", recipe.features.join(" ")),
            ("hypervisor", recipe.hypervisor.clone()),
            ("kernel recipe", recipe.kernel.clone()),
            ("compression", recipe.compression.clone()),
            ("services", recipe.services.join(" ")),
            ("kernel", manifest.kernel.release.clone()),
            ("command line", manifest.kernel.cmdline.clone()),
            ("source date", manifest.source_date_epoch.to_string()),
            ("build id", manifest.build_id.clone()),
        ]
    };
    let pairs = values(old).into_iter().zip(values(new));
    pairs
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| Change { name: name.to_owned(), old, new })
        .collect()
}

fn rebuilt(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let by_name: BTreeMap<&str, &Package> =
        new.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let pairs = old.packages.iter().filter_map(|old| Some((old, *by_name.get(old.name.as_str())?)));
    pairs
        .filter(|(old, new)| old.version == new.version && old.sha256 != new.sha256)
        .map(|(old, new)| Change {
            name: format!("{} {}", old.name, old.version),
            old: old.sha256.to_string(),
            new: new.sha256.to_string(),
        })
        .collect()
}

fn licences(manifest: &Manifest) -> BTreeMap<String, String> {
    let unknown = || "not known".to_owned();
    let packages = manifest.packages.iter();
    let packages = packages.map(|package| {
        (format!("package {}", package.name), package.licence.clone().unwrap_or_else(unknown))
    });
    let firmware = manifest.firmware.iter().filter_map(|line| {
        let file = line.file.as_ref()?;
        Some((format!("firmware {file}"), line.licence.clone().unwrap_or_else(unknown)))
    });
    packages.chain(firmware).collect()
}

/// The result for each firmware name: who asks for it does not matter.
fn firmware(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for line in &manifest.firmware {
        let outcome = match &line.file {
            Some(file) if *file != line.wanted => format!("{} by {file}", line.state),
            _ => line.state.clone(),
        };
        names.entry(line.wanted.clone()).or_insert(outcome);
    }
    names
}

/// Everything about a file that a guest can see.
fn describe(file: &File) -> String {
    let mut text = format!("{} {} {}", file.kind, file.mode, file.owner);
    if let Some(size) = file.size {
        text.push_str(&format!(", {size} bytes"));
    }
    if let Some(target) = &file.target {
        text.push_str(&format!(" -> {target}"));
    }
    if let Some(sha256) = &file.sha256 {
        let digest = sha256.to_string();
        text.push_str(&format!(", sha256 {}", digest.get(..16).unwrap_or_default()));
    }
    text
}

fn sizes(old: &Manifest, new: &Manifest) -> Vec<SizeChange> {
    let values = |manifest: &Manifest| -> BTreeMap<String, u64> {
        let parts = manifest.sizes.0.iter().map(|(part, size)| (part.to_string(), size.bytes));
        let images = manifest.outputs.iter().filter(|output| !output.path.contains('/'));
        parts.chain(images.map(|output| (output.path.clone(), output.size))).collect()
    };
    let (old, new) = (values(old), values(new));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let of = |values: &BTreeMap<String, u64>, name: &str| values.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .map(|name| SizeChange { name: name.clone(), old: of(&old, name), new: of(&new, name) })
        .filter(|change| change.old != change.new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_removed_and_changed() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let names = Names::of(
            map(&[("a", "1"), ("b", "1"), ("c", "1")]),
            map(&[("b", "2"), ("c", "1"), ("d", "1")]),
        );
        assert_eq!(names.removed, [("a".to_owned(), "1".to_owned())]);
        assert_eq!(names.added, [("d".to_owned(), "1".to_owned())]);
        assert_eq!(names.changed.len(), 1);
        assert!(Names::of(map(&[("a", "1")]), map(&[("a", "1")])).is_empty());
    }
}
