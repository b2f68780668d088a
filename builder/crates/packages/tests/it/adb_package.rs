//! Packages of apk v3: everything the format can say comes out, and nothing that contradicts itself.

use std::io::Cursor;

use proptest::prelude::*;
use wifibox_formats::adb::{AdbError, AdbLimits, Index, Info};
use wifibox_formats::{Identity, Package};
use wifibox_ground::codec::Limits;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_packages::adb::{Apk3, Control};
use wifibox_testkit::adbwriter::{
    ADB, DATA, PACKINGS, V, acl, block, data, directory, file, full_index, index, info, link,
    names, object, pack, payload, plain, sample_package, text,
};

fn package(root: &V, contents: &[Vec<u8>]) -> Vec<u8> {
    plain(b"pckg", &[&[block(ADB, &payload(root))], contents].concat())
}

/// Every member in one line.
fn read(bytes: &[u8], limits: AdbLimits) -> Result<(Vec<String>, Control), AdbError> {
    let mut members = Vec::new();
    let package = Apk3::open("sample.apk", Cursor::new(bytes), limits)?;
    let control = package.read_data(&mut |entry: Entry<'_>| -> Result<(), AdbError> {
        let (mode, path) = (entry.mode, &entry.path);
        let (user, group) = (entry.uname.escape_ascii(), entry.gname.escape_ascii());
        let what = match entry.kind {
            EntryKind::File { size, content } => {
                let mut bytes = Vec::new();
                let read = content.read_to_end(&mut bytes);
                read.map_err(|source| AdbError::Read { file: "test".to_owned(), source })?;
                assert_eq!(size, bytes.len() as u64);
                format!("file of {size}")
            }
            EntryKind::Symlink(target) => format!("-> {}", target.escape_ascii()),
            EntryKind::HardLink(target) => format!("= {target}"),
            EntryKind::CharDevice(major, minor) => format!("char {major}:{minor}"),
            EntryKind::BlockDevice(major, minor) => format!("block {major}:{minor}"),
            other => other.describe().to_owned(),
        };
        members.push(format!("{mode:04o} {user}:{group} {path} {what} {:?}", entry.xattrs));
        Ok(())
    })?;
    Ok((members, control))
}

fn refused(bytes: &[u8]) -> String {
    match read(bytes, AdbLimits::default()) {
        Err(error) => error.to_string(),
        Ok((members, _)) => panic!("accepted: {members:?}"),
    }
}

/// A package with these directories.
fn with_paths(paths: Vec<V>, contents: &[Vec<u8>]) -> Vec<u8> {
    let root = object([(1, V::Object(info("sample", "1"))), (2, V::Array(paths))]);
    package(&root, contents)
}

/// A package with one file in `etc`.
fn with_file(file: V, contents: &[Vec<u8>]) -> Vec<u8> {
    with_paths(vec![directory("etc", vec![file])], contents)
}

#[test]
fn a_package_comes_out_as_it_went_in_in_every_packing() {
    let (root, contents) = sample_package();
    let expected = [
        "0755 root:root /dev directory {}",
        "0777 root:root /dev/fifo named pipe {}",
        "0777 root:root /dev/null char 1:3 {}",
        "0777 root:root /dev/sda block 8:0 {}",
        "0755 root:root /etc directory {}",
        "0644 root:root /etc/empty file of 0 {}",
        "0644 root:root /etc/hosts file of 20 {}",
        "0755 root:root /usr/bin directory {}",
        "0777 root:root /usr/bin/ash -> busybox {}",
        "0644 root:root /usr/bin/busybox file of 5000 {}",
        "0777 root:root /usr/bin/sh = /usr/bin/busybox {}",
    ];
    for packing in PACKINGS {
        let bytes = pack(packing, &package(&root, &contents));
        let (members, control) = read(&bytes, AdbLimits::default()).expect("a package");
        assert_eq!(members, expected, "{packing:?}");
        assert_eq!(control.info.package.full_name(), "sample-1.2-r3");
        let scripts: Vec<&str> = control.scripts.keys().map(String::as_str).collect();
        assert_eq!(scripts, ["post-install", "trigger"]);
        assert_eq!(control.scripts["post-install"], b"#!/bin/sh\nexit 0\n");
        assert_eq!(
            (&control.triggers[..], control.replaces_priority),
            (&["/usr/share/*".to_owned()][..], 7)
        );
    }
}

