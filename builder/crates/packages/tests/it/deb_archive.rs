//! Debian packages and archives from a mirror to their files, sound, damaged and hostile.

#![allow(clippy::unwrap_used)]

mod repository;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use jiff::Timestamp;
use proptest::prelude::*;
use tar::{EntryType, Header};
use wifibox_fetch::{FetchError, Fetcher, Options, Store};
use wifibox_formats::PackageLimits;
use wifibox_formats::deb::index::{self, ReleaseFiles};
use wifibox_formats::deb::release::{self, Freshness, Trust, read_detached, read_inrelease};
use wifibox_formats::deb::{DebError, Keyring};
use wifibox_formats::tarball::TarLimits;
use wifibox_ground::cancel::Cancel;
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::EntryKind;
use wifibox_ground::location::Location;
use wifibox_packages::deb::{Control, Deb};
use wifibox_testkit::Recorder;
use wifibox_testkit::debrepo::{Package, Suite, ar, pack};
use wifibox_testkit::keys::{Key, Spec};
use wifibox_testkit::server::{Fault, Server};

const FORMS: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd];

/// The members of a package in words, by path.
type Listing = BTreeMap<String, String>;

fn read_with(bytes: &[u8], limits: PackageLimits) -> Result<(Control, Listing), DebError> {
    let mut listing = Listing::new();
    let control = Deb::open("x.deb", bytes, limits)?.read_data(&mut |entry| -> Result<
        (),
        DebError,
    > {
        let kind = match entry.kind {
            EntryKind::Directory => "directory".to_owned(),
            EntryKind::File { size, content } => {
                let mut bytes = Vec::new();
                if let Err(error) = content.read_to_end(&mut bytes) {
                    return Err(DebError::Format { package: "x".into(), why: error.to_string() });
                }
                assert_eq!(bytes.len() as u64, size);
                format!("file {}", String::from_utf8_lossy(&bytes))
            }
            EntryKind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(&target)),
            EntryKind::HardLink(target) => format!("= {target}"),
            EntryKind::CharDevice(major, minor) => format!("c {major} {minor}"),
            EntryKind::BlockDevice(major, minor) => format!("b {major} {minor}"),
            EntryKind::Fifo => "fifo".to_owned(),
        };
        let attributes: String = entry
            .xattrs
            .iter()
            .map(|(k, v)| format!(" {}={v:?}", String::from_utf8_lossy(k)))
            .collect();
        let names = String::from_utf8_lossy(&entry.uname).into_owned();
        listing.insert(
            entry.path.to_string(),
            format!("{:o} {}:{} {names} {kind}{attributes}", entry.mode, entry.uid, entry.gid),
        );
        Ok(())
    })?;
    Ok((control, listing))
}

fn read(bytes: &[u8]) -> Result<(Control, Listing), DebError> {
    read_with(bytes, PackageLimits::default())
}

fn hello() -> Package {
    Package::new("hello", "1:2.0-1", "amd64")
        .field("Depends", "libc6 (>= 2.36)")
        .control("postinst", b"#!/bin/sh\nexit 0\n")
        .control("conffiles", b"/etc/hello\n")
        .control("triggers", b"activate-noawait ldconfig\n")
        .control("md5sums", b"0  usr/bin/hello\n")
        .control("templates", b"")
        .directory("var/lib/hello", 0o1777)
        .file("usr/bin/hello", 0o4755, "hi")
        .hard_link("usr/bin/hi", "usr/bin/hello")
        .symlink("usr/bin/hey", "hello")
        .file(&format!("usr/share/{}", "long/".repeat(60) + "name"), 0o644, "far away")
}

#[test]
fn packages_of_all_forms_are_read() {
    for form in FORMS {
        let (control, listing) = read(&hello().compressed(form).build()).unwrap();
        assert!(control.fields.starts_with(b"Package: hello\nVersion: 1:2.0-1\n"));
        assert_eq!(control.scripts.keys().collect::<Vec<_>>(), ["postinst"]);
        assert_eq!(control.conffiles.as_deref(), Some(&b"/etc/hello\n"[..]));
        assert!(control.triggers.is_some() && control.md5sums.is_some());
        assert_eq!(control.others.keys().collect::<Vec<_>>(), ["templates"]);
        let is = |path: &str, what: &str| assert_eq!(listing[path], what, "{form:?}");
        is("/", "755 0:0 root directory");
        is("/var/lib/hello", "1777 0:0 root directory");
        is("/usr/bin/hello", "4755 0:0 root file hi");
        is("/usr/bin/hey", "777 0:0 root -> hello");
        is("/usr/bin/hi", "777 0:0 root = /usr/bin/hello");
        is(&format!("/usr/share/{}name", "long/".repeat(60)), "644 0:0 root file far away");
    }
}

