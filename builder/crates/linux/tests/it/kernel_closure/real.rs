//! Tests over unpacked packages of a distribution, which the environment names; left out otherwise.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use wifibox_ground::codec::Compression;
use wifibox_ground::path::GuestPath;
use wifibox_linux::firmware::{Offers, Rules, Wanted, select};
use wifibox_linux::kernel::capability::Capabilities;
use wifibox_linux::kernel::closure::{Want, close};
use wifibox_linux::kernel::config::KernelConfig;
use wifibox_linux::kernel::depmod;
use wifibox_linux::kernel::feature::Feature;
use wifibox_linux::kernel::image::KernelImage;
use wifibox_linux::kernel::modules::{Modules, module_path};

use super::compare::{compare, depmod_version, run_depmod};
use super::{builtin_of, jobs, lay_out, spool};

/// The modules of an unpacked kernel package, and its kernel's version.
fn unpacked(tree: &Path) -> Modules {
    let mut files = Vec::new();
    let mut todo = vec![tree.to_path_buf()];
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(directory).expect("listed") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                todo.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    let guest = |file: &Path| {
        let relative = file.strip_prefix(tree).expect("below");
        GuestPath::new(relative.to_str().expect("text")).expect("a path")
    };
    let version = files.iter().find_map(|file| module_path(&guest(file))).expect("modules").0;
    let spool = spool();
    let mut modules = Modules::new(version, spool.clone());
    for file in &files {
        let source = std::fs::File::open(file).expect("opened");
        modules.insert(&guest(file), spool.store(source, 1 << 30).expect("stored"));
    }
    modules
}

