//! `wifibox-build lock`: makes, upgrades or checks the lock file of a base, release and architecture.

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::options::{OtherKernelArgs, ProjectArgs, SourceArgs, TargetArgs};
use crate::cli::render::failure::Failure;
use wifibox_pipeline::Environment;
use wifibox_recipe::Selection;
use wifibox_resolve::{Error, LockMode, Locked, make_lock};

/// `lock`.
#[derive(Debug, Clone, Args)]
pub struct LockArgs {
    #[command(flatten)]
    /// For the guests of which project.
    pub project: ProjectArgs,
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    #[command(flatten)]
    /// With which kernel.
    pub kernel: OtherKernelArgs,
    /// Take the newest packages the repositories offer
    #[arg(long, conflicts_with = "check")]
    pub upgrade: bool,
    /// With --upgrade: only say what would change
    #[arg(long, requires = "upgrade")]
    pub dry_run: bool,
    /// Pin files of sets that have no signature, as they are served now, and print each pin: compare them with
    /// what somebody else has
    #[arg(long, conflicts_with = "check")]
    pub trust_new_pins: bool,
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
    let mut environment = context.environment(&args.source)?;
    if args.check {
        environment.lock.mode = LockMode::Locked;
    } else if args.dry_run {
        environment.lock.mode = LockMode::Look;
    }
    environment.lock.new_pins = args.trust_new_pins;
    let mut locks: Vec<Locked> = Vec::new();
    for target in context.targets(&args.project, &args.target)? {
        let made = one(context, &args.kernel.of(target), args, &environment)?;
        // Kernels of another base are in the lock of that base, which another target may be for, too.
        let is_new = |made: &Locked| locks.iter().all(|known| known.path != made.path);
        let new: Vec<Locked> = made.into_iter().filter(is_new).collect();
        locks.extend(new);
    }
    for Locked { path, change, lock, .. } in &locks {
        let fields = || answers::Lock {
            lock: path,
            release: lock.point(),
            added: &change.added,
            removed: &change.removed,
            changed: &change.changed,
            pinned: &change.pinned,
        };
        context.printer.result(fields, || {
            if change.is_empty() {
                return format!("{} is up to date\n", path.display());
            }
            change.lines().iter().map(|line| format!("{}\n", line.trim_start())).collect()
        })?;
    }
    Ok(())
}

/// The locks of one base, release and architecture.
fn one(
    context: &Context,
    target: &Selection,
    args: &LockArgs,
    environment: &Environment<'_>,
) -> Result<Vec<Locked>, Failure> {
    let locks = make_lock(&context.catalog, target, args.upgrade, &environment.locking());
    locks.map_err(|error| match error {
        error @ (Error::NoLock { .. } | Error::LockOutdated { .. }) if args.check => {
            let hints = vec!["'wifibox-build lock' writes it".to_owned()];
            Failure { hints, ..error.into() }
        }
        error => error.into(),
    })
}