#[test]
fn a_package_has_the_record_of_an_index() {
    let record =
        |bytes: &[u8]| Deb::open("x.deb", bytes, PackageLimits::default()).unwrap().to_package();
    let package = hello().field("Depends", "libc6 (>= 2.36)").field("Pre-Depends", "dpkg").build();
    let found = record(&package).unwrap();
    assert_eq!(
        (&*found.name, &*found.version, &*found.architecture),
        ("hello", "1:2.0-1", "amd64")
    );
    assert!(found.depends.contains("dpkg") && found.depends.contains("libc6 (>= 2.36)"));
    // No reader of a package has to look at its fields; a record must.
    let error = record(&parts("data.tar.gz", b"")).unwrap_err().to_string();
    assert!(error.contains("no field Version"), "{error}");
}

/// A package whose data is this archive.
fn with_data(tar: &[u8]) -> Vec<u8> {
    parts("data.tar.gz", &pack(Compression::Gzip, tar))
}

fn parts(data_name: &str, data: &[u8]) -> Vec<u8> {
    ar(&[
        ("debian-binary".to_owned(), b"2.0\n".to_vec()),
        ("control.tar".to_owned(), control_tar()),
        (data_name.to_owned(), data.to_vec()),
    ])
}

fn control_tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    raw(&mut tar, b"./control", EntryType::Regular, b"", b"Package: x\n");
    tar.into_inner().unwrap()
}

/// Adds a member without any of the checks of the `tar` crate.
fn raw(tar: &mut tar::Builder<Vec<u8>>, path: &[u8], kind: EntryType, link: &[u8], content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path);
    header.as_ustar_mut().unwrap().linkname[..link.len()].copy_from_slice(link);
    header.set_entry_type(kind);
    header.set_mode(0o100_644);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1);
    header.set_size(content.len() as u64);
    if matches!(kind, EntryType::Char | EntryType::Block) {
        header.set_device_major(5).unwrap();
        header.set_device_minor(1).unwrap();
    }
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn one(path: &[u8], kind: EntryType, link: &[u8], content: &[u8]) -> Result<Listing, DebError> {
    let mut tar = tar::Builder::new(Vec::new());
    raw(&mut tar, path, kind, link, content);
    read(&with_data(&tar.into_inner().unwrap())).map(|(_, listing)| listing)
}

/// Reads a package with a member that these PAX records precede.
fn with_pax(records: &[(&str, &[u8])], path: &[u8]) -> Result<Listing, DebError> {
    let mut pax = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let digits = (1..).find(|n| (rest + n).to_string().len() == *n).unwrap();
        pax.extend(format!("{} {key}=", rest + digits).bytes());
        pax.extend(*value);
        pax.push(b'\n');
    }
    let mut tar = tar::Builder::new(Vec::new());
    raw(&mut tar, b"pax", EntryType::XHeader, b"", &pax);
    raw(&mut tar, path, EntryType::Regular, b"", b"content");
    read(&with_data(&tar.into_inner().unwrap())).map(|(_, listing)| listing)
}

#[test]
fn all_kinds_of_members_are_read() {
    for (kind, text) in
        [(EntryType::Char, "c 5 1"), (EntryType::Block, "b 5 1"), (EntryType::Fifo, "fifo")]
    {
        assert_eq!(one(b"./dev/x", kind, b"", b"").unwrap()["/dev/x"], format!("644 7:8  {text}"));
    }
    let records: [(&str, &[u8]); 7] = [
        ("path", b"./usr/\xc3\xa4"),
        ("uid", b"100000"),
        ("mtime", b"1700000000.5"),
        ("uname", b"someone"),
        ("SCHILY.xattr.security.capability", b"\x01\n\x00="),
        ("atime", b"1"),
        ("size", b"7"),
    ];
    let listing = with_pax(&records, b"short").unwrap();
    let expected = "644 100000:8 someone file content security.capability=[1, 10, 0, 61]";
    assert_eq!(listing["/usr/ä"], expected);
}

