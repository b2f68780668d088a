//! `wifibox-build [build]`: from recipes to output folders.

use std::path::{Path, PathBuf};

use crate::cli::context::{Context, tool};
use crate::cli::meter::ProcessMeter;
use crate::cli::options::{BuildArgs, Timings};
use crate::cli::render::build::{self as render, say_outcome, say_report};
use crate::cli::render::{failure::Failure, page};
use wifibox_pipeline::{BuildRequest, Caches, Guest, Outcome, Step, build_many, default_out};
use wifibox_recipe::{Recipe, Selection};
use wifibox_report::html;

/// Builds one guest and prints where it is and how large its parts are; or several, and prints a line for each.
///
/// # Errors
/// Those of the build; of several guests, those that were built stay.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let mut environment = context.environment(&args.source)?;
    if args.output.no_cache {
        environment.caches = Caches::none(tool(), &context.printer);
    }
    let meter = ProcessMeter::start();
    environment.meter = args.output.timings.is_some().then_some(&meter);
    let several = args.select.all_flavors || args.select.flavor.len() > 1;
    let guests = guests(context, args)?;
    let outcomes = build_many(
        &context.sources,
        &context.catalog,
        guests,
        &|recipe| request(args, recipe, several),
        &environment,
        &mut |step| match step {
            Step::Begun(recipe) => context.printer.status("Building", &what(recipe)),
            Step::Ended(_, Outcome::Built(report)) => say_report(&context.printer, report),
            Step::Ended(flavor, outcome) if several => {
                say_outcome(&context.printer, flavor, outcome);
            }
            Step::Ended(..) => {}
        },
    );
    if args.output.timings == Some(Timings::Html) {
        for (_, outcome) in &outcomes {
            if let Outcome::Built(report) = outcome {
                let path = beside(&report.out);
                let what = report.out.file_name().unwrap_or_default().to_string_lossy();
                page::write(&path, &html::timings(&what, &report.timings))?;
                context.printer.status("Timings", &path.display().to_string());
            }
        }
    }
    if several {
        return render::many(&context.printer, outcomes);
    }
    match outcomes.into_iter().next() {
        Some((_, Outcome::Built(report))) => {
            let fields = || serde_json::json!({ "build": report });
            context.printer.result(fields, || render::one(&report))
        }
        Some((_, Outcome::Failed(error))) => Err(error.into()),
        Some((flavor, Outcome::LeftOut(why))) => Err(Failure::usage(format!("{flavor}: {why}"))),
        None => Err(Failure::usage("--flavor is missing")),
    }
}

/// The page with the timings of an output: `out/x.timings.html`; within the folder it would be no part of the output.
fn beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".timings.html");
    out.with_file_name(name)
}

/// The guests that are asked for.
fn guests(context: &Context, args: &BuildArgs) -> Result<Vec<Guest>, Failure> {
    let composition = context.composition(&args.select)?;
    let firmware_archive = args.output.firmware_archive.is_some();
    let composition = Selection { firmware_archive, ..composition };
    if args.select.all_flavors {
        let accepted = &args.output.accept_licence;
        let brings = !args.output.firmware_add.is_empty();
        let all = wifibox_pipeline::all_flavors(&context.catalog, &composition, accepted, brings);
        return Ok(all?);
    }
    let of = |flavor: &String| Selection { flavor: flavor.clone(), ..composition.clone() };
    Ok(args.select.flavor.iter().map(|flavor| Guest::of(of(flavor))).collect())
}

/// The arguments besides the composition. Several outputs go into one folder.
fn request(args: &BuildArgs, recipe: &Recipe, several: bool) -> BuildRequest {
    let out = match &args.output.out {
        Some(out) if several => out.join(&recipe.flavor.value),
        Some(out) => out.clone(),
        None => default_out(recipe),
    };
    BuildRequest {
        out,
        firmware_files: args.output.firmware_file.clone(),
        firmware_adds: args.output.firmware_add.clone(),
        firmware_archive: args.output.firmware_archive.clone(),
        accepted_licences: args.output.accept_licence.clone(),
        device: args.output.device,
        block_size: args.output.block_size.saturating_mul(1024),
        force: args.output.force,
    }
}

fn what(recipe: &Recipe) -> String {
    format!("{} as {} on {}", recipe.flavor.value, recipe.role.value, recipe.base.value)
}
