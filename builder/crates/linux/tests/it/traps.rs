//! Known faults of drivers and their firmware, each as a golden test: kernel modules are real ELF files that the test
//! makes, manifests are the program's own.

#![allow(clippy::expect_used, reason = "a test fails where something is not as expected")]

use std::collections::BTreeSet;
use std::num::NonZero;

use wifibox_ground::codec::Compression;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::path::GuestPath;
use wifibox_linux::firmware::rules::{BoardLink, Promise};
use wifibox_linux::firmware::select::{Wanted, select};
use wifibox_linux::firmware::{FirmwareError, Offers, Outcome, Rules, Selection, Whence};
use wifibox_linux::kernel::builtin::Builtin;
use wifibox_linux::kernel::capability::Capabilities;
use wifibox_linux::kernel::closure::{Closure, Want, close};
use wifibox_linux::kernel::config::KernelConfig;
use wifibox_linux::kernel::feature::{Feature, InitramfsCodec, SquashfsCodec};
use wifibox_linux::kernel::modules::Modules;
use wifibox_linux::kernel::{ModuleName, depmod, shared_devices};
use wifibox_recipe::{Catalog, Recipe, Selection as Choice, Sources};

use wifibox_testkit::module::{Spec, elf};

const VERSION: &str = "6.12.0-test";

/// A kernel of these modules: name and `.modinfo` entries.
fn kernel(list: &[(&str, &[&str])]) -> Modules {
    let spool = Spool::new_in(&std::env::temp_dir()).expect("a spool");
    let mut modules = Modules::new(VERSION, spool);
    for (name, modinfo) in list {
        let path = format!("usr/lib/modules/{VERSION}/kernel/drivers/net/wireless/{name}.ko");
        let path = GuestPath::new(path).expect("a path");
        modules.insert(&path, Content::from_bytes(elf(&Spec::new(modinfo))));
    }
    modules
}

fn closed(modules: &Modules, wants: &[&str]) -> Closure {
    let wants: Vec<Want> =
        wants.iter().map(|name| Want::parse(name, "test").expect("a want")).collect();
    close(modules, &Builtin::default(), &wants, NonZero::<usize>::MIN).expect("closed")
}

fn members(closure: &Closure) -> Vec<&str> {
    closure.members.keys().map(ModuleName::as_str).collect()
}

/// The firmware that the closure's modules want, collected as the pipeline does.
fn wanted(modules: &Modules, closure: &Closure) -> Vec<Wanted> {
    let builtin = Builtin::default();
    closure
        .firmware(modules, &builtin)
        .map(|(module, name)| Wanted { module: module.clone(), name: name.to_owned() })
        .collect()
}

fn offers(files: &[&str]) -> Offers {
    let mut offers = Offers::default();
    for file in files {
        let path = GuestPath::new(format!("usr/lib/firmware/{file}")).expect("a path");
        assert!(offers.file(&path, "firmware-test"));
    }
    offers
}

fn files(selection: &Selection) -> Vec<&str> {
    selection.files.keys().map(String::as_str).collect()
}

fn outcome<'a>(selection: &'a Selection, name: &str) -> &'a Outcome {
    let line = selection.report.iter().find(|line| line.name == name);
    &line.unwrap_or_else(|| panic!("no line on {name}")).outcome
}

/// The program's own recipe of a flavor.
fn recipe(flavor: &str, hypervisor: &str) -> Recipe {
    let catalog = Catalog::load(&Sources::embedded()).expect("loaded");
    let choice = Choice {
        base: "debian".into(),
        flavor: flavor.into(),
        hypervisor: Some(hypervisor.into()),
        ..Choice::default()
    };
    catalog.compose(&choice).expect("composed")
}

/// The modules that a flavor's manifests name, as recipes write them.
fn drivers(recipe: &Recipe) -> Vec<String> {
    let sets = recipe.drivers.iter();
    let all = sets.flat_map(|set| set.modules.iter().chain(&set.runtime_modules));
    all.map(ToString::to_string).collect()
}