#[test]
fn hostile_members_are_refused() {
    let file = EntryType::Regular;
    for (path, kind, link, content, why) in [
        (&b"/etc/passwd"[..], file, &b""[..], &b"x"[..], "absolute"),
        (b"../x", file, b"", b"x", "climbs"),
        (b"./a/../../x", file, b"", b"x", "climbs"),
        (b"./x", EntryType::Link, b"../../etc/passwd", b"", "climbs"),
        (b"./x", EntryType::Link, b"/etc/passwd", b"", "absolute"),
        (b"./x", EntryType::Link, b"./", b"", "hard link to the root"),
        (b"./x", EntryType::Symlink, b"", b"", "links to nothing"),
        (b"./x", EntryType::Directory, b"", b"x", "a member of type '5' cannot have contents"),
        (b"./x", EntryType::GNUSparse, b"", b"", "sparse"),
        (b"./x", EntryType::new(b'V'), b"", b"", "members of type 'V' are not supported"),
        (b"./", file, b"", b"x", "root cannot be a file"),
        (b"x", EntryType::GNULongName, b"", b"a\0b\0", "NUL"),
        (b"x", EntryType::XGlobalHeader, b"", b"12 path=a/b\n", "global"),
        (b"x", EntryType::XHeader, b"", b"99 path=a\n", "PAX records are damaged"),
        (b"x", EntryType::XHeader, b"", b"path", "PAX records are damaged"),
    ] {
        let mut tar = tar::Builder::new(Vec::new());
        raw(&mut tar, path, kind, link, content);
        raw(&mut tar, b"./next", file, b"", b"");
        let error = read(&with_data(&tar.into_inner().unwrap())).unwrap_err().to_string();
        assert!(error.contains(why), "{path:?}: {error}");
        assert!(error.contains("x.deb"), "{error}");
    }
    for (records, why) in [
        ([("path", &b"../x"[..])], "climbs"),
        ([("path", b"a\0b")], "NUL"),
        ([("size", b"3")], "contradict"),
        ([("uid", b"-1")], "not a number"),
        ([("uid", b"99999999999")], "out of range"),
        ([("GNU.sparse.major", b"1")], "sparse"),
    ] {
        let error = with_pax(&records, b"x").unwrap_err().to_string();
        assert!(error.contains(why), "{records:?}: {error}");
    }
}

#[test]
fn too_much_is_refused() {
    let mut tar = tar::Builder::new(Vec::new());
    for n in 0..20 {
        raw(&mut tar, format!("./{n}").as_bytes(), EntryType::Regular, b"", &[0; 1000]);
    }
    let package = with_data(&tar.into_inner().unwrap());
    let usual = PackageLimits::default();
    let tar = TarLimits { entries: 19, ..usual.tar };
    let error = read_with(&package, PackageLimits { tar, ..usual }).unwrap_err().to_string();
    assert!(error.contains("more than 19 members"), "{error}");
    let tar = TarLimits { file_size: 999, ..usual.tar };
    let error = read_with(&package, PackageLimits { tar, ..usual }).unwrap_err().to_string();
    assert!(error.contains("more than the 999 allowed"), "{error}");
    let data = Limits { size: 10_000, ..usual.data };
    let error = read_with(&package, PackageLimits { data, ..usual }).unwrap_err().to_string();
    assert!(error.contains("more than 10000 bytes"), "{error}");
    let error =
        read_with(&package, PackageLimits { control: 100, ..usual }).unwrap_err().to_string();
    assert!(error.contains("more than 100 bytes"), "{error}");
    // A megabyte of name.
    let mut tar = tar::Builder::new(Vec::new());
    raw(&mut tar, b"x", EntryType::GNULongName, b"", &vec![b'a'; 2 << 20]);
    let error = read(&with_data(&tar.into_inner().unwrap())).unwrap_err().to_string();
    assert!(error.contains("too many"), "{error}");
}

