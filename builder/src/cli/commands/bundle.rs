//! `wifibox-build bundle DIR`: everything that builds need of the network, in one folder.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::options::{SelectArgs, SourceArgs};
use crate::cli::render::failure::Failure;
use wifibox_recipe::Composed;

/// `bundle`.
#[derive(Debug, Clone, Args)]
pub struct BundleArgs {
    /// The folder to write; it serves for --mirror and for --distdir
    pub dir: PathBuf,
    #[command(flatten)]
    /// Which guest; its whole base comes along.
    pub select: SelectArgs,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// Writes the bundle and prints how to use it.
///
/// # Errors
/// Those of its stages.
pub fn run(context: &Context, args: &BundleArgs) -> Result<(), Failure> {
    let selection = context.one(&args.select)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let environment = context.environment(&args.source)?;
    let report = wifibox_pipeline::bundle(&composed, &args.dir, &environment)?;
    let fields = || answers::Bundle { bundle: &args.dir, content: &report };
    context.printer.result(fields, || {
        let bytes: u64 = report.files.iter().map(|file| file.size).sum();
        let dir = args.dir.display();
        let mirrors: Vec<String> =
            report.mirrors.iter().map(|name| format!("--mirror {name}={dir}")).collect();
        format!(
            "{dir}: {} files, {bytes} bytes, for {}\n\
             build from it without a network, on any machine, with {}\n",
            report.files.len(),
            report.targets.join(" and "),
            mirrors.join(" ")
        )
    })
}
