//! `wifibox-build status`: how the guest of this host is by its own account.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::place::PlaceArgs;
use crate::cli::render::failure::Failure;
use wifibox_ground::progress::Progress as _;
use wifibox_host::guest_status::GuestStatus;
use wifibox_host::install::below;

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
A guest writes its status every fifteen seconds into the folder that is shared with it as var: the radio and its driver, \
firmware that is missing, the network that it joined or why it did not, addresses, name servers, services. This \
prints it, and says when it is old: then the guest does not run, or cannot write. 'doctor' looks at the host, too.

Examples:
  wifibox-build status
  wifibox-build --json status
  wifibox-build status /tmp/shares/var";

/// Seconds after which a status is old: a guest under load may miss some turns.
const OLD: u64 = 90;

/// `status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The folder that is shared with the guest as var [default: the host's own]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    /// Where the host's folders are.
    pub place: PlaceArgs,
}

/// Prints the status, and how old it is where that matters.
///
/// # Errors
/// There is none, or it is not what guests write.
pub fn run(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let folder = match &args.folder {
        Some(folder) => context.at(folder),
        None => below(&args.place.root, &args.place.layout(None)?.var),
    };
    let status = GuestStatus::read(&folder).map_err(|error| {
        Failure::failed(error)
            .with_hint("'wifibox-build doctor' says what keeps the guest from working")
    })?;
    // A clock that was set back is no reason to call it old.
    let age = SystemTime::now().duration_since(status.written).unwrap_or_default().as_secs();
    if age > OLD {
        context.printer.warn(&format!(
            "the guest wrote this {} ago, and would every 15 s: it does not run, or cannot write; \
             'wifibox-build doctor' says more",
            words(age)
        ));
    }
    let fields = || answers::Status { status: &status.fields, age_seconds: age };
    context.printer.result(fields, || status.text.clone())
}

/// A duration as people say it.
fn words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
