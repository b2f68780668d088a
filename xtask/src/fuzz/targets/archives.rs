//! Archives of packages: tar, and the packages around it.

use std::io::{self, Cursor, Read as _};

use ::tar::EntryType;
use wifibox_formats::tarball::{self, TarError, TarLimits};
use wifibox_formats::{PackageLimits, apk as alpine, deb as debian, opkg};
use wifibox_ground::codec::Compression;
use wifibox_ground::digest::Sha256;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_packages::{Apk, Deb};
use wifibox_testkit::opkgrepo::{Form, Ipk, outer};
use wifibox_testkit::rawtar::{Member, gzip, tar as raw_tar};
use wifibox_testkit::tarball::ar;
use wifibox_testkit::{apkrepo, debrepo};

/// Looks at an entry as a build does, and checks what no entry may be.
fn look(entry: Entry<'_>, total: &mut u64) {
    let path = entry.path.as_bytes();
    assert!(entry.mode <= 0o7777, "{}: mode {:o}", entry.path, entry.mode);
    assert!(path.len() <= 4095, "a path of {} bytes", path.len());
    let parts = || path.split(|byte| *byte == b'/');
    assert!(entry.path.is_root() || parts().all(|part| !matches!(part, b"" | b"." | b"..")));
    assert!(!path.contains(&0), "{}: a NUL", entry.path);
    match entry.kind {
        EntryKind::File { size, content } => {
            // Every third file is left unread, or half read.
            let part = [size, size / 2, 0].get(path.len() % 3).copied().unwrap_or(size);
            if let Ok(read) = io::copy(&mut content.take(part), &mut io::sink()) {
                assert!(read <= size);
                *total = total.saturating_add(read);
            }
        }
        EntryKind::Symlink(target) => {
            assert!(!target.is_empty() && target.len() <= 4095 && !target.contains(&0));
        }
        EntryKind::HardLink(target) => assert!(!target.is_root()),
        _ => {}
    }
}

/// Members of every kind, with every extension.
fn members() -> Vec<Member> {
    let file = |path: &str| Member::new(path, EntryType::Regular, "contents\n");
    vec![
        Member::new("./", EntryType::Directory, ""),
        Member::new("./usr/", EntryType::Directory, ""),
        file("./usr/file"),
        Member { mode: 0o4755, ..file("usr/su") },
        file("usr/owned").pax("uid", "1000").pax("gid", "4294967295").pax("uname", "somebody"),
        file("usr/timed").pax("mtime", "1700000000.5").pax("size", "9"),
        file("x").pax("path", "usr/\u{e9}").pax("SCHILY.xattr.user.a", b"b\0c"),
        file("usr/checked").checked(),
        Member::new("usr/link", EntryType::Symlink, "").to("../file"),
        Member::new("usr/long", EntryType::Symlink, "").pax("linkpath", "a/".repeat(200)),
        Member::new("usr/hard", EntryType::Link, "").to("./usr/file"),
        Member::new("usr/null", EntryType::Char, ""),
        Member::new("usr/disk", EntryType::Block, ""),
        Member::new("usr/pipe", EntryType::Fifo, ""),
        Member::new("@LongLink", EntryType::GNULongName, [&[b'n'; 200][..], b"\0"].concat()),
        file("nnn"),
        Member::new("@LongLink", EntryType::GNULongLink, [&[b'l'; 200][..], b"\0"].concat()),
        Member::new("usr/far", EntryType::Symlink, "").to("lll"),
        Member::new("pax", EntryType::XGlobalHeader, "14 comment=hi\n"),
    ]
}

pub fn tars() -> Vec<Vec<u8>> {
    let mut seeds = vec![raw_tar(&members(), true), raw_tar(&members(), false)];
    seeds.extend(members().into_iter().skip(2).take(10).map(|one| raw_tar(&[one], true)));
    seeds
}

pub fn tar(bytes: &[u8]) -> bool {
    let mut total = 0;
    let read = tarball::read(bytes, TarLimits::default(), &mut |entry| {
        look(entry, &mut total);
        Ok::<(), TarError>(())
    });
    assert!(total <= bytes.len() as u64, "{total} bytes of {}", bytes.len());
    read.is_ok()
}

/// Packages of Debian, and what is in them: the input is also their data, and their control files.
pub fn debs() -> Vec<Vec<u8>> {
    let package = |compression| {
        debrepo::Package::new("tool", "1:1.2-3", "amd64")
            .field("Depends", "libc6")
            .control("postinst", b"#!/bin/sh\nexit 0\n")
            .control("conffiles", b"/etc/tool.conf\n")
            .control("triggers", b"interest x\n")
            .file("etc/tool.conf", 0o644, "a=b\n")
            .symlink("usr/bin/t", "tool")
            .hard_link("usr/bin/u", "etc/tool.conf")
            .compressed(compression)
            .build()
    };
    let mut seeds: Vec<Vec<u8>> =
        [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd]
            .map(package)
            .to_vec();
    seeds.push(raw_tar(&members(), true));
    seeds
}

pub fn deb(bytes: &[u8]) -> bool {
    let part = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let version = part("debian-binary", b"2.0\n");
    let fields = Member::new("control", EntryType::Regular, "Package: tool\nVersion: 1\n");
    let control = part("control.tar", &raw_tar(&[fields], true));
    let empty = part("data.tar", &raw_tar(&[], true));
    let inner = [
        bytes.to_vec(),
        ar(&[version.clone(), control, part("data.tar", bytes)]),
        ar(&[version, part("control.tar", bytes), empty]),
    ];
    inner.iter().fold(false, |any, bytes| any | read_deb(bytes))
}