#[test]
fn the_index_knows_a_package_by_the_hash_of_its_metadata() {
    let (root, contents) = sample_package();
    let bytes = package(&root, &contents);
    let apk = Apk3::open("sample.apk", Cursor::new(&bytes), AdbLimits::default()).expect("open");
    let hash = apk.payload_hash();
    assert_eq!(hash, wifibox_ground::digest::Sha256::of(&payload(&root)));
    let identity = |bytes: &[u8]| Identity::from_digest(bytes).expect("an identity");
    assert_eq!(apk.control().info.package.identity, Some(identity(hash.as_bytes())));
    apk.check_hash(&identity(hash.as_bytes())).expect("the same");
    apk.check_hash(&identity(&hash.as_bytes()[..20])).expect("the same, cut to 160 bits");
    for other in [&[1; 32][..], &[1; 20]] {
        let error = apk.check_hash(&identity(other)).expect_err("another");
        assert!(error.to_string().contains(&hash.to_string()), "{error}");
        // The hash is looked at before anything else: this one has no root.
        let empty = plain(b"pckg", &[block(ADB, &[0; 8])]);
        let limits = AdbLimits::default();
        let error = Apk3::open_expected("sample.apk", &empty[..], limits, &identity(other)).err();
        assert!(matches!(error, Some(AdbError::WrongPackage { .. })), "{error:?}");
    }
}

#[test]
fn owners_modes_and_attributes_are_kept() {
    let xattrs = V::Array(vec![V::Blob(b"user.a\0b\0c".to_vec()), V::Blob(b"user.e\0".to_vec())]);
    let acl = object([(1, V::Int(0o4750)), (2, text("nobody")), (3, text("wheel")), (4, xattrs)]);
    let V::Object(mut su) = file("su", b"x") else { panic!("an object") };
    su.insert(2, acl);
    let bytes = with_file(V::Object(su), &[data(1, 1, b"x")]);
    let (members, _) = read(&bytes, AdbLimits::default()).expect("a package");
    let attributes = format!("{:?}: {:?}, {:?}: {:?}", b"user.a", b"b\0c", b"user.e", b"");
    assert_eq!(members[1], format!("4750 nobody:wheel /etc/su file of 1 {{{attributes}}}"));
    // By number they are root or nobody: names are what counts.
    let package = Apk3::open("sample.apk", Cursor::new(&bytes), AdbLimits::default());
    let mut owners = Vec::new();
    let read =
        package.expect("opened").read_data(&mut |entry: Entry<'_>| -> Result<(), AdbError> {
            owners.push((entry.uid, entry.gid));
            Ok(())
        });
    read.expect("a package");
    assert_eq!(owners, [(0, 0), (65534, 65534)]);
}

#[test]
fn device_numbers_of_all_lengths_are_read() {
    let device = |number: u64| {
        let device = link("device", 0o020_000, &number.to_le_bytes());
        let bytes = with_paths(vec![directory("dev", vec![device])], &[]);
        let (members, _) = read(&bytes, AdbLimits::default()).expect("a package");
        members[1].split_once("char ").map(|(_, rest)| rest.replace(" {}", "")).expect("a device")
    };
    assert_eq!(device(0x0103), "1:3");
    assert_eq!(device(0x0001_2000_6783_45ab), format!("{}:{}", 0x12345, 0x678ab));
    assert_eq!(device(u64::MAX), format!("{0}:{0}", u32::MAX));
}

#[test]
fn every_field_of_an_index_is_read() {
    let bytes = plain(b"indx", &[block(ADB, &payload(&full_index()))]);
    let index = Index::read_unverified("packages.adb", &bytes[..], &AdbLimits::default());
    let index = index.expect("an index");
    assert_eq!(index.description, "test feed");
    let package = Package {
        name: "hostapd".into(),
        version: "2.11-r0".into(),
        architecture: "x86_64".into(),
        path: "x86_64/00/hostapd-2.11-r0.apk".into(),
        size: 500_000,
        installed_size: 1 << 33,
        identity: "Q1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().ok(),
        depends: "libc>=1.2 !x y~3".into(),
        provides: "cmd:hostapd=2.11-r0".into(),
        replaces: "wpad".into(),
        install_if: "a b".into(),
        provider_priority: 100,
        description: "an access point".into(),
        license: "BSD-3-Clause".into(),
        origin: "wpa".into(),
        build_time: 1_700_000_000,
        ..Package::default()
    };
    let expected = Info {
        package,
        hashes: (0..32).collect(),
        maintainer: "Somebody <a@b>".into(),
        url: "https://w1.fi/".into(),
        commit: "ab".repeat(20),
        recommends: "c".into(),
        layer: 1,
        tags: vec!["t".into(), "k=v".into()],
    };
    assert_eq!(index.infos, [expected]);
}

#[test]
fn an_index_may_list_as_many_packages_as_are_allowed() {
    let listed = |count: usize| {
        let packages = (0..count).map(|n| V::Object(info(&format!("p{n}"), "1"))).collect();
        let bytes = plain(b"indx", &[block(ADB, &payload(&index(packages)))]);
        let limits = AdbLimits { entries: 2, ..AdbLimits::default() };
        Index::read_unverified("packages.adb", &bytes[..], &limits)
    };
    assert_eq!(listed(2).expect("an index").infos.len(), 2);
    for count in [3, 4] {
        let error = listed(count).expect_err("too many").to_string();
        assert!(error.contains("more than 2 packages"), "{error}");
    }
}

