//! The depmod indexes against the real `depmod`, over generated modules.
//!
//! Needs kmod's `depmod` (`DEPMOD` may name another one). Without it the comparison is left out, but
//! in CI (`CI` is set) its absence is a failure. `cargo test -- --ignored` with `KERNEL_TREE` set to an
//! unpacked kernel package compares a whole distribution kernel.

#![allow(clippy::expect_used, reason = "a test fails where something is not as expected")]
#![allow(clippy::print_stdout, reason = "the tests on real packages report what they find")]

use std::num::NonZero;
use std::path::Path;

use wifibox_ground::content::{Content, Spool};
use wifibox_ground::path::GuestPath;
use wifibox_linux::kernel::builtin::Builtin;
use wifibox_linux::kernel::closure::{Closure, Want, close};
use wifibox_linux::kernel::depmod;
use wifibox_linux::kernel::modules::Modules;

mod compare;
mod real;

use compare::{compare, depmod_version, run_depmod};
use wifibox_testkit::module::{Spec, elf};

const VERSION: &str = "6.12.0-test";

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
