//! How a guest is wired, in one place: from the files of an output folder to QEMU's arguments.
//!
//! `wifibox-build boot`, the script `host/qemu.sh` and the boot test all start from a
//! [`GuestDescription`], so that a guest meets the same machine everywhere: PC type q35, the ESP as
//! the first virtio disk and the root as the second, both read-only, an e1000 as `eth0`, the 9P
//! shares by their tags, and the console on the first serial port. The options are those of
//! qemu-system-x86_64(1).

use std::path::{Path, PathBuf};

use super::shares::Share;

/// Why a guest cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the output folder is missing.
    #[error("{path} is missing: build the guest first, or name another output folder")]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// The kernel's command line could not be read.
    #[error("cannot read the kernel's command line {path}: {source}")]
    CommandLine {
        /// The file read.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// QEMU's options are text.
    #[error("{path:?} is not UTF-8, which QEMU's options cannot express: move the files elsewhere")]
    NotText {
        /// The path that cannot be passed.
        path: PathBuf,
    },
    /// A PCI address is not of the form that Linux uses.
    #[error("{text:?} is not a PCI address: write DOMAIN:BUS:SLOT.FUNCTION, like 0000:03:00.0")]
    PciAddress {
        /// What was given.
        text: String,
    },
}

/// What starts first in the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firmware {
    /// QEMU loads the kernel itself: the fastest way.
    Direct {
        /// The kernel (a bzImage).
        kernel: PathBuf,
        /// The initramfs.
        initramfs: PathBuf,
        /// The kernel's command line.
        command_line: String,
    },
    /// UEFI firmware loads `\EFI\BOOT\BOOTX64.EFI` from the ESP, as under bhyve.
    Uefi {
        /// OVMF's code, read-only.
        code: PathBuf,
        /// OVMF's variables; changes to them are not kept.
        variables: PathBuf,
    },
}

impl Firmware {
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
                let (kernel, initramfs) = (text(kernel)?, text(initramfs)?);
                words(&["-kernel", kernel, "-initrd", initramfs, "-append", command_line])
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
    /// KVM where it works: the processor's flags (the text of `/proc/cpuinfo`) must name
    /// virtualization, because a `/dev/kvm` that opens proves nothing inside another guest.
    #[must_use]
    pub fn usable(cpuinfo: &str, kvm_is_writable: bool) -> Self {
        let capable = cpuinfo
            .lines()
            .filter(|line| line.starts_with("flags"))
            .any(|line| line.split_whitespace().any(|flag| flag == "vmx" || flag == "svm"));
        if capable && kvm_is_writable { Self::Kvm } else { Self::Software }
    }

    /// `-accel` and `-cpu`. The translator's cache of 128 MiB is plenty for a router, and spares the
    /// host a gigabyte.
    #[must_use]
    pub fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Software => ["-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max"],
        }
    }
}

/// What is at the other end of the guest's `eth0`.
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
    /// The arguments for an e1000 with this far end.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn arguments(&self) -> Result<Vec<String>, Error> {
        let netdev = match self {
            Self::User => "user,id=net,net=10.0.0.0/24,host=10.0.0.9,restrict=on,\
                           hostfwd=tcp:127.0.0.1:1200-10.0.0.1:1200"
                .to_owned(),
            Self::Tap { name } => format!("tap,id=net,ifname={name},script=no,downscript=no"),
            Self::Datagram { local, remote } => format!(
                "dgram,id=net,local.type=unix,local.path={},remote.type=unix,remote.path={}",
                value(local)?,
                value(remote)?
            ),
        };
        Ok(words(&["-netdev", &netdev, "-device", "e1000,netdev=net"]))
    }
}

/// Where the guest's serial console goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// The terminal; Ctrl-A X ends QEMU, Ctrl-A C reaches its monitor.
    Terminal,
    /// QEMU's standard output, every byte as it comes.
    Plain,
}

/// A PCI device of a Linux host: `DOMAIN:BUS:SLOT.FUNCTION`, all hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PciAddress(String);