#[test]
fn records_that_cannot_be_used_say_why() {
    let read = |fields: &[(usize, V)], rule: Option<&str>| {
        let mut record = info("a", "1");
        record.insert(3, V::Blob(vec![1; 32]));
        record.extend(fields.iter().cloned());
        let V::Object(mut root) = index(vec![V::Object(record)]) else { panic!("an object") };
        root.insert(3, rule.map_or(V::Null, text));
        let bytes = plain(b"indx", &[block(ADB, &payload(&V::Object(root)))]);
        Index::read_unverified("packages.adb", &bytes[..], &AdbLimits::default())
            .map(|index| index.infos[0].package.refused.clone().unwrap_or_default())
            .unwrap_or_else(|error| error.to_string())
    };
    assert_eq!(read(&[], None), "");
    assert_eq!(read(&[], Some("${name}-${version}.apk")), "");
    assert!(read(&[(3, V::Null)], None).contains("no hash"));
    assert!(read(&[(2, text("one"))], None).contains("\"one\" is not valid"));
    assert!(read(&[(15, names(&["b c"]))], None).contains("unreadable depends: \"b c\""));
    assert!(read(&[(1, text("../a"))], None).contains("cannot be the name"));
    assert!(read(&[(1, V::Null)], None).contains("package number 1: \"\" cannot be the name"));
    assert!(read(&[(2, text("1/../../x"))], None).contains("cannot be a version"));
    assert!(read(&[(13, text("big"))], None).contains("file-size has type 0x8; a number"));
    assert!(read(&[(4, V::Raw(0x8fff_ffff))], None).contains("description lies outside"));
    assert!(read(&[(5, text("../.."))], Some("${arch}/${name}.apk")).contains("climbs"));
    assert!(read(&[], Some("../${name}.apk")).contains("climbs"));
}

#[test]
fn contradictions_are_refused() {
    let regular = || file("a", b"abc");
    let good = with_file(regular(), &[data(1, 1, b"abc")]);
    assert!(read(&good, AdbLimits::default()).is_ok());
    let missing = with_file(regular(), &[]);
    assert!(refused(&missing).contains("ends before its contents"));
    let extra = with_file(regular(), &[data(1, 1, b"abc"), data(1, 1, b"abc")]);
    assert!(refused(&extra).contains("more data blocks than files"));
    assert!(
        refused(&with_file(regular(), &[data(1, 2, b"abc")])).contains("file 2 of directory 1")
    );
    assert!(
        refused(&with_file(regular(), &[data(2, 1, b"abc")])).contains("file 1 of directory 2")
    );
    assert!(refused(&with_file(regular(), &[data(1, 1, b"ab")])).contains("2 bytes instead of 3"));
    assert!(refused(&with_file(regular(), &[data(1, 1, b"abd")])).contains("/etc/a are damaged"));
    assert!(refused(&with_file(regular(), &[block(DATA, b"abc")])).contains("instead of 3"));
    assert!(refused(&with_file(file("a", b""), &[data(1, 1, b"")])).contains("more data blocks"));
    let changed = |slot, value| {
        let V::Object(mut fields) = regular() else { panic!("an object") };
        fields.insert(slot, value);
        refused(&with_file(V::Object(fields), &[data(1, 1, b"abc")]))
    };
    for name in ["", ".", "..", "x/y", "a\0"] {
        assert!(
            ["cannot be the name", "climbs", "NUL"]
                .iter()
                .any(|why| changed(1, text(name)).contains(why))
        );
    }
    assert!(changed(2, V::Null).contains("no mode and owner"));
    assert!(changed(2, acl(0o10000)).contains("out of range"));
    assert!(changed(2, object([(1, V::Int(0))])).contains("no user"));
    // The first byte of all is a zero.
    let nobody = V::Raw(8 << 28);
    assert!(changed(2, object([(1, V::Int(0)), (2, nobody)])).contains("no user"));
    let unnamed = V::Array(vec![V::Blob(b"\0value".to_vec())]);
    let acl = object([(1, V::Int(0)), (2, text("root")), (3, text("root")), (4, unnamed)]);
    assert!(changed(2, acl).contains("an extended attribute has no name"));
    assert!(changed(4, V::Int(1 << 40)).contains("its time"));
    assert!(changed(5, V::Blob(vec![0; 20])).contains("hash has 20 bytes"));
    assert!(changed(6, V::Blob(vec![1])).contains("target is cut off"));
    assert!(changed(6, V::Blob(vec![0, 0x40, b'x'])).contains("not supported"));
    for (kind, target, why) in [
        (0o120_000, &b""[..], "links to nothing"),
        (0o120_000, &[b'a'; 5000], "5000 bytes of path"),
        (0o100_000, b"etc/gone", "no file of the package"),
        (0o100_000, b"../x", "climbs"),
        (0o020_000, b"123", "eight bytes"),
    ] {
        let error = refused(&with_file(link("l", kind, target), &[]));
        assert!(error.contains(why), "{error}");
    }
    for paths in [vec!["etc", "etc"], vec!["/etc"], vec!["a/../b"]] {
        let paths = paths.into_iter().map(|name| directory(name, vec![])).collect();
        let error = refused(&with_paths(paths, &[]));
        assert!(["twice", "absolute", "climbs"].iter().any(|why| error.contains(why)), "{error}");
    }
    for (name, why) in [("etc", "etc: it appears twice"), ("", "the root: it appears twice")] {
        let error = refused(&with_paths(vec![directory(name, vec![]); 2], &[]));
        assert!(error.contains(why), "{error}");
    }
}

