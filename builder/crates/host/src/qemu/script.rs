//! `host/qemu.sh`: a shell script that starts the guest of an output folder in QEMU.
//!
//! On Linux it uses KVM and hands cards over by VFIO; anywhere else it is for trying a guest out, best
//! one of the flavor hwsim. The script needs nothing but a POSIX shell and QEMU. Its arguments for QEMU
//! are those of [`Machine`], with the script's variables in place of paths; its shares are laid
//! out by the rules of [`crate::shares`].

use std::path::Path;

use super::board::Board;
use super::error::Error;
use super::machine::Machine;
use super::parts::{Acceleration, Firmware, Nic};
use crate::shares;
use crate::{HostError, HostFile, Hypervisor};
use wifibox_ground::guest::{Guest, Purpose};

/// The name of the script.
const FILE: &str = "qemu.sh";

/// The files for QEMU: the script.
///
/// # Errors
/// [`HostError::Unfit`] for a guest that QEMU's options cannot be written for.
pub fn files(guest: &Guest) -> Result<Vec<HostFile>, HostError> {
    let text = text(guest).map_err(|error| HostError::Unfit {
        hypervisor: Hypervisor::Qemu,
        why: match error {
            Error::Unfit { why } => why,
            other => other.to_string(),
        },
    })?;
    Ok(vec![HostFile::script(FILE, text)])
}

/// The script's text.
fn text(guest: &Guest) -> Result<String, Error> {
    let mut machine = Machine::of(guest, Path::new("$here"), Path::new("$state"), None)?;
    if let Firmware::Direct { command_line, .. } = &mut machine.firmware {
        // The output's own file has it.
        "$(cat \"$here/cmdline\")".clone_into(command_line);
    }
    let board = machine.board;
    let uefi = Firmware::Uefi { code: "$code".into(), variables: "$variables".into() };
    let tap = Nic::Tap { name: "$tap".into() };
    let mut text = TEMPLATE.to_owned();
    for (gap, words) in [
        ("@KVM@", owned(&Acceleration::Kvm.arguments(board))),
        ("@SOFTWARE@", owned(&Acceleration::Software.arguments(board))),
        ("@DIRECT@", machine.firmware.arguments()?),
        ("@UEFI@", uefi.arguments()?),
        ("@USER@", machine.network(&Nic::User)?),
        ("@TAP@", machine.network(&tap)?),
        ("@MACHINE@", machine.fixed()?),
    ] {
        text = text.replace(gap, &lines(&words));
    }
    let (folders, pairs, capable) = match board {
        Board::Pc => (OVMF_FOLDERS, OVMF_PAIRS, "grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo"),
        Board::Arm => (AAVMF_FOLDERS, AAVMF_PAIRS, "[ \"$(uname -m)\" = aarch64 ]"),
    };
    let passthru: Vec<String> = guest.passthru.iter().map(ToString::to_string).collect();
    let here = match &guest.folder {
        Some(folder) => folder.to_string(),
        None => "$(cd \"$(dirname \"$0\")/..\" && pwd)".to_owned(),
    };
    Ok(text
        .replace("@HERE@", &here)
        .replace("@LAYOUT@", &layout(guest))
        .replace("@MISSING@", &needed(guest))
        .replace("@FOLDERS@", folders)
        .replace("@PAIRS@", pairs)
        .replace("@CAPABLE@", capable)
        .replace("@QEMU@", board.program())
        .replace("@PACKAGE@", board.package())
        .replace("@FIRMWARE@", board.firmware_package())
        .replace("@TITLE@", &guest.title())
        .replace("@PASSTHRU@", &passthru.join(" "))
        .replace("@MEMORY@", &guest.memory.to_string()))
}

/// The lines that make the shares' folders, with working copies of the samples.
fn layout(guest: &Guest) -> String {
    let mut text = String::new();
    if guest.shares.iter().any(|share| share.samples.is_some()) {
        text.push_str(LAY_OUT);
    }
    for share in &guest.shares {
        let folder = shares::folder(share);
        text.push_str(&format!("mkdir -p \"$state/{folder}\"\n"));
        if let Some(samples) = &share.samples {
            text.push_str(&format!("lay_out \"$here/{samples}\" \"$state/{folder}\"\n"));
        }
    }
    text.trim_end().to_owned()
}

