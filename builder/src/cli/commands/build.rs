//! `wifibox-build [build]`: from recipes to output folders.

use std::path::{Path, PathBuf};

use crate::cli::answers;
use crate::cli::context::{Context, tool};
use crate::cli::meter::ProcessMeter;
use crate::cli::options::{BuildArgs, Timings};
use crate::cli::project::Wanted;
use crate::cli::render::build::{self as render, say_outcome, say_report};
use crate::cli::render::{failure::Failure, page};
use wifibox_pipeline::{Caches, Guest, Outcome, RequestOf, Step, all_flavors, build_many};
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
    let (guests, several) = asked(context, args)?;
    let outcomes = build_many(
        &context.sources,
        &context.catalog,
        guests,
        &environment,
        &mut |step| match step {
            Step::Begun(name, recipe) => context.printer.status("Building", &what(name, recipe)),
            Step::Ended(_, Outcome::Built(report)) => say_report(&context.printer, report),
            Step::Ended(name, outcome) if several => {
                say_outcome(&context.printer, name, outcome);
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
            let fields = || answers::Build::Build(&report);
            context.printer.result(fields, || render::one(&report))
        }
        Some((_, Outcome::Failed(error))) => Err(error.into()),
        Some((name, Outcome::LeftOut(why))) => Err(Failure::usage(format!("{name}: {why}"))),
        None => Err(Failure::usage("--flavor is missing")),
    }
}

/// The page with the timings of an output: `out/x.timings.html`; within the folder it would be no part of the output.
fn beside(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".timings.html");
    out.with_file_name(name)
}

/// The guests that are asked for, and what is asked of each; whether there may be several.
fn asked(context: &Context, args: &BuildArgs) -> Result<(Vec<(Guest, RequestOf)>, bool), Failure> {
    let firmware_archive = args.output.firmware_archive.is_some();
    if args.select.all_flavors {
        let (composition, guest) = context.of_all_flavors(&args.select)?;
        let own = guest.map(|guest| guest.values(|plan| &plan.accept_licence));
        let accepted = [&args.output.accept_licence[..], &own.unwrap_or_default()].concat();
        let composition = Selection {
            firmware_archive: firmware_archive || composition.firmware_archive,
            ..composition
        };
        let brings = !args.output.firmware_add.is_empty()
            || guest.is_some_and(|guest| !guest.firmware().is_empty());
        let all = all_flavors(&context.catalog, &composition, &accepted, brings)?;
        let with_requests = all.into_iter().map(|Guest { name: flavor, wanted }| {
            let asked = Wanted::of_flavor(&flavor, &composition, guest, true);
            let request = context.request(&args.output, &asked, true)?;
            Ok((Guest { name: asked.name, wanted }, request))
        });
        return Ok((with_requests.collect::<Result<_, Failure>>()?, true));
    }
    let all = context.wanted(&args.select)?;
    let several = all.len() > 1;
    let with_requests = all.into_iter().map(|mut asked| {
        asked.selection.firmware_archive |= firmware_archive;
        let request = context.request(&args.output, &asked, several)?;
        Ok((Guest { name: asked.name, wanted: Ok(asked.selection) }, request))
    });
    Ok((with_requests.collect::<Result<_, Failure>>()?, several))
}

/// The guest in words, with its name if that is not its flavor's.
fn what(name: &str, recipe: &Recipe) -> String {
    let (flavor, role, base) = (&recipe.flavor.value, &recipe.role.value, &recipe.base.value);
    let name = if name == flavor { String::new() } else { format!("{name}: ") };
    format!("{name}{flavor} as {role} on {base}")
}
