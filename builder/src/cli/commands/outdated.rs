//! `wifibox-build outdated`: what the repositories have that a lock does not.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::options::{OtherKernelArgs, ProjectArgs, SourceArgs, TargetArgs};
use crate::cli::render;
use crate::cli::render::failure::Failure;
use wifibox_resolve::outdated::Outdated;

/// Shown below the help.
pub(crate) const HELP: &str = "With --json each lock is one object; its schema is docs/schema/verbs/outdated.json. \
                        'wifibox-build lock --upgrade' takes what is offered.";

/// `outdated`.
#[derive(Debug, Clone, Args)]
pub struct OutdatedArgs {
    #[command(flatten)]
    /// For the guests of which project.
    pub project: ProjectArgs,
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    #[command(flatten)]
    /// With which kernel.
    pub kernel: OtherKernelArgs,
    /// Exit with 1 if something is newer
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// Prints it.
///
/// # Errors
/// There is no lock, or the indexes cannot be had; with `--exit-code` that something is newer.
pub fn run(context: &Context, args: &OutdatedArgs) -> Result<(), Failure> {
    let environment = context.environment(&args.source)?;
    let mut all: Vec<Outdated> = Vec::new();
    for target in context.targets(&args.project, &args.target)? {
        let target = args.kernel.of(target);
        let found = wifibox_resolve::outdated(&context.catalog, &target, &environment.locking())?;
        let is_new = |found: &Outdated| all.iter().all(|known| known.lock != found.lock);
        let new: Vec<Outdated> = found.into_iter().filter(is_new).collect();
        all.extend(new);
    }
    for outdated in &all {
        context.printer.result(|| outdated, || render::outdated::text(outdated))?;
    }
    let newer: usize = all.iter().map(|outdated| outdated.packages.len()).sum();
    if args.exit_code && newer > 0 {
        let hint = "'wifibox-build lock --upgrade' takes what is offered";
        let failure = Failure::failed(format!("{newer} packages are not as they are offered now"));
        return Err(failure.with_hint(hint));
    }
    Ok(())
}
