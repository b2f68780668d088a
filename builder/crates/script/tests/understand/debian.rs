//! Commands that Debian's scripts call.

use wifibox_script::{Ecosystem, Effect, Files, Kind, Meta, Script, World, understand};

use crate::{debian, root};

#[test]
fn adduser_gives_the_first_free_ids_and_makes_the_home_directory() {
    let mut files = root();
    let text = "adduser --system --group --home /var/lib/a --gecos 'A daemon' --quiet a\n\
        adduser --system --no-create-home b\naddgroup --system c\nadduser b c\nadduser --system --group a\n";
    debian(text, &mut files).expect("understood");
    let passwd = files.text("/etc/passwd").expect("passwd");
    assert!(passwd.ends_with(
        "a:x:100:101:A daemon:/var/lib/a:/usr/sbin/nologin\n\
         b:x:101:65534::/nonexistent:/usr/sbin/nologin\n"
    ));
    assert!(files.text("/etc/group").expect("group").ends_with("a:x:101:\nc:x:102:b\n"));
    assert!(files.text("/etc/shadow").expect("shadow").contains("a:!:20000::::::\n"));
    let home = files.lookup("/var/lib/a").expect("a directory");
    assert_eq!(home.meta, Meta { mode: 0o755, uid: 100, gid: 101 });
}

#[test]
fn useradd_and_sysusers_give_ids_from_the_end() {
    let mut files =
        root().with_file("/usr/lib/sysusers.d/b.conf", "u b - \"B\" /run/b\nm b c\n", 0o644);
    let text = "useradd -r -M -d /run/a -s /bin/false a\nsystemd-sysusers b.conf\npasswd -l a\n";
    debian(text, &mut files).expect("understood");
    let passwd = files.text("/etc/passwd").expect("passwd");
    assert!(passwd.contains("a:x:999:999::/run/a:/bin/false\n"), "{passwd}");
    assert!(passwd.contains("b:x:998:998:B:/run/b:/usr/sbin/nologin\n"), "{passwd}");
    assert!(files.text("/etc/group").expect("group").contains("c:x:997:b\n"));
}

#[test]
fn alternatives_lead_to_the_highest_priority() {
    let mut files = root()
        .with_file("/usr/bin/x-a", "", 0o755)
        .with_file("/usr/bin/x-b", "", 0o755)
        .with_file("/usr/share/man/x-b.1", "", 0o644);
    let text = "update-alternatives --install /usr/bin/x x /usr/bin/x-b 50 \\\n\
        --slave /usr/share/man/x.1 x.1 /usr/share/man/x-b.1\n\
        update-alternatives --install /usr/bin/x x /usr/bin/x-a 20\n";
    debian(text, &mut files).expect("understood");
    let link = |path: &str| files.lookup(path).map(|entry| entry.kind);
    assert_eq!(link("/usr/bin/x"), Some(Kind::Link("/etc/alternatives/x".into())));
    assert_eq!(link("/etc/alternatives/x"), Some(Kind::Link("/usr/bin/x-b".into())));
    assert_eq!(link("/usr/share/man/x.1"), Some(Kind::Link("/etc/alternatives/x.1".into())));
    let notes = "auto\n/usr/bin/x\nx.1\n/usr/share/man/x.1\n\n\
        /usr/bin/x-a\n20\n\n/usr/bin/x-b\n50\n/usr/share/man/x-b.1\n\n";
    assert_eq!(files.text("/var/lib/dpkg/alternatives/x").as_deref(), Some(notes));
}

#[test]
fn alternatives_with_names_that_dpkg_refuses_change_nothing() {
    for words in [
        "--install /usr/bin/x x/../ /usr/bin/x-a 50",
        "--install usr/bin/x x /usr/bin/x-a 50",
        "--install /usr/bin/x x bin/x-a 50",
        "--install /usr/bin/x x /usr/bin/x-a 50 --slave /usr/share/x.1 ../x.1 /usr/share/x.1",
        "--install /usr/bin/x 'a b' /usr/bin/x-a 50",
        "--remove a/b /usr/bin/x-a",
        "--set x x-a",
        "--auto ../x",
    ] {
        let mut files = root().with_file("/usr/bin/x-a", "", 0o755);
        let text = format!("update-alternatives {words} || echo $? >/etc/said\n");
        debian(&text, &mut files).expect("understood");
        assert_eq!(files.text("/etc/said").as_deref(), Some("2\n"), "{words}");
        let notes = files.iter().filter(|(path, _)| path.contains("alternatives/"));
        assert_eq!(notes.count(), 0, "{words}");
    }
}

