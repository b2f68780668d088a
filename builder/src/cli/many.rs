//! `wifibox-build --all-flavors`, and several `--flavor`: what became of each guest.

use std::path::Path;

use super::args::BuildArgs;
use super::build::{report_one, wishes};
use super::context::Context;
use super::failure::Failure;
use super::meter;
use wifibox_pipeline::{Environment, Guest, Outcome, Wishes};
use wifibox_recipe::Selection;

/// Builds all that is asked for and prints a line for each; fails if one of them failed.
///
/// # Errors
/// Some guest could not be built; the others are there.
pub fn run(
    context: &Context,
    args: &BuildArgs,
    selection: &Selection,
    environment: &Environment<'_>,
) -> Result<(), Failure> {
    let guests = if args.select.all_flavors {
        let accepted = &args.output.accept_licence;
        let brings = !args.output.firmware_add.is_empty();
        wifibox_pipeline::all_flavors(&context.catalog, selection, accepted, brings)?
    } else {
        let of = |flavor: &String| Selection { flavor: flavor.clone(), ..selection.clone() };
        let guest = |flavor: &String| Guest { flavor: flavor.clone(), wanted: Ok(of(flavor)) };
        args.select.flavor.iter().map(guest).collect()
    };
    let total = guests.len();
    let mut codes = Vec::new();
    let outcomes = wifibox_pipeline::build_many(
        &context.sources,
        &context.catalog,
        guests,
        &mut |composed| {
            let asked = wishes(context, args, composed);
            let out = args.output.out.as_deref();
            let out = out.map_or(asked.out, |out| out.join(&composed.recipe.flavor.value));
            Wishes { out, ..asked }
        },
        environment,
        &mut |flavor, outcome| match outcome {
            Outcome::Built(report) => report_one(context, report),
            Outcome::LeftOut(why) => {
                context.printer.status("Left out", &format!("{flavor}: {why}"))
            }
            Outcome::Failed(_) => context.printer.status("Failed", flavor),
        },
    );
    environment.caches.tidy();
    let mut rows = Vec::new();
    let mut values = Vec::new();
    let mut failed = Vec::new();
    for (flavor, outcome) in outcomes {
        match outcome {
            Outcome::Built(report) => {
                rows.push(row(&flavor, &report));
                values.push(serde_json::json!({ "flavor": flavor, "build": report }));
            }
            Outcome::LeftOut(why) => {
                rows.push(format!("{flavor:<12} left out: {why}\n"));
                values.push(serde_json::json!({ "flavor": flavor, "left_out": why }));
            }
            Outcome::Failed(error) => {
                let failure = Failure::from(error);
                values.push(
                    serde_json::json!({ "flavor": flavor, "error": failure.error.to_string() }),
                );
                rows.push(format!("{flavor:<12} failed\n"));
                context.printer.error(&*failure.error, &failure.hints);
                codes.push(failure.code);
                failed.push(flavor);
            }
        }
    }
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "builds": values }).to_string() + "\n"
    } else {
        rows.concat()
    };
    context.printer.result(&text).map_err(Failure::failed)?;
    if failed.is_empty() {
        return Ok(());
    }
    let message = format!("{} of {total} guests failed: {}", failed.len(), failed.join(", "));
    // One code for all of them, where they have one.
    let code = codes.first().copied().filter(|first| codes.iter().all(|code| code == first));
    Err(Failure { code: code.unwrap_or(1), ..Failure::failed(message) })
}

/// The line of one guest, with its stages where they were measured.
fn row(flavor: &str, report: &wifibox_pipeline::BuildReport) -> String {
    let size = |name: &str| report.outputs.iter().find(|file| file.path == name);
    let image = size("root.img").map_or(0, |file| file.size);
    let state = if report.up_to_date { "up to date" } else { "built" };
    let out: &Path = &report.out;
    let mut text = format!(
        "{flavor:<12} {state:<10} {:>4} packages {:>4} modules  root.img {image:>11}  {}\n",
        report.packages,
        report.modules,
        out.display()
    );
    if !report.timings.is_empty() {
        text += &meter::table(&report.timings);
    }
    text
}
