//! `wifibox-build fetch`: fills the store with what a build needs.

use super::args::BuildArgs;
use super::context::Context;
use super::failure::Failure;
use crate::pipeline::{self, Composed, FetchReport};

/// Fetches, and prints how much there is.
///
/// # Errors
/// Whatever the fetching meets.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let selection = context.selection(&args.select)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let environment = context.environment(&args.source)?;
    let FetchReport { files, bytes, locks } = pipeline::fetch(&composed, &environment)?;
    super::lock::print_changes(context, &locks);
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "files": files, "bytes": bytes }).to_string()
    } else {
        format!("{files} packages, {bytes} bytes, are in the store")
    };
    context.printer.result(&(text + "\n")).map_err(Failure::failed)
}
