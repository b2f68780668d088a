//! The image builder's work, over small trees.

mod packaged;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::Meta;
use wifibox_ground::entry::EntryKind;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text).expect("a path")
}

fn node(mode: u16, kind: Kind, package: &str) -> Node {
    Node { meta: Meta::with_mode(mode), kind, origin: Origin::Package(package.to_owned()) }
}

fn put(tree: &mut Tree, at: &str, mode: u16, text: &str) {
    let kind = Kind::File(Content::from_bytes(text));
    tree.insert(&path(at), node(mode, kind, "base-files")).expect("put");
}

fn link(tree: &mut Tree, at: &str, target: &str) {
    tree.insert(&path(at), node(0o777, Kind::Symlink(target.into()), "busybox")).expect("put");
}

/// The accounts of base-files.
fn base() -> Tree {
    let mut tree = Tree::new();
    put(
        &mut tree,
        "etc/passwd",
        0o644,
        "root:x:0:0:root:/root:/bin/ash\ndnsmasq:x:453:453:d:/:/x\n",
    );
    put(&mut tree, "etc/group", 0o644, "root:x:0:\naudio:x:29:\ndnsmasq:x:453:dnsmasq\n");
    put(&mut tree, "etc/shadow", 0o600, "root:::0:99999:7:::\n");
    tree
}

fn text(tree: &Tree, at: &str) -> String {
    read_text(tree, &path(at)).expect("read").expect("a file")
}

fn target(tree: &Tree, at: &str) -> Option<String> {
    match &tree.get(&path(at))?.kind {
        Kind::Symlink(target) => Some(String::from_utf8_lossy(target).into_owned()),
        _ => None,
    }
}

fn requires(name: &str, users: &[&str]) -> PackageFacts {
    let users = users.iter().map(|&user| user.into()).collect();
    PackageFacts {
        order: format!("{name}.postinst"),
        name: name.into(),
        users,
        ..PackageFacts::default()
    }
}

fn offers(name: &str, alternatives: &[&str]) -> PackageFacts {
    let alternatives = alternatives.iter().map(|&alternative| alternative.into()).collect();
    PackageFacts { name: name.into(), alternatives, ..PackageFacts::default() }
}

