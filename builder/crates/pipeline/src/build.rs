//! One build, from a selection to an output folder.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::assemble::{Assembled, assemble};
use super::firmware::{self, Asked};
use super::firmware_archive::{ArchiveChoice, FirmwareArchive, write_licences};
use super::generated::write_file;
use super::host_side;
use super::kernel::{self, Kernel};
use super::libraries;
use super::locking::{Locked, ensure};
use super::openwrt;
use super::outputs::{Parts, cmdline, write_images};
use super::own_firmware::{FirmwareAdd, OwnFile};
use super::packages::{ChosenPackage, Need, choose};
use super::reports::{self, Material};
use super::{Composed, Environment, Error, fresh};
use wifibox_ground::content::Spool;
use wifibox_ground::device::DeviceId;
use wifibox_ground::digest::Sha256;
use wifibox_ground::meter::{Laps, Stage};
use wifibox_ground::parallel::both;
use wifibox_ground::path::GuestPath;
use wifibox_image::squashfs::BlockSize;
use wifibox_linux::firmware::Selection as FirmwareSelection;
use wifibox_recipe::{InitSystem, Recipe, RecipeError};
use wifibox_report::Sizes;
use wifibox_report::folder::{OutputFolder, check_target};
use wifibox_report::licences::Collector;
use wifibox_report::manifest::{
    self, Composition, Firmware, FirmwareCounts, Manifest, Module, Output, Package,
};
use wifibox_tree::Tree;

/// What a build is asked to make, besides the recipe.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The output folder.
    pub out: PathBuf,
    /// Globs over firmware names: only those come in.
    pub firmware_files: Vec<String>,
    /// Firmware of the user's own.
    pub firmware_adds: Vec<FirmwareAdd>,
    /// An archive of firmware, instead of packages.
    pub firmware_archive: Option<ArchiveChoice>,
    /// Manifests to whose licence the user agrees.
    pub accepted_licences: Vec<String>,
    /// The only card that the guest is for.
    pub device: Option<DeviceId>,
    /// Block size of root.img, in bytes.
    pub block_size: u32,
    /// Build although nothing changed.
    pub force: bool,
}

/// What a build tells.
#[derive(Debug, Clone, Serialize)]
pub struct BuildReport {
    /// The output folder.
    pub out: PathBuf,
    /// Whether it was there already, made of the same inputs.
    pub up_to_date: bool,
    /// The build id.
    pub build_id: String,
    /// The kernel's release.
    pub kernel: String,
    /// How many packages.
    pub packages: usize,
    /// How many modules.
    pub modules: usize,
    /// How many firmware names were asked for, by what became of them.
    pub firmware: FirmwareCounts,
    /// Firmware wishes that nothing serves, in words.
    pub missing_firmware: Vec<String>,
    /// Sizes by part, before compression.
    pub sizes: Sizes,
    /// The output's files.
    pub outputs: Vec<Output>,
    /// The locks, and how they changed.
    pub locks: Vec<Locked>,
    /// What the stages cost, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timings: Vec<Stage>,
}

/// Builds a guest, unless what is in the output folder was made of the same inputs.
///
/// # Errors
/// [`Error`]; an older output in the same place is then untouched.
pub fn build(
    composed: &Composed<'_>,
    wishes: &Wishes,
    environment: &Environment<'_>,
) -> Result<BuildReport, Error> {
    check_agreements(&composed.recipe, wishes)?;
    check_target(&wishes.out)?;
    let laps = Laps::begin(environment.meter);
    let inputs =
        environment.caches.folder().and_then(|_| fresh::inputs(composed, wishes, environment));
    if let (Some(inputs), false) = (&inputs, wishes.force)
        && let Some(report) = fresh::find(inputs, composed, wishes, environment)
    {
        laps.end("up to date");
        return Ok(BuildReport { timings: laps.stages(), ..report });
    }
    laps.end("fingerprints");
    let report = match build_anew(composed, wishes, environment, &laps) {
        // The damaged content is gone: what it was made of is still there.
        Err(error) if environment.caches.damaged() => {
            environment.progress.warn(&format!("{error}; built once more without it"));
            build_anew(composed, wishes, environment, &laps)?
        }
        result => result?,
    };
    if let Some(inputs) = &inputs
        && let Err(error) = fresh::note(inputs, &report, composed, wishes, environment)
    {
        environment.progress.note(&format!("the next build will not know this one: {error}"));
    }
    Ok(report)
}

