//! From what was asked for to one recipe: chooses the files, puts their parts in order, merges them
//! and checks the result.

use super::base::{Base, BootsWith, EfiStub, Kernel, Repository};
use super::catalog::{Catalog, Document, Documents};
use super::composed::{DriverSet, FirmwareNeed, HypervisorChoice, KernelChoice, Recipe, Selection};
use super::entries::{Entry, Map};
use super::error::{Problem, RecipeError};
use super::fragment::Fragment;
use super::kernel_source::{filled, without_packages};
use super::kinds::{AccountsFrom, InitSystem};
use super::located::{At, Origin, Sourced};
use super::machine::{Spelling, machine};
use super::merge::{Level, Merger};
use super::model::{Feature, Flavor, Hypervisor, Manifest, Role};
use super::on_releases::here;
use super::words::{Module, Pattern};
use super::{check, choose};

/// The files that a build is made of, chosen but not yet merged.
pub(super) struct Chosen<'a> {
    pub base: &'a Document<Base>,
    pub release: Sourced<String>,
    pub architecture: Sourced<String>,
    pub flavor: &'a Document<Flavor>,
    pub role: Sourced<&'a Document<Role>>,
    pub features: Vec<Sourced<&'a Document<Feature>>>,
    pub kernel: Sourced<&'a Document<Kernel>>,
    pub hypervisor: Sourced<&'a Document<Hypervisor>>,
}

impl Catalog {
    /// The recipe that `selection` asks for.
    ///
    /// # Errors
    /// [`RecipeError::Choice`] if these recipes cannot make what is asked for, and
    /// [`RecipeError::Invalid`] if the files that it takes contradict each other.
    pub fn compose(&self, selection: &Selection) -> Result<Recipe, RecipeError> {
        let chosen = choose::choose(self, selection)?;
        let mut recipe = self.outline(&chosen, selection)?;
        let mut merger = Merger::new(&self.texts);
        for (level, file, fragment) in self.layers(&chosen) {
            merger.add(&mut recipe, level, &file, &fragment)?;
        }
        let spelling = Spelling(&chosen.architecture);
        for pattern in recipe.exclude.iter_mut().chain(&mut recipe.keep) {
            pattern.value = spelling.fill_pattern(&pattern.value);
        }
        if recipe.init_system.value != InitSystem::Supervised {
            recipe.services.clear();
        }
        check::check(self, &recipe)?;
        if selection.firmware_archive {
            recipe.firmware_packages.clear();
        }
        Ok(recipe)
    }

