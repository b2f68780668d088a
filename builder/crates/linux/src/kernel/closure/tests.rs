//! Tests of the closure and the load order, over generated modules.

use std::num::NonZero;

use proptest::prelude::*;

use super::*;
use crate::kernel::modules::Taken;
use wifibox_ground::codec::Compression;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::path::GuestPath;
use wifibox_testkit::module::{Spec, elf};
use wifibox_testkit::tarball::pack;

const JOBS: NonZero<usize> = NonZero::<usize>::MIN;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text).expect("a path")
}

fn name(text: &str) -> ModuleName {
    ModuleName::new(text).expect("a name")
}

/// Modules by path below `kernel/`, with their `.modinfo`; compressed in turn by each codec.
fn offer(list: &[(&str, &[&str])]) -> Modules {
    let spool = Spool::new_in(&std::env::temp_dir()).expect("a spool");
    let mut modules = Modules::new("6.12", spool);
    let codecs = [Compression::Xz, Compression::None, Compression::Zstd, Compression::Gzip];
    for ((file, modinfo), codec) in list.iter().zip(codecs.into_iter().cycle()) {
        let path = path(&format!("usr/lib/modules/6.12/kernel/{file}.ko{}", codec.suffix()));
        let content = Content::from_bytes(pack(codec, &elf(&Spec::new(modinfo))));
        assert_eq!(modules.insert(&path, content), Taken::Module);
    }
    modules
}

fn wants(names: &[&str]) -> Vec<Want> {
    names.iter().map(|text| Want::parse(text, "flavor x").expect("a want")).collect()
}

fn names(list: impl IntoIterator<Item = impl std::fmt::Display>) -> Vec<String> {
    list.into_iter().map(|item| item.to_string()).collect()
}

#[test]
fn hard_soft_and_weak_dependencies_come_along_with_their_reasons() {
    let modules = offer(&[
        ("net/wifi", &["depends=cfg-x,lib_a", "softdep=pre: crypto-crc32c post: after"]),
        ("net/cfg_x", &["depends="]),
        ("lib/lib-a", &["depends=lib_b"]),
        ("lib/lib_b", &["weakdep=maybe none"]),
        ("lib/after", &[]),
        ("lib/maybe", &[]),
        ("lib/unrelated", &["alias=crypto-crc32"]),
        ("arch/x86/crypto/crc32c-intel", &["alias=crypto-crc32c", "alias=crc32c"]),
        ("crypto/crc32c_generic", &["alias=crypto-crc32c"]),
    ]);
    let closure =
        close(&modules, &Builtin::default(), &wants(&["wifi", "gone?"]), JOBS).expect("closed");
    assert_eq!(
        names(closure.members.keys()),
        ["after", "cfg_x", "crc32c_generic", "crc32c_intel", "lib_a", "lib_b", "maybe", "wifi"]
    );
    let why = |module: &str| names(&closure.members[&name(module)].why);
    assert_eq!(why("wifi"), ["wanted by flavor x"]);
    assert_eq!(why("lib_b"), ["needed by lib_a"]);
    assert_eq!(why("crc32c-intel"), ["soft dependency of wifi (crypto-crc32c)"]);
    assert_eq!(why("maybe"), ["weak dependency of lib_b (maybe)"]);
    assert_eq!(names(&closure.unanswered), ["weak dependency of lib_b (none)"]);
    assert_eq!(closure.skipped.len(), 1);
    assert_eq!(
        names(closure.load_order([&name("wifi")]).expect("an order")),
        ["crc32c_generic", "crc32c_intel", "cfg_x", "lib_b", "lib_a", "wifi", "after"]
    );
    assert!(modules.loaded(&name("unrelated")).is_none(), "only what is needed is unpacked");
    assert_eq!(modules.path(&name("wifi")), Some(path("kernel/net/wifi.ko")));
}

