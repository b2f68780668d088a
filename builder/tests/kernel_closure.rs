//! The depmod indexes against the real `depmod`, over generated modules.
//!
//! Needs kmod's `depmod` (`DEPMOD` may name another one). Without it the comparison is left out, but
//! in CI (`CI` is set) its absence is a failure. `cargo test -- --ignored` with `KERNEL_TREE` set to an
//! unpacked kernel package compares a whole distribution kernel.

#![allow(clippy::expect_used, reason = "a test fails where something is not as expected")]
#![allow(clippy::print_stdout, reason = "the tests on real packages report what they find")]

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use wifibox_build::firmware::{Offers, Rules, Wanted, select};
use wifibox_build::kernel::Compression;
use wifibox_build::kernel::builtin::Builtin;
use wifibox_build::kernel::capability::Capabilities;
use wifibox_build::kernel::closure::{Closure, Want, close};
use wifibox_build::kernel::config::KernelConfig;
use wifibox_build::kernel::depmod::{self, Files};
use wifibox_build::kernel::feature::Feature;
use wifibox_build::kernel::image::KernelImage;
use wifibox_build::kernel::modules::{Modules, module_path};
use wifibox_build::path::GuestPath;
use wifibox_build::tree::{Content, Spool};

#[allow(dead_code, reason = "the generator also serves the unit tests")]
#[path = "../src/kernel/test_module.rs"]
mod test_module;

use test_module::{Spec, elf};

const VERSION: &str = "6.12.0-test";

fn depmod_program() -> PathBuf {
    std::env::var_os("DEPMOD").map_or_else(|| "depmod".into(), PathBuf::from)
}

/// The version of the machine's depmod; `None` where there is none.
fn depmod_version() -> Option<u32> {
    let output = Command::new(depmod_program()).arg("--version").output().ok();
    let version = output.and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.strip_prefix("kmod version ")?.split(['.', '\n']).next()?.parse().ok()
    });
    assert!(
        version.is_some() || std::env::var_os("CI").is_none(),
        "kmod's depmod is needed in CI: install the package kmod"
    );
    version
}

/// What depmod writes into `lib/modules/VERSION` below `root`.
fn run_depmod(root: &Path, version: &str) -> BTreeMap<String, Vec<u8>> {
    // No configuration of the machine's: an empty directory.
    let config = tempfile::tempdir().expect("a directory");
    let status = Command::new(depmod_program())
        .args(["-b".as_ref(), root.as_os_str(), "-C".as_ref(), config.path().as_os_str()])
        .arg(version)
        .status()
        .expect("depmod runs");
    assert!(status.success(), "depmod failed");
    let directory = root.join("lib/modules").join(version);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("listed") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            let name = entry.file_name().into_string().expect("a name");
            if !name.starts_with("modules.") {
                continue;
            }
            files.insert(name, std::fs::read(entry.path()).expect("read"));
        }
    }
    files
}

/// Compares every file, byte for byte where this depmod is of version 34 or later; older ones order
/// the nodes of binary indexes differently, so there the sorted nodes' bytes cannot be compared.
fn compare(ours: &Files, theirs: &BTreeMap<String, Vec<u8>>, version: u32) {
    let same_format = version >= 34;
    let mut compared = 0;
    for (name, expected) in theirs {
        let found = ours.get(name.as_str());
        let found = found.unwrap_or_else(|| panic!("{name} is missing"));
        if name.ends_with(".bin") && !same_format {
            assert_eq!(dump(found), dump(expected), "{name} differs");
        } else {
            assert!(found == expected, "{name} differs from depmod's");
        }
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} files");
    for name in ours.keys() {
        let absent = version < 33 && *name == "modules.weakdep";
        assert!(absent || theirs.contains_key(*name), "depmod does not write {name}");
    }
}

/// A key's values, each with its priority.
type Values = Vec<(u32, Vec<u8>)>;

