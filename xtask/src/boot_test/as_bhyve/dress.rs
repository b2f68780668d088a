//! What bhyve's machines are like, a PC's and a 64-bit Arm machine's, and how QEMU is dressed as them.
//!
//! The PC's is that of wifibox-core and bhyve_config(5). The Arm machine is bhyve's own, as FreeBSD's
//! `usr.sbin/bhyve/aarch64` makes it: PL011, GICv3, PCI by ECAM, a device tree, neither ACPI nor SMBIOS, and started by
//! U-Boot. QEMU's `virt` has the same at other addresses, and a power button that bhyve's has not.

use std::path::Path;

use wifibox_host::qemu::{Board, Firmware};

/// Debian's U-Boot for QEMU's machine, in place of that of the port sysutils/u-boot-bhyve-arm64. Both start
/// `EFI/BOOT/BOOTAA64.EFI` from the first partition of the first virtio disk.
const U_BOOT: &str = "/usr/lib/u-boot/qemu_arm64/u-boot.bin";

/// One of the machines.
pub struct Dress {
    /// QEMU's machine.
    pub board: Board,
    /// Variables with the value that they must have, because QEMU is dressed so.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Variables that say something about the host, or are used elsewhere.
    pub used: &'static [&'static str],
    /// QEMU's arguments for it.
    pub arguments: &'static [&'static str],
    /// The names that the guest reads in SMBIOS, where there is one.
    pub names: Option<&'static str>,
}

const PC: Dress = Dress {
    board: Board::Pc,
    fixed: &[
        ("acpi_tables", "true"),
        ("memory.wired", "true"),
        ("rtc.use_localtime", "false"),
        ("x86.strictmsr", "false"),
        ("x86.vmexit_on_hlt", "true"),
        ("x86.vmexit_on_pause", "true"),
        ("lpc.com1.path", "stdio"),
        ("pci.0.0.0.device", "hostbridge"),
        ("pci.0.31.0.device", "lpc"),
    ],
    used: &["name", "cpus", "memory.size", "lpc.bootrom"],
    arguments: &[
        "-machine",
        "q35,vmport=off,smm=off,sata=off,smbus=off",
        "-global",
        "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
        "-vga",
        "none",
        "-smbios",
        "type=0,vendor=BHYVE,version=14.0,date=10/17/2021",
        "-smbios",
        "type=1,manufacturer=FreeBSD,product=BHYVE,version=1.0,family=Virtual Machine",
    ],
    names: Some("FreeBSD BHYVE"),
};

const ARM: Dress = Dress {
    board: Board::Arm,
    fixed: &[("console", "stdio"), ("pci.0.0.0.device", "hostbridge")],
    used: &["name", "cpus", "memory.size", "bootrom"],
    arguments: &["-machine", "virt,gic-version=3,acpi=off"],
    names: None,
};

impl Dress {
    /// That of a board.
    pub fn of(board: Board) -> &'static Self {
        match board {
            Board::Pc => &PC,
            Board::Arm => &ARM,
        }
    }

    /// QEMU's arguments for the firmware of this host, in place of bhyve's.
    pub fn firmware(&self) -> Result<Vec<String>, String> {
        match self.board {
            Board::Pc => Firmware::installed_uefi(self.board)
                .and_then(|firmware| firmware.arguments())
                .map_err(|error| error.to_string()),
            Board::Arm if Path::new(U_BOOT).is_file() => {
                Ok(vec!["-bios".to_owned(), U_BOOT.to_owned()])
            }
            Board::Arm => {
                Err(format!("{U_BOOT} is missing: U-Boot (Debian: apt install u-boot-qemu)"))
            }
        }
    }
}
