//! Alpine packages from their bytes to their files: sound, damaged and hostile.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tar::EntryType;
use wifibox_formats::PackageLimits;
use wifibox_formats::apk::signature::Kind;
use wifibox_formats::apk::{ApkError, Trust};
use wifibox_formats::tarball::TarLimits;
use wifibox_formats::{Identity, apkindex};
use wifibox_ground::codec::Limits;
use wifibox_ground::digest::Sha256;
use wifibox_ground::entry::EntryKind;
use wifibox_packages::apk::{Apk, Control};
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Member, Package, gzip, tar};

/// The files of a package in words, in its order.
type Listing = Vec<(String, String)>;

/// Reads a package to its end.
fn read_with(bytes: &[u8], limits: PackageLimits) -> Result<(Control, Listing), ApkError> {
    let mut listing = Listing::new();
    let apk = Apk::open("x", bytes, limits)?;
    let control = apk.read_data(&mut |entry| -> Result<(), ApkError> {
        let kind = match entry.kind {
            EntryKind::Directory => "directory".to_owned(),
            EntryKind::File { size, content } => {
                let mut bytes = Vec::new();
                if let Err(error) = content.read_to_end(&mut bytes) {
                    return Err(ApkError::Format { package: "x".into(), why: error.to_string() });
                }
                assert_eq!(bytes.len() as u64, size);
                format!("file {}", String::from_utf8_lossy(&bytes))
            }
            EntryKind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(&target)),
            EntryKind::HardLink(target) => format!("= {target}"),
            EntryKind::CharDevice(major, minor) => format!("c {major} {minor}"),
            other => other.describe().to_owned(),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let xattrs: String =
            entry.xattrs.iter().map(|(k, v)| format!(" {}={}", text(k), text(v))).collect();
        let owner = format!("{}:{}", text(&entry.uname), text(&entry.gname));
        listing.push((entry.path.to_string(), format!("{:o} {owner} {kind}{xattrs}", entry.mode)));
        Ok(())
    })?;
    Ok((control, listing))
}

fn read(bytes: &[u8]) -> Result<(Control, Listing), ApkError> {
    read_with(bytes, PackageLimits::default())
}

fn refused(package: &Package) -> String {
    read(&package.build()).unwrap_err().to_string()
}

fn empty() -> Package {
    Package::new("hello", "2.12-r1")
}

fn hello() -> Package {
    let shadow = Member::new("etc/shadow", EntryType::Regular, "root:!::0:::::");
    let shadow = Member { mode: 0o640, owner: ("root".into(), "shadow".into()), ..shadow };
    let ping = Member::new("bin/ping", EntryType::Regular, "ping");
    empty()
        .info("depend", "so:libc.musl-x86_64.so.1")
        .info("replaces", "hello-doc")
        .info("replaces_priority", "7")
        .control(".pre-install", b"#!/bin/sh\nadduser hello\n")
        .control(".trigger", b"#!/bin/sh\n")
        .control(".melange.yaml", b"x: y\n")
        .file("bin/hello", 0o4755, "hello, world")
        .hard_link("bin/hi", "bin/hello")
        .symlink("bin/salve", "../bin/hello")
        .symlink("bin/ciao", "/bin/hello")
        .member(shadow)
        .member(ping.pax("SCHILY.xattr.security.capability", "\u{1}x"))
        .directory("var/empty", 0o1777)
        .directory("dev", 0o755)
        .raw(Member::new("dev/null", EntryType::Char, ""))
        .raw(Member::new(".dummy", EntryType::Regular, "metadata"))
        .raw(Member::new("./also", EntryType::Regular, "metadata"))
}

#[test]
fn a_package_is_read_to_its_last_file() {
    let expected = [
        ("/bin", "755 root:root directory"),
        ("/bin/hello", "4755 root:root file hello, world"),
        ("/bin/hi", "755 root:root = /bin/hello"),
        ("/bin/salve", "755 root:root -> ../bin/hello"),
        ("/bin/ciao", "755 root:root -> /bin/hello"),
        ("/etc", "755 root:root directory"),
        ("/etc/shadow", "640 root:shadow file root:!::0:::::"),
        ("/bin/ping", "644 root:root file ping security.capability=\u{1}x"),
        ("/var", "755 root:root directory"),
        ("/var/empty", "1777 root:root directory"),
        ("/dev", "755 root:root directory"),
        ("/dev/null", "755 root:root c 1 3"),
    ];
    let expected: Listing = expected.map(|(path, what)| (path.into(), what.into())).into();
    let key = SigningKey::generate("k.rsa.pub", 1);
    for data_members in [1, 5] {
        for signers in
            [vec![], vec![(Kind::Rsa, key.clone())], vec![(Kind::Rsa256, key.clone()); 2]]
        {
            let count = signers.len();
            let package = Package { data_members, signers, ..hello() };
            let (control, listing) = read(&package.build()).unwrap();
            assert_eq!(listing, expected);
            assert_eq!(control.signatures.len(), count);
            assert_eq!(control.info.name, "hello");
            assert_eq!(control.info.replaces_priority, 7);
            let scripts: Vec<_> = control.scripts.keys().map(String::as_str).collect();
            assert_eq!(scripts, ["pre-install", "trigger"]);
            assert_eq!(control.scripts["pre-install"], b"#!/bin/sh\nadduser hello\n");
            assert_eq!(
                control.others,
                BTreeMap::from([(".melange.yaml".into(), b"x: y\n".to_vec())])
            );
        }
    }
}