#[test]
fn the_outer_archive_is_checked() {
    let data = pack(Compression::Gzip, &[0; 1024]);
    let binary = |text: &[u8]| ("debian-binary".to_owned(), text.to_vec());
    let control = ("control.tar".to_owned(), control_tar());
    let data = ("data.tar.gz".to_owned(), data);
    let signed = ("_gpgorigin".to_owned(), b"odd".to_vec());
    let odd = ("surprise".to_owned(), b"odd".to_vec());
    let old = ("control.tarball".to_owned(), control_tar());
    let long = |size: usize| binary(&[b"2.0\n".as_slice(), &vec![b'x'; size - 4]].concat());
    let bzip2 = ("data.tar.bz2".to_owned(), b"BZh9".to_vec());
    let good = binary(b"2.0\n");
    let ok = |members: &[(String, Vec<u8>)]| read(&ar(members)).is_ok();
    assert!(ok(&[good.clone(), control.clone(), data.clone()]));
    assert!(ok(&[binary(b"2.7\nmore\n"), control.clone(), data.clone()]));
    assert!(ok(&[good.clone(), signed.clone(), control.clone(), signed.clone(), data.clone()]));
    assert!(ok(&[good.clone(), control.clone(), data.clone(), odd.clone()]));
    assert!(ok(&[long(1023), control.clone(), data.clone()]));
    for (members, why) in [
        (vec![], "does not begin with debian-binary"),
        (vec![odd.clone(), control.clone(), data.clone()], "does not begin with debian-binary"),
        (vec![long(1024), control.clone(), data.clone()], "does not begin with debian-binary"),
        (vec![good.clone(), old, data.clone()], "where control.tar is expected"),
        (vec![control.clone(), good.clone(), data.clone()], "does not begin with debian-binary"),
        (vec![binary(b"3.0\n"), control.clone(), data.clone()], "not 2.x"),
        (vec![good.clone(), data.clone(), control.clone()], "where control.tar is expected"),
        (vec![good.clone(), odd, control.clone(), data.clone()], "where control.tar is expected"),
        (vec![good.clone(), control.clone()], "no data.tar"),
        (vec![good.clone(), control.clone(), bzip2], "unsupported way"),
    ] {
        let error = read(&ar(&members)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(read(b"").unwrap_err().to_string().contains("not an ar archive"));
}

#[test]
fn every_truncation_is_noticed() {
    for form in FORMS {
        let package =
            Package::new("x", "1", "all").file("x", 0o644, "xyz").compressed(form).build();
        read(&package).unwrap();
        // The last byte may be padding.
        for length in 0..package.len() - 1 {
            assert!(read(&package[..length]).is_err(), "{form:?}: {length} of {}", package.len());
        }
    }
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// From the mirror to the files of a package.
struct Client {
    mirrors: Vec<Location>,
    folder: tempfile::TempDir,
    key: Key,
}

#[derive(Debug)]
enum Failed {
    Fetch(FetchError),
    #[allow(dead_code)] // Shown when a test fails.
    Index(std::io::Error),
}

impl Client {
    fn new(server: &Server, key: Key) -> Self {
        let mirrors = vec![server.url().parse().unwrap()];
        Client { mirrors, folder: tempfile::tempdir().unwrap(), key }
    }

    fn index(&self) -> Result<String, Failed> {
        let store = Store::open(self.folder.path()).unwrap();
        let (mut options, seen, cancel) = (Options::default(), Recorder::default(), Cancel::new());
        options.retry.attempts = 1;
        let fetcher = Fetcher::new(&store, &options, &seen, &cancel);
        let keyring = Keyring::parse("key", &self.key.certificate()).unwrap();
        let pinned = [self.key.fingerprint().parse().unwrap()];
        let freshness = Freshness::Required;
        let trust = Trust { keyring: &keyring, pinned: &pinned, now: now(), freshness };
        let files = ReleaseFiles::of("trixie", &self.mirrors).unwrap();
        let get = |artefact| fetcher.read_unverified(artefact, release::SIZE_LIMIT);
        let release = match get(&files.inrelease) {
            Ok(bytes) => read_inrelease("InRelease", &bytes, &trust).unwrap(),
            Err(FetchError::NotFound { .. }) => {
                let text = get(&files.release).map_err(Failed::Fetch)?;
                let signatures = get(&files.signature).map_err(Failed::Fetch)?;
                read_detached("Release", &text, &signatures, &trust).unwrap()
            }
            Err(error) => return Err(Failed::Fetch(error)),
        };
        let plan = &index::plans(&release, "trixie", "main", "amd64", &self.mirrors).unwrap()[0];
        let fetched = fetcher.fetch(&plan.artefact).map_err(Failed::Fetch)?;
        let mut text = String::new();
        plan.reader(fetched.open().unwrap())
            .and_then(|mut reader| reader.read_to_string(&mut text))
            .map_err(Failed::Index)?;
        Ok(text)
    }
}
