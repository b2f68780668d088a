//! `wifibox-build boot DIR`: starts an output folder in QEMU, on this terminal.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::args::BootArgs;
use super::context::Context;
use super::failure::Failure;
use crate::host::boot::GuestDescription;
use crate::host::machine::{Acceleration, Firmware};
use crate::host::shares;

/// The program, and where Debian has it.
const QEMU: &str = "qemu-system-x86_64";

/// Where distributions put OVMF: code and variables.
const OVMF: [(&str, &str); 4] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    (
        "/usr/local/share/edk2-qemu/QEMU_UEFI_CODE-x86_64.fd",
        "/usr/local/share/edk2-qemu/QEMU_UEFI_VARS-x86_64.fd",
    ),
];

/// Boots the guest and waits for its end.
///
/// # Errors
/// The folder is no output, or QEMU is missing or fails.
pub fn run(context: &Context, args: &BootArgs) -> Result<(), Failure> {
    let mut guest = GuestDescription::of_output(&args.folder).map_err(Failure::failed)?;
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kvm = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    guest.acceleration = Acceleration::usable(&cpuinfo, kvm);
    guest.memory = args.memory;
    if args.uefi {
        guest.firmware = ovmf()?;
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
    let arguments = guest.arguments().map_err(Failure::failed)?;
    context.printer.status("Booting", &format!("{} (Ctrl-A X ends QEMU)", args.folder.display()));
    context.printer.status("Shares", &state.display().to_string());
    let status = Command::new(QEMU).args(&arguments).status().map_err(|error| {
        Failure::failed(format!(
            "cannot run {QEMU}: {error}; install QEMU (Debian: the package qemu-system-x86)"
        ))
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::failed(format!("QEMU ended with {status}")))
    }
}

fn ovmf() -> Result<Firmware, Failure> {
    let found = OVMF
        .iter()
        .map(|(code, variables)| (PathBuf::from(code), PathBuf::from(variables)))
        .find(|(code, variables)| code.is_file() && variables.is_file());
    let (code, variables) = found.ok_or_else(|| {
        Failure::failed("UEFI firmware for QEMU is not installed (Debian: the package ovmf)")
    })?;
    Ok(Firmware::Uefi { code, variables })
}
