//! The parts of a kernel that a guest may need, and the codecs that images are packed with, each with
//! its configuration symbol and module.

use std::fmt;

/// A part of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// virtio over PCI.
    VirtioPci,
    /// virtio disks.
    VirtioBlk,
    /// virtio network cards.
    VirtioNet,
    /// virtio consoles.
    VirtioConsole,
    /// Intel's 8254x network cards, as hypervisors emulate them.
    E1000,
    /// Intel's 8257x network cards.
    E1000e,
    /// AHCI disks.
    Ahci,
    /// The 9P file system.
    P9,
    /// 9P over virtio.
    P9Virtio,
    /// 9P over Xen.
    P9Xen,
    /// Xen's virtual disks.
    XenBlk,
    /// Xen's virtual network cards.
    XenNet,
    /// Passing PCI devices into a Xen guest.
    XenPci,
    /// SquashFS.
    Squashfs,
    /// SquashFS extended attributes.
    SquashfsXattr,
    /// Overlay file systems.
    Overlay,
    /// FAT.
    Vfat,
    /// tmpfs.
    Tmpfs,
    /// The EFI stub: the image is a UEFI program.
    EfiStub,
    /// Power button.
    Button,
    /// Input events for user programs.
    Evdev,
}

impl Feature {
    /// Its configuration symbol, with `CONFIG_`.
    pub fn symbol(self) -> &'static str {
        self.row().1
    }

    /// Its module, where it can be one.
    pub fn module(self) -> Option<&'static str> {
        self.row().2
    }

    fn row(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Feature::VirtioPci => ("virtio over PCI", "CONFIG_VIRTIO_PCI", Some("virtio_pci")),
            Feature::VirtioBlk => ("virtio disks", "CONFIG_VIRTIO_BLK", Some("virtio_blk")),
            Feature::VirtioNet => ("virtio network cards", "CONFIG_VIRTIO_NET", Some("virtio_net")),
            Feature::VirtioConsole => {
                ("virtio consoles", "CONFIG_VIRTIO_CONSOLE", Some("virtio_console"))
            }
            Feature::E1000 => ("e1000 network cards", "CONFIG_E1000", Some("e1000")),
            Feature::E1000e => ("e1000e network cards", "CONFIG_E1000E", Some("e1000e")),
            Feature::Ahci => ("AHCI disks", "CONFIG_SATA_AHCI", Some("ahci")),
            Feature::P9 => ("the 9P file system", "CONFIG_9P_FS", Some("9p")),
            Feature::P9Virtio => ("9P over virtio", "CONFIG_NET_9P_VIRTIO", Some("9pnet_virtio")),
            Feature::P9Xen => ("9P over Xen", "CONFIG_NET_9P_XEN", Some("9pnet_xen")),
            Feature::XenBlk => {
                ("Xen's virtual disks", "CONFIG_XEN_BLKDEV_FRONTEND", Some("xen_blkfront"))
            }
            Feature::XenNet => {
                ("Xen's virtual network cards", "CONFIG_XEN_NETDEV_FRONTEND", Some("xen_netfront"))
            }
            Feature::XenPci => {
                ("Xen PCI passthrough", "CONFIG_XEN_PCIDEV_FRONTEND", Some("xen_pcifront"))
            }
            Feature::Squashfs => ("SquashFS", "CONFIG_SQUASHFS", Some("squashfs")),
            Feature::SquashfsXattr => {
                ("SquashFS extended attributes", "CONFIG_SQUASHFS_XATTR", None)
            }
            Feature::Overlay => ("overlay file systems", "CONFIG_OVERLAY_FS", Some("overlay")),
            Feature::Vfat => ("FAT", "CONFIG_VFAT_FS", Some("vfat")),
            Feature::Tmpfs => ("tmpfs", "CONFIG_TMPFS", None),
            Feature::EfiStub => ("the EFI stub", "CONFIG_EFI_STUB", None),
            Feature::Button => ("the power button", "CONFIG_ACPI_BUTTON", Some("button")),
            Feature::Evdev => ("input events", "CONFIG_INPUT_EVDEV", Some("evdev")),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().0)
    }
}

/// How a SquashFS is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SquashfsCodec {
    /// zlib, `gzip` in SquashFS's words.
    Gzip,
    /// LZO.
    Lzo,
    /// LZ4.
    Lz4,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

impl SquashfsCodec {
    /// All codecs, the one that packs best first.
    pub const ALL: [SquashfsCodec; 5] = [
        SquashfsCodec::Xz,
        SquashfsCodec::Zstd,
        SquashfsCodec::Gzip,
        SquashfsCodec::Lzo,
        SquashfsCodec::Lz4,
    ];

    /// Its configuration symbol, without `CONFIG_`.
    pub fn symbol(self) -> &'static str {
        match self {
            SquashfsCodec::Gzip => "SQUASHFS_ZLIB",
            SquashfsCodec::Lzo => "SQUASHFS_LZO",
            SquashfsCodec::Lz4 => "SQUASHFS_LZ4",
            SquashfsCodec::Xz => "SQUASHFS_XZ",
            SquashfsCodec::Zstd => "SQUASHFS_ZSTD",
        }
    }
}

impl fmt::Display for SquashfsCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SquashfsCodec::Gzip => "gzip",
            SquashfsCodec::Lzo => "lzo",
            SquashfsCodec::Lz4 => "lz4",
            SquashfsCodec::Xz => "xz",
            SquashfsCodec::Zstd => "zstd",
        })
    }
}

/// How an initramfs is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InitramfsCodec {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// LZ4, in its legacy frame.
    Lz4,
    /// xz, with CRC32 checks.
    Xz,
    /// Zstandard.
    Zstd,
}

impl InitramfsCodec {
    /// All codecs, the one to prefer first: zstd unpacks fast and packs nearly as well as xz.
    pub const ALL: [InitramfsCodec; 5] = [
        InitramfsCodec::Zstd,
        InitramfsCodec::Xz,
        InitramfsCodec::Gzip,
        InitramfsCodec::Lz4,
        InitramfsCodec::None,
    ];

    /// Its configuration symbol, without `CONFIG_`; none is needed for an uncompressed one.
    pub fn symbol(self) -> Option<&'static str> {
        match self {
            InitramfsCodec::None => None,
            InitramfsCodec::Gzip => Some("RD_GZIP"),
            InitramfsCodec::Lz4 => Some("RD_LZ4"),
            InitramfsCodec::Xz => Some("RD_XZ"),
            InitramfsCodec::Zstd => Some("RD_ZSTD"),
        }
    }
}

impl fmt::Display for InitramfsCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InitramfsCodec::None => "none",
            InitramfsCodec::Gzip => "gzip",
            InitramfsCodec::Lz4 => "lz4",
            InitramfsCodec::Xz => "xz",
            InitramfsCodec::Zstd => "zstd",
        })
    }
}
