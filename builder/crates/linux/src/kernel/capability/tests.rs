//! Tests of what a kernel can do: small configurations, lists and module sets.

use super::*;
use crate::kernel::feature::{InitramfsCodec, SquashfsCodec};

fn capabilities(config: &str, builtin: &str, modules: &[&str]) -> Capabilities {
    Capabilities {
        kernel: "test 6.12".into(),
        config: Some(KernelConfig::parse(config.as_bytes()).expect("a configuration")),
        builtin: Some(Builtin::parse(builtin.as_bytes(), None).expect("a list")),
        modules: modules.iter().map(|name| ModuleName::new(name).expect("a name")).collect(),
    }
}

const CONFIG: &str = "CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_XZ=y\nCONFIG_SQUASHFS_ZLIB=y\n\
    # CONFIG_SQUASHFS_LZ4 is not set\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n\
    CONFIG_VIRTIO_NET=m\nCONFIG_E1000=m\nCONFIG_NET_9P_VIRTIO=y\nCONFIG_DEVTMPFS=y\n";

#[test]
fn features_are_found_as_modules_built_in_or_not_at_all() {
    let kernel =
        capabilities(CONFIG, "kernel/net/9p/9pnet_virtio.ko\n", &["squashfs", "virtio-net"]);
    assert_eq!(kernel.feature(Feature::VirtioNet), Presence::Module);
    assert_eq!(kernel.feature(Feature::P9Virtio), Presence::BuiltIn);
    assert_eq!(kernel.feature(Feature::E1000), Presence::NotPackaged);
    assert_eq!(kernel.feature(Feature::P9Xen), Presence::Absent);
    let error = kernel.check_feature("hypervisor xen", Feature::P9Xen).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("hypervisor xen") && text.contains("CONFIG_NET_9P_XEN"), "{text}");
    let error = kernel.check_feature("hypervisor bhyve", Feature::E1000).expect_err("refused");
    assert!(error.to_string().contains("e1000.ko"), "{error}");
    assert_eq!(
        kernel.modules_among(&[Feature::Squashfs, Feature::P9Virtio, Feature::VirtioNet]),
        [Feature::Squashfs, Feature::VirtioNet]
    );
}

#[test]
fn squashfs_codecs_that_the_kernel_lacks_are_refused_by_name() {
    let kernel = capabilities(CONFIG, "", &["squashfs"]);
    assert_eq!(kernel.check_squashfs(SquashfsCodec::Xz), Ok(()));
    let text = kernel.check_squashfs(SquashfsCodec::Lz4).expect_err("refused").to_string();
    for part in ["SquashFS compression lz4", "CONFIG_SQUASHFS_LZ4=n", "test 6.12", "xz, gzip"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    let without = capabilities(CONFIG, "", &[]);
    assert!(without.check_squashfs(SquashfsCodec::Xz).is_err(), "no squashfs module packaged");
}

#[test]
fn the_x86_filter_is_used_where_the_kernel_undoes_it_or_nobody_knows() {
    assert!(!capabilities(CONFIG, "", &[]).reads_x86_filter());
    let with = format!("{CONFIG}CONFIG_XZ_DEC_X86=y\n");
    assert!(capabilities(&with, "", &[]).reads_x86_filter());
    assert!(Capabilities { config: None, ..capabilities(CONFIG, "", &[]) }.reads_x86_filter());
}

#[test]
fn initramfs_codecs() {
    let kernel = capabilities(CONFIG, "", &[]);
    let codecs = [InitramfsCodec::Zstd, InitramfsCodec::Gzip, InitramfsCodec::None];
    assert_eq!(kernel.initramfs_codecs().as_deref(), Some(&codecs[..]));
    assert!(kernel.check_initramfs(InitramfsCodec::Xz).is_err());
    assert_eq!(kernel.check_initramfs(InitramfsCodec::None), Ok(()));
    let none = capabilities("# CONFIG_BLK_DEV_INITRD is not set\n", "", &[]);
    assert_eq!(none.initramfs_codecs(), Some(Vec::new()));
    assert!(none.check_initramfs(InitramfsCodec::None).is_err());
}

#[test]
fn compressed_firmware_follows_the_kernels_age_and_symbols() {
    let reads = |config: &str| {
        let kernel = capabilities(config, "", &[]);
        [Compression::None, Compression::Xz, Compression::Zstd, Compression::Gzip]
            .map(|kind| kernel.reads_firmware(kind))
    };
    assert_eq!(reads("# CONFIG_FW_LOADER_COMPRESS is not set\n"), [true, false, false, false]);
    assert_eq!(reads("CONFIG_FW_LOADER_COMPRESS=y\n"), [true, true, false, false]);
    let new = "CONFIG_FW_LOADER_COMPRESS=y\nCONFIG_FW_LOADER_COMPRESS_ZSTD=y\n";
    assert_eq!(reads(new), [true, false, true, false]);
}

#[test]
fn command_lines_devtmpfs_and_module_suffixes() {
    let kernel = capabilities(
        "CONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"root=/dev/vdb ro\"\nCONFIG_CMDLINE_OVERRIDE=y\n\
         CONFIG_DEVTMPFS=y\nCONFIG_DEVTMPFS_MOUNT=y\nCONFIG_MODULE_COMPRESS_XZ=y\n",
        "",
        &[],
    );
    assert_eq!(kernel.builtin_cmdline(), Some(("root=/dev/vdb ro", true)));
    assert_eq!(kernel.devtmpfs(), Devtmpfs::Mounted);
    assert_eq!(kernel.module_compression(), Some(Compression::Xz));
    assert_eq!(kernel.unpacks_modules(), Some(false));
    assert_eq!(kernel.takes_unsigned_modules(), Some(true));
    let off = capabilities("# CONFIG_CMDLINE_BOOL is not set\nCONFIG_DEVTMPFS=y\n", "", &[]);
    assert_eq!(off.builtin_cmdline(), None);
    assert_eq!(off.devtmpfs(), Devtmpfs::Available);
}

#[test]
fn an_unknown_kernel_refuses_nothing_but_compressed_firmware() {
    let kernel = Capabilities {
        kernel: "unknown".into(),
        config: None,
        builtin: None,
        modules: BTreeSet::new(),
    };
    assert_eq!(kernel.feature(Feature::VirtioNet), Presence::Unknown);
    assert_eq!(kernel.check_squashfs(SquashfsCodec::Lz4), Ok(()));
    assert_eq!(kernel.check_initramfs(InitramfsCodec::Zstd), Ok(()));
    assert!(!kernel.reads_firmware(Compression::Xz));
    assert_eq!(kernel.devtmpfs(), Devtmpfs::Unknown);
}
