//! The order of the stages: one build, from a composed recipe to an output folder.

use std::path::{Path, PathBuf};

use wifibox_fetch::Store;
use wifibox_ground::content::Spool;
use wifibox_ground::digest::Sha256;
use wifibox_ground::meter::Laps;
use wifibox_ground::output::place::check_target;
use wifibox_ground::output::{Output, OutputFolder};
use wifibox_ground::parallel::both;
use wifibox_ground::progress::Stage;
use wifibox_host::detect::cards;
use wifibox_image::squashfs::BlockSize;
use wifibox_image::stage::{Parts, cmdline, write_images};
use wifibox_linux::drivers::{self, FirmwareArchive};
use wifibox_recipe::{Composed, InitSystem, Recipe};
use wifibox_report::describe::{Facts, manifest};
use wifibox_report::manifest::{FirmwareCounts, Manifest};
use wifibox_report::stage::{self as reports, Material};
use wifibox_resolve::{Locked, ensure};
use wifibox_tree::Tree;
use wifibox_tree::packages::{Need, Packages};
use wifibox_tree::root::{self, Root};

use crate::inputs::{Inputs, Made};
use crate::{BuildReport, BuildRequest, Environment, Error, fresh};

/// Builds a guest, unless what is in the output folder was made of the same inputs.
///
/// # Errors
/// [`Error`]; an older output in the same place is then untouched.
pub fn build(
    composed: &Composed<'_>,
    request: &BuildRequest,
    environment: &Environment<'_>,
) -> Result<BuildReport, Error> {
    check_agreements(&composed.recipe, request)?;
    let laps = Laps::begin(environment.meter);
    let inputs = Inputs::gather(composed, request)?;
    let fingerprint = inputs.fingerprint(composed.catalog, environment);
    if !request.force
        && let Some(report) = fresh::find(&fingerprint, composed, request, environment)
    {
        let past_end = |locked: &Locked| locked.source.past_end(environment.access.now);
        if let Some(line) = report.locks.first().and_then(past_end) {
            environment.work.progress.warn(&line);
        }
        laps.end("up to date");
        return Ok(BuildReport { timings: laps.stages(), ..report });
    }
    // Before anything is fetched.
    check_target(&request.out)?;
    laps.end("fingerprints");
    let report = match build_anew(composed, request, &inputs, environment, &laps) {
        // The damaged content is gone: what it was made of is still there.
        Err(error) if environment.caches.contents.damaged() => {
            environment.work.progress.warn(&format!("{error}; built once more without it"));
            build_anew(composed, request, &inputs, environment, &laps)?
        }
        result => result?,
    };
    if let Err(error) = fresh::note(&fingerprint, &report, composed, request, environment) {
        let progress = environment.work.progress;
        progress.note(&format!("the next build will not know this one: {error}"));
    }
    Ok(report)
}

/// Checks that the user agrees to what the manifests' licences ask for.
fn check_agreements(recipe: &Recipe, request: &BuildRequest) -> Result<(), Error> {
    for (manifest, agreement) in &recipe.agreements {
        if !request.accepted_licences.contains(manifest) {
            let (manifest, agreement) = (manifest.clone(), agreement.value.clone());
            return Err(Error::NotAgreed { manifest, agreement });
        }
    }
    Ok(())
}

/// Warns of cards that this kernel does not drive and another one does.
fn warn_of_cards(
    composed: &Composed<'_>,
    kernel: &wifibox_linux::drivers::Kernel,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    for line in cards::of(composed, kernel)? {
        environment.work.progress.warn(&line);
    }
    Ok(())
}

