//! `wifibox-build why PACKAGE`: the chain that pulled a package into a guest.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::options::{SelectArgs, SourceArgs};
use crate::cli::render::failure::Failure;
use wifibox_recipe::Composed;
use wifibox_resolve::why;

/// `why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The package to explain
    pub package: String,
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
    context.printer.result(
        || serde_json::json!({ "chain": chain }),
        || chain.iter().enumerate().map(line).collect(),
    )
}
