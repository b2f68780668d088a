//! Tests of the index files by their text; the comparison with depmod is an integration test.

use std::num::NonZero;

use super::*;
use crate::kernel::builtin::Builtin;
use crate::kernel::closure::{Want, close};
use wifibox_ground::content::{Content, Spool};
use wifibox_testkit::module::{Spec, elf};

fn module(spec: Spec) -> Module {
    Module::parse(&elf(&spec)).expect("a module")
}

fn source<'a>(path: &str, module: &'a Module) -> Source<'a> {
    let path = GuestPath::new(path).expect("a path");
    Source { name: ModuleName::of_file(&path).expect("a module"), path, module }
}

fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    std::str::from_utf8(&files[name]).expect("text")
}

#[test]
fn dependencies_follow_symbols_and_the_order_follows_the_kernels() {
    let a = module(
        Spec::new(&["alias=b-[0-9]-c", "alias=devname:net/tun", "alias=char-major-10-200"])
            .imports(&["b_one", "unknown"]),
    );
    let b = module(Spec::new(&["softdep=pre: x"]).exports(&["b_one"]).imports(&["c_one"]));
    let c = module(Spec::new(&["weakdep=y"]).exports(&["c_one", "c_two"]));
    let sources =
        [source("kernel/a.ko", &a), source("kernel/b-b.ko", &b), source("kernel/c.ko", &c)];
    let kernel = KernelFiles {
        order: Some(b"kernel/c.ko\nkernel/gone.ko\nkernel/b-b.ko\nkernel/a.ko\n"),
        builtin: Some(b"kernel/fs/ext4.ko\n"),
        builtin_modinfo: Some(b"ext4.alias=fs-ext4\0ext4.license=GPL\0"),
    };
    let files = index(&sources, kernel).expect("indexed");
    assert_eq!(
        text(&files, "modules.dep"),
        "kernel/c.ko:\nkernel/b-b.ko: kernel/c.ko\nkernel/a.ko: kernel/b-b.ko kernel/c.ko\n"
    );
    assert_eq!(
        text(&files, "modules.alias").lines().nth(1),
        Some("alias b-[0-9]-c a"),
        "as written, but"
    );
    let dumped = |name: &str| trie::tests::dump(&files[name]);
    assert_eq!(dumped("modules.alias.bin")[0].0, "b_[0-9]_c", "normalised in the index");
    assert_eq!(dumped("modules.dep.bin").len(), 3);
    assert_eq!(dumped("modules.builtin.bin")[0].0, "ext4");
    assert_eq!(dumped("modules.builtin.alias.bin"), [("fs_ext4".into(), vec![(0, "ext4".into())])]);
    assert_eq!(text(&files, "modules.softdep").lines().nth(1), Some("softdep b_b pre: x"));
    assert_eq!(text(&files, "modules.weakdep").lines().nth(1), Some("weakdep c y"));
    assert_eq!(text(&files, "modules.devname").lines().nth(1), Some("a net/tun c10:200"));
    assert!(text(&files, "modules.symbols").contains("alias symbol:c_two c\n"));
}

#[test]
fn modules_that_need_each_others_symbols_are_refused() {
    let a = module(Spec::new(&[]).exports(&["a_one"]).imports(&["b_one"]));
    let b = module(Spec::new(&[]).exports(&["b_one"]).imports(&["a_one"]));
    let sources = [source("a.ko", &a), source("b.ko", &b)];
    let error = index(&sources, KernelFiles::default()).expect_err("refused");
    assert!(matches!(&error, DepmodError::Cycle(names) if names.len() == 2), "{error}");
}

#[test]
fn a_closures_files_hold_only_what_is_there() {
    let spool = Spool::new_in(&std::env::temp_dir()).expect("a spool");
    let mut modules = Modules::new("6.12", spool);
    for (file, spec) in [
        ("kernel/a.ko", Spec::new(&["depends=b"]).imports(&["b_one"])),
        ("kernel/b.ko", Spec::new(&[]).exports(&["b_one"])),
        ("kernel/other.ko", Spec::new(&["alias=other"])),
    ] {
        let path = GuestPath::new(format!("lib/modules/6.12/{file}")).expect("a path");
        modules.insert(&path, Content::from_bytes(elf(&spec)));
    }
    for (file, text) in [
        ("modules.order", "kernel/other.ko\nkernel/b.ko\nkernel/a.ko\n"),
        ("modules.builtin", "kernel/c.ko\n"),
    ] {
        let path = GuestPath::new(format!("lib/modules/6.12/{file}")).expect("a path");
        modules.insert(&path, Content::from_bytes(text));
    }
    let wants = [Want::parse("a", "test").expect("a want")];
    let builtin = Builtin::default();
    let closure = close(&modules, &builtin, &wants, NonZero::<usize>::MIN).expect("closed");
    let files = files(&modules, &closure).expect("files");
    assert_eq!(text(&files, "modules.order"), "kernel/b.ko\nkernel/a.ko\n");
    assert_eq!(text(&files, "modules.builtin"), "kernel/c.ko\n");
    assert_eq!(text(&files, "modules.dep"), "kernel/b.ko:\nkernel/a.ko: kernel/b.ko\n");
    assert!(files["modules.builtin.alias.bin"].is_empty());
    assert!(!files.contains_key("modules.builtin.modinfo"));
}
