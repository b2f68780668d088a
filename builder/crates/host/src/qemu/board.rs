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
            other => Err(Error::Unfit { why: format!("no machine is known for {other}") }),
        }
    }

    /// QEMU's program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Pc => "qemu-system-x86_64",
            Self::Arm => "qemu-system-aarch64",
        }
    }

    /// Debian's package of that program.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Pc => "qemu-system-x86",
            Self::Arm => "qemu-system-arm",
        }
    }

    /// The value of `-machine`.
    #[must_use]
    pub(super) fn machine_type(self) -> &'static str {
        match self {
            Self::Pc => "q35",
            Self::Arm => "virt,gic-version=max",
        }
    }

    /// The value of `-cpu` where QEMU translates: all that it knows. Arm's own algorithm to sign pointers, which kernels
    /// use in each function, would take more time than everything else together.
    #[must_use]
    pub(super) fn translated_processor(self) -> &'static str {
        match self {
            Self::Pc => "max",
            Self::Arm => "max,pauth-impdef=on",
        }
    }

    /// Debian's package of the UEFI firmware.
    #[must_use]
    pub(super) fn firmware_package(self) -> &'static str {
        match self {
            Self::Pc => "ovmf",
            Self::Arm => "qemu-efi-aarch64",
        }
    }

    /// Where distributions put the UEFI firmware: code and variables.
    #[must_use]
    pub(super) fn firmware_files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Pc => &OVMF,
            Self::Arm => &AAVMF,
        }
    }
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
