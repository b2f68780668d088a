//! `wifibox-build verify DIR`: whether an output folder or a release is what was built, and by whom.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_report::findings::{Findings, Options, Signed};
use wifibox_report::signature::{PublicKey, SIZE_LIMIT};
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

/// The key that was given: a file of that name, or its characters.
fn public_key(given: &str) -> Result<PublicKey, Failure> {
    let path = Path::new(given);
    if !path.is_file() {
        return PublicKey::parse(given).map_err(|error| {
            Failure::usage(format!("--public-key {given}: there is no such file, and {error}"))
        });
    }
    let size = path.metadata().map_or(0, |data| data.len());
    let text = match std::fs::read_to_string(path) {
        Ok(text) if size <= SIZE_LIMIT => text,
        Ok(_) => String::new(),
        Err(error) => return Err(Failure::usage(format!("cannot read {given}: {error}"))),
    };
    PublicKey::parse(&text)
        .map_err(|error| Failure::usage(format!("--public-key {given}: {error}")))
}

/// A sound folder, described for people.
fn text(folder: &Path, findings: &Findings) -> String {
    let Findings { build_id, files, nodes, missing, .. } = findings;
    let folder = folder.display();
    let mut text = match &findings.release {
        None => {
            let id = build_id.as_deref().unwrap_or("not known");
            format!(
                "{folder}: sound: {files} files and {nodes} nodes of root.img are as listed\n  \
                 build id {id}\n"
            )
        }
        Some(release) => {
            let mut text = format!(
                "{folder}: sound: release {}: {files} files and {nodes} nodes of root.img are as \
                 listed\n",
                release.version
            );
            for (name, id) in &release.guests {
                text += &format!("  {name}: build id {id}\n");
            }
            text
        }
    };
    if *missing > 0 {
        text += &format!("  {missing} more files are not here and were not checked\n");
    }
    text += &match &findings.signature {
        Signed::Good { comment } => format!("  signed with the given key: {comment}\n"),
        Signed::Unchecked => "  signature not checked: name the key with --public-key\n".to_owned(),
        Signed::No | Signed::Bad => "  not signed: nothing says who made it\n".to_owned(),
    };
    text
}