impl PciAddress {
    /// Checks the form; whether the device exists is the host's matter.
    ///
    /// # Errors
    /// [`Error::PciAddress`] for anything else than `DDDD:BB:SS.F`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let pattern = "hhhh:hh:hh.o";
        let fits = text.len() == pattern.len()
            && text.chars().zip(pattern.chars()).all(|(have, want)| match want {
                'h' => have.is_ascii_hexdigit(),
                'o' => ('0'..='7').contains(&have),
                _ => have == want,
            });
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Error::PciAddress { text: text.to_owned() })
        }
    }

    /// The address as Linux and QEMU write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The arguments that hand the device to the guest. Its driver on the host must be `vfio-pci`.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        words(&["-device", &format!("vfio-pci,host={}", self.0)])
    }
}

/// A guest and the machine round it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestDescription {
    /// What starts first.
    pub firmware: Firmware,
    /// The image with `\EFI\BOOT\BOOTX64.EFI`: `/dev/vda` in the guest.
    pub esp: PathBuf,
    /// The root file system: `/dev/vdb` in the guest.
    pub root: PathBuf,
    /// Memory in MiB.
    pub memory: u32,
    /// Who executes it.
    pub acceleration: Acceleration,
    /// The far end of `eth0`.
    pub nic: Nic,
    /// The folders that the guest mounts.
    pub shares: Vec<Share>,
    /// Where the console goes.
    pub console: Console,
    /// Devices of the host that the guest gets by VFIO.
    pub passthru: Vec<PciAddress>,
    /// A unix socket to make for QEMU's machine protocol.
    pub monitor: Option<PathBuf>,
    /// Ends QEMU where the guest would restart, so that a crash is seen as the end.
    pub no_reboot: bool,
}

impl GuestDescription {
    /// The guest of an output folder: booted directly, 256 MiB, executed by the translator, on
    /// QEMU's own network, without shares. The caller changes what it wants otherwise.
    ///
    /// # Errors
    /// When a file of the folder is missing or its command line cannot be read.
    pub fn of_output(folder: &Path) -> Result<Self, Error> {
        let existing = |name: &str| {
            let path = folder.join(name);
            if path.is_file() { Ok(path) } else { Err(Error::Missing { path }) }
        };
        let path = existing("cmdline")?;
        let command_line = std::fs::read_to_string(&path)
            .map_err(|source| Error::CommandLine { path, source })?
            .trim()
            .to_owned();
        Ok(Self {
            firmware: Firmware::Direct {
                kernel: existing("vmlinuz")?,
                initramfs: existing("initramfs.img")?,
                command_line,
            },
            esp: existing("esp.img")?,
            root: existing("root.img")?,
            memory: 256,
            acceleration: Acceleration::Software,
            nic: Nic::User,
            shares: Vec::new(),
            console: Console::Terminal,
            passthru: Vec::new(),
            monitor: None,
            no_reboot: false,
        })
    }

