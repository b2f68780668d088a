//! The values of the chosen files of a build, one by one: the recipe before their lists are added
//! up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::base::{Base, Initramfs};
use super::catalog::Catalog;
use super::chosen::{Chosen, origin_of};
use super::composed::{HypervisorChoice, KernelChoice, Recipe};
use super::document::Document;
use super::error::{Problem, RecipeError};
use super::kernel::{BootsWith, EfiStub};
use super::kernel_source::filled;
use super::kinds::{AccountsFrom, InitSystem};
use super::located::{At, Origin, Sourced};
use super::machine::{Spelling, machine};
use super::project::{Project, ProjectGuest};
use super::selection::Selection;

impl Catalog {
    /// The recipe as the chosen files say it one by one, before their lists are added up.
    pub(super) fn outline(
        &self,
        chosen: &Chosen<'_>,
        selection: &Selection,
    ) -> Result<Recipe, RecipeError> {
        let base = &chosen.base.value;
        let base_file = &chosen.base.file;
        let kernel = chosen.kernel.value;
        let guest = chosen.guest;
        let compression = match selection.compression {
            Some(value) => {
                let origin = origin_of(guest, &value, |plan| plan.compression.as_ref());
                Sourced { value, origin }
            }
            None => match &kernel.value.compression {
                Some(own) => own.sourced(&kernel.file),
                None => base.default.compression.sourced(base_file),
            },
        };
        let boots_with = kernel.value.boots_with.sourced(&kernel.file);
        let initramfs = self.initramfs(chosen, &boots_with)?;
        let own = base.repositories_of(&chosen.release, &chosen.architecture, base_file);
        let further = self.project.iter().flat_map(Project::repositories);
        let further = further.filter(|(of, _)| *of == chosen.base.name).map(|(_, given)| Sourced {
            value: given.value.of(&chosen.release, &chosen.architecture),
            origin: given.origin,
        });
        Ok(Recipe {
            base: Sourced {
                value: chosen.base.name.clone(),
                origin: origin_of(guest, &chosen.base.name, |plan| plan.base.as_ref()),
            },
            format: base.format_of(&chosen.release).sourced(base_file),
            architecture: chosen.architecture.clone(),
            release: chosen.release.clone(),
            series: chosen.series.clone(),
            end_of_life: base
                .release(&chosen.release)
                .and_then(|(release, _)| release.value.end_of_life.as_ref())
                .map(|day| day.sourced(base_file)),
            flavor: Sourced {
                value: chosen.flavor.clone(),
                origin: flavor_origin(chosen, &selection.flavor),
            },
            role: named(&chosen.role),
            app_config: chosen.role.value.value.app_config.sourced(&chosen.role.value.file),
            features: chosen.features.iter().map(named).collect(),
            kernel: self.kernel_choice(chosen, boots_with),
            hypervisor: hypervisor_choice(chosen),
            compression,
            init: base.init.sourced(base_file),
            init_system: given_or(base, base_file, &base.init_system, InitSystem::Supervised),
            accounts_from: given_or(base, base_file, &base.accounts_from, AccountsFrom::Recipes),
            keep_empty_directories: given_or(base, base_file, &base.keep_empty_directories, false),
            regulatory_database: given_or(base, base_file, &base.regulatory_database, true),
            programs: programs(base, base_file),
            initramfs,
            repositories: own.into_iter().chain(further).collect(),
            packages: Vec::new(),
            stand_ins: Default::default(),
            firmware_packages: Vec::new(),
            firmware: self.firmware(&chosen.flavors, chosen.base, &chosen.release),
            drivers: self.drivers(&chosen.flavors),
            agreements: self
                .chipsets_of(&chosen.flavors)
                .into_iter()
                .filter_map(|(_, chipset)| {
                    let agreement = chipset.value.agreement.as_ref()?.sourced(&chipset.file);
                    Some((chipset.name.clone(), agreement))
                })
                .collect(),
            licences: self.licences(&chosen.flavors),
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
            own: guest.map(ProjectGuest::own).unwrap_or_default(),
            samples: guest.map(ProjectGuest::samples).unwrap_or_default(),
            applets: Vec::new(),
            shares: Vec::new(),
            exclude: Vec::new(),
            keep: Vec::new(),
            cmdline: Vec::new(),
            scripts: Vec::new(),
            memory_smallest: None,
            memory_recommended: None,
            region: None,
        })
    }

