//! `wifibox-build verify DIR`: whether an output folder is what a build wrote.

use super::args::VerifyArgs;
use super::context::Context;
use super::failure::Failure;
use crate::report::verify::{Findings, verify};

/// Checks the folder and says what is wrong with it.
///
/// # Errors
/// The folder cannot be read, or something is wrong with it (exit code 4).
pub fn run(context: &Context, args: &VerifyArgs) -> Result<(), Failure> {
    let findings = verify(&args.folder).map_err(Failure::failed)?;
    let sound = findings.is_sound();
    let folder = args.folder.display();
    if context.printer.json {
        let value = serde_json::json!({ "format": 1, "sound": sound, "verify": findings });
        context.printer.result(&(value.to_string() + "\n")).map_err(Failure::failed)?;
    } else if sound {
        let Findings { build_id, files, nodes, .. } = &findings;
        let id = build_id.as_deref().unwrap_or("not known");
        let text = format!(
            "{folder}: sound: {files} files and {nodes} nodes of root.img are as listed\n  \
             build id {id}\n"
        );
        context.printer.result(&text).map_err(Failure::failed)?;
    }
    if sound {
        return Ok(());
    }
    let mut lines: Vec<String> =
        findings.problems.iter().map(|problem| format!("  {problem}")).collect();
    if findings.more > 0 {
        lines.push(format!("  and {} more", findings.more));
    }
    let count = findings.problems.len() as u64 + findings.more;
    let problems = if count == 1 { "1 problem" } else { &format!("{count} problems") };
    let message = format!("{folder} is not what a build wrote: {problems}\n{}", lines.join("\n"));
    Err(Failure::verification(message).with_hint(
        "build it again, or fetch it again from where it came: nothing in it can be trusted as it is",
    ))
}