/// All keys of a binary index with their values in order, whatever the order of its nodes.
fn dump(index: &[u8]) -> Vec<(Vec<u8>, Values)> {
    fn number(index: &[u8], at: &mut usize) -> u32 {
        let bytes = index[*at..*at + 4].try_into().expect("four bytes");
        *at += 4;
        u32::from_be_bytes(bytes)
    }
    fn text(index: &[u8], at: &mut usize) -> Vec<u8> {
        let begin = *at;
        *at = begin + index[begin..].iter().position(|byte| *byte == 0).expect("an end") + 1;
        index[begin..*at - 1].to_vec()
    }
    let mut out = Vec::new();
    if index.is_empty() {
        return out;
    }
    let mut todo = vec![(Vec::new(), number(index, &mut 8))];
    while let Some((mut key, offset)) = todo.pop() {
        let mut at = (offset & 0x0FFF_FFFF) as usize;
        if offset & 0x8000_0000 != 0 {
            key.extend(text(index, &mut at));
        }
        if offset & 0x2000_0000 != 0 {
            let (first, last) = (index[at], index[at + 1]);
            at += 2;
            for byte in first..=last {
                let child = number(index, &mut at);
                if child != 0 {
                    let mut key = key.clone();
                    key.push(byte);
                    todo.push((key, child));
                }
            }
        }
        if offset & 0x4000_0000 != 0 {
            let count = number(index, &mut at);
            let values =
                (0..count).map(|_| (number(index, &mut at), text(index, &mut at))).collect();
            out.push((key, values));
        }
    }
    out.sort();
    out
}

fn spool() -> Spool {
    Spool::new_in(&std::env::temp_dir()).expect("a spool")
}

fn jobs() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Writes the closure's modules and the kernel's own files below `root`, as the image will hold them.
fn lay_out(root: &Path, modules: &Modules, closure: &Closure) {
    let base = root.join("lib/modules").join(modules.version());
    for name in closure.members.keys() {
        let path = modules.path(name).expect("a path");
        let file = base.join(path.as_str().expect("text"));
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("made");
        let loaded = modules.loaded(name).expect("loaded");
        std::fs::write(file, loaded.content.read().expect("read")).expect("written");
    }
    for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        if let Some(content) = modules.metadata(name) {
            std::fs::write(base.join(name), content.read().expect("read")).expect("written");
        }
    }
}

fn builtin_of(modules: &Modules) -> Builtin {
    let read = |name: &str| modules.metadata(name).map(|content| content.read().expect("read"));
    let list = read("modules.builtin").unwrap_or_default();
    Builtin::parse(&list, read("modules.builtin.modinfo").as_deref()).expect("parsed")
}

