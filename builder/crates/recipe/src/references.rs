//! Follows every name by which one recipe speaks of another, and says which of them leads nowhere.

use std::sync::Arc;

use super::base::Base;
use super::catalog::Catalog;
use super::document::Document;
use super::entries::{Entry, Map};
use super::error::{Problem, RecipeError};
use super::fragment::Fragment;
use super::kernel::Kernel;
use super::located::At;
use super::machine::machine;
use super::model::{Chipset, Feature, OnByDefault};

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
        checker.source(kernel)?;
        checker.architectures(kernel)?;
        checker.archive(kernel)?;
        checker.fragment(&kernel.file, &kernel.value.needs)?;
        for (hypervisor, fragment) in kernel.value.under.iter() {
            checker.known("hypervisor", &kernel.file, hypervisor, catalog.hypervisors.keys())?;
            checker.fragment(&kernel.file, fragment)?;
        }
    }
    for chipset in catalog.chipsets.values() {
        checker.chipset(chipset)?;
    }
    for flavor in catalog.flavors.values() {
        for chipset in &flavor.value.chipsets {
            checker.known("chipset", &flavor.file, chipset, catalog.chipsets.keys())?;
        }
        checker.only_on(&flavor.file, &flavor.value.bases, &flavor.value.on)?;
        for (kernel, fragment) in flavor.value.kernels.iter() {
            checker.known("kernel", &flavor.file, kernel, catalog.kernels.keys())?;
            checker.fragment(&flavor.file, fragment)?;
        }
        checker.fragment(&flavor.file, &flavor.value.fragment())?;
    }
    for role in catalog.roles.values() {
        checker.only_on(&role.file, &role.value.bases, &role.value.on)?;
        checker.fragment(&role.file, &role.value.fragment())?;
    }
    for feature in catalog.features.values() {
        checker.feature(feature)?;
    }
    for (base, file) in catalog.project.iter().flat_map(|project| project.repository_bases()) {
        checker.known("base", file, base, catalog.bases.keys())?;
    }
    for (file, fragment) in
        catalog.project.iter().flat_map(|project| project.guests()).flat_map(|g| g.fragments())
    {
        checker.fragment(&file, &fragment)?;
    }
    for hypervisor in catalog.hypervisors.values() {
        checker.only_on(&hypervisor.file, &hypervisor.value.bases, &hypervisor.value.on)?;
        checker.fragment(&hypervisor.file, &hypervisor.value.fragment())?;
        for (_, other) in hypervisor.value.machines.iter() {
            checker.fragment(&hypervisor.file, &other.fragment())?;
        }
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

    fn chipset(&self, chipset: &Document<Chipset>) -> Result<(), RecipeError> {
        let (file, chipset) = (&chipset.file, &chipset.value);
        for other in &chipset.conflicts {
            self.known("chipset", file, other, self.catalog.chipsets.keys())?;
        }
        for lists in [&chipset.packages, &chipset.module_packages, &chipset.not_promised] {
            for (name, entries) in lists.iter() {
                self.known("base", file, name, self.catalog.bases.keys())?;
                let Some(base) = self.catalog.bases.get(&name.value) else { continue };
                let known = || base.value.releases.iter().map(|(release, _)| &release.value);
                for release in entries.iter().flat_map(|entry| &entry.releases) {
                    self.known("release of this base", file, release, known())?;
                }
            }
        }
        let promises = chipset.firmware.iter().flat_map(|firmware| &firmware.promises);
        let promises: Vec<String> = promises.map(|promise| promise.value.to_string()).collect();
        for entry in chipset.not_promised.iter().flat_map(|(_, entries)| entries.iter()) {
            let (line, column) = (entry.line, entry.column);
            let name = At { value: entry.name.clone(), line, column };
            self.known("promise in this file", file, &name, promises.iter())?;
        }
        Ok(())
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
            if value.release(&default.release).is_none() {
                self.known("release of this base", file, &default.release, releases)?;
            }
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
            self.repositories(file, value)?;
            for (name, other) in value.architectures.iter() {
                let first = |known: &&At<String>| machine(known) == machine(name);
                if value
                    .every_architecture()
                    .find(first)
                    .is_some_and(|known| (known.line, known.column) != (name.line, name.column))
                {
                    return Err(RecipeError::invalid(
                        Problem::new(format!("the architecture \"{}\" appears twice", name.value))
                            .at(catalog.texts.place(&name.origin(file))),
                    ));
                }
                self.fragment(file, &other.fragment())?;
            }
            for (_, release) in value.releases.iter() {
                self.day(file, release.value.end_of_life.as_ref())?;
                for kernel in &release.value.kernels {
                    self.known("kernel of this base", file, kernel, kernels.clone())?;
                }
                self.fragment(file, &release.fragment())?;
            }
            self.fragment(file, &value.with_other_kernel)?;
        }
        Ok(())
    }

    fn day(&self, file: &Arc<str>, day: Option<&At<String>>) -> Result<(), RecipeError> {
        let Some(day) = day else { return Ok(()) };
        let numbers: Vec<&str> = day.value.split('-').collect();
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let good = matches!(numbers[..], [year, month, day] if digits(year, 4)
            && digits(month, 2) && ("01"..="12").contains(&month)
            && digits(day, 2) && ("01"..="31").contains(&day));
        if good {
            return Ok(());
        }
        Err(RecipeError::invalid(
            Problem::new(format!("\"{}\" is no day: write it as 2028-08-09", day.value))
                .at(self.catalog.texts.place(&day.origin(file))),
        ))
    }

    fn repositories(&self, file: &Arc<str>, base: &Base) -> Result<(), RecipeError> {
        for repository in &base.repositories {
            let (line, column) = (repository.line, repository.column);
            let here = |value: &String| At { value: value.clone(), line, column };
            for only in repository.keys.iter().filter_map(|key| key.architecture.as_ref()) {
                let known = base.every_architecture().map(|known| &known.value);
                self.known("architecture of this base", file, &here(only), known)?;
            }
            for release in &repository.releases {
                let known = base.releases.iter().map(|(release, _)| &release.value);
                self.known("release of this base", file, &here(release), known)?;
            }
            let others = base.repositories.iter().map(|other| &other.value.name);
            let others = others.filter(|name| **name != repository.name);
            if let Some(other) = &repository.mirrors_of {
                self.known("other repository of this base", file, &here(other), others.clone())?;
            }
            for glob in &repository.only {
                globset::Glob::new(glob).map_err(|error| {
                    let problem = Problem::new(format!("\"{glob}\" is no glob: {}", error.kind()));
                    RecipeError::invalid(
                        problem.at(self.catalog.texts.place(&here(glob).origin(file))),
                    )
                })?;
            }
        }
        Ok(())
    }

    /// A kernel is from a base that there is, or from a repository of its own.
    fn source(&self, kernel: &Document<Kernel>) -> Result<(), RecipeError> {
        let (file, value) = (&kernel.file, &kernel.value);
        match (&value.base, &value.published) {
            (Some(base), None) => self.known("base", file, base, self.catalog.bases.keys()),
            (None, Some(_)) => Ok(()),
            (base, _) => {
                let what = match base {
                    Some(_) => "has both \"base\" and \"published\"",
                    None => "has neither \"base\" nor \"published\"",
                };
                let what = format!("the kernel \"{}\" {what}", kernel.name);
                let place = self.catalog.texts.place(&value.package.origin(file));
                let help = "its packages are those of a base, or in a repository of its own: expected one of the two";
                Err(RecipeError::invalid(Problem::new(what).at(place).help(help)))
            }
        }
    }

    /// The repository of a kernel is one of its base, for all releases that have the kernel.
    fn archive(&self, kernel: &Document<Kernel>) -> Result<(), RecipeError> {
        let Some(archive) = &kernel.value.archive else { return Ok(()) };
        let Some(base) = self.catalog.base_of(kernel) else { return Ok(()) };
        let all = &base.value.repositories;
        let known = all.iter().map(|known| &known.value.name);
        self.known("repository of its base", &kernel.file, archive, known)?;
        for (release, _) in base.value.releases.iter() {
            let has = |kernels: &[At<String>]| kernels.iter().any(|k| k.value == kernel.name);
            let here = all.iter().any(|r| r.name == archive.value && r.value.is_for(release));
            if has(base.value.kernels_of(release)) && !here {
                let what = format!(
                    "the release \"{}\" has the kernel \"{}\", and not the repository \"{}\" that it is from",
                    release.value, kernel.name, archive.value
                );
                return Err(RecipeError::invalid(
                    Problem::new(what).at(self.catalog.texts.place(&release.origin(&base.file))),
                ));
            }
        }
        Ok(())
    }

    /// A kernel must be for a machine of the base, and the default one for all of them.
    fn kernel_fits(&self, base: &Document<Base>, name: &At<String>) -> Result<(), RecipeError> {
        let Some(kernel) = self.catalog.kernels.get(&name.value) else { return Ok(()) };
        let fits = |wanted: &&At<String>| kernel.value.architecture_like(wanted).is_some();
        let mut all = base.value.every_architecture();
        let is_default = base.value.default.kernel.value == name.value;
        let lacking = if is_default { all.find(|wanted| !fits(wanted)) } else { None };
        if lacking.is_none() && base.value.every_architecture().any(|wanted| fits(&wanted)) {
            return Ok(());
        }
        let of_base = lacking.unwrap_or(&base.value.architecture);
        let place = |origin| self.catalog.texts.place(&origin);
        let what = format!("the kernel \"{}\" is for another architecture", name.value);
        let of_kernel = &kernel.value.architecture;
        Err(RecipeError::invalid(
            Problem::new(what)
                .at(place(name.origin(&base.file)))
                .also("its descriptor says", place(of_kernel.origin(&kernel.file)))
                .also("the base says", place(of_base.origin(&base.file))),
        ))
    }

    /// A kernel exists for architectures of its own base.
    fn architectures(&self, kernel: &Document<Kernel>) -> Result<(), RecipeError> {
        let Some(base) = self.catalog.base_of(kernel) else { return Ok(()) };
        let At { value: names, line, column } = &kernel.value.architecture;
        for name in &names.0 {
            let name = At { value: name.clone(), line: *line, column: *column };
            let known = base.value.every_architecture().map(|known| &known.value);
            self.known("architecture of its base", &kernel.file, &name, known)?;
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
