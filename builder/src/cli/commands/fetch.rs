//! `wifibox-build fetch`: fills the store with what builds need.

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::options::BuildArgs;
use crate::cli::render::failure::Failure;
use crate::cli::render::locks::say_changes;
use wifibox_pipeline::{Guest, all_flavors, fetch_many};

/// Fetches, and prints how much there is.
///
/// # Errors
/// Those of fetching.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let environment = context.environment(&args.source)?;
    let guests = if args.select.all_flavors {
        let (composition, _) = context.of_all_flavors(&args.select)?;
        all_flavors(&context.catalog, &composition, &args.output.accept_licence, true)?
    } else {
        let wanted = context.wanted(&args.select)?;
        wanted.into_iter().map(|wanted| Guest::of(wanted.selection)).collect()
    };
    let report = fetch_many(&context.sources, &context.catalog, guests, &environment)?;
    say_changes(&context.printer, &report.locks);
    let files = report.packages.len();
    let bytes: u64 = report.packages.iter().map(|(_, size)| size).sum();
    context.printer.result(
        || answers::Fetch { files, bytes },
        || format!("{files} packages, {bytes} bytes, are in the store\n"),
    )
}