#[test]
fn accounts_are_what_the_functions_of_base_files_would_write() {
    let mut tree = base();
    let packages = [
        requires("unbound", &["unbound:unbound"]),
        requires("ubusd", &["ubus=81:ubus=81"]),
        requires("logd", &["logd=514:logd=514:audio,dialout=20,new", "alone", ":lonely"]),
        requires("dns", &["dns:dnsmasq"]),
        requires("again", &["ubus=99:ubus=99:audio"]),
    ];
    let added = accounts::add(&mut tree, &packages).expect("added");
    insta::assert_snapshot!(text(&tree, "etc/passwd"), @r"
    root:x:0:0:root:/root:/bin/ash
    dnsmasq:x:453:453:d:/:/x
    ubus:x:99:99:ubus:/var/run/ubus:/bin/false
    dns:x:32768:453:dns:/var/run/dns:/bin/false
    logd:x:514:514:logd:/var/run/logd:/bin/false
    alone:x:32769:32769:alone:/var/run/alone:/bin/false
    unbound:x:32770:32770:unbound:/var/run/unbound:/bin/false
    ");
    insta::assert_snapshot!(text(&tree, "etc/group"), @r"
    root:x:0:
    audio:x:29:ubus,logd
    dnsmasq:x:453:dnsmasq,dns
    ubus:x:99:ubus
    logd:x:514:logd
    dialout:x:20:logd
    new:x:32768:logd
    lonely:x:32769:
    unbound:x:32770:unbound
    ");
    insta::assert_snapshot!(text(&tree, "etc/shadow"), @r"
    root:::0:99999:7:::
    ubus:x:0:0:99999:7:::
    dns:x:0:0:99999:7:::
    logd:x:0:0:99999:7:::
    alone:x:0:0:99999:7:::
    unbound:x:0:0:99999:7:::
    ");
    assert_eq!((added.users.len(), added.groups.len()), (5, 6));
    assert_eq!(tree.get(&path("etc/shadow")).map(|node| node.meta.mode), Some(0o600));
}

#[test]
fn the_order_of_packages_is_that_of_their_scripts() {
    // "a-b.postinst" comes before "a.postinst", and the order of the list does not matter.
    let mut tree = base();
    let packages = [requires("a", &["first"]), requires("a-b", &["second"])];
    accounts::add(&mut tree, &packages).expect("added");
    assert!(text(&tree, "etc/passwd").ends_with(
        "second:x:32768:32768:second:/var/run/second:/bin/false\n\
         first:x:32769:32769:first:/var/run/first:/bin/false\n"
    ));
}

#[test]
fn accounts_that_cannot_be_read_are_named() {
    for bad in ["a=x:b", "a:b:c:d", "=81", ":", "a b:c", "a\n:b", "a:b:c=", "root:x:0:0"] {
        let error = accounts::add(&mut base(), &[requires("evil", &[bad])]).expect_err(bad);
        assert!(error.to_string().starts_with("package evil requires the account"), "{error}");
    }
    let error = accounts::add(&mut Tree::new(), &[requires("a", &["a"])]).expect_err("no base");
    assert!(
        error.to_string().contains("there is no /etc/passwd: the package base-files"),
        "{error}"
    );
    assert!(accounts::add(&mut Tree::new(), &[offers("a", &[])]).is_ok());
}

#[test]
fn the_alternative_of_the_highest_priority_gets_the_link() {
    let mut tree = base();
    link(&mut tree, "sbin/ip", "../bin/busybox");
    let packages = [
        offers("ip-tiny", &["200:/sbin/ip:/usr/libexec/ip-tiny"]),
        offers("ip-full", &["300:/sbin/ip:/usr/libexec/ip-full", "-1:/usr/bin/new:there"]),
        offers("tc-b", &["200:/sbin/tc:/b"]),
        offers("tc-a", &["200:/sbin/tc:/a"]),
    ];
    alternatives::link(&mut tree, &packages).expect("linked");
    assert_eq!(target(&tree, "sbin/ip").as_deref(), Some("/usr/libexec/ip-full"));
    assert_eq!(target(&tree, "sbin/tc").as_deref(), Some("/a"));
    assert_eq!(target(&tree, "usr/bin/new").as_deref(), Some("there"));
    let chosen = alternatives::choose(&packages).expect("chosen");
    assert_eq!(chosen[&path("sbin/ip")].package, "ip-full");
}

#[test]
fn alternatives_that_cannot_be_made_are_named() {
    for bad in
        ["300:/sbin/ip", "x:/sbin/ip:/y", "1:sbin/ip:/y", "1:/:/y", "1:/a/../b:/y", "1:/a:", ""]
    {
        let error = alternatives::choose(&[offers("evil", &[bad])]).expect_err(bad);
        assert!(matches!(error, OpenWrtError::Alternative { .. }), "{error}");
    }
    let mut tree = base();
    put(&mut tree, "sbin/ip", 0o755, "a program");
    let error = alternatives::link(&mut tree, &[offers("ip-full", &["1:/sbin/ip:/x"])]);
    let error = error.expect_err("taken").to_string();
    assert!(error.contains("/sbin/ip should be a link") && error.contains("base-files"), "{error}");
}

const HEAD: &str = "#!/bin/sh /etc/rc.common\n# a service\n";

fn service(tree: &mut Tree, name: &str, body: &str) {
    put(
        tree,
        &format!("etc/init.d/{name}"),
        0o755,
        &format!("{HEAD}{body}\nstart() {{\n\t:\n}}\n"),
    );
}

#[test]
fn services_get_the_links_that_they_ask_for() {
    let mut tree = base();
    service(&mut tree, "network", "START=20\nSTOP=90");
    service(&mut tree, "dnsmasq", "START=19");
    service(&mut tree, "umount", "STOP=99 # last\n");
    service(&mut tree, "quoted", "START='07'\nSTOP=\"08\"");
    service(&mut tree, "twice", "START=10\nSTART=11\nSTOP=\n");
    service(&mut tree, "S50named", "START=50");
    service(&mut tree, "uhttpd", "START=50\nSTOP=$NEVER");
    service(&mut tree, "manual", "EXTRA_COMMANDS=x");
    put(&mut tree, "etc/init.d/rcS", 0o755, "#!/bin/sh\nSTART=1\n");
    put(&mut tree, "etc/init.d/folder/deep", 0o755, &format!("{HEAD}START=1\n"));
    link(&mut tree, "etc/rc.d/S99uhttpd", "../init.d/uhttpd");
    link(&mut tree, "etc/rc.d/S10network", "../init.d/network");
    link(&mut tree, "etc/rc.d/S10other", "../init.d/other");
    let off: BTreeSet<String> = ["uhttpd", "odhcpd"].map(str::to_owned).into();
    let services = services::link(&mut tree, &off).expect("linked");
    let links: Vec<String> = tree
        .below(&path("etc/rc.d"))
        .skip(1)
        .map(|(path, _)| String::from_utf8_lossy(path.name()).into_owned())
        .collect();
    let expected = [
        "K08quoted",
        "K90network",
        "K99umount",
        "S07quoted",
        "S10other",
        "S11twice",
        "S19dnsmasq",
        "S20network",
        "S50named",
    ];
    assert_eq!(links, expected);
    assert_eq!(target(&tree, "etc/rc.d/S50named").as_deref(), Some("../init.d/S50named"));
    assert_eq!(services.enabled["network"], ["S20network", "K90network"]);
    assert_eq!(services.enabled.len(), 6);
    assert_eq!(services.off, ["uhttpd".to_owned()].into());
    assert_eq!(services.absent, ["odhcpd".to_owned()].into());
}

#[test]
fn services_whose_order_is_not_literal_are_errors() {
    for body in [
        "START=$N",
        "[ -e /x ] && :\n\tSTART=10",
        "START=1x",
        "START=\"10",
        "STOP=`date`",
        "START=10 STOP",
    ] {
        let mut tree = base();
        service(&mut tree, "odd", body);
        let error = services::link(&mut tree, &BTreeSet::new()).expect_err(body).to_string();
        assert!(error.starts_with("/etc/init.d/odd, line "), "{error}");
    }
}

#[test]
fn the_overlay_takes_the_place_of_files_and_links() {
    let mut tree = base();
    link(&mut tree, "bin/vi", "busybox");
    put(&mut tree, "rootfs-overlay/bin/vi", 0o755, "vim");
    put(&mut tree, "rootfs-overlay/etc/passwd", 0o644, "new\n");
    link(&mut tree, "rootfs-overlay/new/link", "x");
    overlay::merge(&mut tree).expect("merged");
    assert_eq!(text(&tree, "bin/vi"), "vim");
    assert_eq!(text(&tree, "etc/passwd"), "new\n");
    assert_eq!(target(&tree, "new/link").as_deref(), Some("x"));
    assert!(tree.get(&path("rootfs-overlay")).is_none());
}

#[test]
fn the_image_has_what_the_kernel_needs_and_nothing_of_the_package_manager() {
    let mut tree = base();
    for gone in [
        "boot/vmlinuz",
        "tmp/x/y",
        "usr/lib/opkg/info/a.list",
        "lib/apk/packages/a.list",
        "etc/.git/config",
        "etc/.#lock",
        "usr/CVS/Root",
    ] {
        put(&mut tree, gone, 0o600, "");
    }
    link(&mut tree, "var", "tmp");
    put(&mut tree, "etc/secret", 0o600, "");
    put(&mut tree, "usr/bin/tool", 0o4700, "");
    let hidden = Meta {
        uid: 81,
        gid: 82,
        xattrs: [(b"a".to_vec(), vec![])].into(),
        ..Meta::with_mode(0o700)
    };
    tree.make_directory(&path("root"), hidden, Origin::Builder).expect("made");
    let done = complete(&mut tree, &[], &BTreeSet::new()).expect("completed");
    assert_eq!(done, Completed::default());
    let list: Vec<String> = tree
        .iter()
        .map(|(path, node)| format!("{path} {:o} {}", node.meta.mode, node.kind.describe()))
        .collect();
    insta::assert_snapshot!(list.join("\n"), @r"
    / 755 directory
    /dev 755 directory
    /dev/console 600 character device
    /etc 755 directory
    /etc/group 644 file
    /etc/passwd 644 file
    /etc/rc.d 755 directory
    /etc/secret 644 file
    /etc/shadow 600 file
    /lib 755 directory
    /overlay 755 directory
    /root 755 directory
    /tmp 1777 directory
    /usr 755 directory
    /usr/bin 755 directory
    /usr/bin/tool 4755 file
    /usr/lib 755 directory
    /var 777 symbolic link
    ");
    assert!(matches!(tree.get(&path("dev/console")).expect("a node").kind, Kind::CharDevice(5, 1)));
    assert!(tree.iter().all(|(_, node)| node.meta.uid == 0 && node.meta.gid == 0));
    assert!(tree.iter().all(|(_, node)| node.meta.xattrs.is_empty()));
    // A second time it changes nothing.
    let before =
        format!("{:?}", tree.iter().map(|(path, node)| (path, &node.meta)).collect::<Vec<_>>());
    complete(&mut tree, &[], &BTreeSet::new()).expect("completed");
    let after =
        format!("{:?}", tree.iter().map(|(path, node)| (path, &node.meta)).collect::<Vec<_>>());
    assert_eq!(before, after);
}
