//! Scripts of a made root whose programs are there, or are not.

use wifibox_ground::content::Content;

use super::*;
use crate::Meta;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text).expect("a path")
}

/// A tree of own scripts (those that begin with `#!` or lie in `etc/parts`) and packages' programs.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::new();
    for (at, text) in files {
        let own = text.starts_with("#!") || at.starts_with("etc/parts/");
        let origin =
            if own { Origin::Recipe("overlays/x".into()) } else { Origin::Package("p".into()) };
        let kind = Kind::File(Content::from_bytes(*text));
        let node = Node { meta: Meta::with_mode(0o755), kind, origin };
        tree.insert(&path(at), node).expect("put");
    }
    tree
}

fn missing(files: &[(&str, &str)]) -> Vec<String> {
    let mut with_shell = vec![("bin/sh", ""), ("bin/ls", "")];
    with_shell.extend(files);
    let found = find(&tree(&with_shell), &[path("run"), path("var")]).expect("read");
    assert_eq!(found.unreadable, []);
    found.missing.iter().map(ToString::to_string).collect()
}

#[test]
fn a_program_that_is_not_there_is_named_with_its_line() {
    let script = "#!/bin/sh\nls /\nif true; then\n\tx=$(iw reg get)\nfi\n/usr/bin/none\n";
    assert_eq!(
        missing(&[("etc/rc", script)]),
        ["/etc/rc, line 4: calls iw", "/etc/rc, line 6: calls /usr/bin/none"]
    );
    assert_eq!(missing(&[("etc/rc", script), ("usr/sbin/iw", ""), ("usr/bin/none", "")]), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_run_is_no_program() {
    let mut tree = tree(&[("bin/sh", ""), ("bin/iw", ""), ("etc/rc", "#!/bin/sh\niw\n")]);
    tree.get_mut(&path("bin/iw")).expect("there").meta.mode = 0o644;
    assert_eq!(find(&tree, &[]).expect("read").missing.len(), 1);
}

#[test]
fn what_a_script_asks_for_may_be_missing() {
    let script =
        "#!/bin/sh\n! command -v iw >/dev/null || iw\n[ ! -f /etc/parts/no ] || . /etc/parts/no\n";
    assert_eq!(missing(&[("etc/rc", script)]), [""; 0]);
}

#[test]
fn functions_come_from_files_that_are_read_in_from_either_side() {
    let parts = [
        ("etc/rc", "#!/bin/sh\n. /etc/parts/a\n. /etc/parts/b\none\n"),
        ("etc/other", "#!/bin/sh\n. /etc/parts/a\n"),
        ("etc/parts/a", "one() { two; }\n"),
        ("etc/parts/b", "two() { three; }\n"),
    ];
    assert_eq!(missing(&parts), ["/etc/parts/b, line 1: calls three"]);
    assert_eq!(missing(&parts[..3])[0], "/etc/parts/a, line 1: calls two");
}

#[test]
fn a_file_to_read_in_must_be_there_unless_the_guest_makes_it() {
    let script = "#!/bin/sh\n. /etc/parts/none\n. /run/made\n. \"$x\"\n/var/lib/made/it\n";
    assert_eq!(missing(&[("etc/rc", script)]), ["/etc/rc, line 2: reads in /etc/parts/none"]);
}

#[test]
fn an_interpreter_must_be_there() {
    assert_eq!(missing(&[("etc/x", "#!/usr/bin/lua\n")]), ["/etc/x, line 1: calls /usr/bin/lua"]);
    assert_eq!(
        missing(&[("etc/x", "#!/usr/bin/env python3\n")]),
        ["/etc/x, line 1: calls python3"]
    );
    assert_eq!(missing(&[("etc/x", "#!/bin/ls\nnone\n")]), [""; 0]);
}

#[test]
fn services_of_init_systems_know_their_functions() {
    let openwrt = [
        ("etc/init.d/x", "#!/bin/sh /etc/rc.common\nstart() { procd_open; none; }\n"),
        ("etc/rc.common", ". $IPKG_INSTROOT/lib/procd.sh\n. \"$initscript\"\nunknown\n"),
        ("lib/procd.sh", "procd_open() { also_unknown; }\n"),
    ];
    assert_eq!(missing(&openwrt), ["/etc/init.d/x, line 2: calls none"]);
    let openrc = [
        ("etc/init.d/x", "#!/sbin/openrc-run\nstart() { ebegin x; yesno x; none; }\n"),
        ("sbin/openrc-run", ""),
        ("lib/rc/sh/openrc-run.sh", "yesno() { :; }\n"),
        ("lib/rc/bin/ebegin", ""),
    ];
    assert_eq!(missing(&openrc), ["/etc/init.d/x, line 2: calls none"]);
}

#[test]
fn busybox_must_have_the_applets_that_it_is_asked_for() {
    let script = "#!/bin/sh\n/bin/busybox ls\nbusybox none\n";
    let table =
        format!("[\0[[\0{}ls\0\0", ('a'..='z').map(|c| format!("a{c}\0")).collect::<String>());
    let found = missing(&[("bin/busybox", &table), ("etc/rc", script)]);
    assert_eq!(found, ["/etc/rc, line 3: calls the BusyBox applet none"]);
}

#[test]
fn a_script_may_have_folders_of_its_own() {
    let script = "#!/bin/sh\nPATH=/opt/x/bin:$PATH\nnone\nown\n";
    assert_eq!(
        missing(&[("opt/x/bin/own", ""), ("etc/rc", script)]),
        ["/etc/rc, line 3: calls none"]
    );
}

#[test]
fn own_files_with_another_syntax_are_named() {
    let tree = tree(&[("bin/sh", ""), ("etc/x", "#!/bin/sh\na=(1 2)\nnone\n")]);
    let found = find(&tree, &[]).expect("read");
    assert!(found.missing.is_empty());
    assert_eq!(found.unreadable.len(), 1);
}

/// The files below a folder.
fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_script_of_the_overlays_can_be_read() {
    let mut all = Vec::new();
    files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../overlays"), &mut all);
    let mut read = 0;
    for path in all {
        let text = std::fs::read(&path).expect("read");
        let part = path.parent().is_some_and(|folder| folder.ends_with("etc/wifibox"));
        let shell = Interpreter::of(&text).is_some_and(|interpreter| interpreter.is_shell);
        if shell || path.ends_with(PROFILE) || part && path.extension().is_none() {
            let text = String::from_utf8(text).expect("text");
            let calls =
                Calls::of(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            read += 1;
            assert!(!calls.open, "{}", path.display());
        }
    }
    assert!(read > 40, "only {read} scripts were found");
}
