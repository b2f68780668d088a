//! `wifibox-build boot DIR`: starts an output folder in QEMU, on this terminal.

use std::process::Command;

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_host::boot::{GuestDescription, data_disk};
use wifibox_host::machine::{Acceleration, Firmware};
use wifibox_host::shares;

/// `boot`.
#[derive(Debug, Clone, Args)]
pub struct BootArgs {
    /// The output folder to boot
    pub folder: PathBuf,
    /// Boot esp.img by UEFI instead of the kernel directly
    #[arg(long)]
    pub uefi: bool,
    /// Memory in MiB
    #[arg(long, default_value_t = 256)]
    pub memory: u32,
    /// Where the guest's shares are kept [default: a fresh temporary folder]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Boots the guest and waits for its end.
///
/// # Errors
/// The folder is no output, or QEMU is missing or fails.
pub fn run(context: &Context, args: &BootArgs) -> Result<(), Failure> {
    let mut guest = GuestDescription::of_output(&args.folder).map_err(Failure::failed)?;
    guest.acceleration = Acceleration::of_this_host(guest.board);
    guest.memory = args.memory;
    if args.uefi {
        guest.firmware = Firmware::installed_uefi(guest.board).map_err(Failure::failed)?;
    }
    // Dropped at the end: the shares of a guest without --state are gone with it.
    let fresh;
    let state = match &args.state {
        Some(state) => state.clone(),
        None => {
            fresh = tempfile::tempdir().map_err(Failure::failed)?;
            fresh.path().to_owned()
        }
    };
    guest.shares = shares::prepare(&args.folder, &state).map_err(Failure::failed)?;
    guest.disks.extend(data_disk(&args.folder, &state).map_err(Failure::failed)?);
    let arguments = guest.arguments().map_err(Failure::failed)?;
    context.printer.status("Booting", &format!("{} (Ctrl-A X ends QEMU)", args.folder.display()));
    context.printer.status("Shares", &state.display().to_string());
    let (program, package) = (guest.board.program(), guest.board.package());
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
