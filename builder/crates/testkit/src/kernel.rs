//! The least that is a kernel: a header that says so, and its release.

use super::rawtar::gzip;

/// The image of a kernel that calls itself `release`.
pub fn kernel_image(release: &str) -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    put(0, b"MZ");
    put(0x3c, &0x800_u32.to_le_bytes());
    put(0x800, b"PE\0\0\x64\x86");
    put(0x1fe, &0xaa55_u16.to_le_bytes());
    put(0x202, b"HdrS");
    put(0x206, &0x20f_u16.to_le_bytes());
    put(0x20e, &0x400_u16.to_le_bytes());
    put(0x600, format!("{release} (builder@host) #1 SMP\0").as_bytes());
    put(0x234, &[1, 0, 1]);
    put(0x238, &2047_u32.to_le_bytes());
    put(0x260, &0x0400_0000_u32.to_le_bytes());
    bytes
}

/// The same for 64-bit Arm, as the kernel's Documentation/arch/arm64/booting.rst has it.
pub fn arm64_image(release: &str) -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    put(0, b"MZ");
    put(16, &0x0100_0000_u64.to_le_bytes());
    put(24, &0xa_u64.to_le_bytes());
    put(56, b"ARM\x64");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0\x64\xaa");
    put(0x600, format!("Linux version {release} (builder@host) #1 SMP\0").as_bytes());
    bytes
}

/// An EFI program for 64-bit Arm that has `image` packed inside (drivers/firmware/efi/libstub/zboot-header.S).
pub fn zboot_image(image: &[u8]) -> Vec<u8> {
    let (packed, start) = (gzip(image), 0x400_u32);
    let mut bytes = vec![0; start as usize];
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    put(0, b"MZ\0\0zimg");
    put(8, &start.to_le_bytes());
    put(12, &u32::try_from(packed.len()).expect("small").to_le_bytes());
    put(24, b"gzip\0");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0\x64\xaa");
    bytes.extend(packed);
    bytes
}

/// The `modules.builtin` of a kernel that reaches disk, shares and network under every hypervisor.
pub const BUILT_IN: &str = "\
kernel/drivers/block/virtio_blk.ko
kernel/drivers/block/xen-blkfront.ko
kernel/drivers/net/ethernet/intel/e1000/e1000.ko
kernel/drivers/net/virtio_net.ko
kernel/drivers/virtio/virtio_pci.ko
kernel/fs/9p/9p.ko
kernel/fs/squashfs/squashfs.ko
kernel/net/9p/9pnet.ko
kernel/net/9p/9pnet_virtio.ko
kernel/net/9p/9pnet_xen.ko
";