    /// How the kernel's root is mounted: by the base's initramfs, or by the kernel itself.
    fn initramfs(
        &self,
        chosen: &Chosen<'_>,
        boots_with: &Sourced<BootsWith>,
    ) -> Result<Option<Sourced<Initramfs>>, RecipeError> {
        let (base, base_file) = (&chosen.base.value, &chosen.base.file);
        let kernel = chosen.kernel.value;
        Ok(match (boots_with.value, &base.initramfs) {
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
        })
    }

    fn kernel_choice(&self, chosen: &Chosen<'_>, boots_with: Sourced<BootsWith>) -> KernelChoice {
        let kernel = chosen.kernel.value;
        let kernel_file = &kernel.file;
        let spelling = self.kernel_spelling(chosen);
        KernelChoice {
            name: named(&chosen.kernel),
            package: filled(&kernel.value.package, &spelling, kernel_file),
            archive: kernel.value.archive.as_ref().map(|archive| archive.sourced(kernel_file)),
            image: kernel.value.image.sourced(kernel_file),
            config: kernel.value.config.as_ref().map(|config| config.sourced(kernel_file)),
            modules: kernel.value.modules.sourced(kernel_file),
            built_in: kernel.value.built_in.iter().map(|m| m.sourced(kernel_file)).collect(),
            boots_with,
            efi_stub: self.efi_stub(chosen),
            from: if kernel.value.is_of(&chosen.base.name) {
                None
            } else {
                self.kernel_source(kernel, &chosen.architecture)
            },
        }
    }

    /// The stub that starts the kernel under UEFI, from its descriptor or the release of its own
    /// base.
    fn efi_stub(&self, chosen: &Chosen<'_>) -> Option<Sourced<EfiStub>> {
        let (base, kernel) = (chosen.base, chosen.kernel.value);
        let stub = kernel.value.efi_stub.as_ref()?;
        let own = kernel.value.is_of(&base.name);
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
    pub(super) fn kernel_spelling<'a>(&self, chosen: &'a Chosen<'_>) -> Spelling<'a> {
        let own = chosen.kernel.value.value.architecture_like(&chosen.architecture);
        Spelling(own.unwrap_or(&chosen.architecture))
    }
}

/// Where the flavor comes from: the project may name several.
fn flavor_origin(chosen: &Chosen<'_>, asked: &str) -> Origin {
    let said = chosen.guest.and_then(|guest| guest.choice(|plan| plan.flavor.as_ref()));
    let said = said.filter(|said| said.value.0.iter().any(|name| name == asked));
    said.map_or_else(Origin::command_line, |said| said.origin)
}

/// The packages that have programs which scripts call, by program.
fn programs(base: &Base, file: &Arc<str>) -> BTreeMap<String, Sourced<String>> {
    let all = base.programs.iter();
    all.map(|(program, package)| (program.value.clone(), package.sourced(file))).collect()
}

/// The hypervisor, as it is on the guest's kind of machine.
fn hypervisor_choice(chosen: &Chosen<'_>) -> HypervisorChoice {
    let hypervisor = chosen.hypervisor.value;
    let file = &hypervisor.file;
    let on_machine = hypervisor.value.on_machine(machine(&chosen.architecture));
    let (mut nic, mut console) = (&hypervisor.value.nic, &hypervisor.value.console);
    let (mut root_disk, mut board) = (&hypervisor.value.root_disk, hypervisor.value.board.as_ref());
    if let Some(other) = on_machine {
        nic = other.nic.as_ref().unwrap_or(nic);
        console = other.console.as_ref().unwrap_or(console);
        root_disk = other.root_disk.as_ref().unwrap_or(root_disk);
        board = other.board.as_ref();
    }
    HypervisorChoice {
        name: named(&chosen.hypervisor),
        share_transport: hypervisor.value.share_transport.sourced(file),
        nic: nic.sourced(file),
        console: console.sourced(file),
        root_disk: root_disk.sourced(file),
        board: board.map(|board| board.sourced(file)),
    }
}

fn named<T>(document: &Sourced<&Document<T>>) -> Sourced<String> {
    Sourced { value: document.value.name.clone(), origin: document.origin.clone() }
}

/// The value that a base gives, or the default; a default has the place of `init`, which every base
/// has.
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
