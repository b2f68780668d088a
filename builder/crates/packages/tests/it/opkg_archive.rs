//! OpenWrt packages, sound, damaged and hostile.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Cursor;

use proptest::prelude::*;
use tar::EntryType;
use wifibox_formats::PackageLimits;
use wifibox_formats::opkg::{Control, IpkError};
use wifibox_formats::tarball::TarLimits;
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::EntryKind;
use wifibox_packages::Ipk;
use wifibox_testkit::debrepo::{ar, pack};
use wifibox_testkit::opkgrepo::{Form, Ipk as Made, STANDARD_POSTINST, outer};
use wifibox_testkit::rawtar::{self, Member, gzip};

const FORMS: [Form; 3] = [Form::DataFirst, Form::ControlFirst, Form::Ar];

type Listing = BTreeMap<String, String>;

/// Name and content of a member.
type Part<'a> = (&'a str, &'a [u8]);

fn read_with(bytes: &[u8], limits: PackageLimits) -> Result<(Control, Listing), IpkError> {
    let mut listing = Listing::new();
    let ipk = Ipk::open("x.ipk", Cursor::new(bytes), limits)?;
    let control = ipk.read_data(&mut |entry| -> Result<(), IpkError> {
        let kind = match entry.kind {
            EntryKind::File { content, .. } => {
                let mut text = String::new();
                if let Err(error) = content.read_to_string(&mut text) {
                    let why = error.to_string();
                    return Err(IpkError::Format { package: "x".into(), why });
                }
                format!("file {text}")
            }
            EntryKind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(&target)),
            other => other.describe().to_owned(),
        };
        listing.insert(
            entry.path.to_string(),
            format!("{:o} {}:{} {kind}", entry.mode, entry.uid, entry.gid),
        );
        Ok(())
    })?;
    Ok((control, listing))
}

fn read(bytes: &[u8]) -> Result<(Control, Listing), IpkError> {
    read_with(bytes, PackageLimits::default())
}

fn hello() -> Made {
    Made::new("libhello2", "2.0-1", "x86_64")
        .field("Depends", "libc")
        .field("ABIVersion", "2")
        .field("Require-User", "hello=81:hello=82:audio,video=99 other:other")
        .field("Alternatives", "200:/bin/hello:/usr/libexec/hello, 300:/bin/hi:/usr/bin/hi")
        .control("postinst-pkg", b"#!/bin/sh\nexit 0\n")
        .control("conffiles", b"/etc/config/hello\n/etc/hello.conf\n")
        .control("files-sha256sum", b"0  usr/bin/hello\n")
        .file("usr/bin/hello", 0o4755, "hello")
        .file("etc/config/hello", 0o600, "config hello\n")
        .symlink("usr/bin/hi", "hello")
}

#[test]
fn packages_of_every_form_are_read() {
    for form in FORMS {
        let (control, listing) = read(&hello().form(form).build()).unwrap();
        assert_eq!((control.name(), control.base_name()), ("libhello2", "libhello"), "{form:?}");
        assert_eq!(control.field("Version"), Some("2.0-1"));
        let users: Vec<&str> = control.required_users().collect();
        assert_eq!(users, ["hello=81:hello=82:audio,video=99", "other:other"]);
        let alternatives: Vec<&str> = control.alternatives().collect();
        assert_eq!(alternatives, ["200:/bin/hello:/usr/libexec/hello", "300:/bin/hi:/usr/bin/hi"]);
        assert_eq!(control.conffiles, ["/etc/config/hello", "/etc/hello.conf"]);
        let scripts: Vec<&str> = control.scripts.keys().map(String::as_str).collect();
        assert_eq!(scripts, ["postinst", "postinst-pkg", "prerm"]);
        assert_eq!(control.scripts["postinst"], STANDARD_POSTINST.as_bytes());
        assert!(control.others.contains_key("files-sha256sum"));
        assert_eq!(listing["/usr/bin/hello"], "4755 0:0 file hello");
        assert_eq!(listing["/etc/config/hello"], "600 0:0 file config hello\n");
        assert_eq!(listing["/usr/bin/hi"], "777 0:0 -> hello");
        assert_eq!(listing["/usr/bin"], "755 0:0 directory");
    }
}

#[test]
fn a_package_without_an_abi_version_or_conffiles_has_none() {
    let (control, _) = read(&Made::new("iw", "1", "x86_64").build()).unwrap();
    assert_eq!((control.base_name(), control.abi_version()), ("iw", None));
    assert_eq!(control.required_users().count() + control.alternatives().count(), 0);
    assert!(control.conffiles.is_empty());
}

#[test]
fn cuts_and_damage_are_noticed() {
    for form in FORMS {
        let good = hello().form(form).build();
        for cut in (0..good.len() - 1).step_by(7).chain([good.len() - 9]) {
            assert!(read(&good[..cut]).is_err(), "{form:?} cut at {cut}");
        }
        let mut unnoticed = Vec::new();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x10;
            if let Ok(read) = read(&bytes) {
                assert_eq!(
                    read,
                    self::read(&good).unwrap(),
                    "{form:?}: a change at {at} changed it"
                );
                unnoticed.push(at);
            }
        }
        // Time, flags and system in the header of gzip; names and times in those of ar.
        assert!(unnoticed.len() < 200, "{form:?}: {unnoticed:?}");
    }
}

