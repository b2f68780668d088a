//! The machines that QEMU makes, by what differs between them: the program, the machine type and the
//! firmware. The options are those of qemu-system-x86_64(1) and the section "virt"
//! of QEMU's system emulation manual.

use wifibox_ground::guest::Guest;

use super::error::Error;

/// The machine that QEMU makes for a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    /// A PC, of the type q35.
    Pc,
    /// A 64-bit Arm machine, of the type virt.
    Arm,
    /// MIPS' board Malta with a little-endian processor. It has no UEFI, and no power button but a key.
    Malta,
}

impl Board {
    /// The machine of a guest's architecture.
    ///
    /// # Errors
    /// [`Error::Unfit`] for an architecture that no guest is known to run on in QEMU.
    pub fn of(guest: &Guest) -> Result<Self, Error> {
        match guest.architecture.as_str() {
            "x86_64" => Ok(Self::Pc),
            "aarch64" => Ok(Self::Arm),
            "mipsel" => Ok(Self::Malta),
            other => Err(Error::Unfit { why: format!("no machine is known for {other}") }),
        }
    }

    /// QEMU's program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Pc => "qemu-system-x86_64",
            Self::Arm => "qemu-system-aarch64",
            Self::Malta => "qemu-system-mipsel",
        }
    }

    /// Debian's package of that program.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Pc => "qemu-system-x86",
            Self::Arm => "qemu-system-arm",
            Self::Malta => "qemu-system-mips",
        }
    }

    /// The value of `-machine`.
    #[must_use]
    pub(super) fn machine_type(self) -> &'static str {
        match self {
            Self::Pc => "q35",
            Self::Arm => "virt,gic-version=max",
            Self::Malta => "malta",
        }
    }

    /// The value of `-cpu` where QEMU translates: all that it knows, on Malta the board's own. Arm's own algorithm to sign pointers, which kernels
    /// use in each function, would take more time than everything else together.
    #[must_use]
    pub(super) fn translated_processor(self) -> &'static str {
        match self {
            Self::Pc => "max",
            Self::Arm => "max,pauth-impdef=on",
            Self::Malta => "24Kf",
        }
    }

    /// The device that is its power button, where the machine has none of its own.
    #[must_use]
    pub(super) fn power_button(self) -> Option<&'static str> {
        match self {
            Self::Pc | Self::Arm => None,
            Self::Malta => Some("virtio-keyboard-pci"),
        }
    }

    /// The words that put the device of this number, counted from 0, into its place on the bus. On Malta Linux knows the
    /// interrupts of four slots only, from 18 on (`arch/mips/pci/fixup-malta.c`): eight devices share one, as its functions.
    #[must_use]
    pub(super) fn place(self, number: usize) -> String {
        match self {
            Self::Pc | Self::Arm => String::new(),
            Self::Malta => {
                format!(",addr={:x}.{},multifunction=on", 18 + number / 8, number % 8)
            }
        }
    }

    /// What to say to QEMU's monitor so that the power button is pressed: a command of QMP and its arguments.
    #[must_use]
    pub fn press_power(self) -> &'static str {
        match self {
            Self::Pc | Self::Arm => r#"{"execute":"system_powerdown"}"#,
            Self::Malta => {
                r#"{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"power"}]}}"#
            }
        }
    }

    /// Its UEFI firmware; `None` where there is none.
    #[must_use]
    pub(super) fn uefi(self) -> Option<Uefi> {
        match self {
            Self::Pc => Some(Uefi { package: "ovmf", files: &OVMF }),
            Self::Arm => Some(Uefi { package: "qemu-efi-aarch64", files: &AAVMF }),
            Self::Malta => None,
        }
    }
}

/// The UEFI firmware of a machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uefi {
    /// Debian's package of it.
    pub package: &'static str,
    /// Where distributions put it: code and variables.
    pub files: &'static [(&'static str, &'static str)],
}

const OVMF: [(&str, &str); 7] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"),
    ("/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"),
    ("/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"),
];

const AAVMF: [(&str, &str); 5] = [
    ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
    ("/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"),
    ("/usr/share/qemu/edk2-aarch64-code.fd", "/usr/share/qemu/edk2-arm-vars.fd"),
    ("/usr/local/share/qemu/edk2-aarch64-code.fd", "/usr/local/share/qemu/edk2-arm-vars.fd"),
    ("/opt/homebrew/share/qemu/edk2-aarch64-code.fd", "/opt/homebrew/share/qemu/edk2-arm-vars.fd"),
];