/// Recipe -> locks -> packages -> root -> drivers -> images and reports -> outputs.
fn build_anew(
    composed: &Composed<'_>,
    request: &BuildRequest,
    inputs: &Inputs,
    environment: &Environment<'_>,
    laps: &Laps<'_>,
) -> Result<BuildReport, Error> {
    let recipe = &composed.recipe;
    let block_size =
        BlockSize::try_from(request.block_size).map_err(wifibox_image::stage::Error::from)?;
    let locks = ensure(composed.catalog, recipe, &environment.locking())?;
    laps.end("lock");
    let store = environment.access.store()?;
    let packages = packages(&locks, Need::Contents, &store, environment)?;
    let archive = archive(composed, request, &store, environment)?;
    laps.end("resolve and fetch");
    let folder = OutputFolder::begin(&request.out)?;
    let work = folder.work_folder().to_owned();
    let spool = Spool::new_in(&work).map_err(|source| Error::Spool { path: work, source })?;
    let context = environment.making();
    let Root { mut tree, licences, scripts } =
        root::assemble(composed, &packages, &spool, &context)?;
    laps.end("unpack packages");
    let asked = drivers::Asked {
        device: request.device,
        only: &request.firmware_files,
        adds: &request.firmware_adds,
        archive: archive.as_ref(),
        spool: &spool,
    };
    let drivers = drivers::install(composed, &mut tree, &asked, &context, laps)?;
    warn_of_cards(composed, &drivers.kernel, environment)?;
    drivers.write_licences(&folder)?;
    root::prune(recipe, &mut tree, &context)?;
    if recipe.init_system.value == InitSystem::Procd {
        root::finish(&mut tree)?;
    }
    let epoch = epoch(&locks, &tree, environment);
    let made = Made {
        packages: &packages,
        own: &drivers.firmware.own,
        archive: archive.as_ref(),
        source_date_epoch: epoch,
    };
    let build_id = inputs.build_id(&made);
    root::seal(&mut tree, &build_id, epoch)?;
    let initramfs = initramfs(composed, &tree, &drivers.kernel, &context)?;
    laps.end("tree");
    let parts = Parts {
        composed,
        root: &tree,
        kernel: &drivers.kernel,
        initramfs: initramfs.as_ref(),
        source_date_epoch: epoch,
        block_size,
        build_id: &build_id,
        blocks: environment.caches.blocks(),
        laps,
    };
    let material = Material {
        composed,
        packages: &packages,
        locks: &locks,
        collected: &licences,
        tree: &tree,
    };
    let prepare = || {
        let prepared = reports::prepare(&material, &drivers.kernel.package, &build_id, &folder);
        prepared.map_err(Error::from)
    };
    let images = || write_images(&parts, &folder, &context).map_err(Error::from);
    // Neither needs what the other writes.
    let ((), reports) = both(environment.work.jobs, images, prepare)?;
    let cmdline = cmdline(recipe);
    let guest = wifibox_host::of_recipe(recipe, &cmdline, initramfs.is_some());
    wifibox_host::output::write(composed, &guest, &folder)?;
    environment.work.check()?;
    let facts = Facts {
        recipe,
        device: request.device,
        build_id: &build_id,
        guest,
        source_date_epoch: epoch,
        cmdline,
        packages: &packages,
        scripts,
        kernel: &drivers.kernel,
        firmware: &drivers.firmware.selection,
        tree: &tree,
    };
    environment.work.progress.stage(&Stage::new("Writing", "reports"));
    let mut manifest = manifest(facts)?;
    laps.end("host files and hashes");
    reports::write(&reports, &mut manifest, &folder)?;
    laps.end("reports");
    drop(spool);
    let outputs = Outputs { manifest, files: folder.finish()? };
    laps.end("put in place");
    Ok(report(request, outputs, locks, laps))
}

/// The initramfs, with all programs that its scripts call.
fn initramfs(
    composed: &Composed<'_>,
    root: &Tree,
    kernel: &drivers::Kernel,
    context: &wifibox_tree::Context<'_>,
) -> Result<Option<Tree>, Error> {
    let initramfs = drivers::initramfs(composed, root, kernel)?;
    if let Some(tree) = &initramfs {
        root::check_calls(&composed.recipe, tree, context).map_err(root::Error::from)?;
    }
    Ok(initramfs)
}

/// The contents of the output folder, once it is in its place.
struct Outputs {
    manifest: Manifest,
    files: Vec<Output>,
}

fn report(
    request: &BuildRequest,
    outputs: Outputs,
    locks: Vec<Locked>,
    laps: &Laps<'_>,
) -> BuildReport {
    let Outputs { manifest, files } = outputs;
    let missing = manifest.firmware.iter().filter(|firmware| firmware.state == "missing");
    BuildReport {
        out: request.out.clone(),
        up_to_date: false,
        missing_firmware: missing.map(|f| format!("{} ({})", f.wanted, f.by)).collect(),
        firmware: FirmwareCounts::of(&manifest.firmware),
        build_id: manifest.build_id,
        kernel: manifest.kernel.release,
        packages: manifest.packages.len(),
        modules: manifest.modules.len(),
        sizes: manifest.sizes,
        outputs: files,
        locks,
        timings: laps.stages(),
    }
}

/// The packages that the locks choose.
fn packages(
    locks: &[Locked],
    need: Need,
    store: &Store,
    environment: &Environment<'_>,
) -> Result<Packages, Error> {
    let fetcher = environment.access.fetcher(store, &environment.work);
    let (locking, context) = (environment.locking(), environment.making());
    Ok(wifibox_tree::packages::choose(locks, need, &locking, &context, &fetcher)?)
}

/// The archive of firmware that is asked for, if one is.
fn archive(
    composed: &Composed<'_>,
    request: &BuildRequest,
    store: &Store,
    environment: &Environment<'_>,
) -> Result<Option<FirmwareArchive>, Error> {
    let Some(choice) = &request.firmware_archive else { return Ok(None) };
    let fetcher = environment.access.fetcher(store, &environment.work);
    Ok(Some(FirmwareArchive::find(choice, composed, &environment.access, &fetcher)?))
}

/// The time that all others are clamped to, in seconds since 1970: the user's, that of the newest index,
/// or that of the newest file where no index says when it was made.
fn epoch(locks: &[Locked], tree: &Tree, environment: &Environment<'_>) -> u32 {
    let indexed = locks.iter().map(|locked| locked.lock.source_date_epoch()).max();
    match environment.source_date_epoch.or(indexed) {
        None | Some(0) => root::newest_time(tree),
        Some(epoch) => epoch,
    }
}

/// The result of a fetch.
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
    let locks = ensure(composed.catalog, &composed.recipe, &environment.locking())?;
    let store = environment.access.store()?;
    let packages = packages(&locks, Need::Files, &store, environment)?;
    Ok(FetchReport {
        packages: packages.iter().map(|package| (package.file.sha256, package.file.size)).collect(),
        locks,
    })
}

/// The output folder that is used where none is named.
pub fn default_out(recipe: &Recipe) -> PathBuf {
    Path::new("out").join(format!("{}-{}", recipe.base.value, recipe.flavor.value))
}