#[test]
fn an_alias_outside_the_crypto_directories_is_found_too() {
    let modules = offer(&[
        ("a", &["softdep=pre: platform:thing pre: odd-name"]),
        ("drivers/p", &["alias=platform:th*"]),
        ("drivers/o", &["alias=odd-name"]),
        ("crypto/c", &["alias=other"]),
    ]);
    let closure = close(&modules, &Builtin::default(), &wants(&["a"]), JOBS).expect("closed");
    assert_eq!(names(closure.members.keys()), ["a", "o", "p"]);
}

#[test]
fn what_is_built_in_counts_as_there() {
    let builtin = Builtin::parse(
        b"kernel/lib/lib_b.ko\nkernel/crypto/c.ko\n",
        Some(b"c.alias=crypto-sha256\0"),
    )
    .expect("a list");
    let modules = offer(&[("a", &["depends=lib-b", "softdep=pre: crypto-sha256 lib_b"])]);
    let closure = close(&modules, &builtin, &wants(&["a", "lib_b"]), JOBS).expect("closed");
    assert_eq!(names(closure.members.keys()), ["a"]);
    assert_eq!(names(closure.builtin.keys()), ["c", "lib_b"]);
    assert_eq!(closure.builtin[&name("lib_b")].len(), 3);
    assert!(closure.unanswered.is_empty());
}

#[test]
fn firmware_names_come_from_kept_and_built_in_modules() {
    let list = b"kernel/b.ko\nkernel/unused.ko\n";
    let info = b"b.firmware=b.bin\0unused.firmware=no.bin\0";
    let builtin = Builtin::parse(list, Some(info)).expect("a list");
    let modules = offer(&[
        ("a", &["depends=b,c", "firmware=a-1.bin", "firmware=a/*"]),
        ("c", &["firmware=c.bin"]),
        ("d", &["firmware=no.bin"]),
    ]);
    let closure = close(&modules, &builtin, &wants(&["a"]), JOBS).expect("closed");
    let firmware: Vec<_> =
        closure.firmware(&modules, &builtin).map(|(name, file)| format!("{name} {file}")).collect();
    assert_eq!(firmware, ["a a-1.bin", "a a/*", "c c.bin", "b b.bin"]);
}