    fn outline(&self, chosen: &Chosen<'_>, selection: &Selection) -> Result<Recipe, RecipeError> {
        let base = &chosen.base.value;
        let base_file = &chosen.base.file;
        let (kernel, hypervisor) = (chosen.kernel.value, chosen.hypervisor.value);
        let (kernel_file, hypervisor_file) = (&kernel.file, &hypervisor.file);
        let spelling = self.kernel_spelling(chosen);
        let on_machine = hypervisor.value.on_machine(machine(&chosen.architecture));
        let (mut nic, mut console) = (&hypervisor.value.nic, &hypervisor.value.console);
        let (mut root_disk, mut board) =
            (&hypervisor.value.root_disk, hypervisor.value.board.as_ref());
        if let Some(other) = on_machine {
            nic = other.nic.as_ref().unwrap_or(nic);
            console = other.console.as_ref().unwrap_or(console);
            root_disk = other.root_disk.as_ref().unwrap_or(root_disk);
            board = other.board.as_ref();
        }
        let asked = |name: &str| Sourced { value: name.to_owned(), origin: Origin::command_line() };
        let compression = match selection.compression {
            Some(value) => Sourced { value, origin: Origin::command_line() },
            None => base.default.compression.sourced(base_file),
        };
        let boots_with = kernel.value.boots_with.sourced(kernel_file);
        let initramfs = match (boots_with.value, &base.initramfs) {
            (BootsWith::Direct, _) => None,
            (BootsWith::Initramfs, Some(initramfs)) => Some(initramfs.sourced(base_file)),
            (BootsWith::Initramfs, None) => {
                return Err(RecipeError::invalid(
                    Problem::new(format!(
                        "the kernel \"{}\" boots with an initramfs, and the base \"{}\" has none",
                        kernel.name, chosen.base.name
                    ))
                    .at(self.texts.place(&boots_with.origin))
                    .help(format!("expected the key \"initramfs\" in {base_file}")),
                ));
            }
        };
        let repository = |given: &At<Repository>| Sourced {
            value: given.value.of(&chosen.release, &chosen.architecture),
            origin: given.origin(base_file),
        };
        Ok(Recipe {
            base: asked(&chosen.base.name),
            format: base.format_of(&chosen.release).sourced(base_file),
            architecture: chosen.architecture.clone(),
            release: chosen.release.clone(),
            flavor: asked(&chosen.flavor.name),
            role: named(&chosen.role),
            app_config: chosen.role.value.value.app_config.sourced(&chosen.role.value.file),
            features: chosen.features.iter().map(named).collect(),
            kernel: KernelChoice {
                name: named(&chosen.kernel),
                package: filled(&kernel.value.package, &spelling, kernel_file),
                image: kernel.value.image.sourced(kernel_file),
                config: kernel.value.config.as_ref().map(|config| config.sourced(kernel_file)),
                modules: kernel.value.modules.sourced(kernel_file),
                built_in: kernel.value.built_in.iter().map(|m| m.sourced(kernel_file)).collect(),
                boots_with,
                efi_stub: self.efi_stub(chosen),
                from: if kernel.value.base.value == chosen.base.name {
                    None
                } else {
                    self.kernel_source(kernel, &chosen.architecture)
                },
            },
            hypervisor: HypervisorChoice {
                name: named(&chosen.hypervisor),
                share_transport: hypervisor.value.share_transport.sourced(hypervisor_file),
                nic: nic.sourced(hypervisor_file),
                console: console.sourced(hypervisor_file),
                root_disk: root_disk.sourced(hypervisor_file),
                board: board.map(|board| board.sourced(hypervisor_file)),
            },
            compression,
            init: base.init.sourced(base_file),
            init_system: given_or(base, base_file, &base.init_system, InitSystem::Supervised),
            accounts_from: given_or(base, base_file, &base.accounts_from, AccountsFrom::Recipes),
            keep_empty_directories: given_or(base, base_file, &base.keep_empty_directories, false),
            regulatory_database: given_or(base, base_file, &base.regulatory_database, true),
            initramfs,
            repositories: base.repositories.iter().map(repository).collect(),
            packages: Vec::new(),
            stand_ins: Default::default(),
            firmware_packages: Vec::new(),
            firmware: self.firmware(chosen.flavor, chosen.base, &chosen.release),
            drivers: self.drivers(chosen.flavor),
            agreements: self
                .manifests_of(chosen.flavor)
                .filter_map(|manifest| {
                    let agreement = manifest.value.agreement.as_ref()?.sourced(&manifest.file);
                    Some((manifest.name.clone(), agreement))
                })
                .collect(),
            licences: self.licences(chosen.flavor),
            initramfs_modules: Vec::new(),
            load_modules: Vec::new(),
            modules: Vec::new(),
            overlays: Vec::new(),
            services: Vec::new(),
            runlevels: Default::default(),
            services_off: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            directories: Vec::new(),
            links: Default::default(),
            files: Default::default(),
            applets: Vec::new(),
            shares: Vec::new(),
            exclude: Vec::new(),
            keep: Vec::new(),
            cmdline: Vec::new(),
            scripts: Vec::new(),
            memory_smallest: None,
            memory_recommended: None,
        })
    }

    /// What starts the kernel under UEFI: as its descriptor says, or the release of its own base.
    fn efi_stub(&self, chosen: &Chosen<'_>) -> Option<Sourced<EfiStub>> {
        let (base, kernel) = (chosen.base, chosen.kernel.value);
        let stub = kernel.value.efi_stub.as_ref()?;
        let own = kernel.value.base.value == base.name;
        let release = base.value.release(&chosen.release.value).filter(|_| own);
        let of_release = release.and_then(|(release, _)| release.value.efi_stub.as_ref());
        let (stub, file) = match of_release {
            Some(of_release) => (of_release, &base.file),
            None => (stub, &kernel.file),
        };
        let value = stub.value.of(&self.kernel_spelling(chosen));
        Some(Sourced { value, origin: stub.origin(file) })
    }

