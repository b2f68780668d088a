//! The text of `host/qemu.sh`: a shell script that starts the guest of an output folder in QEMU.
//!
//! The script needs nothing but a POSIX shell and QEMU. Its arguments for QEMU are those of
//! [`super::boot`], with the script's variables in place of paths; its shares are laid out by the
//! rules of [`super::shares`].

use std::path::{Path, PathBuf};

use super::board::Board;
use super::boot::{Console, GuestDescription};
use super::machine::{Acceleration, Error, Firmware, Nic};
use super::shares::Share;

/// What the script is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The machine.
    pub board: Board,
    /// The folder of `etc/wifibox` that is shared as `app_config`: `wpa_supplicant` or `hostapd`.
    pub application: String,
    /// Memory in MiB, unless the user says otherwise.
    pub memory: u32,
}

impl Script {
    /// The script's text.
    ///
    /// # Errors
    /// None in practice: the paths are the script's own variables.
    pub fn text(&self) -> Result<String, Error> {
        let direct = Firmware::Direct {
            kernel: "$here/vmlinuz".into(),
            initramfs: "$here/initramfs.img".into(),
            command_line: "$(cat \"$here/cmdline\")".into(),
        };
        let uefi = Firmware::Uefi { code: "$code".into(), variables: "$variables".into() };
        let tap = Nic::Tap { name: "$tap".into() };
        let mut text = TEMPLATE.to_owned();
        for (gap, words) in [
            ("@KVM@", owned(&Acceleration::Kvm.arguments())),
            ("@SOFTWARE@", owned(&Acceleration::Software.arguments())),
            ("@DIRECT@", direct.arguments()?),
            ("@UEFI@", uefi.arguments()?),
            ("@USER@", Nic::User.arguments(self.board)?),
            ("@TAP@", tap.arguments(self.board)?),
            ("@MACHINE@", self.guest(direct.clone()).machine()?),
        ] {
            text = text.replace(gap, &lines(&words));
        }
        let (folders, pairs, capable) = match self.board {
            Board::Pc => {
                (OVMF_FOLDERS, OVMF_PAIRS, "grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo")
            }
            Board::Arm => (AAVMF_FOLDERS, AAVMF_PAIRS, "[ \"$(uname -m)\" = aarch64 ]"),
        };
        Ok(text
            .replace("@FOLDERS@", folders)
            .replace("@PAIRS@", pairs)
            .replace("@CAPABLE@", capable)
            .replace("@QEMU@", self.board.program())
            .replace("@PACKAGE@", self.board.package())
            .replace("@FIRMWARE@", self.board.firmware_package())
            .replace("@APPLICATION@", &self.application)
            .replace("@MEMORY@", &self.memory.to_string()))
    }

    fn guest(&self, firmware: Firmware) -> GuestDescription {
        let folder = |name: &str| PathBuf::from("$state").join(name);
        GuestDescription {
            board: self.board,
            firmware,
            esp: Path::new("$here/esp.img").into(),
            root: Path::new("$here/root.img").into(),
            disks: Vec::new(),
            memory: self.memory,
            acceleration: Acceleration::Software,
            nic: Nic::User,
            shares: vec![
                Share::new("config", folder("config"), true),
                Share::new("var", folder("var"), false),
                Share::new("app_config", folder(&self.application), false),
            ],
            console: Console::Terminal,
            passthru: Vec::new(),
            monitor: None,
            no_reboot: false,
        }
    }
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

    fn script() -> String {
        script_for(Board::Pc)
    }

    fn script_for(board: Board) -> String {
        Script { board, application: "wpa_supplicant".into(), memory: 96 }.text().unwrap()
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
