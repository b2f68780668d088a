//! `wifibox-build install OUTPUT`: puts a guest where its host looks for it, keeps the one before, and says
//! what is left to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::place::PlaceArgs;
use crate::cli::registry::{RegistryArgs, Wanted};
use crate::cli::render::failure::Failure;
use crate::cli::render::install::report;
use crate::cli::render::pull::moved;
use crate::cli::trust::TrustArgs;
use wifibox_fetch::registry::Reference;
use wifibox_host::install::{Purposes, Request, install, rollback};
use wifibox_report::findings::Options;
use wifibox_report::verify::verify;

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Images, samples of the configuration, the link app_config, the folders of the share var, the files of \
OUTPUT/host, licences and the man page go where the host's programs look for them. A sample also becomes the \
file that it is a sample of, where there is none yet. What you changed or removed is never replaced; what this \
program put there, and nobody changed, follows the new guest. The images that were there before are kept: \
--rollback makes them and the new ones change places, and the configuration stays as it is.

OUTPUT may be the address of a guest in a registry, oci://HOST/REPOSITORY:TAG: it is pulled, checked by --public-key, \
and installed; what did not change since the last time comes from the cache.

Nothing is changed before all of it is written beside its place, and every file has the hash that its build \
gave it. What is left to do is printed at the end, as commands.

Examples:
  wifibox-build install --dry-run out/alpine-iwlwifi
  wifibox-build install out/alpine-iwlwifi
  wifibox-build install oci://registry.example/wifibox:latest --flavor iwlwifi --public-key minisign.pub
  wifibox-build install --rollback
  wifibox-build install --root /mnt out/alpine-iwlwifi";

/// The guest's man page.
const MAN_PAGE: &str = include_str!("../../../../docs/man/wifibox-guest.5");

/// What folders in the cache begin with into which a guest is pulled.
const PULLED: &str = "install-";

/// `install`.
#[derive(Debug, Clone, Args)]
pub struct InstallArgs {
    /// The output folder, or a guest in a registry: oci://HOST/REPOSITORY:TAG
    #[arg(value_name = "OUTPUT", required_unless_present = "rollback")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    /// Where the host's folders are.
    pub place: PlaceArgs,
    /// Make the images that were there before the last installation and those of today change places
    #[arg(long, conflicts_with_all = ["output", "staging", "force", "no_documents"])]
    pub rollback: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace images and samples that something else put there; configuration is never replaced
    #[arg(long)]
    pub force: bool,
    /// Leave licences and bills of materials out
    #[arg(long)]
    pub no_documents: bool,
    /// For a package, below --root: samples stay samples, nothing is set up, no record is kept
    #[arg(long, requires = "root")]
    pub staging: bool,
    /// Which guest of several in a registry: its flavor, or its name in the release
    #[arg(long)]
    pub flavor: Option<String>,
    #[command(flatten)]
    /// Whose guest.
    pub trust: TrustArgs,
    #[command(flatten)]
    /// Who asks a registry.
    pub registry: RegistryArgs,
}

/// Installs, or rolls back, and prints what became of each file.
///
/// # Errors
/// Files of somebody else are in the way, the output is not what was built, or a file cannot be written.
pub fn run(context: &Context, args: &InstallArgs) -> Result<(), Failure> {
    let Some(output) = &args.output else {
        let layout = args.place.layout(None)?;
        let outcome = rollback(&args.place.root, &layout, args.dry_run)?;
        return report(&context.printer, "rollback", &outcome, args.dry_run);
    };
    if let Some(address) = output.to_str().filter(|text| Reference::is_meant(text)) {
        return from_registry(context, args, address);
    }
    if args.flavor.is_some() || args.trust.dangerously_allow_unsigned {
        let why = "--flavor and --dangerously-allow-unsigned are for guests in a registry, oci://HOST/REPOSITORY:TAG";
        return Err(Failure::usage(format!("{}: {why}", output.display())));
    }
    if args.trust.public_key.is_some() {
        check(output, &args.trust)?;
    }
    from_folder(context, args, output)
}

/// Whether the key signed the output, and it is as it was built.
fn check(output: &Path, trust: &TrustArgs) -> Result<(), Failure> {
    let key = trust.key()?;
    let options = Options { public_key: key.as_ref(), ignore_missing: false };
    let findings = verify(output, &options).map_err(Failure::failed)?;
    match findings.problems.first() {
        None => Ok(()),
        Some(problem) => {
            let why = format!("{} is not what a build wrote: {problem}", output.display());
            let hint = "'wifibox-build verify' says all that is wrong; nothing was installed";
            Err(Failure::verification(why).with_hint(hint))
        }
    }
}

/// Pulls the guest into a folder that is gone afterwards: what it is made of stays in the cache.
fn from_registry(context: &Context, args: &InstallArgs, address: &str) -> Result<(), Failure> {
    let InstallArgs { flavor, trust, registry, .. } = args;
    let wanted = Wanted { address, flavor: flavor.as_deref(), trust, registry };
    let mut folder = None;
    let pulled = wanted.pull(context, |_, access| {
        let cache = &access.cache;
        let cannot = |error| Failure::failed(format!("cannot use {}: {error}", cache.display()));
        std::fs::create_dir_all(cache).map_err(cannot)?;
        remove_left_over(cache);
        let made = tempfile::Builder::new().prefix(PULLED).tempdir_in(cache).map_err(cannot)?;
        Ok(folder.insert(made).path().join("guest"))
    })?;
    context.printer.status("Pulled", &moved(&pulled));
    from_folder(context, args, &pulled.out)
}

/// Removes the folders of pulls that were killed: those of another day.
fn remove_left_over(cache: &Path) {
    let old = |path: &Path| {
        let changed = path.metadata().and_then(|data| data.modified()).ok();
        let age = changed.and_then(|changed| changed.elapsed().ok());
        age.is_some_and(|age| age > Duration::from_secs(24 * 3600))
    };
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PULLED) && path.is_dir() && old(&path) {
            // What cannot be removed is waste, and no reason not to install.
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

fn from_folder(context: &Context, args: &InstallArgs, output: &Path) -> Result<(), Failure> {
    let guest = wifibox_host::of_output(output)?;
    let layout = args.place.layout(Some(&guest.hypervisor))?;
    let purposes = if args.staging { Purposes::Package } else { Purposes::Host };
    let outcome = install(&Request {
        output,
        root: &args.place.root,
        layout: &layout,
        man_page: MAN_PAGE,
        documents: !args.no_documents,
        purposes,
        force: args.force,
        dry_run: args.dry_run,
    })?;
    report(&context.printer, "install", &outcome, args.dry_run)
}
