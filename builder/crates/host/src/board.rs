//! The machines that QEMU makes, by what differs between them: the program, the machine type, the
//! network card, the firmware. The options are those of qemu-system-x86_64(1) and the section "virt"
//! of QEMU's system emulation manual.

use std::path::Path;

use wifibox_recipe::machine;

/// The machine that QEMU makes for a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Board {
    /// A PC, of the type q35.
    #[default]
    Pc,
    /// A 64-bit Arm machine, of the type virt.
    Arm,
}

impl Board {
    /// That of an architecture, as any distribution calls it.
    #[must_use]
    pub fn of_architecture(architecture: &str) -> Option<Self> {
        match machine(architecture) {
            "x86_64" => Some(Self::Pc),
            "aarch64" => Some(Self::Arm),
            _ => None,
        }
    }

    /// That of an output folder, as its manifest says; a PC where none says otherwise.
    #[must_use]
    pub fn of_output(folder: &Path) -> Self {
        let text = std::fs::read(folder.join("manifest.json")).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let architecture = manifest.pointer("/recipe/architecture");
        let known = architecture.and_then(serde_json::Value::as_str);
        known.and_then(Self::of_architecture).unwrap_or_default()
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
    pub fn machine_type(self) -> &'static str {
        match self {
            Self::Pc => "q35",
            Self::Arm => "virt,gic-version=max",
        }
    }

    /// The network card, as recipes of the hypervisor qemu have it.
    #[must_use]
    pub fn network_card(self) -> &'static str {
        match self {
            Self::Pc => "e1000",
            Self::Arm => "virtio-net-pci",
        }
    }

    /// Debian's package of the UEFI firmware.
    #[must_use]
    pub fn firmware_package(self) -> &'static str {
        match self {
            Self::Pc => "ovmf",
            Self::Arm => "qemu-efi-aarch64",
        }
    }

    /// Where distributions put the UEFI firmware: code and variables.
    #[must_use]
    pub fn firmware_files(self) -> &'static [(&'static str, &'static str)] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_says_which_machine_a_guest_is_for() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Board::of_output(folder.path()), Board::Pc);
        for (architecture, board) in
            [("amd64", Board::Pc), ("arm64", Board::Arm), ("aarch64", Board::Arm)]
        {
            let text = format!("{{\"recipe\":{{\"architecture\":\"{architecture}\"}}}}");
            std::fs::write(folder.path().join("manifest.json"), text).unwrap();
            assert_eq!(Board::of_output(folder.path()), board);
        }
    }
}
