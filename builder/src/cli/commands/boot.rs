//! `wifibox-build boot DIR`: starts an output folder in QEMU, on this terminal.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use clap::Args;

use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::cancel::{Cancel, LOOK_EVERY};
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
    let mut qemu = Command::new(program).args(&arguments).spawn().map_err(|error| {
        Failure::failed(format!(
            "cannot run {program}: {error}; install QEMU (Debian: the package {package})"
        ))
    })?;
    let status = wait(&mut qemu, &context.cancel)
        .map_err(|error| Failure::failed(format!("cannot wait for {program}: {error}")))?;
    let Some(status) = status else {
        return Err(Failure::interrupted("interrupted; QEMU was ended"));
    };
    if status.success() {
        Ok(())
    } else {
        Err(Failure::failed(format!("QEMU ended with {status}")))
    }
}

/// Waits for the end of QEMU, which is ended when the work is cancelled: then there is no status.
fn wait(qemu: &mut Child, cancel: &Cancel) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = qemu.try_wait()? {
            return Ok((!cancel.is_cancelled()).then_some(status));
        }
        if !cancel.sleep(LOOK_EVERY) {
            // A guest on a terminal gets Ctrl-C as a key. Disks are raw images: nothing of theirs waits in QEMU.
            qemu.kill()?;
            qemu.wait()?;
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_cancelled_guest_is_ended() {
        let cancel = Cancel::new();
        let mut child = Command::new("sleep").arg("60").spawn().expect("started");
        let other = cancel.clone();
        let begun = Instant::now();
        let waiter = std::thread::spawn(move || wait(&mut child, &other).expect("waited"));
        cancel.cancel();
        assert_eq!(waiter.join().expect("no panic"), None);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let mut child = Command::new("true").spawn().expect("started");
        assert!(wait(&mut child, &Cancel::new()).expect("waited").is_some_and(|s| s.success()));
    }
}