#[test]
fn diversions_and_overrides_are_kept_as_dpkg_keeps_them() {
    let mut files = root().with_file("/usr/bin/x", "old", 0o755);
    let text = "dpkg-divert --add --rename --package pkg --divert /usr/bin/x.real /usr/bin/x\n\
        dpkg-statoverride --list /usr/bin/x.real || \
        dpkg-statoverride --update --add root users 2755 /usr/bin/x.real\n";
    debian(text, &mut files).expect("understood");
    assert!(files.lookup("/usr/bin/x").is_none());
    let moved = files.lookup("/usr/bin/x.real").expect("moved");
    assert_eq!(moved.meta, Meta { mode: 0o2755, uid: 0, gid: 100 });
    let diversions = files.text("/var/lib/dpkg/diversions");
    assert_eq!(diversions.as_deref(), Some("/usr/bin/x\n/usr/bin/x.real\npkg\n"));
}

#[test]
fn a_directory_is_not_diverted() {
    let mut files = root().with_file("/usr/bin/x", "x", 0o755);
    let text =
        "dpkg-divert --add --rename --divert /usr/bin/x.real /usr || echo refused >/etc/said\n";
    debian(text, &mut files).expect("understood");
    assert_eq!(files.text("/etc/said").as_deref(), Some("refused\n"));
    assert!(files.lookup("/usr/bin").is_some());
}

#[test]
fn services_are_enabled_by_links() {
    let unit = "[Unit]\n[Install]\nWantedBy=multi-user.target\nAlias=dbus-x.service\n";
    let init = "#!/bin/sh\n### BEGIN INIT INFO\n# Default-Start: 2 3\n# Default-Stop: 6\n### END INIT INFO\n";
    let mut files = root().with_file("/lib/systemd/system/x.service", unit, 0o644).with_file(
        "/etc/init.d/x",
        init,
        0o755,
    );
    let text = "if deb-systemd-helper --quiet was-enabled x.service; then\n\
        deb-systemd-helper enable x.service >/dev/null || true\nfi\n\
        update-rc.d x defaults >/dev/null\ninvoke-rc.d x start || exit 1\n";
    let done = debian(text, &mut files).expect("understood");
    let link = |path: &str| match files.lookup(path).map(|entry| entry.kind) {
        Some(Kind::Link(target)) => target,
        other => panic!("{path}: {other:?}"),
    };
    let target = "/lib/systemd/system/x.service";
    assert_eq!(link("/etc/systemd/system/multi-user.target.wants/x.service"), target);
    assert_eq!(link("/etc/systemd/system/dbus-x.service"), target);
    assert_eq!(link("/etc/rc2.d/S01x"), "../init.d/x");
    assert_eq!(link("/etc/rc6.d/K01x"), "../init.d/x");
    let start = "leaves out \"invoke-rc.d x start\": it acts on a running system, and none runs";
    assert!(done.effects.iter().any(|effect| effect.to_string() == start), "{:?}", done.effects);
}

#[test]
fn questions_have_their_templates_answers() {
    let text = b". /usr/share/debconf/confmodule\ndb_get pkg/run\nif [ \"$RET\" = true ]; then touch /run; fi\n";
    let mut script = Script::new("pkg", "1", "postinst", text);
    script.templates = Some(
        "Template: pkg/other\nType: string\n\nTemplate: pkg/run\nType: boolean\nDefault: true\n",
    );
    let mut files = root();
    let mut world = World::new(Ecosystem::Debian, "amd64");
    understand(&script, &world, &mut files).expect("understood");
    assert!(files.lookup("/run").is_some());
    world.answers.insert("pkg/run".into(), "false".into());
    let mut files = root();
    understand(&script, &world, &mut files).expect("understood");
    assert!(files.lookup("/run").is_none());
}

