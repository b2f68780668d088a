//! What became of builds.

use std::path::Path;

use crate::cli::answers::{self, OneOfSeveral};

use super::failure::Failure;
use super::locks::say_changes;
use super::printer::Printer;
use super::timings;
use wifibox_ground::progress::Progress as _;
use wifibox_pipeline::{BuildReport, Outcome};

/// Remarks on a guest that was built, besides the result.
pub(crate) fn say_report(printer: &Printer, report: &BuildReport) {
    say_changes(printer, &report.locks);
    if report.up_to_date {
        let out = report.out.display();
        printer.status("Fresh", &format!("{out} is up to date; --force builds it again"));
    }
    for missing in &report.missing_firmware {
        printer.note(&format!("no package has firmware {missing}"));
    }
}

/// Remarks on one of several guests that was not built.
pub(crate) fn say_outcome(printer: &Printer, flavor: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Built(_) => {}
        Outcome::LeftOut(why) => printer.status("Left out", &format!("{flavor}: {why}")),
        Outcome::Failed(_) => printer.status("Failed", flavor),
    }
}

/// One guest for people.
pub fn one(report: &BuildReport) -> String {
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
        text += &timings::table(&report.timings);
    }
    text
}

/// Prints what became of several guests.
///
/// # Errors
/// Some of them could not be built.
pub fn many(printer: &Printer, outcomes: Vec<(String, Outcome)>) -> Result<(), Failure> {
    let total = outcomes.len();
    let (mut rows, mut values) = (String::new(), Vec::new());
    let (mut failed, mut kinds) = (Vec::new(), Vec::new());
    for (flavor, outcome) in outcomes {
        match outcome {
            Outcome::Built(report) => {
                rows += &row(&flavor, &report);
                let build = Some(report);
                values.push(OneOfSeveral { flavor, build, ..OneOfSeveral::default() });
            }
            Outcome::LeftOut(why) => {
                rows += &format!("{flavor:<12} left out: {why}\n");
                let left_out = Some(why);
                values.push(OneOfSeveral { flavor, left_out, ..OneOfSeveral::default() });
            }
            Outcome::Failed(error) => {
                let failure = Failure::from(error);
                rows += &format!("{flavor:<12} failed\n");
                printer.failure(&failure);
                kinds.push(failure.kind);
                failed.push(flavor.clone());
                let error = Some(failure.message());
                values.push(OneOfSeveral { flavor, error, ..OneOfSeveral::default() });
            }
        }
    }
    printer.result(|| answers::Build::Builds(values), || rows)?;
    let Some(first) = kinds.first().copied() else { return Ok(()) };
    let message = format!("{} of {total} guests failed: {}", failed.len(), failed.join(", "));
    let failure = Failure::failed(message);
    // One exit code for all of them, where they have one.
    let kind = if kinds.iter().all(|kind| *kind == first) { first } else { failure.kind };
    Err(Failure { kind, ..failure })
}

/// The line of one guest, with its stages where they were measured.
fn row(flavor: &str, report: &BuildReport) -> String {
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
        text += &timings::table(&report.timings);
    }
    text
}
