//! What a package says of itself, in every format: nothing of it gets lost on the way to the stages.

use std::collections::BTreeMap;
use std::io::Cursor;

use tar::EntryType;
use wifibox_formats::reader::{Itself, Metadata, OpenOptions, Source};
use wifibox_formats::{OpenPackage as _, PackageFormat, PackageLimits};
use wifibox_packages::{Deb, Readers};
use wifibox_testkit::adbwriter as adb;
use wifibox_testkit::rawtar::{Member, gzip, tar};
use wifibox_testkit::{apkrepo, debrepo, opkgrepo};

const SCRIPT: &[u8] = b"#!/bin/sh\n";

fn metadata(format: PackageFormat, bytes: Vec<u8>) -> Metadata {
    let input = Box::new(Cursor::new(bytes));
    let reader = Readers.open(format, "sample", input, OpenOptions::default()).unwrap();
    let (found, record) = (reader.metadata(), reader.record().unwrap());
    assert_eq!((&record.name, &record.version), (&found.itself.name, &found.itself.version));
    found
}

/// The script of this name only.
fn scripts(name: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(name.to_owned(), SCRIPT.to_vec())])
}

fn itself(version: &str) -> Itself {
    Itself { name: "sample".to_owned(), version: version.to_owned() }
}

fn origin() -> Source {
    Source::Origin { origin: "source".to_owned(), commit: "ab".repeat(20) }
}

#[test]
fn a_deb_says_what_it_is() {
    let made = debrepo::Package::new("sample", "1:2-3", "all")
        .field("Replaces", "older (<< 2)")
        .control("postinst", SCRIPT)
        .control("templates", b"Template: a/b\n")
        .control("conffiles", b"/etc/sample\n")
        .control("triggers", b"activate ldconfig\n")
        .control("md5sums", b"0  etc/sample\n")
        .control("shlibs", b"libsample 1\n");
    let found = metadata(PackageFormat::Deb, made.build());
    assert_eq!(found.scripts, scripts("postinst"));
    assert_eq!(found.templates.as_deref(), Some(&b"Template: a/b\n"[..]));
    assert_eq!((&*found.replaces, found.replaces_priority), ("older (<< 2)", 0));
    assert_eq!(found.source, Source::Fields(made.stanza().into_bytes()));
    assert_eq!(found.itself, itself("1:2-3"));
    assert!(found.triggers.is_empty() && found.opkg.is_none());
    let deb = Deb::open("sample", Cursor::new(made.build()), PackageLimits::default()).unwrap();
    let control = deb.control();
    assert_eq!(control.conffiles.as_deref(), Some(&b"/etc/sample\n"[..]));
    assert_eq!(control.triggers.as_deref(), Some(&b"activate ldconfig\n"[..]));
    assert_eq!(control.md5sums.as_deref(), Some(&b"0  etc/sample\n"[..]));
    assert_eq!(control.others.keys().collect::<Vec<_>>(), ["shlibs", "templates"]);
    assert_eq!(control.field("Architecture").as_deref(), Some("all"));
    assert_eq!(control.field("Depends"), None);
}

#[test]
fn an_apk_says_what_it_is() {
    let made = apkrepo::Package::new("sample", "1-r0")
        .info("replaces", "older<2")
        .info("replaces_priority", "7")
        .info("origin", "source")
        .info("commit", &"ab".repeat(20))
        .info("triggers", "/usr/share/* /etc/sample")
        .control(".post-install", SCRIPT);
    let found = metadata(PackageFormat::Apk, made.build());
    assert_eq!(found.scripts, scripts("post-install"));
    assert_eq!(found.triggers, ["/usr/share/*", "/etc/sample"]);
    assert_eq!((&*found.replaces, found.replaces_priority), ("older<2", 7));
    assert_eq!((found.source, found.itself), (origin(), itself("1-r0")));
    assert!(found.templates.is_none() && found.opkg.is_none());
}

#[test]
fn an_apk_of_version_3_says_what_it_is() {
    let mut info = adb::info("sample", "1-r0");
    info.insert(7, adb::text("source"));
    info.insert(10, adb::V::Blob(vec![0xab; 20]));
    info.insert(17, adb::names(&["older"]));
    let root = adb::object([
        (1, adb::V::Object(info)),
        (3, adb::object([(3, adb::text("#!/bin/sh\n"))])),
        (4, adb::V::Array(vec![adb::text("/usr/share/*"), adb::text("/etc/sample")])),
        (5, adb::V::Int(7)),
    ]);
    let bytes = adb::plain(b"pckg", &[adb::block(adb::ADB, &adb::payload(&root))]);
    let found = metadata(PackageFormat::Apk3, bytes);
    assert_eq!(found.scripts, scripts("post-install"));
    assert_eq!(found.triggers, ["/usr/share/*", "/etc/sample"]);
    assert_eq!((&*found.replaces, found.replaces_priority), ("older", 7));
    assert_eq!((found.source, found.itself), (origin(), itself("1-r0")));
    assert!(found.templates.is_none() && found.opkg.is_none());
}

#[test]
fn an_ipk_says_what_it_is() {
    let made = opkgrepo::Ipk::new("sample", "1-r2", "all")
        .field("Replaces", "older")
        .control("postinst", SCRIPT);
    let found = metadata(PackageFormat::Ipk, made.build());
    assert_eq!(found.scripts["postinst"], SCRIPT);
    assert_eq!((&*found.replaces, found.replaces_priority), ("older", 0));
    let Source::Fields(fields) = &found.source else { panic!("{:?}", found.source) };
    let fields = std::str::from_utf8(fields).unwrap();
    assert!(
        fields.contains("Package: sample\n") && fields.contains("Replaces: older\n"),
        "{fields}"
    );
    assert_eq!(found.itself, itself("1-r2"));
    assert_eq!(found.opkg.map(|control| control.name().to_owned()).as_deref(), Some("sample"));
    assert!(found.triggers.is_empty() && found.templates.is_none());
}

#[test]
fn control_files_lie_in_no_folder() {
    let open = |member: Member| {
        let control = Member::new("control", EntryType::Regular, "Package: sample\nVersion: 1\n");
        let members = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", gzip(&tar(&[member, control], true))),
            ("data.tar.gz", gzip(&tar(&[], true))),
        ]
        .map(|(name, bytes)| (name.to_owned(), bytes));
        let input = Cursor::new(debrepo::ar(&members));
        Deb::open("sample.deb", input, PackageLimits::default()).map(|deb| deb.control().clone())
    };
    let root = open(Member::new("./", EntryType::Directory, b"")).unwrap();
    assert!(root.others.is_empty(), "{root:?}");
    for (member, kind) in [
        (Member::new("./more", EntryType::Directory, b""), "a directory has no place"),
        (Member::new("./more/file", EntryType::Regular, b"x"), "a file has no place"),
        (Member::new("./link", EntryType::Symlink, b"").to("control"), "has no place"),
    ] {
        let error = open(member).unwrap_err().to_string();
        assert!(error.contains(kind), "{error}");
    }
}