/// Checks that the user agrees to what the manifests' licences ask for.
fn check_agreements(recipe: &Recipe, wishes: &Wishes) -> Result<(), Error> {
    for (manifest, agreement) in &recipe.agreements {
        if !wishes.accepted_licences.contains(manifest) {
            let (manifest, agreement) = (manifest.clone(), agreement.value.clone());
            return Err(Error::NotAgreed { manifest, agreement });
        }
    }
    Ok(())
}

fn build_anew(
    composed: &Composed<'_>,
    wishes: &Wishes,
    environment: &Environment<'_>,
    laps: &Laps<'_>,
) -> Result<BuildReport, Error> {
    let recipe = &composed.recipe;
    let block_size = BlockSize::try_from(wishes.block_size)?;
    let locks = ensure(composed.catalog, recipe, environment)?;
    laps.end("lock");
    let store = environment.store()?;
    let fetcher = environment.fetcher(&store);
    let packages = choose(&locks, Need::Contents, environment, &fetcher)?;
    let archive = wishes.firmware_archive.as_ref();
    let archive = archive
        .map(|choice| FirmwareArchive::find(choice, composed, environment, &fetcher))
        .transpose()?;
    laps.end("resolve and fetch");
    let folder = OutputFolder::begin(&wishes.out)?;
    let work = folder.work_folder().to_owned();
    let spool = Spool::new_in(&work).map_err(|source| Error::Spool { path: work, source })?;
    let epoch = locks.iter().map(|locked| locked.lock.source_date_epoch()).max();
    let epoch = epoch.unwrap_or_default();
    let epoch = environment.source_date_epoch.unwrap_or(epoch);
    let mut licences = Collector::new();
    let Assembled { mut tree } = assemble(composed, &packages, &spool, &mut licences, environment)?;
    laps.end("unpack packages");
    let kernel = kernel::install(recipe, &mut tree, &spool, wishes.device, environment)?;
    laps.end("kernel modules");
    let asked = Asked {
        only: &wishes.firmware_files,
        adds: &wishes.firmware_adds,
        archive: archive.as_ref(),
        spool: &spool,
    };
    let installed = firmware::install(composed, &mut tree, &kernel, &asked, environment)?;
    if let Some(archive) = &installed.archive {
        write_licences(archive, &installed.selection, &folder)?;
    }
    laps.end("firmware");
    libraries::prune(recipe, &mut tree, environment)?;
    if recipe.init_system.value == InitSystem::Procd {
        openwrt::finish(&mut tree)?;
    }
    // Where no index says when it was made, the newest file does.
    let epoch = if epoch == 0 { newest_time(&tree) } else { epoch };
    let build_id = build_id(composed, wishes, &packages, &installed.own, archive.as_ref(), epoch)?;
    write_file(&mut tree, "etc/wifibox/build-id", format!("{build_id}\n"), 0o644)?;
    settle_times(&mut tree, epoch);
    let initramfs = kernel::initramfs(composed, &tree, &kernel)?;
    laps.end("tree");
    let parts = Parts {
        composed,
        root: &tree,
        kernel: &kernel,
        initramfs: initramfs.as_ref(),
        source_date_epoch: epoch,
        block_size,
        build_id: &build_id,
        laps,
    };
    let (packages, locks) = (packages.as_slice(), locks.as_slice());
    let material = Material { composed, packages, locks, collected: &licences, tree: &tree };
    let prepare = || reports::prepare(&material, &kernel.package, &build_id, &folder);
    let images = || write_images(&parts, &folder, environment);
    // Neither needs what the other writes.
    let ((), reports) = both(environment.jobs, images, prepare)?;
    let guest = wifibox_host::of_recipe(recipe, &cmdline(recipe), initramfs.is_some());
    host_side::write(composed, &guest, &folder)?;
    environment.check_cancelled()?;
    let sizes = Sizes::of(&tree);
    let mut manifest = Manifest {
        format: manifest::FORMAT,
        build_id: build_id.to_string(),
        builder: concat!("wifibox-build ", env!("CARGO_PKG_VERSION")).to_owned(),
        recipe: composition(recipe, wishes),
        guest: Some(guest),
        source_date_epoch: epoch,
        kernel: manifest::Kernel {
            release: kernel.release.clone(),
            package: kernel.package.clone(),
            cmdline: cmdline(recipe),
        },
        packages: packages.iter().map(package).collect(),
        modules: modules(&kernel),
        firmware: firmware_lines(&installed.selection),
        sizes: sizes.clone(),
        files: manifest::files(&tree)
            .map_err(|source| Error::ReadBack { what: "the guest's files".to_owned(), source })?,
        outputs: Vec::new(),
    };
    laps.end("host files and hashes");
    reports::write(&reports, &mut manifest, &folder)?;
    laps.end("reports");
    drop(spool);
    let outputs = folder.finish()?;
    laps.end("put in place");
    let missing = manifest.firmware.iter().filter(|firmware| firmware.state == "missing");
    Ok(BuildReport {
        out: wishes.out.clone(),
        up_to_date: false,
        build_id: manifest.build_id,
        kernel: kernel.release,
        packages: packages.len(),
        modules: manifest.modules.len(),
        firmware: FirmwareCounts::of(&manifest.firmware),
        missing_firmware: missing.map(|f| format!("{} ({})", f.wanted, f.by)).collect(),
        sizes,
        outputs,
        locks: locks.to_vec(),
        timings: laps.stages(),
    })
}

