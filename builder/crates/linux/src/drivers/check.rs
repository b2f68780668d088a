//! Whether a kernel can do what a recipe asks of it: the pairs of a choice and a kernel that cannot
//! work are refused before anything is made of them.
//!
//! Firmware is not such a pair: what the kernel's loader cannot unpack is unpacked by the builder.

use super::Error;
use crate::kernel::capability::{Capabilities, Impossible, Presence};
use crate::kernel::feature::{Feature, InitramfsCodec, SquashfsCodec};
use wifibox_ground::guest::{Nic, ShareTransport};
use wifibox_recipe::{BootsWith, Recipe, RootCompressor};

/// Refuses what this kernel cannot do with this recipe. What is not known is no refusal.
///
/// # Errors
/// [`Error::Impossible`] names both sides.
pub fn check(recipe: &Recipe, kernel: &Capabilities) -> Result<(), Error> {
    root(recipe, kernel)?;
    hypervisor(recipe, kernel)?;
    kernel.check_feature("booting by UEFI", Feature::EfiStub)?;
    command_line(recipe, kernel)?;
    Ok(())
}

/// How the kernel gets at its root file system.
fn root(recipe: &Recipe, kernel: &Capabilities) -> Result<(), Impossible> {
    kernel.check_squashfs(match recipe.compression.value {
        RootCompressor::Xz => SquashfsCodec::Xz,
        RootCompressor::Zstd => SquashfsCodec::Zstd,
        RootCompressor::Gzip => SquashfsCodec::Gzip,
        RootCompressor::Lz4 => SquashfsCodec::Lz4,
        RootCompressor::Lzo => SquashfsCodec::Lzo,
    })?;
    let disk: &[Feature] = match recipe.hypervisor.root_disk.value.as_str() {
        name if name.starts_with("vd") => &[Feature::VirtioPci, Feature::VirtioBlk],
        name if name.starts_with("xvd") => &[Feature::XenBlk],
        _ => &[],
    };
    let choice = format!(
        "hypervisor {} (root disk {})",
        recipe.hypervisor.name.value, recipe.hypervisor.root_disk.value
    );
    for feature in disk {
        kernel.check_feature(&choice, *feature)?;
    }
    if recipe.kernel.boots_with.value == BootsWith::Initramfs {
        // The best codec that it reads is taken; one that takes no initramfs reads none.
        let known = kernel.initramfs_codecs();
        let codec = known.and_then(|known| known.first().copied());
        return kernel.check_initramfs(codec.unwrap_or(InitramfsCodec::None));
    }
    let needed: Vec<Feature> = disk.iter().copied().chain([Feature::Squashfs]).collect();
    match kernel.modules_among(&needed).first() {
        None => Ok(()),
        Some(feature) => Err(Impossible {
            choice: format!("booting kernel {} without an initramfs", recipe.kernel.name.value),
            need: format!("{feature} built in ({}=y)", feature.symbol()),
            kernel: kernel.kernel.clone(),
            found: format!("{}=m", feature.symbol()),
            cure: "let its descriptor say 'boots_with: initramfs'".to_owned(),
        }),
    }
}

/// The devices by which the hypervisor reaches the guest.
fn hypervisor(recipe: &Recipe, kernel: &Capabilities) -> Result<(), Impossible> {
    let hypervisor = &recipe.hypervisor;
    let (nic, card) = match hypervisor.nic.value {
        Nic::E1000 => ("e1000", Feature::E1000),
        Nic::VirtioNet => ("virtio-net", Feature::VirtioNet),
        Nic::XenNetfront => ("xen-netfront", Feature::XenNet),
    };
    let name = &hypervisor.name.value;
    kernel.check_feature(&format!("hypervisor {name} (network card {nic})"), card)?;
    if recipe.shares.is_empty() {
        return Ok(());
    }
    let transport = match hypervisor.share_transport.value {
        ShareTransport::Virtio => Feature::P9Virtio,
        ShareTransport::Xen => Feature::P9Xen,
        ShareTransport::Disk => return Ok(()),
    };
    for feature in [Feature::P9, transport] {
        let choice = format!("hypervisor {name} (shares by {feature})");
        let presence = kernel.check_feature(&choice, feature)?;
        debug_assert_ne!(presence, Presence::Absent, "what is absent is refused");
    }
    Ok(())
}

