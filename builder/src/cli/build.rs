//! `wifibox-build [build]`: from a recipe to an output folder.

use super::args::BuildArgs;
use super::context::{Context, tool};
use super::failure::Failure;
use super::meter::{self, ProcessMeter};
use wifibox_ground::progress::Progress as _;
use wifibox_pipeline::{BuildReport, Caches, Wishes};
use wifibox_recipe::Composed;

/// Builds a guest and prints where it is and how large its parts are; or several.
///
/// # Errors
/// Whatever the build meets.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let mut environment = context.environment(&args.source)?;
    if args.output.no_cache {
        environment.caches = Caches::none(tool(), &context.printer);
    }
    let meter = ProcessMeter::start();
    environment.meter = args.output.timings.then_some(&meter);
    if args.select.all_flavors || args.select.flavor.len() > 1 {
        let composition = context.composition(&args.select)?;
        return super::many::run(context, args, &composition, &environment);
    }
    let selection = context.selection(&args.select)?;
    let mut composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let wishes = wishes(context, args, &mut composed);
    let report = wifibox_pipeline::build(&composed, &wishes, &environment)?;
    environment.caches.tidy();
    report_one(context, &report);
    if context.printer.json {
        let text = serde_json::json!({ "format": 1, "build": report }).to_string();
        return context.printer.result(&(text + "\n")).map_err(Failure::failed);
    }
    context.printer.result(&text(&report)).map_err(Failure::failed)
}

/// What the arguments ask for beside the composition, which they may change; says what is built.
pub(super) fn wishes(context: &Context, args: &BuildArgs, composed: &mut Composed<'_>) -> Wishes {
    if args.output.firmware_archive.is_some() {
        composed.recipe.firmware_packages.clear();
    }
    let recipe = &composed.recipe;
    context.printer.status(
        "Building",
        &format!("{} as {} on {}", recipe.flavor.value, recipe.role.value, recipe.base.value),
    );
    let out = args.output.out.clone();
    Wishes {
        out: out.unwrap_or_else(|| wifibox_pipeline::default_out(recipe)),
        firmware_files: args.output.firmware_file.clone(),
        firmware_adds: args.output.firmware_add.clone(),
        firmware_archive: args.output.firmware_archive.clone(),
        accepted_licences: args.output.accept_licence.clone(),
        device: args.output.device,
        block_size: args.output.block_size.saturating_mul(1024),
        force: args.output.force,
    }
}

/// What is said about a guest that is there, besides the result.
pub(super) fn report_one(context: &Context, report: &BuildReport) {
    super::lock::print_changes(context, &report.locks);
    if report.up_to_date {
        context.printer.status(
            "Fresh",
            &format!("{} is up to date; --force builds it again", report.out.display()),
        );
    }
    if !context.printer.json {
        for missing in &report.missing_firmware {
            context.printer.note(&format!("no package has firmware {missing}"));
        }
    }
}

/// The report for people.
fn text(report: &BuildReport) -> String {
    let mut text = format!(
        "{}: kernel {}, {} packages, {} modules\n",
        report.out.display(),
        report.kernel,
        report.packages,
        report.modules
    );
    let count = report.firmware;
    text += &format!(
        "firmware names: {} asked for, {} kept, {} replaced by an older version, {} not needed beside a \
         newer one, {} left out, {} missing\n",
        count.total(),
        count.kept,
        count.replaced,
        count.superseded,
        count.dropped,
        count.missing
    );
    text += &format!("  {:<12} {:>6} {:>12}\n", "part", "files", "bytes");
    for (part, size) in &report.sizes.0 {
        text += &format!("  {part:<12} {:>6} {:>12}\n", size.files, size.bytes);
    }
    let total = report.sizes.total();
    text += &format!("  {:<12} {:>6} {:>12}\n", "all", total.files, total.bytes);
    for name in ["root.img", "esp.img", "vmlinuz", "initramfs.img"] {
        if let Some(file) = report.outputs.iter().find(|file| file.path == name) {
            text += &format!("  {name:<19} {:>12}\n", file.size);
        }
    }
    if !report.timings.is_empty() {
        text += &meter::table(&report.timings);
    }
    text
}
