//! How a guest is wired, in one place: from the files of an output folder to QEMU's arguments.
//!
//! `wifibox-build boot`, the script `host/qemu.sh` and the boot test all start from a
//! [`GuestDescription`], so that a guest meets the same machine everywhere: PC type q35 (or virt, with
//! virtio-net, for aarch64), the ESP as
//! the first virtio disk and the root as the second, both read-only, an e1000 as `eth0`, the 9P
//! shares by their tags, and the console on the first serial port. The options are those of
//! qemu-system-x86_64(1).

use std::path::{Path, PathBuf};

use super::board::Board;
use super::machine::{Acceleration, Error, Firmware, Nic, passthru, value, words};
use super::shares::Share;
use wifibox_ground::address::Address;

/// Where the guest's serial console goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// The terminal; Ctrl-A X ends QEMU, Ctrl-A C reaches its monitor.
    Terminal,
    /// QEMU's standard output, every byte as it comes.
    Plain,
}

/// The disk of an output folder on which the guest keeps its settings, if it does.
const DATA_DISK: &str = wifibox_ground::guest::PERSISTENT_FILE;

/// The working copy in `state` of the disk that the guest of `output` keeps its settings on, made at
/// the first time; `None` for a guest without one.
///
/// # Errors
/// It cannot be copied.
pub fn data_disk(output: &Path, state: &Path) -> std::io::Result<Option<Disk>> {
    let (empty, image) = (output.join(DATA_DISK), state.join(DATA_DISK));
    if !empty.is_file() {
        return Ok(None);
    }
    if !image.exists() {
        std::fs::create_dir_all(state)?;
        std::fs::copy(&empty, &image)?;
    }
    Ok(Some(Disk { id: "data".to_owned(), image, read_only: false }))
}

/// A disk that only some guests have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// What QEMU calls it: letters, digits and `-`.
    pub id: String,
    /// The raw image.
    pub image: PathBuf,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// A guest and the machine round it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestDescription {
    /// The machine.
    pub board: Board,
    /// What starts first.
    pub firmware: Firmware,
    /// The image with `\EFI\BOOT\BOOTX64.EFI`: `/dev/vda` in the guest.
    pub esp: PathBuf,
    /// The root file system: `/dev/vdb` in the guest.
    pub root: PathBuf,
    /// Disks behind the root: `/dev/vdc` and so on in the guest.
    pub disks: Vec<Disk>,
    /// Virtual processors.
    pub vcpus: u16,
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
    pub passthru: Vec<Address>,
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
            board: Board::of_output(folder),
            firmware: Firmware::Direct {
                kernel: existing("vmlinuz")?,
                // A kernel with everything built in starts without one.
                initramfs: existing("initramfs.img").ok(),
                command_line,
            },
            esp: existing("esp.img")?,
            root: existing("root.img")?,
            disks: Vec::new(),
            vcpus: 1,
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
        arguments.extend(self.nic.arguments(self.board)?);
        for card in &self.passthru {
            arguments.extend(passthru(*card));
        }
        Ok(arguments)
    }

    /// The part of the arguments that is the same however the guest boots and runs: machine, console,
    /// disks and shares.
    ///
    /// # Errors
    /// [`Error::NotText`] for a path that is not UTF-8.
    pub fn machine(&self) -> Result<Vec<String>, Error> {
        let mut arguments = words(&[
            "-machine",
            self.board.machine_type(),
            "-smp",
            &self.vcpus.to_string(),
            "-nodefaults",
            "-display",
            "none",
        ]);
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
        let own = [("esp", &self.esp, true), ("root", &self.root, true)];
        let more = self.disks.iter().map(|disk| (disk.id.as_str(), &disk.image, disk.read_only));
        for (id, file, read_only) in own.into_iter().chain(more) {
            let access = if read_only { "readonly=on," } else { "" };
            let drive = format!("if=none,id={id},format=raw,{access}file={}", value(file)?);
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
    fn further_disks_follow_the_root() {
        let folder = output();
        let mut guest = GuestDescription::of_output(folder.path()).unwrap();
        let disk = |id: &str, image: &str, read_only| Disk {
            id: id.to_owned(),
            image: image.into(),
            read_only,
        };
        guest.disks = vec![disk("data", "/d.img", false), disk("config", "/c.img", true)];
        let line = guest.arguments().unwrap().join(" ");
        let wanted = "drive=root \
             -drive if=none,id=data,format=raw,file=/d.img -device virtio-blk-pci,drive=data \
             -drive if=none,id=config,format=raw,readonly=on,file=/c.img \
             -device virtio-blk-pci,drive=config";
        assert!(line.contains(wanted), "{line}");
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
}
