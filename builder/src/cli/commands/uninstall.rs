//! `wifibox-build uninstall`: takes away what `install` put there.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::place::PlaceArgs;
use crate::cli::render::failure::Failure;
use crate::cli::render::install::report;
use wifibox_host::install::uninstall;

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Files that are as 'install' wrote them go, with the links and with the folders that are empty then. What you \
changed stays and is named, as does what the guest wrote into the share var; --purge takes these, too.

Example:
  wifibox-build uninstall --dry-run";

/// `uninstall`.
#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    /// Where the host's folders are.
    pub place: PlaceArgs,
    /// Take away what you changed, too, and what the guest wrote
    #[arg(long)]
    pub purge: bool,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Takes it away, and prints what became of each file.
///
/// # Errors
/// Nothing is installed, or a file cannot be removed.
pub fn run(context: &Context, args: &UninstallArgs) -> Result<(), Failure> {
    let layout = args.place.layout(None)?;
    let outcome = uninstall(&args.place.root, &layout, args.purge, args.dry_run)?;
    report(&context.printer, "uninstall", &outcome, args.dry_run)
}
