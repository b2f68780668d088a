//! `wifibox-build lock`: makes, upgrades or checks the lock file of a base, release and architecture.

use clap::Args;

use super::args::{SourceArgs, TargetArgs};
use super::context::Context;
use super::failure::Failure;
use wifibox_recipe::Selection;
use wifibox_resolve::{LockMode, Locked, ensure, upgrade_lock};

/// `lock`.
#[derive(Debug, Clone, Args)]
pub struct LockArgs {
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    /// Take the newest packages the repositories offer
    #[arg(long, conflicts_with = "check")]
    pub upgrade: bool,
    /// Only say (exit code 3) whether the lock covers the recipes
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// Does that.
///
/// # Errors
/// The lock is out of date (with `--check`), or whatever making one meets.
pub fn run(context: &Context, args: &LockArgs) -> Result<(), Failure> {
    let base = context.base(args.target.base.as_ref())?;
    // Any composition will do: all of them go into the lock.
    let flavor = context.catalog.list().flavors.first().map(|flavor| flavor.name.clone());
    let selection = Selection {
        base,
        release: args.target.release.clone(),
        architecture: args.target.arch.clone(),
        flavor: flavor.unwrap_or_default(),
        ..Selection::default()
    };
    let recipe = context.catalog.compose(&selection).map_err(wifibox_pipeline::Error::from)?;
    let mut environment = context.environment(&args.source)?;
    if args.check {
        environment.lock.mode = LockMode::Locked;
    }
    let locks = if args.upgrade {
        upgrade_lock(&context.catalog, &recipe, &environment.locking())?
    } else {
        ensure(&context.catalog, &recipe, &environment.locking())?
    };
    for Locked { path, change, .. } in &locks {
        let text = if context.printer.json {
            let value = serde_json::json!({
                "format": 1, "lock": path, "added": change.added, "removed": change.removed,
                "changed": change.changed,
            });
            format!("{value}\n")
        } else if change.is_empty() {
            format!("{} is up to date\n", path.display())
        } else {
            change.lines().iter().map(|line| format!("{}\n", line.trim_start())).collect()
        };
        context.printer.result(&text).map_err(Failure::failed)?;
    }
    Ok(())
}

/// Tells which locks a build changed.
pub fn print_changes(context: &Context, locks: &[Locked]) {
    for Locked { path, change, lock, .. } in locks {
        if change.is_empty() {
            continue;
        }
        let count = |list: &[String], what: &str| match list.len() {
            0 => None,
            number => Some(format!("{number} {what}")),
        };
        let counts = [
            count(&change.added, "added"),
            count(&change.removed, "removed"),
            count(&change.changed, "changed"),
        ];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        context.printer.status("Locked", &format!("{}: {}", path.display(), counts.join(", ")));
        if !lock.missing.is_empty() {
            context.printer.status(
                "Missing",
                &format!("{}: no build that needs them is locked", lock.missing.join(", ")),
            );
        }
    }
}