    /// QEMU's arguments, the program's name not included.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn arguments(&self) -> Result<Vec<String>, Error> {
        let mut arguments = words(&["-m", &self.memory.to_string()]);
        arguments.extend(words(&self.acceleration.arguments()));
        arguments.extend(self.machine()?);
        arguments.extend(self.firmware.arguments()?);
        arguments.extend(self.nic.arguments()?);
        for device in &self.passthru {
            arguments.extend(device.arguments());
        }
        Ok(arguments)
    }

    /// The part of the arguments that is the same however the guest boots and runs: machine, console,
    /// disks and shares.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn machine(&self) -> Result<Vec<String>, Error> {
        let mut arguments =
            words(&["-machine", "q35", "-smp", "1", "-nodefaults", "-display", "none"]);
        let mut add = |more: &[&str]| arguments.extend(words(more));
        if self.no_reboot {
            add(&["-no-reboot"]);
        }
        match self.console {
            Console::Terminal => {
                add(&["-chardev", "stdio,id=console,mux=on,signal=off"]);
                add(&["-serial", "chardev:console", "-mon", "chardev=console"]);
            }
            Console::Plain => add(&["-serial", "stdio"]),
        }
        if let Some(monitor) = &self.monitor {
            add(&["-qmp", &format!("unix:{},server=on,wait=off", value(monitor)?)]);
        }
        for (id, file) in [("esp", &self.esp), ("root", &self.root)] {
            let drive = format!("if=none,id={id},format=raw,readonly=on,file={}", value(file)?);
            add(&["-drive", &drive, "-device", &format!("virtio-blk-pci,drive={id}")]);
        }
        for share in &self.shares {
            let read_only = if share.read_only { ",readonly=on" } else { "" };
            let (tag, folder) = (&share.tag, value(&share.folder)?);
            let model = "security_model=mapped-xattr";
            add(&["-fsdev", &format!("local,id={tag},path={folder},{model}{read_only}")]);
            add(&["-device", &format!("virtio-9p-pci,fsdev={tag},mount_tag={tag}")]);
        }
        Ok(arguments)
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

/// A path as an argument of its own.
fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::NotText { path: path.to_owned() })
}

/// A path as the value of an option, in which a comma is written twice.
fn value(path: &Path) -> Result<String, Error> {
    Ok(text(path)?.replace(',', ",,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["vmlinuz", "initramfs.img", "esp.img", "root.img"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        std::fs::write(folder.path().join("cmdline"), "root=/dev/vdb quiet\n").unwrap();
        folder
    }

    #[test]
    fn disks_shares_and_nic_are_wired_as_the_contract_says() {
        let folder = output();
        let mut guest = GuestDescription::of_output(folder.path()).unwrap();
        guest.shares = vec![Share::new("config", "/a,b".into(), true)];
        let line = guest.arguments().unwrap().join(" ");
        let esp = line.find("drive=esp").unwrap();
        assert!(esp < line.find("drive=root").unwrap(), "the ESP is the first disk");
        assert!(line.contains("-append root=/dev/vdb quiet "));
        assert!(line.contains("path=/a,,b,security_model=mapped-xattr,readonly=on"));
        assert!(line.contains("mount_tag=config"));
        assert!(line.contains("e1000,netdev=net"));
    }

    #[test]
    fn uefi_boots_without_a_kernel_argument() {
        let folder = output();
        let mut guest = GuestDescription::of_output(folder.path()).unwrap();
        guest.firmware = Firmware::Uefi { code: "/c.fd".into(), variables: "/v.fd".into() };
        let line = guest.arguments().unwrap().join(" ");
        assert!(!line.contains("-kernel"));
        assert!(line.contains("unit=0,readonly=on,file=/c.fd"));
        assert!(line.contains("unit=1,snapshot=on,file=/v.fd"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = output();
        std::fs::remove_file(folder.path().join("root.img")).unwrap();
        let message = GuestDescription::of_output(folder.path()).unwrap_err().to_string();
        assert!(message.contains("root.img"), "{message}");
    }

    #[test]
    fn kvm_needs_both_the_flag_and_the_device() {
        let intel = "processor\t: 0\nflags\t\t: fpu vmx sse\n";
        assert_eq!(Acceleration::usable(intel, true), Acceleration::Kvm);
        assert_eq!(Acceleration::usable(intel, false), Acceleration::Software);
        let none = "processor\t: 0\nflags\t\t: fpu sse\nvmx flags\t: vnmi\nbugs\t\t: svm\n";
        assert_eq!(Acceleration::usable(none, true), Acceleration::Software);
    }

    #[test]
    fn pci_addresses_are_checked() {
        assert_eq!(PciAddress::parse("0000:0A:00.0").unwrap().as_str(), "0000:0a:00.0");
        for bad in ["", "03:00.0", "0000:03:00.8", "0000:03:00.0,x=y", "0000-03-00.0"] {
            assert!(PciAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