/// Three hundred modules in a few directories, each exporting symbols that earlier ones need, with
/// aliases of all kinds; every third is not in modules.order.
fn generated() -> (Modules, Vec<Want>) {
    let mut modules = Modules::new(VERSION, spool());
    let mut insert = |name: &str, bytes: Vec<u8>| {
        let path = GuestPath::new(format!("lib/modules/{VERSION}/{name}")).expect("a path");
        modules.insert(&path, Content::from_bytes(bytes));
    };
    let mut order = String::new();
    let mut wants = Vec::new();
    for number in 0usize..300 {
        let directory = ["kernel/net", "kernel/drivers/a-b", "updates", "extra/x"][number % 4];
        let name = format!("mod{}{number}", ["-", "_", ""][number % 3]);
        let mut modinfo = vec![
            format!("name={}", name.replace('-', "_")),
            format!("alias=pci:v0000{number:04X}d*sv*sd*bc[0-9]*-x"),
            format!("alias=mod-alias-{}", number / 2),
            "license=GPL".to_owned(),
        ];
        match number % 10 {
            0 => modinfo.push("softdep=pre: mod-alias-3 post: mod-alias-4".into()),
            1 => modinfo.push("weakdep=mod-2".into()),
            2 => modinfo.push("alias=broken[alias".into()),
            3 => modinfo.extend(["alias=devname:x/y".into(), "alias=char-major-10-229".into()]),
            4 => modinfo.extend(["alias=block-major-8-3-x".into(), "alias=devname:sd".into()]),
            5 => modinfo.push("alias=devname:lonely".into()),
            _ => {}
        }
        // Later modules are needed by earlier ones, in an order that is neither.
        let needs: Vec<String> = [3, 17, 40]
            .iter()
            .map(|step| number + step * (1 + number % 5))
            .filter(|other| *other < 300)
            .map(|other| format!("symbol_{other}_{}", other % 7))
            .collect();
        let exports: Vec<String> = (0..7).map(|n| format!("symbol_{number}_{n}")).collect();
        let mut spec = Spec::new(&[]);
        spec.modinfo = Some(modinfo);
        spec.crcs = number % 2 == 0;
        spec.exports = exports;
        spec.exports.push(format!("shared_{}", number % 9));
        spec.imports = needs.into_iter().map(|need| (need, number % 11 == 0)).collect();
        spec.imports.push(("printk".into(), false));
        spec.versions = vec!["module_layout".into(), format!("symbol_{}_0", 299)];
        if number == 299 {
            spec.versions.clear();
        }
        insert(&format!("{directory}/{name}.ko"), elf(&spec));
        if number % 3 != 0 {
            order.push_str(&format!("{directory}/{name}.ko\n"));
        }
        wants.push(Want::parse(&name, "test").expect("a want"));
    }
    insert("modules.order", order.into_bytes());
    insert("modules.builtin", b"kernel/fs/ext4/ext4.ko\nkernel/lib/crc-t10dif.ko\n".to_vec());
    insert(
        "modules.builtin.modinfo",
        b"ext4.license=GPL\0ext4.alias=fs-ext4\0ext4.alias=ext[23]-x\0crc_t10dif.alias=crc-t10\0"
            .to_vec(),
    );
    (modules, wants)
}

#[test]
fn the_index_files_are_depmods_own() {
    let Some(version) = depmod_version() else { return };
    let (modules, wants) = generated();
    let builtin = builtin_of(&modules);
    let closure = close(&modules, &builtin, &wants, jobs()).expect("closed");
    assert_eq!(closure.members.len(), 300);
    let ours = depmod::files(&modules, &closure).expect("indexed");
    let root = tempfile::tempdir().expect("a directory");
    lay_out(root.path(), &modules, &closure);
    let directory = root.path().join("lib/modules").join(VERSION);
    std::fs::write(directory.join("modules.order"), &ours["modules.order"]).expect("written");
    compare(&ours, &run_depmod(root.path(), VERSION), version);
}

#[test]
fn a_kernel_without_any_of_its_own_files_is_indexed_alike() {
    let Some(version) = depmod_version() else { return };
    let mut modules = Modules::new(VERSION, spool());
    let names = ["usb-storage", "a", "b_c", "loop", "sd_mod", "fat", "vfat", "nls-cp437"];
    let mut wants = Vec::new();
    for (number, name) in names.iter().enumerate() {
        // As in OpenWrt: all modules in one directory, no lists beside them.
        let path = GuestPath::new(format!("lib/modules/{VERSION}/{name}.ko")).expect("a path");
        let needs = names.get(number + 1).map(|next| format!("of_{next}"));
        let mut spec = Spec::new(&["alias=fs-x"]).exports(&[&format!("of_{name}")]);
        spec.imports.extend(needs.map(|need| (need, false)));
        modules.insert(&path, Content::from_bytes(elf(&spec)));
        wants.push(Want::parse(name, "test").expect("a want"));
    }
    let closure = close(&modules, &Builtin::default(), &wants, jobs()).expect("closed");
    let ours = depmod::files(&modules, &closure).expect("indexed");
    let root = tempfile::tempdir().expect("a directory");
    lay_out(root.path(), &modules, &closure);
    compare(&ours, &run_depmod(root.path(), VERSION), version);
}

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