/// A command line that was built in and wins over the given one must say the same.
fn command_line(recipe: &Recipe, kernel: &Capabilities) -> Result<(), Impossible> {
    let Some((text, true)) = kernel.builtin_cmdline() else { return Ok(()) };
    let has = |word: &str| text.split_ascii_whitespace().any(|known| known == word);
    match recipe.cmdline.iter().find(|word| !has(&word.value)) {
        None => Ok(()),
        Some(word) => Err(Impossible {
            choice: format!("the kernel argument {} ({})", word.value, word.origin),
            need: "a command line that is given at boot".to_owned(),
            kernel: kernel.kernel.clone(),
            found: format!("CONFIG_CMDLINE={text:?}, which overrides it"),
            cure: "choose another kernel, or build this one without CONFIG_CMDLINE_OVERRIDE"
                .to_owned(),
        }),
    }
}

/// The kernel arguments that are lost where UEFI starts the kernel itself, with a command line of its own built in: in
/// words, for whoever relies on one.
pub(super) fn lost_under_uefi(recipe: &Recipe, kernel: &Capabilities) -> Option<String> {
    let starts_itself = recipe.kernel.efi_stub.is_none()
        && recipe.hypervisor.share_transport.value == ShareTransport::Virtio;
    let (text, _) = kernel.builtin_cmdline().filter(|_| starts_itself)?;
    let known: Vec<&str> = text.split_ascii_whitespace().collect();
    let lost = recipe.cmdline.iter().filter(|word| !known.contains(&word.value.as_str()));
    let lost: Vec<String> = lost.map(|word| format!("{} ({})", word.value, word.origin)).collect();
    (!lost.is_empty()).then(|| {
        format!(
            "started by UEFI, the kernel {} has the command line that is built into it and does not see {}: start \
             the guest directly, or take another kernel",
            recipe.kernel.name.value,
            lost.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::ModuleName;
    use crate::kernel::config::KernelConfig;
    use wifibox_recipe::{Catalog, Selection, Sources};

    /// A configuration with which everything works, all of it built in.
    const ENOUGH: &str = "CONFIG_SQUASHFS=y\nCONFIG_SQUASHFS_XZ=y\nCONFIG_SQUASHFS_ZSTD=y\n\
        CONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_GZIP=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\n\
        CONFIG_E1000=y\nCONFIG_9P_FS=y\nCONFIG_NET_9P_VIRTIO=y\nCONFIG_EFI_STUB=y\n\
        CONFIG_XEN_BLKDEV_FRONTEND=y\nCONFIG_XEN_NETDEV_FRONTEND=y\nCONFIG_NET_9P_XEN=y\n";

    fn kernel(config: &str, modules: &[&str]) -> Capabilities {
        let names = modules.iter().map(|name| ModuleName::new(name).expect("a name"));
        Capabilities {
            kernel: "made 6.12".to_owned(),
            config: Some(KernelConfig::parse(config.as_bytes()).expect("parsed")),
            builtin: None,
            modules: names.collect::<BTreeSet<_>>(),
        }
    }

    fn recipe(hypervisor: &str, compression: RootCompressor) -> Recipe {
        let selection = Selection {
            base: "debian".into(),
            flavor: "hwsim".into(),
            hypervisor: Some(hypervisor.into()),
            compression: Some(compression),
            ..Selection::default()
        };
        let catalog = Catalog::load(&Sources::embedded()).expect("loaded");
        catalog.compose(&selection).expect("composed")
    }

    /// The refusal must name both sides: what was chosen, and what the kernel lacks.
    fn refused(recipe: &Recipe, kernel: &Capabilities, choice: &str, lack: &str) {
        let text = check(recipe, kernel).expect_err(lack).to_string();
        for part in [choice, lack, "kernel made 6.12"] {
            assert!(text.contains(part), "{text:?} lacks {part:?}");
        }
    }

    #[test]
    fn what_works_is_let_through() {
        for hypervisor in ["bhyve", "qemu", "xen"] {
            let recipe = recipe(hypervisor, RootCompressor::Xz);
            check(&recipe, &kernel(ENOUGH, &[])).expect(hypervisor);
            // Of a kernel of which nothing is known, nothing is refused.
            let unknown = Capabilities { config: None, ..kernel(ENOUGH, &[]) };
            check(&recipe, &unknown).expect(hypervisor);
        }
        let modules = ENOUGH.replace("CONFIG_E1000=y", "CONFIG_E1000=m");
        check(&recipe("bhyve", RootCompressor::Xz), &kernel(&modules, &["e1000"]))
            .expect("a module");
    }

    #[test]
    fn every_lack_is_refused_with_both_sides_named() {
        let without = |symbol: &str| ENOUGH.replace(&format!("CONFIG_{symbol}=y\n"), "");
        for (hypervisor, symbol, choice) in [
            ("bhyve", "SQUASHFS", "a SquashFS root"),
            ("bhyve", "SQUASHFS_XZ", "SquashFS compression xz"),
            ("bhyve", "BLK_DEV_INITRD", "an initramfs"),
            ("bhyve", "VIRTIO_BLK", "hypervisor bhyve (root disk vdb)"),
            ("qemu", "VIRTIO_PCI", "hypervisor qemu (root disk vdb)"),
            ("qemu", "E1000", "hypervisor qemu (network card e1000)"),
            ("bhyve", "9P_FS", "hypervisor bhyve (shares by the 9P file system)"),
            ("bhyve", "NET_9P_VIRTIO", "hypervisor bhyve (shares by 9P over virtio)"),
            ("bhyve", "EFI_STUB", "booting by UEFI"),
            ("xen", "XEN_BLKDEV_FRONTEND", "hypervisor xen (root disk xvde)"),
            ("xen", "XEN_NETDEV_FRONTEND", "hypervisor xen (network card xen-netfront)"),
            ("xen", "NET_9P_XEN", "hypervisor xen (shares by 9P over Xen)"),
        ] {
            let kernel = kernel(&without(symbol), &[]);
            refused(&recipe(hypervisor, RootCompressor::Xz), &kernel, choice, symbol);
        }
    }

    #[test]
    fn a_module_that_no_package_brings_is_refused() {
        let config = ENOUGH.replace("CONFIG_E1000=y", "CONFIG_E1000=m");
        refused(
            &recipe("bhyve", RootCompressor::Xz),
            &kernel(&config, &[]),
            "network card e1000",
            "e1000.ko",
        );
    }

    #[test]
    fn other_compressors_are_offered() {
        let text = check(&recipe("bhyve", RootCompressor::Lz4), &kernel(ENOUGH, &[]))
            .expect_err("refused")
            .to_string();
        assert!(text.contains("SQUASHFS_LZ4") && text.contains("--compression xz, zstd"), "{text}");
    }

    #[test]
    fn without_an_initramfs_the_root_must_be_built_in() {
        let mut recipe = recipe("bhyve", RootCompressor::Xz);
        recipe.kernel.boots_with.value = BootsWith::Direct;
        check(&recipe, &kernel(ENOUGH, &[])).expect("built in");
        let config = ENOUGH.replace("CONFIG_SQUASHFS=y", "CONFIG_SQUASHFS=m");
        let kernel = kernel(&config, &["squashfs"]);
        refused(&recipe, &kernel, "without an initramfs", "CONFIG_SQUASHFS=m");
    }

    #[test]
    fn what_a_kernel_without_a_stub_does_not_see_is_named() {
        let mut recipe = recipe("bhyve", RootCompressor::Xz);
        let words: Vec<&str> = recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
        let config = |text: &str| {
            let line = format!("CONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"{text}\"\n");
            kernel(&format!("{ENOUGH}{line}"), &[])
        };
        let (all, none) = (config(&words.join(" ")), config("quiet"));
        assert_eq!(lost_under_uefi(&recipe, &none), None, "its stub hands the line over");
        recipe.kernel.efi_stub = None;
        assert_eq!(lost_under_uefi(&recipe, &all), None);
        let said = lost_under_uefi(&recipe, &none).expect("said");
        assert!(said.contains("root=/dev/vdb (recipes/hypervisors/bhyve.yaml:"), "{said}");
        assert!(!said.contains("quiet"), "{said}");
        assert_eq!(lost_under_uefi(&recipe, &kernel(ENOUGH, &[])), None, "nothing is known of it");
    }

    #[test]
    fn a_command_line_that_cannot_be_changed_must_be_the_same() {
        let recipe = recipe("bhyve", RootCompressor::Xz);
        let line = |text: &str, wins: bool| {
            let wins = if wins { "y" } else { "n" };
            let extra = format!(
                "CONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"{text}\"\nCONFIG_CMDLINE_OVERRIDE={wins}\n"
            );
            kernel(&format!("{ENOUGH}{extra}"), &[])
        };
        check(&recipe, &line("root=/dev/sda", false)).expect("ours comes last");
        refused(&recipe, &line("root=/dev/sda", true), "kernel argument", "root=/dev/sda");
        let words: Vec<&str> = recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
        check(&recipe, &line(&words.join(" "), true)).expect("the same");
    }
}
