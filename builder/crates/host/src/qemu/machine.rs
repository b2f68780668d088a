//! The machine that QEMU makes for a guest, and QEMU's arguments for it.
//!
//! [`Machine::of`] takes from the guest's description what the guest is made for: architecture, memory,
//! processors, disks in their order, network card, shares by their tags, cards handed over. The caller
//! changes what its host or its user wants otherwise. The console is the first serial port. The options
//! are those of qemu-system-x86_64(1).

use std::path::{Path, PathBuf};

use super::board::Board;
use super::error::Error;
use super::parts::{Acceleration, Firmware, Nic, passthru, value, words};
use crate::shares::{self, Share};
use wifibox_ground::address::Address;
use wifibox_ground::guest::{self, Guest, Purpose, ShareTransport};

/// Where the guest's serial console goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// The terminal; Ctrl-A X ends QEMU, Ctrl-A C reaches its monitor.
    Terminal,
    /// QEMU's standard output, every byte as it comes.
    Plain,
}

/// A disk of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its use.
    pub purpose: Purpose,
    /// Its id for QEMU: letters, digits and `-`.
    pub id: String,
    /// The raw image.
    pub image: PathBuf,
    /// Whether the guest may only read.
    pub read_only: bool,
}

/// A guest's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The kind of machine.
    pub board: Board,
    /// The firmware or kernel that starts first.
    pub firmware: Firmware,
    /// Its disks, in the order in which the guest meets them.
    pub disks: Vec<Disk>,
    /// Virtual processors.
    pub vcpus: u16,
    /// Memory in MiB.
    pub memory: u32,
    /// How its instructions are executed.
    pub acceleration: Acceleration,
    /// The network card, as QEMU calls it, if the guest has one.
    pub(super) card: Option<&'static str>,
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

impl Machine {
    /// The machine for `guest`, whose images are in the folder `images`, and which keeps its shares and
    /// its data in the folder `state`: started by this firmware, or else directly; executed by the
    /// translator, on QEMU's own network.
    ///
    /// # Errors
    /// [`Error::Unfit`] says what QEMU has not, or what the guest has not.
    pub fn of(
        guest: &Guest,
        images: &Path,
        state: &Path,
        uefi: Option<Firmware>,
    ) -> Result<Self, Error> {
        let unfit = |why: String| Err(Error::Unfit { why });
        let board = Board::of(guest)?;
        if guest.transport == ShareTransport::Xen {
            return unfit(format!(
                "it was built for {}, and QEMU has neither Xen's disks nor its network cards and \
                 shares; build it with --hypervisor qemu",
                guest.hypervisor
            ));
        }
        let firmware = match (uefi, &guest.boot.direct) {
            (Some(_), _) if guest.boot.uefi.is_none() => {
                return unfit("it has no EFI image that firmware could start".to_owned());
            }
            (Some(firmware), _) => firmware,
            (None, Some(direct)) => Firmware::Direct {
                kernel: images.join(&direct.kernel),
                initramfs: direct.initramfs.as_ref().map(|file| images.join(file)),
                command_line: direct.cmdline.clone(),
            },
            (None, None) => return unfit("it has no kernel that QEMU could load".to_owned()),
        };
        let card = match guest.nics.as_slice() {
            [] => None,
            [card] => Some(match card.model {
                guest::Nic::E1000 => "e1000",
                guest::Nic::VirtioNet => "virtio-net-pci",
                guest::Nic::XenNetfront => return unfit("its network card is Xen's".to_owned()),
            }),
            cards => return unfit(format!("it has {} network cards, not one", cards.len())),
        };
        let disks = guest.disks.iter().map(|disk| Disk {
            purpose: disk.purpose,
            id: match disk.purpose {
                Purpose::Efi => "esp".to_owned(),
                Purpose::Root => "root".to_owned(),
                Purpose::Configuration | Purpose::Persistent => disk.device.clone(),
            },
            image: match disk.purpose {
                Purpose::Persistent => state.join(&disk.file),
                Purpose::Efi | Purpose::Root | Purpose::Configuration => images.join(&disk.file),
            },
            read_only: disk.read_only,
        });
        Ok(Self {
            board,
            firmware,
            disks: disks.collect(),
            vcpus: guest.vcpus,
            memory: guest.memory,
            acceleration: Acceleration::Software,
            card,
            nic: Nic::User,
            shares: shares::of(guest, state),
            console: Console::Terminal,
            passthru: guest.passthru.clone(),
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
        arguments.extend(words(&self.acceleration.arguments(self.board)));
        arguments.extend(self.fixed()?);
        arguments.extend(self.firmware.arguments()?);
        arguments.extend(self.network(&self.nic)?);
        for card in &self.passthru {
            arguments.extend(passthru(*card));
        }
        Ok(arguments)
    }

    /// The arguments for the network card with this far end.
    pub(super) fn network(&self, nic: &Nic) -> Result<Vec<String>, Error> {
        self.card.map_or_else(|| Ok(Vec::new()), |card| nic.arguments(card))
    }

    /// The part of the arguments that is the same however the guest boots and runs: machine, console,
    /// disks and shares.
    pub(super) fn fixed(&self) -> Result<Vec<String>, Error> {
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
        for Disk { id, image, read_only, .. } in &self.disks {
            let access = if *read_only { "readonly=on," } else { "" };
            let drive = format!("if=none,id={id},format=raw,{access}file={}", value(image)?);
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
