//! `wifibox-build outdated`: what the repositories have that a lock does not.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::options::{SourceArgs, TargetArgs};
use crate::cli::render;
use crate::cli::render::failure::Failure;
use wifibox_recipe::Selection;

/// Shown below the help.
pub const HELP: &str = "With --json each lock is one object; its schema is docs/schema/outdated.json. \
                        'wifibox-build lock --upgrade' takes what is offered.";

/// `outdated`.
#[derive(Debug, Clone, Args)]
pub struct OutdatedArgs {
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
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
    let target = Selection {
        base: context.base(args.target.base.as_ref())?,
        release: args.target.release.clone(),
        architecture: args.target.arch.clone(),
        ..Selection::default()
    };
    let environment = context.environment(&args.source)?;
    let all = wifibox_resolve::outdated(&context.catalog, &target, &environment.locking())?;
    for outdated in &all {
        let fields = || serde_json::to_value(outdated).unwrap_or_default();
        context.printer.result(fields, || render::outdated::text(outdated))?;
    }
    let newer: usize = all.iter().map(|outdated| outdated.packages.len()).sum();
    if args.exit_code && newer > 0 {
        let hint = "'wifibox-build lock --upgrade' takes what is offered";
        let failure = Failure::failed(format!("{newer} packages are not as they are offered now"));
        return Err(failure.with_hint(hint));
    }
    Ok(())
}
