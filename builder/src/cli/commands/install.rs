//! `wifibox-build install OUTPUT`: puts a guest where its host looks for it, keeps the one before, and says
//! what is left to do.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::place::PlaceArgs;
use crate::cli::render::failure::Failure;
use crate::cli::render::install::report;
use wifibox_host::install::{Purposes, Request, install, rollback};

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Images, samples of the configuration, the link app_config, the folders of the share var, the files of \
OUTPUT/host, licences and the man page go where the host's programs look for them. A sample also becomes the \
file that it is a sample of, where there is none yet. What you changed or removed is never replaced; what this \
program put there, and nobody changed, follows the new guest. The images that were there before are kept: \
--rollback makes them and the new ones change places, and the configuration stays as it is.

Nothing is changed before all of it is written beside its place, and every file has the hash that its build \
gave it. What is left to do is printed at the end, as commands.

Examples:
  wifibox-build install --dry-run out/alpine-iwlwifi
  wifibox-build install out/alpine-iwlwifi
  wifibox-build install --rollback
  wifibox-build install --root /mnt out/alpine-iwlwifi";

/// The guest's man page.
const MAN_PAGE: &str = include_str!("../../../../docs/man/wifibox-guest.5");

/// `install`.
#[derive(Debug, Clone, Args)]
pub struct InstallArgs {
    /// The output folder
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