/// What a fetch tells.
pub struct FetchReport {
    /// The packages that the guest is made of: hash and size in bytes.
    pub packages: Vec<(Sha256, u64)>,
    /// The locks, and how they changed.
    pub locks: Vec<Locked>,
}

/// Fetches everything that a build of this recipe needs.
///
/// # Errors
/// [`Error`].
pub fn fetch(composed: &Composed<'_>, environment: &Environment<'_>) -> Result<FetchReport, Error> {
    let locks = ensure(composed.catalog, &composed.recipe, environment)?;
    let store = environment.store()?;
    let fetcher = environment.fetcher(&store);
    let packages = choose(&locks, Need::Files, environment, &fetcher)?;
    let files = packages.iter().map(|package| (package.file.sha256, package.file.size));
    Ok(FetchReport { packages: files.collect(), locks })
}

/// The time of the newest file of a tree, in seconds since 1970.
fn newest_time(tree: &Tree) -> u32 {
    tree.iter().map(|(_, node)| node.meta.mtime).max().unwrap_or_default()
}

/// No time is later than the epoch, and what the builder made is from then.
fn settle_times(tree: &mut Tree, epoch: u32) {
    let paths: Vec<GuestPath> = tree.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        if let Some(node) = tree.get_mut(&path) {
            let mtime = node.meta.mtime;
            node.meta.mtime = if mtime == 0 { epoch } else { mtime.min(epoch) };
        }
    }
}

/// The hash of everything that decides an output byte: the builder's version, the merged recipe,
/// the overlays, the packages, the wishes.
fn build_id(
    composed: &Composed<'_>,
    wishes: &Wishes,
    packages: &[ChosenPackage],
    own: &[OwnFile],
    archive: Option<&FirmwareArchive>,
    epoch: u32,
) -> Result<Sha256, Error> {
    let recipe = &composed.recipe;
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| Error::Unsupported(error.to_string()))
    };
    let mut lines = vec![
        format!("builder {}", env!("CARGO_PKG_VERSION")),
        format!("epoch {epoch}"),
        format!("block size {}", wishes.block_size),
        format!("firmware {}", json(serde_json::to_string(&wishes.firmware_files))?),
    ];
    lines.extend(wishes.device.map(|device| format!("device {device}")));
    lines.extend(archive.map(|archive| format!("firmware archive {}", archive.sha256)));
    lines.extend(own.iter().map(|file| format!("own firmware {} {}", file.name, file.sha256)));
    for row in &recipe.show().rows {
        // Where a value stands in its file does not matter, what it is does.
        lines.push(json(serde_json::to_string(&(row.key, &row.name, &row.value)))?);
    }
    for package in packages {
        lines.push(format!("package {} {}", package.name, package.file.sha256));
    }
    let initramfs = recipe.initramfs.iter().map(|plan| &plan.value.overlay);
    for overlay in recipe.overlays.iter().map(|overlay| &overlay.value).chain(initramfs) {
        let folder = format!("overlays/{overlay}");
        for file in composed.sources.files_below(&folder)? {
            let path = format!("{folder}/{file}");
            let bytes = composed.sources.read(&path).map_err(|error: RecipeError| error)?;
            lines.push(format!("file {path} {}", Sha256::of(&bytes)));
        }
    }
    Ok(Sha256::of(lines.join("\n").as_bytes()))
}

fn composition(recipe: &Recipe, wishes: &Wishes) -> Composition {
    Composition {
        base: recipe.base.value.clone(),
        release: recipe.release.value.clone(),
        architecture: recipe.architecture.value.clone(),
        flavor: recipe.flavor.value.clone(),
        device: wishes.device,
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

fn firmware_lines(selection: &FirmwareSelection) -> Vec<Firmware> {
    use wifibox_linux::firmware::Outcome;
    let line = |line: &wifibox_linux::firmware::report::Line| {
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

/// The output folder that is used where none is named.
pub fn default_out(recipe: &Recipe) -> PathBuf {
    Path::new("out").join(format!("{}-{}", recipe.base.value, recipe.flavor.value))
}
