//! `wifibox-build fetch`: fills the store with what a build needs.

use std::collections::BTreeSet;

use super::args::BuildArgs;
use super::context::Context;
use super::failure::Failure;
use wifibox_recipe::Composed;
use wifibox_recipe::Selection;

/// Fetches, and prints how much there is.
///
/// # Errors
/// Whatever the fetching meets.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let environment = context.environment(&args.source)?;
    let selections = if args.select.all_flavors {
        let composition = context.composition(&args.select)?;
        let accepted = &args.output.accept_licence;
        let guests = wifibox_pipeline::all_flavors(&context.catalog, &composition, accepted, true)?;
        guests.into_iter().filter_map(|guest| guest.wanted.ok()).collect()
    } else {
        let composition = context.composition(&args.select)?;
        let of = |flavor: &String| Selection { flavor: flavor.clone(), ..composition.clone() };
        args.select.flavor.iter().map(of).collect::<Vec<Selection>>()
    };
    let (mut files, mut bytes) = (0, 0);
    let mut known = BTreeSet::new();
    for selection in selections {
        let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
        let report = wifibox_pipeline::fetch(&composed, &environment)?;
        super::lock::print_changes(context, &report.locks);
        for (sha256, size) in report.packages {
            if known.insert(sha256) {
                (files, bytes) = (files + 1, bytes + size);
            }
        }
    }
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "files": files, "bytes": bytes }).to_string()
    } else {
        format!("{files} packages, {bytes} bytes, are in the store")
    };
    context.printer.result(&(text + "\n")).map_err(Failure::failed)
}
