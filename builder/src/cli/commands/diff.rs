//! `wifibox-build diff A B`: how two outputs differ.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::{self, failure::Failure, page};
use wifibox_ground::progress::Progress as _;
use wifibox_report::actual::Actual;
use wifibox_report::diff::Difference;
use wifibox_report::findings::Findings;
use wifibox_report::html;

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The first output folder
    #[arg(value_name = "A")]
    pub old: PathBuf,
    /// The second output folder
    #[arg(value_name = "B")]
    pub new: PathBuf,
    /// Exit with 1 if they differ, as git diff does
    #[arg(long)]
    pub exit_code: bool,
    /// List every file of root.img that differs
    #[arg(long)]
    pub files: bool,
    /// Write the differences as a page for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Prints the differences; with `--exit-code` the exit code says whether there are any.
///
/// # Errors
/// An output cannot be read; or they differ, and `--exit-code` was given.
pub fn run(context: &Context, args: &DiffArgs) -> Result<(), Failure> {
    let read = |folder: &Path| {
        let actual = Actual::load(folder).map_err(Failure::failed)?;
        tell(context, folder, &actual.findings);
        Ok::<_, Failure>(actual)
    };
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let difference = Difference::between(&old, &new);
    let same = difference.is_empty();
    let sound = [old.findings.is_sound(), new.findings.is_sound()];
    if let Some(path) = &args.html {
        let name = |path: &PathBuf| path.display().to_string();
        page::write(path, &html::diff(&name(&args.old), &name(&args.new), &difference))?;
    }
    context.printer.result(
        || answers::Diff { same, sound, diff: &difference, page: args.html.as_deref() },
        || match &args.html {
            Some(path) => format!("{}\n", path.display()),
            None => render::diff::text(&difference, args.files),
        },
    )?;
    if same || !args.exit_code { Ok(()) } else { Err(Failure::silent()) }
}

/// Says where an output is not what its own manifest says.
fn tell(context: &Context, folder: &Path, findings: &Findings) {
    let Some(first) = findings.problems.first() else { return };
    let more = match findings.problems.len() as u64 + findings.more - 1 {
        0 => String::new(),
        more => format!("; and {more} more, which 'wifibox-build verify' tells"),
    };
    let folder = folder.display();
    context.printer.warn(&format!(
        "{folder} is not what its manifest says ({first}{more}): its files are compared as they are"
    ));
}