#[test]
fn a_package_and_its_index_say_the_same() {
    let package = hello().info("size", "99").info("provides", "cmd:hello=2.12-r1");
    let bytes = package.build();
    let [indexed] = &apkindex::parse(package.record().as_bytes()).unwrap()[..] else {
        panic!("one record")
    };
    let apk = Apk::open("x", &bytes[..], PackageLimits::default()).unwrap();
    let mut own = apk.control().to_package();
    assert_eq!((own.replaces.as_str(), own.replaces_priority), ("hello-doc", 7));
    // Alpine's indexes do not say what a package replaces, and a package cannot know its own size.
    (own.replaces, own.replaces_priority, own.size) = Default::default();
    assert_eq!(own, wifibox_formats::Package { size: 0, ..indexed.clone() });
    apk.check_identity(indexed.identity.as_ref().unwrap()).unwrap();
    let wrong: Identity = "Q1AAECAwQFBgcICQoLDA0ODxAREhM=".parse().unwrap();
    let error = apk.check_identity(&wrong).unwrap_err();
    assert!(matches!(&error, ApkError::Identity { expected, .. } if *expected == wrong));
    assert!(error.to_string().contains(&wrong.to_string()), "{error}");
}

#[test]
fn links_may_climb_as_far_as_the_root() {
    for target in ["..", "a/../..", "a/b/../../..", "/a/..", "./../bin"] {
        let link = Member::new("bin/link", EntryType::Symlink, "").to(target);
        let package = empty().member(link);
        read(&package.build()).unwrap_or_else(|error| panic!("{target}: {error}"));
    }
}

#[test]
fn hostile_files_are_refused() {
    let file = |path: &str| Member::new(path, EntryType::Regular, "x");
    let link = |target: &str| Member::new("a", EntryType::Symlink, "").to(target);
    let hard = |target: &str| Member::new("b", EntryType::Link, "").to(target);
    for (member, expected) in [
        (file("../x"), "climbs out with '..'"),
        (file("a/../../x"), "climbs out with '..'"),
        (file("/etc/x"), "is absolute"),
        (link("../x"), "/a is a link to \"../x\", which leads out of the guest"),
        (link("b/../../x"), "leads out of the guest"),
        (link("/../x"), "leads out of the guest"),
        (hard("nothing"), "/b is a hard link to /nothing, which is not an earlier file"),
        (hard("b"), "not an earlier file"),
        (hard("/etc/passwd"), "is absolute"),
        (hard("../x"), "climbs out with '..'"),
        (file("a\nb"), "/a\\nb has a control character in its name"),
        (file("a/x"), "/a/x comes without the directory that holds it"),
        (file("x").pax("APK-TOOLS.checksum.SHA1", "00".repeat(20)), "/x does not fit its checksum"),
        (link("b").pax("APK-TOOLS.checksum.SHA1", "00".repeat(20)), "/a does not fit its checksum"),
        (file("x").pax("APK-TOOLS.checksum.SHA1", "00"), "is not 40 hexadecimal digits"),
        (file("x").pax("GNU.sparse.major", "1"), "sparse files are not supported"),
    ] {
        let error = refused(&empty().raw(member));
        assert!(error.contains(expected), "{error}");
    }
    // What the visitor leaves unread is checked all the same.
    let package = empty().raw(file("x").pax("APK-TOOLS.checksum.SHA1", "00".repeat(20))).build();
    let apk = Apk::open("x", &package[..], PackageLimits::default()).unwrap();
    let error = apk.read_data(&mut |_| -> Result<(), ApkError> { Ok(()) }).unwrap_err();
    assert!(matches!(error, ApkError::Checksum { .. }), "{error}");
}