#[test]
fn versions_and_packages_are_asked_for() {
    let text = "dpkg --compare-versions \"$2\" lt 2.0 && touch /older\n\
        dpkg-query -W -f '${Status}' other >/dev/null 2>&1 || touch /alone\n\
        [ \"$(dpkg --print-architecture)\" = amd64 ] && touch /amd64\n";
    let mut files = root();
    debian(text, &mut files).expect("understood");
    assert!(["/older", "/alone", "/amd64"].iter().all(|path| files.lookup(path).is_some()));
}

#[test]
fn files_are_made_moved_and_given_away() {
    let mut files = root().with_file("/usr/share/x/conf", "text\n", 0o644);
    let text = "mkdir -p /var/lib/x/y; chown root:users /var/lib/x; chmod g+ws,o-rx /var/lib/x\n\
        cp -p /usr/share/x/conf /etc/x; install -d -m 1777 -o root -g users /var/spool/x\n\
        sed -i -e 's/text/other/' /etc/x; mv /etc/x /etc/y; ln -sfn /etc/y /etc/z; rm -rf /var/lib/x/y\n";
    let done = debian(text, &mut files).expect("understood");
    assert_eq!(files.text("/etc/y").as_deref(), Some("other\n"));
    let meta = |path: &str| files.lookup(path).map(|entry| entry.meta);
    assert_eq!(meta("/var/lib/x"), Some(Meta { mode: 0o2770, uid: 0, gid: 100 }));
    assert_eq!(meta("/var/spool/x"), Some(Meta { mode: 0o1777, uid: 0, gid: 100 }));
    assert!(files.lookup("/var/lib/x/y").is_none() && files.lookup("/etc/x").is_none());
    let link = Effect::Link { path: "/etc/z".into(), target: "/etc/y".into() };
    assert!(done.effects.contains(&link));
}

#[test]
fn a_shell_is_listed_under_its_real_directory_too() {
    let files = root().with_directory("/usr/bin").with_link("/bin", "usr/bin");
    let mut files = files.with_file("/etc/shells", "/bin/sh\n", 0o644);
    debian("add-shell /bin/ksh93\nadd-shell /opt/sh /bin/sh\n", &mut files).expect("understood");
    let shells = "/bin/sh\n/bin/ksh93\n/usr/bin/ksh93\n/opt/sh\n/usr/bin/sh\n";
    assert_eq!(files.text("/etc/shells").as_deref(), Some(shells));
}

#[test]
fn what_is_named_after_the_machine_is_not_there_to_be_adjusted() {
    let lines = "z /var/log/journal/%m 2755 root systemd-journal - -\nh /var/log/journal/%m - - - - +C\n\
        Z /var/log/none ~2750 root root\nR! /tmp/a-%b-*\nx /tmp/a-%b-*\n";
    let mut files = root().with_file("/usr/lib/tmpfiles.d/a.conf", lines, 0o644);
    debian("systemd-tmpfiles --create a.conf\n", &mut files).expect("understood");
    let lines = "d /var/lib/%m 0755 root root - -\n";
    let mut files = root().with_file("/usr/lib/tmpfiles.d/a.conf", lines, 0o644);
    debian("systemd-tmpfiles --create a.conf\n", &mut files).expect_err("a name that is not known");
}

#[test]
fn owners_and_modes_with_a_colon_hold_for_what_is_new() {
    let lines = "d= /root :0700 :root :root -\nd /srv/a :0750 :root :users -\n\
        z /tmp 2755 - users - -\n";
    let files = root().with_file("/usr/lib/tmpfiles.d/a.conf", lines, 0o644);
    let mut files = files.with_directory("/root");
    debian("systemd-tmpfiles --create a.conf\n", &mut files).expect("understood");
    let meta = |path: &str| files.lookup(path).expect("a directory").meta;
    assert_eq!(meta("/root"), Meta { mode: 0o755, uid: 0, gid: 0 });
    assert_eq!(meta("/srv/a"), Meta { mode: 0o750, uid: 0, gid: 100 });
    assert_eq!(meta("/tmp"), Meta { mode: 0o2755, uid: 0, gid: 100 });
}

#[test]
fn a_link_is_not_made_where_a_directory_is_named_that_is_not_there() {
    let mut files = root();
    debian("ln -s ../a /tmp/none/\n", &mut files).expect_err("fails, as it does with dpkg");
    debian("ln -s ../a /tmp/\n", &mut files).expect("understood");
    assert_eq!(files.lookup("/tmp/a").map(|entry| entry.kind), Some(Kind::Link("../a".into())));
}