#[test]
fn all_missing_modules_are_named_with_who_wants_them_and_what_is_like_them() {
    let modules = offer(&[("iwlwifi", &["depends=cfg80211"]), ("iwlmvm", &[])]);
    let error = close(&modules, &Builtin::default(), &wants(&["iwlmvn", "iwlwifi"]), JOBS)
        .expect_err("refused");
    let text = error.to_string();
    for part in ["iwlmvn (wanted by flavor x)", "iwlmvm", "cfg80211 (needed by iwlwifi)", "6.12"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn a_damaged_module_is_named() {
    let mut modules = offer(&[("a", &["depends=b"])]);
    let file = path("lib/modules/6.12/kernel/b.ko.xz");
    modules.insert(&file, Content::from_bytes(b"\xfd7zXZ\0 no xz".to_vec()));
    let error = close(&modules, &Builtin::default(), &wants(&["a"]), JOBS).expect_err("refused");
    assert!(error.to_string().contains("/kernel/b.ko.xz: cannot unpack"), "{error}");
}

#[test]
fn a_module_of_another_kernel_is_refused() {
    let modules = offer(&[("a", &["vermagic=6.12 SMP mod_unload"]), ("b", &["vermagic=6.6 SMP"])]);
    close(&modules, &Builtin::default(), &wants(&["a"]), JOBS).expect("closed");
    let error = close(&modules, &Builtin::default(), &wants(&["b"]), JOBS).expect_err("refused");
    assert!(error.to_string().contains("b was built for kernel 6.6"), "{error}");
}

#[test]
fn modules_come_out_unpacked_with_their_signatures() {
    let mut signed = elf(&Spec::new(&["name=a"]));
    signed.resize(9000, 7);
    signed.extend_from_slice(b"~Module signature appended~\n");
    for codec in [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd] {
        let mut modules = offer(&[]);
        let file = path(&format!("lib/modules/6.12/a.ko{}", codec.suffix()));
        modules.insert(&file, Content::from_bytes(pack(codec, &signed)));
        close(&modules, &Builtin::default(), &wants(&["a"]), JOBS).expect("closed");
        let loaded = modules.loaded(&name("a")).expect("loaded");
        assert_eq!(loaded.content.read().expect("read"), signed, "{codec}");
        assert_eq!(modules.path(&name("a")), Some(path("a.ko")));
    }
}

#[test]
fn updates_win_and_other_versions_are_left_alone() {
    let mut modules = offer(&[("net/a", &["depends=old"])]);
    let content = || Content::from_bytes(elf(&Spec::new(&[])));
    modules.insert(&path("lib/modules/6.12/updates/dkms/a.ko"), content());
    modules.insert(&path("lib/modules/6.12/kernel/a.ko"), content());
    assert_eq!(modules.insert(&path("lib/modules/6.11/kernel/b.ko"), content()), Taken::Nothing);
    assert_eq!(modules.insert(&path("lib/firmware/b.ko"), content()), Taken::Nothing);
    let order = path("usr/lib/modules/6.12/modules.order");
    assert_eq!(modules.insert(&order, Content::from_bytes("x")), Taken::Metadata);
    assert_eq!(modules.path(&name("a")), Some(path("updates/dkms/a.ko")));
    assert_eq!(modules.len(), 1);
    assert!(modules.metadata("modules.order").is_some());
}

#[test]
fn circles_through_soft_dependencies_are_cut_and_hard_ones_refused() {
    let order = |list: &[(&str, &[&str])], root: &str| {
        let closure =
            close(&offer(list), &Builtin::default(), &wants(&[root]), JOBS).expect("closed");
        closure.load_order([&name(root)]).map(names)
    };
    // b needs a, although a would like b first.
    let soft: &[(&str, &[&str])] = &[("a", &["softdep=pre: b"]), ("b", &["depends=a"])];
    assert_eq!(order(soft, "a").expect("an order"), ["a", "b"]);
    assert_eq!(order(soft, "b").expect("an order"), ["a", "b"]);
    let post: &[(&str, &[&str])] =
        &[("x", &["depends=a"]), ("a", &["softdep=post: b"]), ("b", &["depends=x"])];
    assert_eq!(order(post, "x").expect("an order"), ["a", "x", "b"]);
    let hard: &[(&str, &[&str])] = &[("a", &["depends=b"]), ("b", &["depends=a"])];
    assert!(matches!(order(hard, "a"), Err(ClosureError::Cycle(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any acyclic set of dependencies, with any soft ones: each module once, needs first, and the
    /// same with four threads.
    #[test]
    fn needs_always_come_first(
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..30),
        soft in prop::collection::vec((0usize..12, 0usize..12, any::<bool>()), 0..10),
    ) {
        let files: Vec<String> = (0..12).map(|n| format!("m{n:02}")).collect();
        let infos: Vec<Vec<String>> = (0..12).map(|n| {
            let needs: Vec<&str> = edges.iter().filter(|(from, to)| *from == n && to < from)
                .map(|(_, to)| files[*to].as_str()).collect();
            let mut info = vec![format!("depends={}", needs.join(","))];
            info.extend(soft.iter().filter(|(from, ..)| *from == n).map(|(_, to, pre)| {
                format!("softdep={} {}", if *pre { "pre:" } else { "post:" }, files[*to])
            }));
            info
        }).collect();
        let infos: Vec<Vec<&str>> =
            infos.iter().map(|list| list.iter().map(String::as_str).collect()).collect();
        let list: Vec<(&str, &[&str])> =
            files.iter().map(String::as_str).zip(infos.iter().map(Vec::as_slice)).collect();
        let wanted = wants(&["m11", "m05", "m00"]);
        let closed = |jobs| close(&offer(&list), &Builtin::default(), &wanted, jobs).expect("closed");
        let closure = closed(JOBS);
        prop_assert_eq!(&closure, &closed(NonZero::new(4).expect("four")));
        let order = closure.load_order(closure.members.keys()).expect("an order");
        prop_assert_eq!(order.len(), closure.members.len());
        for (at, module) in order.iter().enumerate() {
            for needed in &closure.members[module].depends {
                prop_assert!(order[..at].contains(needed), "{} needs {}", module, needed);
            }
        }
    }
}
