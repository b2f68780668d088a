//! `wifibox-build doctor`: what keeps a guest from working, on this host or in a capture of another one.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::host_capture::capture;
use crate::cli::render::doctor::text;
use crate::cli::render::failure::Failure;
use wifibox_host::doctor::{SCRIPT, Severity, examine};

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Looks at the host (FreeBSD with wifibox-core; Linux with libvirt; Xen's dom0): the IOMMU, the card and who has \
it, files and shares, memory, the bridge, addresses and routes, the logs, what the guest says of itself, and \
mistakes in configuration files. Each cause is told with the line that tells it and the commands that cure it, \
the worst first. Nothing is changed. Run it as root: some of it is hidden from others.

For a host without this program, or for a report: --script prints a small script that collects the same in a \
folder, without passwords; --from reads that folder, on whatever machine.

The exit code is 1 if something keeps the guest or its network from working.

Examples:
  doas wifibox-build doctor
  wifibox-build doctor --script > capture.sh
  wifibox-build doctor --from /tmp/capture";

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Look at this capture instead of at this host
    #[arg(long, value_name = "DIR", conflicts_with = "script")]
    pub from: Option<PathBuf>,
    /// Print the script that makes a capture
    #[arg(long)]
    pub script: bool,
}

/// Prints what was found.
///
/// # Errors
/// There is no capture, or something is wrong (exit code 1).
pub fn run(context: &Context, args: &DoctorArgs) -> Result<(), Failure> {
    if args.script {
        return context.printer.text(SCRIPT);
    }
    let from = args.from.as_ref().map(|folder| context.at(folder));
    let findings = capture(from.as_deref(), |_, capture| Ok(examine(capture)))?;
    let fields = || answers::Doctor { doctor: &findings };
    context.printer.result(fields, || text(&findings))?;
    if findings.iter().any(|finding| finding.severity != Severity::Advice) {
        return Err(Failure::silent());
    }
    Ok(())
}
