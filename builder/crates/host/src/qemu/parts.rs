//! The parts of a guest's machine that differ from host to host, and QEMU's arguments for them:
//! firmware, acceleration, network card, devices passed through. The options are those of
//! qemu-system-x86_64(1).

use std::path::{Path, PathBuf};

use super::board::Board;
use super::error::Error;
use wifibox_ground::address::Address;

/// The firmware or kernel that starts first in the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firmware {
    /// QEMU loads the kernel itself: the fastest way.
    Direct {
        /// The kernel (`vmlinuz`).
        kernel: PathBuf,
        /// The initramfs, if the kernel needs one.
        initramfs: Option<PathBuf>,
        /// The kernel's command line.
        command_line: String,
    },
    /// UEFI firmware loads `\EFI\BOOT\BOOTX64.EFI` (or that of
    /// another machine) from the ESP, as under bhyve.
    Uefi {
        /// OVMF's code, read-only.
        code: PathBuf,
        /// OVMF's variables; changes to them are not kept.
        variables: PathBuf,
    },
}

impl Firmware {
    /// The UEFI firmware that this host has for such a machine.
    ///
    /// # Errors
    /// [`Error::NoFirmware`] where none of the usual files exists.
    pub fn installed_uefi(board: Board) -> Result<Self, Error> {
        board
            .firmware_files()
            .iter()
            .map(|(code, variables)| (PathBuf::from(code), PathBuf::from(variables)))
            .find(|(code, variables)| code.is_file() && variables.is_file())
            .map(|(code, variables)| Self::Uefi { code, variables })
            .ok_or(Error::NoFirmware { package: board.firmware_package() })
    }

    /// The arguments by which QEMU starts it.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn arguments(&self) -> Result<Vec<String>, Error> {
        let flash = |unit: u8, way: &str, file: &Path| -> Result<String, Error> {
            Ok(format!("if=pflash,format=raw,unit={unit},{way}=on,file={}", value(file)?))
        };
        Ok(match self {
            Self::Direct { kernel, initramfs, command_line } => {
                let mut arguments = words(&["-kernel", text(kernel)?]);
                if let Some(initramfs) = initramfs {
                    arguments.extend(words(&["-initrd", text(initramfs)?]));
                }
                arguments.extend(words(&["-append", command_line]));
                arguments
            }
            Self::Uefi { code, variables } => {
                let (code, variables) =
                    (flash(0, "readonly", code)?, flash(1, "snapshot", variables)?);
                words(&["-drive", &code, "-drive", &variables])
            }
        })
    }
}

/// Who executes the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceleration {
    /// The processor, by the Linux kernel's KVM.
    Kvm,
    /// QEMU's translator: works everywhere, some ten times slower.
    Software,
}

impl Acceleration {
    /// The best that this host offers for such a machine.
    #[must_use]
    pub fn of_this_host(board: Board) -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let writable = std::fs::OpenOptions::new().write(true).open("/dev/kvm").is_ok();
        match board {
            Board::Pc => Self::usable(&cpuinfo, writable),
            // There a /dev/kvm is only made where the processor can.
            Board::Arm if cfg!(target_arch = "aarch64") && writable => Self::Kvm,
            Board::Arm => Self::Software,
        }
    }

    /// KVM where it works: the processor's flags (the text of `/proc/cpuinfo`) must name
    /// virtualization, because a `/dev/kvm` that opens proves nothing inside another guest.
    fn usable(cpuinfo: &str, kvm_is_writable: bool) -> Self {
        let capable = cpuinfo
            .lines()
            .filter(|line| line.starts_with("flags"))
            .any(|line| line.split_whitespace().any(|flag| flag == "vmx" || flag == "svm"));
        if capable && kvm_is_writable { Self::Kvm } else { Self::Software }
    }

    /// `-accel` and `-cpu` for such a machine. The translator's cache of 128 MiB is plenty for a router, and spares the
    /// host a gigabyte.
    #[must_use]
    pub fn arguments(self, board: Board) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Software => {
                ["-accel", "tcg,thread=multi,tb-size=128", "-cpu", board.translated_processor()]
            }
        }
    }
}

/// The far end of the guest's `eth0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nic {
    /// QEMU's own little network, for trying a guest out: 10.0.0.9 is the host, and the guest's
    /// control socket answers on the host's port 127.0.0.1:1200. Needs no privilege.
    User,
    /// A tap interface of the host, which exists already.
    Tap {
        /// Its name.
        name: String,
    },
    /// Ethernet frames as datagrams between two unix sockets. Needs no privilege.
    Datagram {
        /// The socket that QEMU makes.
        local: PathBuf,
        /// The socket of the other side.
        remote: PathBuf,
    },
}

impl Nic {
    /// The value of `-netdev` for this far end, which is called `net`.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn netdev(&self) -> Result<String, Error> {
        Ok(match self {
            Self::User => "user,id=net,net=10.0.0.0/24,host=10.0.0.9,restrict=on,\
                           hostfwd=tcp:127.0.0.1:1200-10.0.0.1:1200"
                .to_owned(),
            Self::Tap { name } => format!("tap,id=net,ifname={name},script=no,downscript=no"),
            Self::Datagram { local, remote } => format!(
                "dgram,id=net,local.type=unix,local.path={},remote.type=unix,remote.path={}",
                value(local)?,
                value(remote)?
            ),
        })
    }

    /// The arguments for a network card of this model with this far end.
    pub(super) fn arguments(&self, model: &str) -> Result<Vec<String>, Error> {
        let card = format!("{model},netdev=net");
        Ok(words(&["-netdev", &self.netdev()?, "-device", &card]))
    }
}

/// The arguments that hand a card of a Linux host to the guest. Its driver there must be `vfio-pci`.
pub(super) fn passthru(card: Address) -> Vec<String> {
    words(&["-device", &format!("vfio-pci,host={card}")])
}

pub(super) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

/// A path as a separate argument.
pub(super) fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::NotText { path: path.to_owned() })
}

/// A path as the value of an option, in which a comma is written twice.
pub(super) fn value(path: &Path) -> Result<String, Error> {
    Ok(text(path)?.replace(',', ",,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_needs_both_the_flag_and_the_device() {
        let intel = "processor\t: 0\nflags\t\t: fpu vmx sse\n";
        assert_eq!(Acceleration::usable(intel, true), Acceleration::Kvm);
        assert_eq!(Acceleration::usable(intel, false), Acceleration::Software);
        let none = "processor\t: 0\nflags\t\t: fpu sse\nvmx flags\t: vnmi\nbugs\t\t: svm\n";
        assert_eq!(Acceleration::usable(none, true), Acceleration::Software);
    }
}
