//! From a signed OpenWrt feed in a folder to a root file system, without running anything.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};

use wifibox_formats::PackageLimits;
use wifibox_formats::opkg::feeds::{Build, Packing, plans};
use wifibox_formats::opkg::{IpkError, Keyring, Trust, read_signed, read_sums};
use wifibox_ground::content::Spool;
use wifibox_ground::digest::Sha256;
use wifibox_packages::Ipk;
use wifibox_testkit::opkgrepo::{Form, Ipk as Made, Release, Signer};
use wifibox_tree::accounts::Accounts;
use wifibox_tree::openwrt::{self, PackageFacts, owned_by_root};
use wifibox_tree::unpack::{UnpackError, Unpacker};
use wifibox_tree::{Kind, Tree};

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Ipk(#[from] IpkError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

fn package(name: &str) -> Made {
    Made::new(name, "1", "x86_64")
}

fn release() -> Release {
    let base_files = package("base-files")
        .file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/ash\n")
        .file("etc/group", 0o644, "root:x:0:\n")
        .file("etc/shadow", 0o600, "root:::0:99999:7:::\n")
        .file("etc/init.d/boot", 0o755, "#!/bin/sh /etc/rc.common\nSTART=10\nSTOP=90\n")
        .file("usr/lib/opkg/status", 0o644, "")
        .directory("proc", 0o755)
        .symlink("var", "tmp");
    let busybox = package("busybox")
        .file("bin/busybox", 0o755, "busybox")
        .symlink("sbin/ip", "../bin/busybox")
        .form(Form::ControlFirst);
    let service = "#!/bin/sh /etc/rc.common\nSTART=50\n";
    let uhttpd = package("uhttpd")
        .field("Require-User", "http=48:http=48:network new")
        .file("etc/init.d/uhttpd", 0o755, service)
        .control("postinst-pkg", b"[ -n \"$IPKG_INSTROOT\" ] || /etc/init.d/uhttpd reload\n");
    let odd = package("odd").control("postinst-pkg", b"touch $IPKG_INSTROOT/etc/odd\n");
    let mut release =
        Release::new().with("core", [base_files]).with("base", [busybox, uhttpd, odd]).with(
            "base",
            [
                package("ip-tiny").field("Alternatives", "200:/sbin/ip:/usr/libexec/ip-tiny"),
                package("ip-full").field("Alternatives", "300:/sbin/ip:/usr/libexec/ip-full"),
            ],
        );
    release.unlisted.push(package("libc").file("lib/libc.so", 0o755, "libc"));
    release
}

#[test]
fn a_root_is_made_from_a_signed_feed() {
    let (mirror, signer) = (tempfile::tempdir().unwrap(), Signer::new(3));
    let release = release();
    release.publish(mirror.path(), &signer);
    let build = Build {
        folder: format!("releases/{}", release.release),
        packing: Packing::Opkg,
        release: release.release,
        target: release.target,
        architecture: release.architecture,
    };
    let mut keyring = Keyring::default();
    keyring.add("key", signer.public_line().as_bytes()).unwrap();
    let pinned = [signer.fingerprint().parse().unwrap()];
    let trust = Trust { keyring: &keyring, pinned: &pinned };

    // What the indexes list, and libc, which only the target's sums know.
    let mut files = Vec::new();
    for plan in plans(&build, None, &["base"], &[]).unwrap() {
        let folder = mirror.path().join(&plan.folder);
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let signature = read("Packages.sig");
        let index =
            read_signed(&plan.feed, &read("Packages.gz"), Some(&signature), &trust).unwrap();
        files.extend(index.iter().map(|p| (folder.join(&p.path), p.sha256.unwrap())));
    }
    let target = mirror.path().join(build.target_folder());
    let read = |name: &str| fs::read(target.join(name)).unwrap();
    let sums =
        read_sums("sums", &read("sha256sums"), Some(&read("sha256sums.sig")), &trust).unwrap();
    let libc = "packages/libc_1_x86_64.ipk";
    files.push((target.join(libc), sums[libc]));

    let spool = Spool::new_in(mirror.path()).unwrap();
    let (mut tree, accounts, replaces) = (Tree::new(), Accounts::default(), BTreeMap::new());
    let (mut facts, mut scripts) = (Vec::new(), Vec::new());
    let mut unpacker =
        Unpacker::new(&mut tree, &spool, &accounts, &replaces).keep_empty_directories(true);
    for (path, digest) in files {
        assert_eq!(Sha256::of(&fs::read(&path).unwrap()), digest);
        let name = path.display().to_string();
        let ipk = Ipk::open(&name, File::open(&path).unwrap(), PackageLimits::default()).unwrap();
        let name = ipk.control().name().to_owned();
        let control = ipk
            .read_data(&mut |entry| -> Result<(), Failed> {
                Ok(unpacker.take(&name, owned_by_root(entry))?)
            })
            .unwrap();
        scripts.extend(openwrt::scripts::own(&name, &control.scripts));
        facts.push(PackageFacts::of_ipk(&control));
    }
    unpacker.finish().unwrap();
    // Only one package has a script that would do something to an image.
    let own: Vec<_> = scripts.iter().map(|s| (&*s.package, &*s.name)).collect();
    assert_eq!(own, [("odd", "postinst")]);

    let off = BTreeSet::from(["uhttpd".to_owned()]);
    let done = openwrt::complete(&mut tree, &facts, &off).unwrap();
    assert_eq!(done.accounts.users, [("http".to_owned(), 48), ("new".to_owned(), 32768)]);
    assert_eq!(done.services.off, off);
    let show = |kind: &Kind| match kind {
        Kind::File(content) => String::from_utf8(content.read().unwrap()).unwrap(),
        Kind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
        other => other.describe().to_owned(),
    };
    let list: Vec<String> = tree
        .iter()
        .filter(|(_, node)| !matches!(node.kind, Kind::Directory))
        .map(|(path, node)| format!("{path} {:o} {:?}", node.meta.mode, show(&node.kind)))
        .collect();
    insta::assert_snapshot!(list.join("\n"), @r##"
    /bin/busybox 755 "busybox"
    /dev/console 600 "character device"
    /etc/group 644 "root:x:0:\nhttp:x:48:http\nnetwork:x:32768:http\n"
    /etc/init.d/boot 755 "#!/bin/sh /etc/rc.common\nSTART=10\nSTOP=90\n"
    /etc/init.d/uhttpd 755 "#!/bin/sh /etc/rc.common\nSTART=50\n"
    /etc/passwd 644 "root:x:0:0:root:/root:/bin/ash\nhttp:x:48:48:http:/var/run/http:/bin/false\nnew:x:32768:32768:new:/var/run/new:/bin/false\n"
    /etc/rc.d/K90boot 777 "-> ../init.d/boot"
    /etc/rc.d/S10boot 777 "-> ../init.d/boot"
    /etc/shadow 600 "root:::0:99999:7:::\nhttp:x:0:0:99999:7:::\nnew:x:0:0:99999:7:::\n"
    /lib/libc.so 755 "libc"
    /sbin/ip 777 "-> /usr/libexec/ip-full"
    /var 777 "-> tmp"
    "##);
    assert!(tree.get(&wifibox_ground::path::GuestPath::new("proc").unwrap()).is_some());
}
