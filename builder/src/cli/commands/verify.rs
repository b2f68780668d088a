//! `wifibox-build verify DIR`: whether an output folder or a release is what was built, and by whom.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use crate::cli::render::verify::text;
use crate::cli::trust::public_key;
use wifibox_report::findings::Options;
use wifibox_report::verify::verify;

/// `verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The output folder, or a release
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The key of minisign that must have signed it: the 56 characters, or the file minisign.pub
    #[arg(long, value_name = "FILE|KEY")]
    pub public_key: Option<String>,
    /// Check what there is of a release of which only a part was fetched
    #[arg(long)]
    pub ignore_missing: bool,
}

/// Checks the folder and says what is wrong with it.
///
/// # Errors
/// The folder cannot be read, or something is wrong with it (exit code 4).
pub fn run(context: &Context, args: &VerifyArgs) -> Result<(), Failure> {
    let key = args.public_key.as_deref().map(public_key).transpose()?;
    let options = Options { public_key: key.as_ref(), ignore_missing: args.ignore_missing };
    let findings = verify(&args.folder, &options).map_err(Failure::failed)?;
    let sound = findings.is_sound();
    context.printer.result(
        || answers::Verify { sound, verify: &findings },
        || if sound { text(&args.folder, &findings) } else { String::new() },
    )?;
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
    let folder = args.folder.display();
    let message = format!("{folder} is not what a build wrote: {problems}\n{}", lines.join("\n"));
    Err(Failure::verification(message).with_hint(
        "build it again, or fetch it again from where it came: nothing in it can be trusted as it is",
    ))
}