fn read_deb(bytes: &[u8]) -> bool {
    let limits = PackageLimits::default();
    let Ok(package) = Deb::open("fuzz.deb", bytes, limits) else { return false };
    let _ = (package.control().field("Package"), package.control().field("Version"));
    let mut total = 0;
    let read = package.read_data(&mut |entry| {
        look(entry, &mut total);
        Ok::<(), debian::DebError>(())
    });
    assert!(total <= limits.data.size);
    read.is_ok()
}

/// Packages of Alpine; the input is also their data, and their `.PKGINFO`.
pub fn apks() -> Vec<Vec<u8>> {
    let package = apkrepo::Package::new("tool", "1.2-r3")
        .info("pkgdesc", "a tool")
        .info("depend", "so:libc.musl-x86_64.so.1")
        .info("triggers", "/usr/lib/*")
        .info("replaces", "other")
        .control(".post-install", b"#!/bin/sh\nexit 0\n")
        .file("etc/tool.conf", 0o644, "a=b\n")
        .symlink("usr/bin/t", "tool")
        .hard_link("usr/bin/u", "etc/tool.conf");
    let text = "pkgname = tool\npkgver = 1.2-r3\narch = x86_64\nsize = 4096\nbuilddate = 1700000000\n\
        depend = so:libc.musl-x86_64.so.1 !b c>=1\nprovides = cmd:tool=1.2\nreplaces = d\n\
        replaces_priority = 5\ntriggers = /usr/lib/* /bin\norigin = tools\ncommit = 0123\n";
    vec![package.build(), raw_tar(&members(), true), text.into()]
}

pub fn apk(bytes: &[u8]) -> bool {
    let part = |name: &str, bytes: &[u8]| Member::new(name, EntryType::Regular, bytes);
    let data = gzip(bytes);
    let info = format!("pkgname = tool\npkgver = 1\ndatahash = {}\n", Sha256::of(&data));
    let with = |info: &[u8], data: &[u8]| {
        [gzip(&raw_tar(&[part(".PKGINFO", info)], false)), data.to_vec()].concat()
    };
    let nothing = gzip(&raw_tar(&[], true));
    let hash = format!("\ndatahash = {}\n", Sha256::of(&nothing));
    let inner = [
        bytes.to_vec(),
        with(info.as_bytes(), &data),
        with(&[bytes, hash.as_bytes()].concat(), &nothing),
        [gzip(bytes), nothing].concat(),
    ];
    inner.iter().fold(false, |any, bytes| any | read_apk(bytes))
}

fn read_apk(bytes: &[u8]) -> bool {
    let limits = PackageLimits::default();
    let Ok(package) = Apk::open("fuzz.apk", bytes, limits) else { return false };
    let none = alpine::signature::Trust { keyring: &alpine::Keyring::default(), pinned: &[] };
    assert!(package.check_signature(&none).is_err(), "nobody has signed it");
    let mut total = 0;
    let read = package.read_data(&mut |entry| {
        look(entry, &mut total);
        Ok::<(), alpine::ApkError>(())
    });
    assert!(total <= limits.data.size);
    read.is_ok()
}

/// Packages of OpenWrt; the input is also their data, and their control files.
pub fn ipks() -> Vec<Vec<u8>> {
    let package = |form| {
        Ipk::new("tool", "1.2-r3", "x86_64")
            .field("Depends", "libc")
            .field("Require-User", "tool=70:tool=80")
            .field("Alternatives", "200:/bin/x:/usr/bin/tool")
            .control("conffiles", b"/etc/config/tool\n")
            .file("etc/config/tool", 0o600, "config tool\n")
            .symlink("usr/bin/t", "tool")
            .form(form)
            .build()
    };
    let mut seeds: Vec<Vec<u8>> =
        [Form::DataFirst, Form::ControlFirst, Form::Ar].map(package).to_vec();
    seeds.push(raw_tar(&members(), true));
    seeds
}

pub fn ipk(bytes: &[u8]) -> bool {
    let part = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let fields = Member::new("control", EntryType::Regular, "Package: tool\nVersion: 1\n");
    let control = part("control.tar.gz", &gzip(&raw_tar(&[fields], true)));
    let empty = part("data.tar.gz", &gzip(&raw_tar(&[], true)));
    let version = part("debian-binary", b"2.0\n");
    let packed = gzip(bytes);
    let inner = [
        bytes.to_vec(),
        outer(&[version.clone(), part("data.tar.gz", &packed), control]),
        outer(&[version, part("control.tar.gz", &packed), empty]),
    ];
    inner.iter().fold(false, |any, bytes| any | read_ipk(bytes))
}

fn read_ipk(bytes: &[u8]) -> bool {
    let limits = PackageLimits::default();
    let package = wifibox_packages::Ipk::open("fuzz.ipk", Cursor::new(bytes), limits);
    let Ok(package) = package else { return false };
    let mut total = 0;
    let read = package.read_data(&mut |entry| {
        look(entry, &mut total);
        Ok::<(), opkg::IpkError>(())
    });
    assert!(total <= limits.data.size);
    read.is_ok()
}
