//! `wifibox-build boot DIR`: starts an output folder in QEMU, on this terminal.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::progress::Progress as _;
use wifibox_host::Overrides;
use wifibox_host::qemu::{Acceleration, Board, Firmware, Machine};
use wifibox_host::shares;

/// `boot`.
#[derive(Debug, Clone, Args)]
pub struct BootArgs {
    /// The output folder to boot
    pub folder: PathBuf,
    /// Boot esp.img by UEFI instead of the kernel directly
    #[arg(long)]
    pub uefi: bool,
    /// Memory in MiB [default: the guest's, as manifest.json says]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u32>,
    /// Where the guest's shares and its own disks are kept [default: a fresh temporary folder]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Boots the guest and waits for its end.
///
/// # Errors
/// The folder is no output, its manifest is damaged, QEMU cannot start such a guest, is missing or fails.
pub fn run(context: &Context, args: &BootArgs) -> Result<(), Failure> {
    let built = wifibox_host::of_output(&args.folder)?;
    let overrides = Overrides { memory: args.memory, ..Overrides::default() };
    let guest = overrides.apply(&built).map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(smallest) = guest.smallest_memory.filter(|smallest| guest.memory < *smallest) {
        context
            .printer
            .warn(&format!("the guest is not known to come up with less than {smallest} MiB"));
    }
    let board = Board::of(&guest)?;
    let uefi = args.uefi.then(|| Firmware::installed_uefi(board)).transpose()?;
    // Dropped at the end: the shares of a guest without --state are gone with it.
    let fresh;
    let state = match &args.state {
        Some(state) => state.clone(),
        None => {
            fresh = tempfile::tempdir().map_err(Failure::failed)?;
            fresh.path().to_owned()
        }
    };
    let mut machine = Machine::of(&guest, &args.folder, &state, uefi)?;
    machine.acceleration = Acceleration::of_this_host(board);
    shares::prepare(&guest, &args.folder, &state).map_err(Failure::failed)?;
    machine.lay_out_disks(&args.folder, &state).map_err(Failure::failed)?;
    let arguments = machine.arguments()?;
    context.printer.status(
        "Booting",
        &format!("{} with {} MiB (Ctrl-A X ends QEMU)", args.folder.display(), guest.memory),
    );
    context.printer.status("State", &state.display().to_string());
    let (program, package) = (board.program(), board.package());
    let status = Command::new(program).args(&arguments).status().map_err(|error| {
        Failure::failed(format!(
            "cannot run {program}: {error}; install QEMU (Debian: the package {package})"
        ))
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::failed(format!("QEMU ended with {status}")))
    }
}
