//! `wifibox-build report`: everything that somebody else needs to find out why a guest does not work, in one file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::host_capture::capture;
use crate::cli::render::doctor::text;
use crate::cli::render::failure::Failure;
use wifibox_ground::output::NewFile;
use wifibox_host::doctor::{examine, pack};

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
The file holds what 'doctor' looks at (outputs of commands, configuration, the guest's status, its log and its \
manifest) and what it found. Passwords, keys and identities are left out; names of networks and addresses are not: look \
through it before you pass it on. Nothing is changed. Run it as root: some of it is hidden from others.

Examples:
  doas wifibox-build report
  wifibox-build report --from /tmp/capture other-host.tar.gz";

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "wifibox-report.tar.gz")]
    pub file: PathBuf,
    /// Pack this capture instead of looking at this host ('doctor --script' prints the script that makes one)
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// Writes the file, and prints its name.
///
/// # Errors
/// There is such a file already, there is no capture, or the file cannot be written.
pub fn run(context: &Context, args: &ReportArgs) -> Result<(), Failure> {
    let file = context.at(&args.file);
    if file.symlink_metadata().is_ok() {
        let why = format!("{} is there already", file.display());
        return Err(Failure::usage(why).with_hint("name another file, or remove this one"));
    }
    let from = args.from.as_ref().map(|folder| context.at(folder));
    let causes = capture(from.as_deref(), |folder, capture| {
        let findings = examine(capture);
        let version = format!("wifibox-build {}\n", env!("WIFIBOX_BUILD_VERSION"));
        let more = [("doctor.txt", text(&findings)), ("version.txt", version)];
        write(&file, folder, &more).map_err(|error| {
            Failure::failed(format!("cannot write {}: {error}", file.display()))
        })?;
        Ok(findings.len())
    })?;
    let fields = || answers::Report { report: &file, causes };
    context.printer.result(fields, || {
        let causes = match causes {
            0 => "doctor found nothing wrong".to_owned(),
            1 => "doctor found 1 cause".to_owned(),
            many => format!("doctor found {many} causes"),
        };
        let file = file.display();
        format!("{file} ({causes})\nlook through it before you pass it on: tar -xzf {file}\n")
    })
}

/// Writes the file as a whole, or not at all; only its owner may read it.
fn write(file: &Path, capture: &Path, more: &[(&str, String)]) -> std::io::Result<()> {
    let new = NewFile::beside(file)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    pack(capture, more, now.as_secs(), std::io::BufWriter::new(new.file()))?;
    new.keep_new()
}