/// The lines that ask for disks that no build makes.
fn needed(guest: &Guest) -> String {
    let mut text = String::new();
    for disk in &guest.disks {
        let file = &disk.file;
        let help = match disk.purpose {
            Purpose::Efi | Purpose::Root => continue,
            Purpose::Configuration => "make it with: wifibox-build config-disk",
            Purpose::Persistent => {
                "'wifibox-build --persistent' makes one for OpenWrt guests, or take a raw disk of yours"
            }
        };
        text.push_str(&format!(
            "[ -f \"$here/{file}\" ] || fail \"$here/{file} is missing: {help}\"\n"
        ));
        if disk.purpose == Purpose::Persistent {
            // The output stays as it was built.
            text.push_str(&format!(
                "mkdir -p \"$state\"\n[ -f \"$state/{file}\" ] || cp \"$here/{file}\" \"$state/{file}\"\n\
                 chmod u+w \"$state/{file}\"\n"
            ));
        }
    }
    text.trim_end().to_owned()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Words as lines of a shell command, an option and its value together, each quoted as needed.
fn lines(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let separator = if text.is_empty() {
            ""
        } else if word.starts_with('-') {
            " \\\n\t\t"
        } else {
            " "
        };
        text.push_str(separator);
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=,.:/".contains(c));
        if plain {
            text.push_str(word);
        } else {
            text.push('"');
            text.push_str(word);
            text.push('"');
        }
    }
    text
}

const TEMPLATE: &str = include_str!("qemu.sh.in");

const LAY_OUT: &str = r#"# Working copies of the configuration: what is there already is yours and stays.
lay_out() {
	[ -d "$1" ] || return 0
	(cd "$1" && find . -type d) | while read -r folder; do mkdir -p "$2/$folder"; done
	(cd "$1" && find . -type f) | while read -r file; do
		[ -e "$2/${file%.sample}" ] || cp "$1/$file" "$2/${file%.sample}"
	done
}
"#;

/// The folders and files of [`Board::firmware_files`], as the script's loops have them.
const OVMF_FOLDERS: &str = "/usr/share/OVMF /usr/share/edk2/x64 /usr/share/edk2/ovmf \
                            /usr/local/share/qemu \\\n\t\t/usr/share/qemu /opt/homebrew/share/qemu";
const OVMF_PAIRS: &str = "OVMF_CODE_4M.fd:OVMF_VARS_4M.fd OVMF_CODE.4m.fd:OVMF_VARS.4m.fd \
                          \\\n\t\t\tOVMF_CODE.fd:OVMF_VARS.fd edk2-x86_64-code.fd:edk2-i386-vars.fd";
const AAVMF_FOLDERS: &str = "/usr/share/AAVMF /usr/share/edk2/aarch64 /usr/local/share/qemu \
                             /usr/share/qemu \\\n\t\t/opt/homebrew/share/qemu";
const AAVMF_PAIRS: &str = "AAVMF_CODE.fd:AAVMF_VARS.fd QEMU_CODE.fd:QEMU_VARS.fd \
                           \\\n\t\t\tedk2-aarch64-code.fd:edk2-arm-vars.fd";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::guest;
    use wifibox_ground::guest::Nic as Model;

    fn script() -> String {
        script_for(Board::Pc)
    }

    fn script_for(board: Board) -> String {
        let mut guest = guest();
        if board == Board::Arm {
            guest.architecture = "aarch64".to_owned();
            guest.nics[0].model = Model::VirtioNet;
        }
        let [file] = &files(&guest).unwrap()[..] else { panic!("one file") };
        String::from_utf8(file.contents.clone()).unwrap()
    }

    #[test]
    fn another_machine_has_its_own_program_card_and_firmware() {
        let text = script_for(Board::Arm);
        assert!(!text.replace("\"$@\"", "").contains('@'), "{text}");
        for part in [
            "exec qemu-system-aarch64 ",
            "-machine virt",
            "-device virtio-net-pci,netdev=net",
            "apt install qemu-system-arm",
            "AAVMF_CODE.fd:AAVMF_VARS.fd",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("x86") && !text.contains("e1000") && !text.contains("OVMF_CODE"));
    }

    #[test]
    fn every_gap_of_the_template_is_filled() {
        let text = script();
        assert!(!text.replace("\"$@\"", "").contains('@'), "{text}");
    }

    #[test]
    fn both_ways_to_boot_are_complete() {
        let text = script();
        assert!(text.contains("-kernel \"$here/vmlinuz\""), "{text}");
        assert!(text.contains("-append \"$(cat \"$here/cmdline\")\""), "{text}");
        assert!(text.contains("-drive \"if=pflash,format=raw,unit=0,readonly=on,file=$code\""));
        assert!(
            text.contains("-drive \"if=pflash,format=raw,unit=1,snapshot=on,file=$variables\"")
        );
        assert!(text.contains("mount_tag=app_config"));
        assert!(text.contains("-m \"$memory\""), "{text}");
    }

    #[test]
    fn the_shell_accepts_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qemu.sh");
        for board in [Board::Pc, Board::Arm] {
            std::fs::write(&path, script_for(board)).unwrap();
            let status = std::process::Command::new("sh").arg("-n").arg(&path).status().unwrap();
            assert!(status.success());
        }
    }
}
