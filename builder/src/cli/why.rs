//! `wifibox-build why PACKAGE`: the chain that pulled a package into a guest.

use clap::Args;

use super::args::{SelectArgs, SourceArgs};
use super::context::Context;
use super::failure::Failure;
use wifibox_recipe::Composed;
use wifibox_resolve::{ensure, why};

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
    let selection = context.selection(&args.select)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let environment = context.environment(&args.source)?;
    let locked = ensure(&context.catalog, &composed.recipe, &environment.locking())?;
    let chain = why(&composed.recipe, &locked, &args.package)?;
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "chain": chain }).to_string()
    } else {
        let line = |(depth, line): (usize, &String)| format!("{}{line}", "  ".repeat(depth));
        chain.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    };
    context.printer.result(&(text + "\n")).map_err(Failure::failed)
}