/// The order in which modprobe would load one module, by name; built-in ones left out.
fn modprobe(root: &Path, version: &str, name: &str) -> Vec<String> {
    let config = tempfile::tempdir().expect("a directory");
    let output = Command::new("modprobe")
        .args(["-d".as_ref(), root.as_os_str(), "-C".as_ref(), config.path().as_os_str()])
        .args(["-S", version, "--show-depends", name])
        .output()
        .expect("modprobe runs");
    assert!(output.status.success(), "modprobe {name}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines()
        .filter_map(|line| line.strip_prefix("insmod "))
        .map(|path| {
            let file = Path::new(path.trim()).file_name().expect("a name").to_str().expect("text");
            file.split('.').next().expect("a stem").replace('-', "_")
        })
        .collect()
}

#[test]
#[ignore = "needs KERNEL_TREE, an unpacked kernel package"]
fn a_real_kernel_agrees_with_depmod_and_modprobe() {
    let version = depmod_version().expect("depmod");
    let tree = PathBuf::from(std::env::var_os("KERNEL_TREE").expect("KERNEL_TREE"));
    let wanted = "mac80211_hwsim e1000 9p 9pnet_virtio virtio_blk squashfs iptable_nat \
        iptable_filter ip6table_nat ip6table_filter xt_MASQUERADE ccm cmac gcm ctr button evdev \
        af_packet iwlwifi iwlmvm iwldvm";
    let began = Instant::now();
    let modules = unpacked(&tree);
    let builtin = builtin_of(&modules);
    println!("{} modules spooled after {:?}", modules.len(), began.elapsed());

    let began = Instant::now();
    let wants: Vec<Want> =
        wanted.split_whitespace().map(|name| Want::parse(name, "test").expect("a want")).collect();
    let closure = close(&modules, &builtin, &wants, jobs()).expect("closed");
    println!("closure of {} after {:?}", closure.members.len(), began.elapsed());
    let began = Instant::now();
    let ours = depmod::files(&modules, &closure).expect("indexed");
    println!("indexed after {:?}", began.elapsed());
    for (name, member) in &closure.members {
        let why: Vec<String> = member.why.iter().map(ToString::to_string).collect();
        println!("  {name}: {}", why.join("; "));
    }
    println!("built in: {:?}", closure.builtin.keys().collect::<Vec<_>>());
    println!("unanswered: {:?}", closure.unanswered);

    let root = tempfile::tempdir().expect("a directory");
    lay_out(root.path(), &modules, &closure);
    let directory = root.path().join("lib/modules").join(modules.version());
    std::fs::write(directory.join("modules.order"), &ours["modules.order"]).expect("written");
    compare(&ours, &run_depmod(root.path(), modules.version()), version);

    // Against modprobe over the whole kernel: the same modules for each wanted one.
    let began = Instant::now();
    let all: Vec<Want> = modules
        .names()
        .map(|name| Want { name: name.clone(), optional: false, by: "all".into() })
        .collect();
    let everything = close(&modules, &builtin, &all, jobs()).expect("closed");
    println!("all {} modules read after {:?}", everything.members.len(), began.elapsed());
    let root = tempfile::tempdir().expect("a directory");
    lay_out(root.path(), &modules, &everything);
    let began = Instant::now();
    let ours = depmod::files(&modules, &everything).expect("indexed");
    println!("all indexed after {:?}", began.elapsed());
    compare(&ours, &run_depmod(root.path(), modules.version()), version);
    for want in wants.iter().filter(|want| closure.members.contains_key(&want.name)) {
        let ours = closure.load_order([&want.name]).expect("an order");
        let mut ours: Vec<&str> = ours.iter().map(|name| name.as_str()).collect();
        let theirs = modprobe(root.path(), modules.version(), want.name.as_str());
        println!("{}: {}", want.name, ours.join(" "));
        let mut theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        theirs.dedup();
        assert_eq!(ours, theirs, "modprobe loads others for {}", want.name);
    }
}

/// Every iwlwifi name of a real kernel against real firmware packages: prints the whole report.
#[test]
#[ignore = "needs KERNEL_TREE and FIRMWARE_TREES, unpacked packages separated by ':'"]
fn a_real_iwlwifi_gets_its_firmware() {
    let tree = PathBuf::from(std::env::var_os("KERNEL_TREE").expect("KERNEL_TREE"));
    let modules = unpacked(&tree);
    let builtin = builtin_of(&modules);
    let wants: Vec<Want> = ["iwlwifi", "iwlmvm", "iwldvm", "cfg80211"]
        .iter()
        .map(|name| Want::parse(name, "test").expect("a want"))
        .collect();
    let closure = close(&modules, &builtin, &wants, jobs()).expect("closed");
    let mut wanted = Vec::new();
    for name in closure.members.keys() {
        for firmware in &modules.loaded(name).expect("loaded").module.info.firmware {
            wanted.push(Wanted { module: name.clone(), name: firmware.clone() });
        }
    }
    let mut offers = Offers::default();
    for tree in std::env::split_paths(&std::env::var_os("FIRMWARE_TREES").expect("FIRMWARE_TREES"))
    {
        let mut todo = vec![tree.clone()];
        while let Some(directory) = todo.pop() {
            for entry in std::fs::read_dir(directory).expect("listed") {
                let entry = entry.expect("an entry");
                let path = entry.path();
                let relative = path.strip_prefix(&tree).expect("below").to_str().expect("text");
                let guest = GuestPath::new(relative).expect("a path");
                let kind = entry.file_type().expect("a type");
                if kind.is_dir() {
                    todo.push(path);
                } else if kind.is_symlink() {
                    let target = std::fs::read_link(&path).expect("read");
                    offers.link(&guest, target.to_str().expect("text").as_bytes(), "package");
                } else {
                    offers.file(&guest, "package");
                }
            }
        }
    }
    let link = |end: &str| (format!("regulatory.db{end}"), format!("regulatory.db{end}-debian"));
    let rules = Rules {
        include: vec!["iwlwifi-*".into()],
        links: vec![link(""), link(".p7s")],
        ..Rules::of_linux()
    };
    for rules in [Rules::of_linux(), rules.with_regulatory(&["wireless-regdb"])] {
        let began = Instant::now();
        let selection = select(&offers, &wanted, &rules).expect("selected");
        println!("selected after {:?}", began.elapsed());
        for line in &selection.report {
            println!("  {line}");
        }
        println!("{} files: {:?}", selection.files.len(), selection.files.keys());
        println!("links: {:?}", selection.links);
    }
}

#[test]
#[ignore = "needs KERNEL_TREE, an unpacked kernel package"]
fn a_real_kernel_image_and_configuration_are_read() {
    let tree = PathBuf::from(std::env::var_os("KERNEL_TREE").expect("KERNEL_TREE"));
    let modules = unpacked(&tree);
    let file = |kind: &str| {
        std::fs::read(tree.join(format!("boot/{kind}-{}", modules.version()))).expect("read")
    };
    println!("{:?}", KernelImage::parse(&file("vmlinuz")).expect("recognised"));
    let capabilities = Capabilities {
        kernel: modules.version().to_owned(),
        config: Some(KernelConfig::parse(&file("config")).expect("parsed")),
        builtin: Some(builtin_of(&modules)),
        modules: modules.names().cloned().collect(),
    };
    for feature in [
        Feature::VirtioPci,
        Feature::VirtioBlk,
        Feature::VirtioNet,
        Feature::E1000,
        Feature::P9,
        Feature::P9Virtio,
        Feature::P9Xen,
        Feature::XenBlk,
        Feature::XenNet,
        Feature::Squashfs,
        Feature::SquashfsXattr,
        Feature::Overlay,
        Feature::Tmpfs,
        Feature::EfiStub,
        Feature::Button,
        Feature::Evdev,
    ] {
        println!("{feature} ({}): {}", feature.symbol(), capabilities.feature(feature));
    }
    println!("squashfs {:?}", capabilities.squashfs_codecs());
    println!("initramfs {:?}", capabilities.initramfs_codecs());
    let codecs = [Compression::Xz, Compression::Zstd];
    println!("firmware {:?}", codecs.map(|codec| capabilities.reads_firmware(codec)));
    println!(
        "modules {:?} {:?}",
        capabilities.module_compression(),
        capabilities.unpacks_modules()
    );
    println!("unsigned {:?}", capabilities.takes_unsigned_modules());
    println!("devtmpfs {:?} cmdline {:?}", capabilities.devtmpfs(), capabilities.builtin_cmdline());
}
