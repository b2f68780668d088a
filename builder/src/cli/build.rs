//! `wifibox-build [build]`: from a recipe to an output folder.

use super::args::BuildArgs;
use super::context::Context;
use super::failure::Failure;
use super::meter::{self, ProcessMeter};
use crate::pipeline::{self, BuildReport, Composed, Wishes};
use crate::progress::Progress as _;

/// Builds a guest and prints where it is and how large its parts are.
///
/// # Errors
/// Whatever the build meets.
pub fn run(context: &Context, args: &BuildArgs) -> Result<(), Failure> {
    let selection = context.selection(&args.select)?;
    let mut composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    if args.output.firmware_archive.is_some() {
        composed.recipe.firmware_packages.clear();
    }
    let mut environment = context.environment(&args.source)?;
    let meter = ProcessMeter::start();
    environment.meter = args.output.timings.then_some(&meter);
    let out = args.output.out.clone();
    let block_size = args.output.block_size.saturating_mul(1024);
    let wishes = Wishes {
        out: out.unwrap_or_else(|| pipeline::default_out(&composed.recipe)),
        firmware_files: args.output.firmware_file.clone(),
        firmware_adds: args.output.firmware_add.clone(),
        firmware_archive: args.output.firmware_archive.clone(),
        accepted_licences: args.output.accept_licence.clone(),
        device: args.output.device,
        block_size,
    };
    let recipe = &composed.recipe;
    context.printer.status(
        "Building",
        &format!("{} as {} on {}", recipe.flavor.value, recipe.role.value, recipe.base.value),
    );
    let report = pipeline::build(&composed, &wishes, &environment)?;
    super::lock::print_changes(context, &report.locks);
    if context.printer.json {
        let text = serde_json::json!({ "format": 1, "build": report }).to_string();
        return context.printer.result(&(text + "\n")).map_err(Failure::failed);
    }
    for missing in &report.missing_firmware {
        context.printer.note(&format!("no package has firmware {missing}"));
    }
    context.printer.result(&text(&report)).map_err(Failure::failed)
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