#[test]
fn wrong_members_are_named() {
    let gzip = |bytes: &[u8]| pack(Compression::Gzip, bytes);
    let member = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
    let empty = gzip(&[0; 1024]);
    let control = gzip(&file("./control", b"Package: a\nVersion: 1\n"));
    let parts = |names: &[(&str, &[u8])]| -> Vec<(String, Vec<u8>)> {
        names.iter().map(|(name, content)| member(name, content)).collect()
    };
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let cases: [(&[Part<'_>], &str); 9] = [
        (&[version, ("data.tar.gz", &empty)], "it has no control.tar.gz"),
        (&[version, ("control.tar.gz", &control)], "it has no data.tar.gz"),
        (&[("data.tar.gz", &empty), ("control.tar.gz", &control)], "it has no debian-binary"),
        (&[("debian-binary", b"3.0\n")], "its format is \"3.0\", not 2.x"),
        (&[version, ("control.tar.gz", &empty)], "it has no file control"),
        (
            &[version, ("data.tar.lzma", &empty)],
            "data.tar.lzma is compressed in an unsupported way",
        ),
        (
            &[version, ("control.tar.gz", &control), ("control.tar.gz", &control)],
            "it has control.tar.gz twice",
        ),
        (&[version, ("control.tar.gz", b"nonsense")], "x.ipk, control.tar.gz: "),
        (&[version, version], "it has debian-binary twice"),
    ];
    for (members, message) in cases {
        for bytes in [outer(&parts(members)), ar(&parts(members))] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(message), "{error} / {message}");
        }
    }
    for bytes in [&b""[..], b"hello", b"PK\x03\x04"] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains("neither a gzipped tar archive nor an ar archive"), "{error}");
    }
}

#[test]
fn control_files_that_say_nothing_useful_are_refused() {
    for (text, message) in [
        ("Package: a\n", "there is no field Version"),
        ("Version: 1\n", "there is no field Package"),
        ("Package: a\nVersion: 1\nVersion: 2\n", "the field Version appears twice"),
        ("Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n", "more than one package"),
        ("", "its file control is empty"),
        ("nonsense\n", "is no field"),
    ] {
        let control = pack(Compression::Gzip, &file("./control", text.as_bytes()));
        let data = pack(Compression::Gzip, &[0; 1024]);
        let members = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("data.tar.gz", data),
            ("control.tar.gz", control),
        ]
        .map(|(name, content)| (name.to_owned(), content));
        let error = read(&outer(&members)).unwrap_err().to_string();
        assert!(error.contains(message), "{error} / {message}");
    }
}

#[test]
fn limits_hold() {
    let package = hello().file("zeros", 0o644, vec![0; 1 << 20]).build();
    let default = PackageLimits::default();
    let small = PackageLimits { data: Limits { size: 1 << 16, ratio: 1000 }, ..default };
    assert!(read_with(&package, small).is_err());
    let few = PackageLimits { tar: TarLimits { entries: 4, ..TarLimits::default() }, ..default };
    assert!(read_with(&package, few).is_err());
    let tiny = PackageLimits { control: 600, ..default };
    assert!(matches!(Ipk::open("x", Cursor::new(&package), tiny), Err(IpkError::Tar { .. })));
    for (count, why) in [(16, "it has no debian-binary"), (17, "16 members"), (20, "16 members")] {
        let many: Vec<_> = (0..count).map(|n| (format!("member{n}"), Vec::new())).collect();
        for bytes in [outer(&many), ar(&many)] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{count}: {error}");
        }
    }
}

#[test]
fn the_outer_archive_has_no_folder_but_its_root() {
    let control = pack(Compression::Gzip, &file("./control", b"Package: a\nVersion: 1\n"));
    let with = |folder: &str| {
        let members = [
            Member::new(folder, EntryType::Directory, b""),
            Member::new("debian-binary", EntryType::Regular, b"2.0\n"),
            Member::new("control.tar.gz", EntryType::Regular, control.as_slice()),
            Member::new("data.tar.gz", EntryType::Regular, pack(Compression::Gzip, &[0; 1024])),
        ];
        read(&gzip(&rawtar::tar(&members, true)))
    };
    with("./").unwrap();
    let error = with("./more").unwrap_err().to_string();
    assert!(error.contains("a directory has no place in a package"), "{error}");
}

/// A tar archive of one file.
fn file(path: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, path, content).unwrap();
    tar.into_inner().unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0usize..2000,
        packed in any::<bool>(),
    ) {
        let small = PackageLimits {
            control: 1 << 16,
            data: Limits { size: 1 << 16, ratio: 100 },
            ..PackageLimits::default()
        };
        for magic in [&b""[..], b"\x1f\x8b\x08", b"!<arch>\n"] {
            let _ = read_with(&[magic, &bytes].concat(), small);
        }
        let _ = read_with(&pack(Compression::Gzip, &bytes), small);
        let members = if packed { pack(Compression::Gzip, &bytes) } else { bytes.clone() };
        let names = ["debian-binary", "control.tar.gz", "data.tar.gz"];
        let hostile = names.map(|name| {
            let content = if name == "debian-binary" { b"2.0\n".to_vec() } else { members.clone() };
            (name.to_owned(), content)
        });
        let _ = read_with(&outer(&hostile), small);
        let mut good = hello().form(if packed { Form::DataFirst } else { Form::Ar }).build();
        let at = at.min(good.len());
        good.splice(at..at, bytes.iter().copied().take(4));
        let _ = read_with(&good, small);
    }
}
