//! `wifibox-build why PACKAGE`: the chain that pulled a package into a guest.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::options::{SelectArgs, SourceArgs};
use crate::cli::render::{failure::Failure, page};
use wifibox_recipe::Composed;
use wifibox_report::html;
use wifibox_resolve::why;

/// `why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The package to explain
    pub package: String,
    /// Write the chain as a picture (SVG)
    #[arg(long, value_name = "FILE")]
    pub graph: Option<PathBuf>,
    #[command(flatten)]
    /// Which guest.
    pub select: SelectArgs,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// Prints the chain, from the recipe to the package.
///
/// # Errors
/// The package is not in this guest.
pub fn run(context: &Context, args: &WhyArgs) -> Result<(), Failure> {
    let selection = context.one(&args.select)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let environment = context.environment(&args.source)?;
    let chain = why(&composed, &args.package, &environment.locking())?;
    let line = |(depth, line): (usize, &String)| format!("{}{line}\n", "  ".repeat(depth));
    if let Some(path) = &args.graph {
        page::write(path, &html::why(&chain))?;
    }
    context.printer.result(
        || answers::Why { chain: &chain, graph: args.graph.as_deref() },
        || chain.iter().enumerate().map(line).collect(),
    )
}