fn promise(pattern: &str) -> Promise {
    Promise { patterns: vec![pattern.into()], packages: vec!["firmware-iwlwifi".into()] }
}

#[test]
fn trap_1_iwlwifi_names_only_its_newest_firmware() {
    let modules = kernel(&[(
        "iwlwifi",
        &[
            "firmware=iwlwifi-ty-a0-gf-a0-89.ucode",
            "firmware=iwlwifi-ty-a0-gf-a0.pnvm",
            "firmware=iwlwifi-cc-a0-77.ucode",
            "firmware=iwlwifi-7260-17.ucode",
        ],
    )]);
    let closure = closed(&modules, &["iwlwifi"]);
    let offers = offers(&[
        "iwlwifi-ty-a0-gf-a0-59.ucode",
        "iwlwifi-ty-a0-gf-a0-86.ucode",
        "iwlwifi-ty-a0-gf-a0-92.ucode",
        "iwlwifi-ty-a0-gf-a0.pnvm",
        "iwlwifi-cc-a0-77.ucode",
        "iwlwifi-cc-a0-72.ucode",
        "iwlwifi-7260-18.ucode",
    ]);
    let mut rules = Rules::of_linux();
    rules.promises = vec![promise("iwlwifi-ty-a0-gf-a0-*.ucode"), promise("iwlwifi-ty-*.pnvm")];
    let selection = select(&offers, &wanted(&modules, &closure), &rules).expect("selected");
    assert_eq!(
        files(&selection),
        ["iwlwifi-cc-a0-77.ucode", "iwlwifi-ty-a0-gf-a0-86.ucode", "iwlwifi-ty-a0-gf-a0.pnvm"]
    );
    let older = Outcome::Older("iwlwifi-ty-a0-gf-a0-86.ucode".into());
    assert_eq!(outcome(&selection, "iwlwifi-ty-a0-gf-a0-89.ucode"), &older);
    // A prefix that the flavor promises and that only has firmware too new for the driver.
    rules.promises.push(promise("iwlwifi-7260-*.ucode"));
    let error = select(&offers, &wanted(&modules, &closure), &rules).expect_err("refused");
    assert!(matches!(error, FirmwareError::Promise(_)));
    let text = error.to_string();
    for part in ["too new for this driver: iwlwifi-7260-18.ucode", "package firmware-iwlwifi"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn trap_2_metadata_holds_globs_or_nothing() {
    let modules = kernel(&[
        ("ath11k_pci", &["firmware=ath11k/QCA6390/hw2.0/*", "firmware=ath11k/WCN6855/hw2.1/*"]),
        ("ath12k", &["license=GPL"]),
    ]);
    let closure = closed(&modules, &["ath11k_pci", "ath12k"]);
    let mut offers = offers(&[
        "ath11k/QCA6390/hw2.0/amss.bin",
        "ath11k/QCA6390/hw2.0/deeper/no.bin",
        "ath11k/IPQ6018/hw1.0/q6_fw.mdt",
        "ath11k/WCN6855/hw2.0/amss.bin",
        "ath12k/WCN7850/hw2.0/amss.bin",
        "ath12k/WCN7850/hw2.0/board-2.bin",
    ]);
    let link = GuestPath::new("usr/lib/firmware/ath11k/WCN6855/hw2.1").expect("a path");
    offers.link(&link, b"hw2.0", "firmware-test");
    let mut rules = Rules::of_linux();
    for need in recipe("ath12k", "bhyve").firmware {
        rules.include.extend(need.include.iter().map(|pattern| pattern.value.to_string()));
    }
    let selection = select(&offers, &wanted(&modules, &closure), &rules).expect("selected");
    assert_eq!(
        files(&selection),
        [
            "ath11k/QCA6390/hw2.0/amss.bin",
            "ath11k/WCN6855/hw2.0/amss.bin",
            "ath12k/WCN7850/hw2.0/amss.bin",
            "ath12k/WCN7850/hw2.0/board-2.bin",
        ]
    );
    assert_eq!(selection.links["ath11k/WCN6855/hw2.1"].target, "hw2.0");
}

#[test]
fn trap_3_some_modules_no_dependency_reaches() {
    let modules = kernel(&[
        ("iwlwifi", &["depends=cfg80211"]),
        ("iwlmvm", &["depends=iwlwifi,mac80211"]),
        ("iwldvm", &["depends=iwlwifi,mac80211"]),
        ("mac80211", &["depends=cfg80211", "softdep=pre: ccm"]),
        ("cfg80211", &["weakdep=rfkill"]),
        ("rfkill", &[]),
        ("ccm", &[]),
        ("ath11k_pci", &["depends=ath11k,mhi"]),
        ("ath11k", &["depends=mac80211"]),
        ("mhi", &[]),
        ("qrtr-mhi", &["depends=qrtr,mhi", "alias=mhi:IPCR"]),
        ("qrtr", &[]),
    ]);
    assert_eq!(members(&closed(&modules, &["iwlwifi"])), ["cfg80211", "iwlwifi", "rfkill"]);
    let intel = drivers(&recipe("iwlwifi", "bhyve"));
    let intel: Vec<&str> = intel.iter().map(String::as_str).collect();
    let closure = closed(&modules, &intel);
    assert_eq!(
        members(&closure),
        ["ccm", "cfg80211", "iwldvm", "iwlmvm", "iwlwifi", "mac80211", "rfkill"]
    );
    let skipped: Vec<&str> = closure.skipped.iter().map(|want| want.name.as_str()).collect();
    assert_eq!(skipped, ["iwlmld"], "newer kernels have it");
    let qualcomm = recipe("ath11k", "bhyve");
    let names = drivers(&qualcomm);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let closure = closed(&modules, &names);
    assert!(members(&closure).contains(&"qrtr_mhi") && members(&closure).contains(&"qrtr"));
    // Nothing in the guest would load it when its device comes up late.
    assert!(qualcomm.load_modules.iter().any(|module| module.value.name == "qrtr_mhi"));
}

#[test]
fn trap_4_brcmfmac_asks_for_the_machines_name_first() {
    let modules = kernel(&[(
        "brcmfmac",
        &["firmware=brcm/brcmfmac43602-pcie.bin", "firmware=brcm/brcmfmac*-pcie.txt"],
    )]);
    let closure = closed(&modules, &["brcmfmac"]);
    let offers = offers(&[
        "brcm/brcmfmac43602-pcie.bin",
        "brcm/brcmfmac43602-pcie.txt",
        "brcm/brcmfmac43602-pcie.clm_blob",
    ]);
    for (hypervisor, board) in [
        ("bhyve", Some("FreeBSD-BHYVE")),
        ("qemu", Some("QEMU-Standard PC (Q35 + ICH9, 2009)")),
        ("xen", None),
    ] {
        let recipe = recipe("brcm", hypervisor);
        let known = recipe.hypervisor.board.as_ref().map(|board| board.value.as_str());
        assert_eq!(known, board, "{hypervisor}");
        let mut rules = Rules::of_linux();
        for pattern in recipe.firmware.iter().flat_map(|need| &need.boards) {
            let of = pattern.value.to_string();
            rules.boards.extend(board.map(|board| BoardLink { of, board: board.into() }));
        }
        let selection = select(&offers, &wanted(&modules, &closure), &rules).expect("selected");
        assert_eq!(selection.files.len(), 3, "settings and regulatory data come along");
        let links: Vec<&str> = selection.links.keys().map(String::as_str).collect();
        let Some(board) = board else {
            assert!(links.is_empty(), "{links:?}");
            continue;
        };
        let link = |extension: &str| format!("brcm/brcmfmac43602-pcie.{board}.{extension}");
        assert_eq!(links, [link("bin"), link("clm_blob"), link("txt")]);
        assert_eq!(selection.links[&link("bin")].target, "brcmfmac43602-pcie.bin");
    }
}

#[test]
fn trap_5_the_kernel_decides_what_an_image_may_hold() {
    let with = |config: &str| Capabilities {
        kernel: "made".into(),
        config: Some(KernelConfig::parse(config.as_bytes()).expect("parsed")),
        builtin: None,
        modules: BTreeSet::from([ModuleName::new("e1000").expect("a name")]),
    };
    let xz = with("CONFIG_FW_LOADER_COMPRESS=y\nCONFIG_FW_LOADER_COMPRESS_XZ=y\n");
    assert!(xz.reads_firmware(Compression::Xz) && !xz.reads_firmware(Compression::Zstd));
    let old = with("CONFIG_FW_LOADER_COMPRESS=y\n");
    assert!(old.reads_firmware(Compression::Xz), "before Linux 5.19 there was only xz");
    let none = with("# CONFIG_FW_LOADER_COMPRESS is not set\n");
    assert!(!none.reads_firmware(Compression::Xz) && none.reads_firmware(Compression::None));
    assert_eq!(
        with("CONFIG_MODULE_COMPRESS_ZSTD=y\n").module_compression(),
        Some(Compression::Zstd)
    );
    // OpenWrt's kernels read no SquashFS but xz.
    let openwrt = with("CONFIG_SQUASHFS=y\nCONFIG_SQUASHFS_XZ=y\n");
    openwrt.check_squashfs(SquashfsCodec::Xz).expect("xz");
    let text = openwrt.check_squashfs(SquashfsCodec::Zstd).expect_err("refused").to_string();
    for part in ["compression zstd", "CONFIG_SQUASHFS_ZSTD=n", "kernel made", "--compression xz"] {
        assert!(text.contains(part), "{text}");
    }
    let text = openwrt.check_initramfs(InitramfsCodec::Zstd).expect_err("refused").to_string();
    assert!(text.contains("initramfs") && text.contains("CONFIG_BLK_DEV_INITRD"), "{text}");
    xz.check_feature("hypervisor bhyve", Feature::E1000).expect("a module");
    let text = xz.check_feature("hypervisor xen", Feature::P9Xen).expect_err("refused").to_string();
    assert!(text.contains("hypervisor xen") && text.contains("CONFIG_NET_9P_XEN"), "{text}");
    let line = with("CONFIG_CMDLINE=\"root=/dev/sda\"\nCONFIG_CMDLINE_OVERRIDE=y\n");
    assert_eq!(line.builtin_cmdline(), Some(("root=/dev/sda", true)));
}

#[test]
fn trap_5_modules_of_every_compression_are_read() {
    let plain = elf(&Spec::new(&["name=driver", "firmware=driver.bin"]));
    let gzip = {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &plain).expect("written");
        packed.finish().expect("packed")
    };
    let xz = {
        let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
        std::io::Write::write_all(&mut packed, &plain).expect("written");
        packed.finish().expect("packed")
    };
    let zstd = zstd::encode_all(plain.as_slice(), 1).expect("packed");
    for (suffix, bytes) in [("", plain.clone()), (".gz", gzip), (".xz", xz), (".zst", zstd)] {
        let spool = Spool::new_in(&std::env::temp_dir()).expect("a spool");
        let mut modules = Modules::new(VERSION, spool);
        let path = format!("lib/modules/{VERSION}/kernel/driver.ko{suffix}");
        modules.insert(&GuestPath::new(path).expect("a path"), Content::from_bytes(bytes));
        let closure = closed(&modules, &["driver"]);
        assert_eq!(wanted(&modules, &closure)[0].name, "driver.bin", "{suffix}");
        let name = ModuleName::new("driver").expect("a name");
        let loaded = modules.loaded(&name).expect("loaded");
        assert_eq!(loaded.content.read().expect("read"), plain, "it goes into the image unpacked");
        assert_eq!(modules.path(&name).expect("a path").as_str(), Some("kernel/driver.ko"));
    }
}

#[test]
fn trap_6_the_regulatory_database_comes_with_its_signature() {
    let modules =
        kernel(&[("cfg80211", &["firmware=regulatory.db", "firmware=regulatory.db.p7s"])]);
    let closure = closed(&modules, &["cfg80211"]);
    let rules = Rules::of_linux().with_regulatory(&["wireless-regdb"]);
    let both = offers(&["regulatory.db", "regulatory.db.p7s"]);
    let selection = select(&both, &wanted(&modules, &closure), &rules).expect("selected");
    assert_eq!(files(&selection), ["regulatory.db", "regulatory.db.p7s"]);
    // Also where cfg80211 is built in and no module asks for it.
    assert_eq!(files(&select(&both, &[], &rules).expect("selected")).len(), 2);
    let text = select(&offers(&["regulatory.db"]), &wanted(&modules, &closure), &rules)
        .expect_err("refused")
        .to_string();
    assert!(text.contains("regulatory.db.p7s") && text.contains("wireless-regdb"), "{text}");
}

#[test]
fn trap_7_two_drivers_of_one_card_are_found() {
    let card = "alias=pci:v000010ECd0000C821sv*sd*bc*sc*i*";
    let modules = kernel(&[
        ("rtw88_8821ce", &[card]),
        ("8821ce", &[card, "alias=pci:v000010ECd0000C82Fsv*sd*bc*sc*i*"]),
        ("rtw88_8822ce", &["alias=pci:v000010ECd0000C822sv*sd*bc*sc*i*"]),
    ]);
    let closure = closed(&modules, &["rtw88_8821ce", "8821ce", "rtw88_8822ce"]);
    let sources = depmod::sources(&modules, &closure).expect("sources");
    let shared = shared_devices::shared(&sources);
    let claims: Vec<(&str, Vec<&str>)> = shared
        .iter()
        .map(|(alias, by)| (alias.as_str(), by.iter().map(|name| name.as_str()).collect()))
        .collect();
    let alias = card.trim_start_matches("alias=");
    assert_eq!(claims, [(alias, vec!["8821ce", "rtw88_8821ce"])]);
}

#[test]
fn trap_9_links_stand_in_whence_and_nowhere_else() {
    let modules = kernel(&[
        ("mt76x2e", &["firmware=mt7662.bin"]),
        ("rtl8192ee", &["firmware=rtlwifi/rtl8192eefw.bin"]),
    ]);
    let closure = closed(&modules, &["mt76x2e", "rtl8192ee"]);
    let whence = Whence::parse(
        "----------\n\nDriver: mt76x2e\nFile: mediatek/mt7662.bin\n\
         Link: mt7662.bin -> mediatek/mt7662.bin\n\
         Licence: Redistributable. See LICENCE.ralink_a_mediatek_company_firmware for details.\n\n\
         ----------\n\nDriver: rtlwifi\nFile: rtlwifi/rtl8192eu_nic.bin\n\
         Link: rtlwifi/rtl8192eefw.bin -> rtl8192eu_nic.bin\n\
         Licence: Redistributable. See LICENCE.rtlwifi_firmware.txt for details.\n",
    )
    .expect("parsed");
    let mut offers = offers(&["mediatek/mt7662.bin", "rtlwifi/rtl8192eu_nic.bin", "other.bin"]);
    let wanted = wanted(&modules, &closure);
    let without = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert!(without.files.is_empty(), "no package has the links");
    offers.add_whence(&whence);
    let selection = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert_eq!(files(&selection), ["mediatek/mt7662.bin", "rtlwifi/rtl8192eu_nic.bin"]);
    assert_eq!(selection.links["mt7662.bin"].target, "mediatek/mt7662.bin");
    assert_eq!(selection.links["rtlwifi/rtl8192eefw.bin"].target, "rtl8192eu_nic.bin");
    let licences: Vec<String> = whence.licence_files(files(&selection)).into_iter().collect();
    let expected = ["LICENCE.ralink_a_mediatek_company_firmware", "LICENCE.rtlwifi_firmware.txt"];
    assert_eq!(licences, expected);
}
