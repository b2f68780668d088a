//! `wifibox-build export freebsd-port`: what the ports tree needs to build guests itself.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates as Candidates;

use crate::cli::answers;
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::options::{SourceArgs, TargetArgs};
use crate::cli::render::failure::Failure;
use wifibox_recipe::Selection;
use wifibox_report::export::{self, freebsd_port};
use wifibox_resolve::{Limits, variants};

/// `export freebsd-port`.
#[derive(Debug, Clone, Args)]
pub struct FreebsdPortArgs {
    /// The port's folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace files that are there, even if they were changed or are somebody else's
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    /// Only this flavor, or these (a,b) [default: all]
    #[arg(long, value_delimiter = ',', add = Candidates::new(candidates::flavors))]
    pub flavor: Vec<String>,
    /// Only this kernel, or these (a,b) [default: all of the base]
    #[arg(long, value_delimiter = ',', add = Candidates::new(candidates::kernels))]
    pub kernel: Vec<String>,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// The hypervisor of a FreeBSD host.
const HYPERVISOR: &str = "bhyve";

/// Writes the port's files.
///
/// # Errors
/// Those of resolving and of writing.
pub fn run(context: &Context, args: &FreebsdPortArgs) -> Result<(), Failure> {
    // Any flavor will do: what is asked for is all that the base has.
    let flavors = context.catalog.list().flavors;
    let first = args.flavor.first().or(flavors.first().map(|flavor| &flavor.name));
    let selection = context.as_locked(Selection {
        base: context.base(args.target.base.as_ref())?,
        release: args.target.release.clone(),
        architecture: args.target.arch.clone(),
        flavor: first.cloned().unwrap_or_default(),
        hypervisor: Some(HYPERVISOR.to_owned()),
        ..Selection::default()
    });
    let environment = context.environment(&args.source)?;
    let limits = Limits { flavors: args.flavor.clone(), kernels: args.kernel.clone() };
    let variants =
        variants(&context.sources, &context.catalog, &selection, &limits, &environment.locking())?;
    let files = freebsd_port::files(&variants).map_err(Failure::failed)?;
    let changed = export::write(&args.out, &files, args.force).map_err(Failure::failed)?;
    let bytes: u64 = variants.files.iter().map(|file| file.size).sum();
    let fields = || answers::Export::Port {
        out: &args.out,
        target: &variants.target,
        files: files.keys().map(String::as_str).collect(),
        changed: changed.iter().map(String::as_str).collect(),
        flavors: variants.axes.flavors.len(),
        guests: variants.variants.len(),
        distfiles: variants.files.len(),
        bytes,
    };
    context.printer.result(fields, || {
        let names: Vec<String> = files
            .keys()
            .map(|name| {
                let mark = if changed.contains(name) { "written" } else { "unchanged" };
                format!("  {name} ({mark})\n")
            })
            .collect();
        format!(
            "{}: {}, {} flavors, {} guests, {} distfiles, {bytes} bytes\n{}",
            args.out.display(),
            variants.target,
            variants.axes.flavors.len(),
            variants.variants.len(),
            variants.files.len(),
            names.concat()
        )
    })
}