/// The metadata of each file may be the same bytes, which are there once.
#[test]
fn owners_links_and_attributes_have_a_limit_together() {
    let long = |letter: u8, length: usize| V::Blob(vec![letter; length]);
    let (symlink, hard_link) = (0o120_000, 0o100_000);
    let name = "n".repeat(250);
    // Two links with an attribute of this length, beside a file that they may lead to.
    let with = |kind: u16, target: &str, attribute: (usize, usize)| {
        let attribute = [vec![b'n'; attribute.0], vec![0], vec![b'v'; attribute.1]].concat();
        let acl = object([
            (1, V::Int(0o777)),
            (2, long(b'u', 10_000)),
            (3, long(b'g', 11_000)),
            (4, V::Array(vec![V::Blob(attribute)])),
        ]);
        let links = ["1", "2"].map(|number| {
            let V::Object(mut link) = link(number, kind, target.as_bytes()) else {
                panic!("an object")
            };
            link.insert(2, acl.clone());
            V::Object(link)
        });
        let file = directory(&name, vec![file(&name, b"")]);
        let bytes = with_paths(vec![file, directory("etc", links.into())], &[]);
        read(&bytes, AdbLimits::default()).map(drop)
    };
    let target = &*"t".repeat(4_000);
    with(symlink, target, (10_000, 30_000)).expect("it is small");
    // About 1050 bytes are the paths of the folders and of the file.
    let half = |target: &str| (32 << 20) / 2 - 525 - target.len() - 21_000 - 7;
    for (kind, target) in [(symlink, target), (hard_link, &*format!("{name}/{name}"))] {
        with(kind, target, (1, half(target) - 200)).expect("32 MiB");
        let error = with(kind, target, (1, half(target) + 200)).expect_err("more than 32 MiB");
        assert!(matches!(error, AdbError::TooLarge { .. }), "{error}");
    }
}

#[test]
fn limits_hold() {
    let (root, contents) = sample_package();
    let bytes = package(&root, &contents);
    let limits = AdbLimits::default();
    let with = |limits| read(&bytes, limits).expect_err("too much").to_string();
    read(&bytes, AdbLimits { file_size: 5000, ..limits }).expect("its largest file has 5000 bytes");
    read(&with_file(link("l", 0o120_000, &[b'a'; 4095]), &[]), limits).expect("a long link");
    assert!(with(AdbLimits { metadata: 100, ..limits }).contains("more than the 100 allowed"));
    assert!(with(AdbLimits { entries: 5, ..limits }).contains("more than 5 files"));
    assert!(with(AdbLimits { file_size: 4999, ..limits }).contains("more than the 4999 allowed"));
    assert!(with(AdbLimits { values: 500, ..limits }).contains("larger than allowed"));
    let unpacked = Limits { size: 1000, ..limits.unpacked };
    assert!(with(AdbLimits { unpacked, ..limits }).contains("1000 bytes unpacked"));
}

#[test]
fn no_cut_is_accepted() {
    let (root, contents) = sample_package();
    for packing in PACKINGS {
        let good = pack(packing, &package(&root, &contents));
        let accepted = |cut: &usize| read(&good[..*cut], AdbLimits::default()).is_ok();
        assert_eq!((0..good.len()).find(accepted), None, "{packing:?}");
    }
}

proptest! {
    #[test]
    fn damage_changes_the_hash_or_is_refused(at in 0usize..10_000, bit in 0u8..8) {
        let (root, contents) = sample_package();
        let mut bytes = package(&root, &contents);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let good = wifibox_ground::digest::Sha256::of(&payload(&root));
        let same = Apk3::open("sample.apk", Cursor::new(&bytes), AdbLimits::default())
            .is_ok_and(|package| package.payload_hash() == good);
        prop_assert!(!same || read(&bytes, AdbLimits::default()).is_err(), "byte {} was changed", at);
    }
}
