//! `cargo xtask dpkg-compare`: what maintainer scripts of Debian do, as the builder understands them, held against
//! dpkg itself.
//!
//! Each package is installed by dpkg into a root of its own (an overlay over `--root`, in namespaces
//! without a network: [`real`]), and unpacked and evaluated over the same root in memory ([`ours`]). Both
//! trees are compared ([`tree`]): files with contents, owners, modes, links, and the files of accounts. Packages
//! that the evaluator refuses are counted by reason; those whose script fails must fail with dpkg, too.
//! Needs root, for mounts and chroot. Dependencies are not installed: a script that needs one fails on both sides.

mod allowed;
mod contents;
mod ours;
mod real;
mod report;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use wifibox_script::Reason;

use allowed::Allowed;
use ours::Base;
use report::{Outcome, Report};
use tree::Tree;

type Failure = Box<dyn std::error::Error>;

/// Hold maintainer scripts, as the builder understands them, against dpkg.
#[derive(clap::Args)]
pub struct Arguments {
    /// A root of Debian, as debootstrap makes it.
    #[arg(long, value_name = "FOLDER")]
    root: PathBuf,
    /// Where to mount the packages' roots: made, and removed at the end.
    #[arg(long, value_name = "FOLDER")]
    work: PathBuf,
    /// Differences that are explained: lines `PACKAGE PATTERN`, with the reason as a comment before.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// Packages that run at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// The packages.
    #[arg(required = true, value_name = "DEB")]
    packages: Vec<PathBuf>,
}

/// Runs the chore.
///
/// # Errors
/// Something differs that is not allowed, or nothing can be mounted.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let allowed = arguments.allow.as_deref().map(Allowed::read).transpose()?.unwrap_or_default();
    let base = Base::read(&arguments.root)?;
    let mounted = real::Work::mount(&arguments.work, &arguments.root)?;
    let queue = Mutex::new(arguments.packages.iter());
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            let (queue, report, base, mounted) = (&queue, &report, &base, &mounted);
            let allowed = &allowed;
            scope.spawn(move || {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(package) = next else { break };
                    let (name, outcome) = compare(base, mounted, package, allowed);
                    if let Ok(mut report) = report.lock() {
                        report.add(&name, outcome);
                    }
                }
            });
        }
    });
    let report = report.into_inner().map_err(|_| "a comparison panicked")?;
    report.finish(&allowed)
}

/// Installs one package on both sides.
fn compare(
    base: &Base,
    mounted: &real::Work,
    package: &Path,
    allowed: &Allowed,
) -> (String, Outcome) {
    let opened = match ours::Package::open(package) {
        Ok(opened) => opened,
        Err(error) => return (package.display().to_string(), Outcome::Broken(error.to_string())),
    };
    let name = opened.name.clone();
    let evaluated = match ours::install(base, &opened) {
        Ok(evaluated) => evaluated,
        Err(error) => return (name, Outcome::Broken(error.to_string())),
    };
    let refused = match evaluated {
        Err(refused) if !matches!(refused.reason, Reason::Fails { .. }) => {
            return (name, Outcome::Refused(*refused));
        }
        evaluated => evaluated,
    };
    let outcome = match (real_tree(mounted, package), refused) {
        (Err(error), _) => Outcome::Broken(error.to_string()),
        (Ok(Err(_)), Err(_)) => Outcome::FailsAlike,
        (Ok(Err(said)), Ok(_)) => {
            let difference = format!("fails with dpkg only: {said}");
            match allowed.allows(&name, &difference) {
                true => Outcome::Explained,
                false => Outcome::Differs(vec![difference]),
            }
        }
        (Ok(Ok(_)), Err(refused)) => Outcome::OnlyOursFails(*refused),
        (Ok(Ok(real)), Ok(ours)) => {
            let differences = tree::differences(&real, &ours);
            let differences: Vec<String> =
                differences.into_iter().filter(|line| !allowed.allows(&name, line)).collect();
            match differences.is_empty() {
                true => Outcome::Same { changes: tree::differences(base.tree(), &ours).len() },
                false => Outcome::Differs(differences),
            }
        }
    };
    (name, outcome)
}

/// The root after dpkg, or what it said where it failed.
fn real_tree(mounted: &real::Work, package: &Path) -> Result<Result<Tree, String>, Failure> {
    let root = mounted.root()?;
    Ok(match root.install(package)? {
        None => Ok(Tree::of_folder(root.path())?),
        Some(said) => Err(said),
    })
}