    /// The names of the architecture in the descriptor of the kernel: those of its own base.
    fn kernel_spelling<'a>(&self, chosen: &'a Chosen<'_>) -> Spelling<'a> {
        let own = chosen.kernel.value.value.architecture_like(&chosen.architecture);
        Spelling(own.unwrap_or(&chosen.architecture))
    }

    /// The parts of all chosen files, in the order in which they count.
    fn layers(&self, chosen: &Chosen<'_>) -> Vec<(Level, std::sync::Arc<str>, Fragment)> {
        let base = &chosen.base.name;
        let mut layers = vec![(Level::Guest, &self.guest.file, self.guest.value.fragment())];
        let started = chosen.base.value.init_system.as_ref().map(|given| given.value);
        let started = started.unwrap_or(InitSystem::Supervised);
        layers.extend(
            self.guest
                .value
                .started_by
                .get(&started)
                .map(|fragment| (Level::Guest, &self.guest.file, fragment.value.clone())),
        );
        layers.push((Level::Base, &chosen.base.file, chosen.base.value.fragment()));
        let mut more = |level, file, fragment: Option<Fragment>| {
            layers.extend(fragment.map(|fragment| (level, file, fragment)));
        };
        let other = chosen.base.value.architectures.get(&chosen.architecture.value);
        more(Level::Base, &chosen.base.file, other.map(|other| other.fragment()));
        let release = chosen.base.value.release(&chosen.release.value);
        more(Level::Base, &chosen.base.file, release.map(|(release, _)| release.fragment()));
        let kernel = chosen.kernel.value;
        let needs = &kernel.value.needs;
        let own = kernel.value.base.value == *base;
        let other_kernel = (!own).then(|| chosen.base.value.with_other_kernel.clone());
        more(Level::Base, &chosen.base.file, other_kernel);
        let needs = if own { needs.clone() } else { without_packages(needs) };
        more(Level::Kernel, &kernel.file, Some(needs));
        let flavor = chosen.flavor;
        for manifest in self.manifests_of(flavor) {
            let packages = |lists| here(lists, chosen.base, &chosen.release);
            let firmware = packages(&manifest.value.packages);
            // Other kernels bring their modules themselves.
            let drivers = packages(&manifest.value.module_packages).filter(|_| own);
            let added = |list: Option<Vec<_>>| list.into_iter().flatten().map(Entry::Add).collect();
            let modules = [&manifest.value.modules[..], &manifest.value.runtime_modules].concat();
            let fragment = Fragment {
                modules,
                load_modules: manifest.value.load_modules.clone(),
                memory: manifest.value.memory.clone(),
                packages: added(drivers),
                firmware_packages: added(firmware),
                ..Fragment::default()
            };
            more(Level::Manifest, &manifest.file, Some(fragment));
        }
        more(Level::Flavor, &flavor.file, Some(flavor.value.fragment()));
        more(Level::Flavor, &flavor.file, part(&flavor.value.on, base));
        let role = chosen.role.value;
        more(Level::Role, &role.file, Some(role.value.fragment()));
        more(Level::Role, &role.file, part(&role.value.on, base));
        for feature in &chosen.features {
            let (file, feature) = (&feature.value.file, &feature.value.value);
            more(Level::Feature, file, Some(feature.fragment()));
            more(Level::Feature, file, part(&feature.on, base));
            if let Some(with_role) = feature.with_role.get(&role.name) {
                more(Level::Feature, file, Some(with_role.fragment()));
                more(Level::Feature, file, part(&with_role.on, base));
            }
        }
        let hypervisor = chosen.hypervisor.value;
        more(Level::Hypervisor, &hypervisor.file, Some(hypervisor.value.fragment()));
        let other = hypervisor.value.on_machine(machine(&chosen.architecture));
        more(Level::Hypervisor, &hypervisor.file, other.map(|other| other.fragment()));
        more(Level::Hypervisor, &hypervisor.file, part(&hypervisor.value.on, base));
        layers.into_iter().map(|(level, file, part)| (level, file.clone(), part)).collect()
    }

