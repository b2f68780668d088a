//! Follows every name by which one recipe speaks of another, and says which of them leads nowhere.

use std::sync::Arc;

use super::base::{Base, machine};
use super::catalog::{Catalog, Document};
use super::entries::{Entry, Map};
use super::error::{Problem, RecipeError};
use super::fragment::Fragment;
use super::located::At;
use super::model::{Feature, OnByDefault};

/// Checks the references of all recipes.
///
/// # Errors
/// [`RecipeError::Invalid`] for the first one that leads nowhere.
pub fn check(catalog: &Catalog) -> Result<(), RecipeError> {
    let checker = Checker { catalog };
    let guest = &catalog.guest;
    checker.fragment(&guest.file, &guest.value.fragment())?;
    for (_, fragment) in guest.value.started_by.iter() {
        checker.fragment(&guest.file, fragment)?;
    }
    if let Some(base) = &guest.value.default_base {
        checker.known("base", &guest.file, base, catalog.bases.keys())?;
    }
    checker.bases()?;
    for kernel in catalog.kernels.values() {
        checker.known("base", &kernel.file, &kernel.value.base, catalog.bases.keys())?;
        checker.fragment(&kernel.file, &kernel.value.needs)?;
    }
    for manifest in catalog.manifests.values() {
        for (base, _) in manifest.value.packages.iter() {
            checker.known("base", &manifest.file, base, catalog.bases.keys())?;
        }
    }
    for flavor in catalog.flavors.values() {
        for manifest in &flavor.value.manifests {
            checker.known("manifest", &flavor.file, manifest, catalog.manifests.keys())?;
        }
        checker.only_on(&flavor.file, &flavor.value.bases, &flavor.value.on)?;
        checker.fragment(&flavor.file, &flavor.value.fragment())?;
    }
    for role in catalog.roles.values() {
        checker.only_on(&role.file, &role.value.bases, &role.value.on)?;
        checker.fragment(&role.file, &role.value.fragment())?;
    }
    for feature in catalog.features.values() {
        checker.feature(feature)?;
    }
    for hypervisor in catalog.hypervisors.values() {
        checker.only_on(&hypervisor.file, &hypervisor.value.bases, &hypervisor.value.on)?;
        checker.fragment(&hypervisor.file, &hypervisor.value.fragment())?;
    }
    Ok(())
}

struct Checker<'a> {
    catalog: &'a Catalog,
}

impl Checker<'_> {
    fn known<'b>(
        &self,
        what: &str,
        file: &Arc<str>,
        name: &At<String>,
        names: impl Iterator<Item = &'b String>,
    ) -> Result<(), RecipeError> {
        let names: Vec<&str> = names.map(String::as_str).collect();
        if names.contains(&name.as_str()) {
            return Ok(());
        }
        Err(RecipeError::invalid(
            Problem::new(format!("there is no {what} \"{}\"", name.value))
                .at(self.catalog.texts.place(&name.origin(file)))
                .expected(name, names),
        ))
    }

    fn bases(&self) -> Result<(), RecipeError> {
        let catalog = self.catalog;
        for base in catalog.bases.values() {
            let (file, value) = (&base.file, &base.value);
            for kernel in &value.kernels {
                self.known("kernel", file, kernel, catalog.kernels.keys())?;
                self.kernel_fits(base, kernel)?;
            }
            let default = &value.default;
            let kernels = value.kernels.iter().map(|kernel| &kernel.value);
            self.known("kernel of this base", file, &default.kernel, kernels.clone())?;
            let releases = value.releases.iter().map(|(release, _)| &release.value);
            self.known("release of this base", file, &default.release, releases)?;
            self.known("role", file, &default.role, catalog.roles.keys())?;
            self.known("hypervisor", file, &default.hypervisor, catalog.hypervisors.keys())?;
            if let Some(initramfs) = &value.initramfs {
                let name = At {
                    value: initramfs.overlay.clone(),
                    line: initramfs.line,
                    column: initramfs.column,
                };
                self.known("folder of overlays", file, &name, catalog.overlays.keys())?;
            }
            self.fragment(file, &value.fragment())?;
            for (_, release) in value.releases.iter() {
                for kernel in &release.value.kernels {
                    self.known("kernel of this base", file, kernel, kernels.clone())?;
                }
                self.fragment(file, &release.fragment())?;
            }
        }
        Ok(())
    }

    fn kernel_fits(&self, base: &Document<Base>, name: &At<String>) -> Result<(), RecipeError> {
        let Some(kernel) = self.catalog.kernels.get(&name.value) else { return Ok(()) };
        let place = |file, at: &At<String>| self.catalog.texts.place(&at.origin(file));
        let here = Problem::new(String::new()).at(place(&base.file, name));
        let (of_kernel, of_base) = (&kernel.value.architecture, &base.value.architecture);
        if machine(of_kernel) != machine(of_base) {
            let what = format!("the kernel \"{}\" is for another architecture", name.value);
            return Err(RecipeError::invalid(
                Problem { message: what, ..here }
                    .also("its descriptor says", place(&kernel.file, of_kernel))
                    .also("the base says", place(&base.file, of_base)),
            ));
        }
        Ok(())
    }

    fn feature(&self, feature: &Document<Feature>) -> Result<(), RecipeError> {
        let catalog = self.catalog;
        let (file, value) = (&feature.file, &feature.value);
        for other in value.requires.iter().chain(&value.conflicts) {
            let others = catalog.features.keys().filter(|name| **name != feature.name);
            self.known("other feature", file, other, others)?;
        }
        for role in &value.roles {
            self.known("role", file, role, catalog.roles.keys())?;
        }
        if let OnByDefault::ByRole(roles) = &value.default.value {
            for (role, _) in roles.iter() {
                self.known("role", file, role, catalog.roles.keys())?;
            }
        }
        self.only_on(file, &value.bases, &value.on)?;
        self.fragment(file, &value.fragment())?;
        for (role, with_role) in value.with_role.iter() {
            self.known("role", file, role, catalog.roles.keys())?;
            self.only_on(file, &[], &with_role.on)?;
            self.fragment(file, &with_role.fragment())?;
        }
        Ok(())
    }

    fn only_on(
        &self,
        file: &Arc<str>,
        bases: &[At<String>],
        on: &Map<String, Fragment>,
    ) -> Result<(), RecipeError> {
        for base in bases.iter().chain(on.iter().map(|(base, _)| base)) {
            self.known("base", file, base, self.catalog.bases.keys())?;
        }
        for (_, fragment) in on.iter() {
            self.fragment(file, fragment)?;
        }
        Ok(())
    }

    fn fragment(&self, file: &Arc<str>, fragment: &Fragment) -> Result<(), RecipeError> {
        for entry in &fragment.overlays {
            if let Entry::Add(name) = entry {
                self.known("folder of overlays", file, name, self.catalog.overlays.keys())?;
            }
        }
        Ok(())
    }
}
