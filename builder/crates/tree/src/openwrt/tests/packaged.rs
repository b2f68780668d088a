//! Packages of both kinds, and their scripts.

use super::*;

#[test]
fn packages_of_both_kinds_say_the_same() {
    let mut tree = base();
    put(&mut tree, "lib/apk/packages/ubusd.rusers", 0o644, "ubus=81:ubus=81\n");
    put(
        &mut tree,
        "lib/apk/packages/ip-full.alternatives",
        0o644,
        "300:/sbin/ip:/usr/libexec/ip-full\n",
    );
    put(&mut tree, "lib/apk/packages/ip-full.list", 0o644, "/usr/libexec/ip-full\n");
    let facts = sidecars(&tree).expect("facts");
    let expected = [
        offers("ip-full", &["300:/sbin/ip:/usr/libexec/ip-full"]),
        requires("ubusd", &["ubus=81:ubus=81"]),
    ];
    let orders: Vec<&str> = facts.iter().map(|facts| &*facts.order).collect();
    assert_eq!(orders, ["ip-full-0", "ubusd-0"]);
    let same = |facts: &PackageFacts| PackageFacts { order: String::new(), ..facts.clone() };
    assert_eq!(facts.iter().map(same).collect::<Vec<_>>(), expected.each_ref().map(same));
    let control = Control {
        fields: [("Package", "ubusd"), ("Require-User", "ubus=81:ubus=81")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Control::default()
    };
    assert_eq!(PackageFacts::of_ipk(&control), expected[1]);
}

#[test]
fn empty_directories_come_along_and_everything_is_roots() {
    let folder = tempfile::tempdir().expect("a directory");
    let spool = wifibox_ground::content::Spool::new_in(folder.path()).expect("a spool");
    let entry = |at: &str, kind| Entry {
        path: path(at),
        mode: 0o1777,
        uid: 81,
        gid: 82,
        uname: b"ubus".to_vec(),
        gname: Vec::new(),
        mtime: 7,
        xattrs: BTreeMap::new(),
        checksum: None,
        held: None,
        dotted: false,
        kind,
    };
    let (accounts, replaces) = Default::default();
    for keep in [false, true] {
        let mut tree = Tree::new();
        let unpacker = crate::unpack::Unpacker::new(&mut tree, &spool, &accounts, &replaces);
        let mut unpacker = if keep { unpacker.keep_empty_directories(true) } else { unpacker };
        for (at, kind) in
            [("proc", EntryKind::Directory), ("bin/sh", EntryKind::Symlink(b"x".to_vec()))]
        {
            unpacker.take("base-files", owned_by_root(entry(at, kind))).expect("taken");
        }
        unpacker.finish().expect("finished");
        let proc =
            tree.get(&path("proc")).map(|node| (node.meta.mode, node.meta.uid, node.meta.mtime));
        assert_eq!(proc, keep.then_some((0o1777, 0, 7)));
        assert_eq!(tree.get(&path("bin/sh")).map(|node| node.meta.gid), Some(0));
    }
}

const GUARD: &str = "[ -n \"${IPKG_INSTROOT}\" ] || ";
const IF: &str = "# only there\nif [ -z \"${IPKG_INSTROOT}\" ]; then\n";

#[test]
fn scripts_for_running_systems_are_told_apart() {
    for inert in [
        "",
        "#!/bin/sh\n",
        "#!/bin/sh\nexit 0\nwhatever\n",
        &format!("#!/bin/sh\n{GUARD}/etc/init.d/rpcd reload\n"),
        "[ -n \"$IPKG_INSTROOT\" ] || /etc/init.d/rpcd reload\nexit 0\n",
        &format!(
            "{GUARD}{{ rm -f /tmp/luci-indexcache.*\n\tkillall -HUP rpcd 2>/dev/null\n\texit 0\n}}\n"
        ),
        &format!("\t{GUARD}{{\n\t\t(. /etc/uci-defaults/x) && rm -f /etc/uci-defaults/x\n\t}}\n"),
        &format!("{GUARD}/etc/init.d/rpcd reload 2>/dev/null\nexit 0\n"),
        &format!("{GUARD}/etc/init.d/x enable >/dev/null 2>&1\nexit 0\n"),
        &format!("{IF}fi\n"),
        &format!(
            "{IF}\tx check && {{\n\t\techo -n \"Again... \"\n\t\tx >/dev/null && echo \"OK\"\n\t}}\nfi\nexit 0\n"
        ),
        &format!("{IF}\tfight || offline\nfi\n{IF}true\nfi\n{GUARD}true\n"),
    ] {
        assert!(scripts::only_for_running_systems(inert.as_bytes()), "{inert}");
    }
    for active in [
        "touch /etc/x\n",
        &format!("{GUARD}true; touch /etc/x\n"),
        &format!("{GUARD}true && touch /etc/x\n"),
        &format!("{GUARD}true &\n"),
        &format!("{GUARD}echo \\\n"),
        &format!("{GUARD}echo $(touch x)\n"),
        &format!("{GUARD}{{ true\n}}\ntouch /etc/x\n"),
        &format!("{GUARD}{{ true; }}; touch /etc/x; {{ true\n}}\n"),
        &format!("{GUARD}{{ true\n}}; touch /etc/x; {{\n}}\n"),
        &format!("{GUARD}{{true\ntouch /etc/x\n}}\n"),
        &format!("{GUARD}{{ cat <<E\nE\n}}\n"),
        &format!("{GUARD}{{ true\n"),
        &format!("{GUARD}\n"),
        &format!("{GUARD}true >/etc/x\n"),
        &format!("{GUARD}true 2>/dev/null; touch /etc/x\n"),
        &format!("{GUARD} 2>/dev/null\n"),
        &format!("{IF}touch /tmp/x\n"),
        &format!("{IF}true\nfi\ntouch /etc/x\n"),
        &format!("{IF}true\nfi; touch /etc/x\n"),
        &format!("{IF}true\nelse\ntouch /etc/x\nfi\n"),
        &format!("{IF}true; fi; touch /etc/x; if true; then\nfi\n"),
        &format!("{IF}true; f\\\ni; touch /etc/x; if true; then\nfi\n"),
        &format!("{IF}if true; then\ntrue\nfi\nfi\n"),
        &format!("{IF}echo \"\nfi\n# \"; fi; touch /etc/x\n"),
        &format!("{IF}echo '\nfi\n# '; fi; touch /etc/x\n"),
        &format!("{IF}echo '\"' \"\nfi\n# \"; fi; touch /etc/x\n"),
        &format!("{IF}echo \"$(echo \"\nfi\n# \")\"; fi; touch /etc/x\n"),
        &format!("{IF}cat <<E\nfi\n# E\nE\nfi; touch /etc/x\n"),
        "if [ -n \"${IPKG_INSTROOT}\" ]; then\ntouch /etc/x\nfi\n",
        "if [ -z \"${IPKG_INSTROOT}\" ] || true; then\ntouch /etc/x\nfi\n",
        "[ -n \"${IPKG_INSTROOT}\" ] && touch /etc/x\n",
        "[ -z \"${IPKG_INSTROOT}\" ] || touch /etc/x\n",
    ] {
        assert!(!scripts::only_for_running_systems(active.as_bytes()), "{active}");
    }
    assert!(!scripts::only_for_running_systems(b"\xff"));
}

#[test]
fn only_the_own_part_of_a_script_needs_a_rule() {
    let standard = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
        [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n\
        default_postinst $0 $@\n";
    let v3 = "#!/bin/sh\n[ \"${IPKG_NO_SCRIPT}\" = \"1\" ] && exit 0\n\
        [ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n\
        export root=\"${IPKG_INSTROOT}\"\nexport pkgname=\"x\"\nadd_group_and_user\ndefault_postinst\n";
    let own = |scripts: &[(&str, String)]| -> Vec<(String, String)> {
        let scripts: BTreeMap<String, Vec<u8>> = scripts
            .iter()
            .map(|(name, text)| ((*name).into(), text.clone().into_bytes()))
            .collect();
        let own = scripts::own("x", &scripts);
        own.into_iter().map(|s| (s.name, String::from_utf8(s.text).expect("text"))).collect()
    };
    let removal = ("prerm", "rm -rf /\n".to_owned());
    assert_eq!(own(&[("postinst", standard.into()), removal.clone()]), []);
    let part = ("postinst-pkg", "touch /etc/x\n".to_owned());
    let expected = [("postinst".to_owned(), "touch /etc/x\n".to_owned())];
    assert_eq!(own(&[("postinst", standard.into()), part, removal]), expected);
    let quiet = ("postinst-pkg", format!("#!/bin/sh\n{GUARD}/etc/init.d/x reload\n"));
    assert_eq!(own(&[("postinst", standard.into()), quiet]), []);
    let changed = format!("{standard}touch /etc/x\n");
    assert_eq!(own(&[("postinst", changed.clone())]), [("postinst".to_owned(), changed)]);
    assert_eq!(own(&[("post-install", v3.into()), ("post-upgrade", "x".into())]), []);
    let more = own(&[("post-install", format!("{v3}touch /etc/x\n"))]);
    assert_eq!(more, [("post-install".to_owned(), "touch /etc/x\n".to_owned())]);
    let other = v3.replace("\"x\"", "\"y\"");
    assert_eq!(own(&[("post-install", other.clone())]), [("post-install".to_owned(), other)]);
}

proptest! {
    #[test]
    fn any_facts_and_scripts_are_used_or_refused(
        user in "[a-z=0-9:,. \\n]{0,20}",
        alternative in "[0-9:/a-z.\\-]{0,20}",
        init in "(START|STOP)?=?[\"'0-9$# ;x]{0,6}",
        script in "(\\[ -n \"\\$\\{IPKG_INSTROOT\\}\" \\] \\|\\| |if \\[ -z \"\\$IPKG_INSTROOT\" \\]; then\n)?[{}a-z \\n;\"<#]{0,30}",
    ) {
        let mut tree = base();
        service(&mut tree, "any", &init);
        let facts = PackageFacts {
            name: "a".into(),
            order: "a.postinst".into(),
            users: vec![user],
            alternatives: vec![alternative],
        };
        let _ = complete(&mut tree, &[facts], &BTreeSet::new());
        let passwd = text(&tree, "etc/passwd");
        prop_assert!(passwd.lines().all(|line| line.split(':').count() == 7), "{passwd}");
        let _ = scripts::only_for_running_systems(script.as_bytes());
    }
}