    fn manifests_of<'a>(
        &'a self,
        flavor: &'a Document<Flavor>,
    ) -> impl Iterator<Item = &'a Document<Manifest>> {
        flavor.value.manifests.iter().filter_map(|name| self.manifests.get(&name.value))
    }

    fn firmware(
        &self,
        flavor: &Document<Flavor>,
        base: &Document<Base>,
        release: &str,
    ) -> Vec<FirmwareNeed> {
        let mut needs = Vec::new();
        for named in &flavor.value.manifests {
            let Some(manifest) = self.manifests.get(&named.value) else { continue };
            let Some(firmware) = &manifest.value.firmware else { continue };
            let file = &manifest.file;
            let all = |list: &[At<Pattern>]| list.iter().map(|glob| glob.sourced(file)).collect();
            let packages = here(&manifest.value.packages, base, release).unwrap_or_default();
            let broken = here(&manifest.value.not_promised, base, release).unwrap_or_default();
            let promises = firmware.promises.iter().filter(|promise| {
                broken.iter().all(|broken| broken.value != promise.value.to_string())
            });
            needs.push(FirmwareNeed {
                manifest: named.sourced(&flavor.file),
                packages: packages.into_iter().map(|package| package.value).collect(),
                rule: firmware.rule.sourced(file),
                include: all(&firmware.include),
                exclude: all(&firmware.exclude),
                promises: promises.map(|promise| promise.sourced(file)).collect(),
                optional: all(&firmware.optional),
                boards: all(&firmware.boards),
            });
        }
        needs
    }

    fn drivers(&self, flavor: &Document<Flavor>) -> Vec<DriverSet> {
        let added = |lists: &[&[Entry<Module>]]| {
            let entries = lists.iter().flat_map(|list| list.iter());
            entries
                .filter_map(|entry| match entry {
                    Entry::Add(module) => Some(module.value.clone()),
                    _ => None,
                })
                .collect()
        };
        let set = |named: &At<String>| {
            let manifest = self.manifests.get(&named.value)?;
            let (file, value) = (&manifest.file, &manifest.value);
            Some(DriverSet {
                manifest: named.sourced(&flavor.file),
                modules: added(&[&value.modules]),
                runtime_modules: added(&[&value.runtime_modules, &value.load_modules]),
                devices: value.devices.as_ref().map(|devices| devices.sourced(file)),
            })
        };
        flavor.value.manifests.iter().filter_map(set).collect()
    }

    fn licences(&self, flavor: &Document<Flavor>) -> Vec<Sourced<String>> {
        let mut licences: Vec<Sourced<String>> = Vec::new();
        for manifest in self.manifests_of(flavor) {
            for licence in &manifest.value.licences {
                if !licences.iter().any(|known| known.value == licence.value) {
                    licences.push(licence.sourced(&manifest.file));
                }
            }
        }
        licences
    }
}

/// What a base says, or the default; a default has the place of `init`, which every base has.
fn given_or<T: Clone>(
    base: &Base,
    file: &std::sync::Arc<str>,
    given: &Option<At<T>>,
    default: T,
) -> Sourced<T> {
    match given {
        Some(given) => given.sourced(file),
        None => Sourced { value: default, origin: base.init.origin(file) },
    }
}

fn part(on: &Map<String, Fragment>, base: &str) -> Option<Fragment> {
    on.get(base).map(|fragment| fragment.value.clone())
}

fn named<T>(document: &Sourced<&Document<T>>) -> Sourced<String> {
    Sourced { value: document.value.name.clone(), origin: document.origin.clone() }
}

/// The document of this name.
///
/// # Errors
/// [`RecipeError::Choice`] with the nearest valid name.
pub(super) fn document<'a, T>(
    what: &str,
    documents: &'a Documents<T>,
    name: &str,
) -> Result<&'a Document<T>, RecipeError> {
    documents.get(name).ok_or_else(|| {
        RecipeError::choice(
            Problem::new(format!("there is no {what} \"{name}\""))
                .expected(name, documents.keys().map(String::as_str)),
        )
    })
}