#[test]
fn what_is_put_together_wrongly_is_refused() {
    let regular = |name: &str| Member::new(name, EntryType::Regular, "pkgname = a\npkgver = 1\n");
    let info = || regular(".PKGINFO");
    for (control, expected) in [
        (vec![regular(".other")], "no file .PKGINFO"),
        (vec![info(), info()], "appears twice"),
        (vec![info(), regular(".INSTALL")], "format v1"),
        (vec![info(), regular(".SIGN.RSA.x")], "a signature has no place"),
        (vec![regular(".SIGN.RSA.x"), info()], "a signature has no place"),
        (vec![info(), regular("usr")], "no place among control files"),
        (vec![info(), Member::new("usr", EntryType::Directory, "")], "no place here"),
        (vec![regular(".SIGN.RSA.x")], "ends after its signature"),
        (vec![Member::new(".PKGINFO", EntryType::Regular, "size = x")], "line 1: size is \"x\""),
    ] {
        let error = read(&gzip(&tar(&control, false))).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let control = gzip(&tar(&[info()], false));
    assert_eq!(read(&control).unwrap().1, []);
    assert!(
        read(&[control, hello().parts().data].concat())
            .unwrap_err()
            .to_string()
            .contains("has no datahash")
    );
    let hash = Some("11".repeat(32));
    let error = read(&Package { data_hash: hash, ..hello() }.build()).unwrap_err();
    assert!(
        matches!(&error, ApkError::DataHash { expected, .. } if *expected.as_bytes() == [17; 32])
    );
    for magic in [b"ADB.", b"ADBd", b"ADBc"] {
        let adb = [&magic[..], b"pckg"].concat();
        assert!(matches!(read(&adb), Err(ApkError::Version3 { .. })));
    }
    assert!(read(b"").unwrap_err().to_string().contains("it is empty"));
    assert!(read(b"!<arch>\n").unwrap_err().to_string().contains("it is not a gzip file"));
}

#[test]
fn cuts_and_damage_in_each_part_are_errors() {
    let key = SigningKey::generate("k.rsa.pub", 1);
    let package = hello().signed(Kind::Rsa, &key);
    let bytes = package.build();
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let parts = package.parts();
    let (front, control) = (parts.signature.len(), parts.control.len());
    let (keyring, pinned) = (key.keyring(), [key.fingerprint()]);
    let trust = Trust { keyring: &keyring, pinned: &pinned };
    let vouched = |bytes: &[u8]| -> Result<Control, ApkError> {
        let apk = Apk::open("x", bytes, PackageLimits::default())?;
        apk.check_signature(&trust)?;
        apk.read_data(&mut |_| Ok(()))
    };
    let sound = vouched(&bytes).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        // Nothing but bits of the first gzip member that mean nothing (its time) may be others.
        let harmless = vouched(&damaged).is_ok_and(|control| at < front && control == sound);
        assert!(harmless || vouched(&damaged).is_err(), "damaged at {at}");
    }
    for more in [&b"x"[..], &[0; 512], &gzip(b""), &gzip(&[0; 512]), &gzip(b"x")] {
        let longer = [&bytes[..], more].concat();
        assert!(read(&longer).is_err(), "{more:?} at the end");
        let inside = [&bytes[..front + control], more, &bytes[front + control..]].concat();
        assert!(read(&inside).is_err(), "{more:?} before the data");
    }
    let mut behind_end = tar(&[], true);
    behind_end.extend(tar(&[Member::new("x", EntryType::Regular, "x")], true));
    let data = gzip(&behind_end);
    let info = format!("pkgname = a\npkgver = 1\ndatahash = {}\n", Sha256::of(&data));
    let control = gzip(&tar(&[Member::new(".PKGINFO", EntryType::Regular, info)], false));
    let error = read(&[control, data].concat()).unwrap_err().to_string();
    assert!(error.contains("something follows the end of the archive"), "{error}");
}

#[test]
fn bombs_are_refused() {
    let big = empty().file("zeros", 0o644, vec![0; 40 << 20]).build();
    let data = Limits { size: 1 << 30, ratio: 100 };
    let error = read_with(&big, PackageLimits { data, ..PackageLimits::default() }).unwrap_err();
    assert!(error.to_string().contains("100 times"), "{error}");
    let data = Limits { size: 1 << 20, ..Limits::default() };
    let error = read_with(&big, PackageLimits { data, ..PackageLimits::default() }).unwrap_err();
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    let control = empty().control(".post-install", &vec![b'#'; 2 << 20]).build();
    let error = read_with(&control, PackageLimits { control: 1 << 20, ..PackageLimits::default() });
    assert!(error.unwrap_err().to_string().contains("a member of more than 1048576 bytes"));
    for tar in [
        TarLimits { entries: 3, ..TarLimits::default() },
        TarLimits { file_size: 3, ..TarLimits::default() },
    ] {
        assert!(
            read_with(&hello().build(), PackageLimits { tar, ..PackageLimits::default() }).is_err()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_packages_never_panic_nor_lead_out(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), in_data in any::<bool>(), any in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        // Inside the archives, with hash and checksums put right, so that changes get through.
        let change = |mut archive: Vec<u8>| {
            for (at, byte) in &changes {
                let at = at.index(archive.len());
                archive[at] = *byte;
            }
            gzip(&archive)
        };
        let archive = tar(&hello().data, true);
        let data = if in_data { change(archive) } else { gzip(&archive) };
        let info = format!("pkgname = a\npkgver = 1\ndatahash = {}\n", Sha256::of(&data));
        let control = tar(&[Member::new(".PKGINFO", EntryType::Regular, info)], false);
        let control = if in_data { gzip(&control) } else { change(control) };
        let package = [control, data].concat();
        if let Ok((_, listing)) = read(&package) {
            prop_assert!(listing.iter().all(|(path, _)| !path.split('/').any(|part| part == "..")));
        }
        let _ = (read(&any), read(&gzip(&any)), read(&[&package[..], &any].concat()));
    }
}
