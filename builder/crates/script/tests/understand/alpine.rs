//! Commands that Alpine's scripts call.

use wifibox_script::{Ecosystem, Files, Kind, Script, World, understand};

use crate::{root, run};

#[test]
fn adduser_makes_the_accounts_that_apk_makes() {
    let mut files = root();
    // Of dhcpcd's pre-install; `users` has the group id 100.
    let text = "addgroup -S dhcpcd 2>/dev/null\nadduser -S -D -H -h /var/lib/dhcpcd -s /sbin/nologin \
        -G dhcpcd -g dhcpcd dhcpcd 2>/dev/null\nexit 0\n";
    run(Ecosystem::Alpine, "pre-install", text, &mut files).expect("understood");
    run(Ecosystem::Alpine, "pre-install", text, &mut files).expect("understood, and nothing new");
    let passwd = files.text("/etc/passwd").expect("passwd");
    assert!(passwd.ends_with("dhcpcd:x:100:101:dhcpcd:/var/lib/dhcpcd:/sbin/nologin\n"));
    assert!(files.text("/etc/group").expect("group").ends_with("dhcpcd:x:101:dhcpcd\n"));
    let shadow = files.text("/etc/shadow").expect("shadow");
    assert!(shadow.ends_with("dhcpcd:!:20000:0:99999:7:::\n"));
}

#[test]
fn applets_and_services_are_linked() {
    let mut files = root()
        .with_file("/bin/busybox", "", 0o755)
        .with_file("/bin/cat", "", 0o755)
        .with_file("/etc/busybox-paths.d/busybox", "/bin/cat\n/bin/ls\n", 0o644)
        .with_file("/etc/init.d/x", "", 0o755)
        .with_directory("/etc/runlevels/default");
    let text = "#!/bin/busybox sh\n/bin/busybox --install -s || exit 1\nrc-update add x default\n";
    run(Ecosystem::Alpine, "post-install", text, &mut files).expect("understood");
    let kind = |path: &str| files.lookup(path).map(|entry| entry.kind);
    assert_eq!(kind("/bin/ls"), Some(Kind::Link("/bin/busybox".into())));
    assert_eq!(kind("/bin/cat"), Some(Kind::File(0)));
    assert_eq!(kind("/etc/runlevels/default/x"), Some(Kind::Link("/etc/init.d/x".into())));
}

#[test]
fn triggers_get_the_paths_that_changed() {
    let text = b"#!/bin/busybox sh\nfor i in \"$@\"; do case \"$i\" in\n/lib/modules/*) depmod ${i#*/lib/modules/} ;;\n\
        *) touch /other ;; esac; done\n";
    let mut script = Script::new("busybox", "1", "trigger", text);
    let paths = ["/lib/modules/6.18".to_owned()];
    script.paths = &paths;
    let mut files = root();
    let world = World::new(Ecosystem::Alpine, "x86_64");
    let done = understand(&script, &world, &mut files).expect("understood");
    let words: Vec<String> = done.effects.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["leaves out \"depmod 6.18\": the builder makes it for the image"]);
}

#[test]
fn system_users_without_a_group_go_into_nogroup() {
    let mut files = root().with_directory("/var/empty").with_directory("/home");
    let text = "adduser -S -D -h /var/empty klogd\nadduser -S -D -H -h /home/b b\nadduser -D -S -h /no/c c\n";
    run(Ecosystem::Alpine, "pre-install", text, &mut files).expect("understood");
    let passwd = files.text("/etc/passwd").expect("passwd");
    assert!(passwd.contains("klogd:x:100:65534:Linux User,,,:/var/empty:/bin/false\n"), "{passwd}");
    let group = files.text("/etc/group").expect("group");
    assert!(group.contains("nogroup:x:65534:klogd,b,c\n"), "{group}");
    let home = files.lookup("/var/empty").expect("a directory").meta;
    assert_eq!((home.mode, home.uid, home.gid), (0o2755, 100, 65534));
    assert!(files.lookup("/home/b").is_none() && files.lookup("/no").is_none());
    // Without that group, BusyBox makes no such user.
    let mut files = root().with_file("/etc/group", "root:x:0:\n", 0o644);
    let text = "adduser -S -D -H a 2>/dev/null\nexit 0\n";
    run(Ecosystem::Alpine, "pre-install", text, &mut files).expect("understood");
    assert!(!files.text("/etc/passwd").expect("passwd").contains("a:x:"));
}
