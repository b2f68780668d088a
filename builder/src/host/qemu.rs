//! The text of `host/qemu.sh`: a shell script that starts the guest of an output folder in QEMU.
//!
//! The script needs nothing but a POSIX shell and QEMU. Its arguments for QEMU are those of
//! [`super::boot`], with the script's variables in place of paths; its shares are laid out by the
//! rules of [`super::shares`].

use std::path::{Path, PathBuf};

use super::boot::{Console, GuestDescription};
use super::machine::{Acceleration, Error, Firmware, Nic};
use super::shares::Share;

/// What the script is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
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
            ("@USER@", Nic::User.arguments()?),
            ("@TAP@", tap.arguments()?),
            ("@MACHINE@", self.guest(direct.clone()).machine()?),
        ] {
            text = text.replace(gap, &lines(&words));
        }
        Ok(text
            .replace("@APPLICATION@", &self.application)
            .replace("@MEMORY@", &self.memory.to_string()))
    }

    fn guest(&self, firmware: Firmware) -> GuestDescription {
        let folder = |name: &str| PathBuf::from("$state").join(name);
        GuestDescription {
            firmware,
            esp: Path::new("$here/esp.img").into(),
            root: Path::new("$here/root.img").into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn script() -> String {
        Script { application: "wpa_supplicant".into(), memory: 96 }.text().unwrap()
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
        std::fs::write(&path, script()).unwrap();
        let status = std::process::Command::new("sh").arg("-n").arg(&path).status().unwrap();
        assert!(status.success());
    }
}
