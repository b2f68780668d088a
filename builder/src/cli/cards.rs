//! The cards of this machine: for the verbs that ask which guest a card needs.

use std::path::Path;
use std::process::Command;

use super::context::Context;
use super::render::failure::Failure;
use wifibox_host::detect::{self, Card, DetectError, sysfs};

/// The devices of this machine.
///
/// # Errors
/// They cannot be read.
pub fn host(context: &Context) -> Result<(String, Vec<Card>), Failure> {
    match std::env::consts::OS {
        "linux" => {
            let cards = sysfs::read(Path::new("/")).map_err(|error| unreadable("/sys", &error))?;
            Ok(("this host".to_owned(), cards))
        }
        "freebsd" => {
            let mut text = output("/usr/sbin/pciconf", &["-lv"])?;
            // USB devices only matter for saying that they cannot be handed over.
            match output("/usr/sbin/usbconfig", &["dump_device_desc"]) {
                Ok(usb) => text += &usb,
                Err(failure) => wifibox_ground::progress::Progress::note(
                    &context.printer,
                    &format!("USB devices are left out: {}", failure.error),
                ),
            }
            let cards = detect::read(&text).map_err(|error| unreadable("pciconf -lv", &error))?;
            Ok(("this host".to_owned(), cards))
        }
        other => Err(Failure::usage(format!(
            "on {other} there is nothing to read the cards from: name a listing, such as the output of \
             pciconf -lv or lspci -nnk of the machine in question"
        ))),
    }
}

/// What a program of the system prints.
fn output(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let ran = Command::new(program).args(arguments).output();
    let ran = ran.map_err(|error| Failure::failed(format!("cannot run {program}: {error}")))?;
    if ran.status.success() {
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&ran.stderr);
        Err(Failure::failed(format!("{program} failed ({}): {}", ran.status, said.trim())))
    }
}

/// A listing that cannot be read, with what can.
pub fn unreadable(name: &str, error: &DetectError) -> Failure {
    // An error of the file system names the file.
    let message = match error {
        DetectError::Io { .. } => error.to_string(),
        _ => format!("{name}: {error}"),
    };
    if let DetectError::Unnumbered(unnumbered) = error {
        let hint = format!("run a command that prints numbers: {}", unnumbered.run);
        return Failure::usage(message).with_hint(hint);
    }
    Failure::usage(message).with_hint(
        match error {
            DetectError::NamesOnly => "run lspci with numbers: lspci -nnk",
            DetectError::Io { .. } => {
                "name a file with the output of pciconf -lv or lspci -nnk, - for standard input, or an id \
                 such as 8086:2725"
            }
            _ => {
                "formats that are read: pciconf -l, -lv or -ll, devinfo -v, lspci with -n or -nn (and -k, -v, \
                 -vmm, -x), BusyBox' lspci, lshw -numeric, inxi -Nxx, hwinfo, udevadm info, system_profiler, \
                 ioreg -l, esxcli hardware pci list, dmesg of Linux and of a verbose boot of FreeBSD, hardware \
                 ids of Windows, lsusb, usbconfig dump_device_desc, lists of ids and modaliases"
            }
        },
    )
}
