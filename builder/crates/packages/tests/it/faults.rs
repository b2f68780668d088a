//! One damaged package of each format: the same fault has the same kind in all of them.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use tar::EntryType;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::tarball::TarLimits;
use wifibox_formats::{
    Fault, Identity, OpenPackage as _, PackageError, PackageFormat, PackageLimits,
};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::digest::hex;
use wifibox_ground::entry::EntryKind;
use wifibox_packages::{Apk, Readers};
use wifibox_testkit::adbwriter::{self as adb, V};
use wifibox_testkit::rawtar::{Member, gzip, tar};
use wifibox_testkit::{apkrepo, debrepo, opkgrepo};

const FORMATS: [PackageFormat; 4] =
    [PackageFormat::Deb, PackageFormat::Apk, PackageFormat::Apk3, PackageFormat::Ipk];

/// Why a package was not read to its end.
#[derive(Debug)]
enum Failure {
    Package(PackageError),
    /// The visitor could not read a file, as one that stores it elsewhere.
    Visitor(String),
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Self {
        Failure::Package(error)
    }
}

fn usual() -> OpenOptions<'static> {
    OpenOptions::default()
}

/// Reads a package with all its files: their paths and the scripts.
fn read(
    format: PackageFormat,
    bytes: &[u8],
    options: OpenOptions<'_>,
) -> Result<(Vec<String>, Vec<String>), Failure> {
    let reader = Readers.open(format, "sample", Box::new(Cursor::new(bytes)), options)?;
    let scripts = reader.metadata().scripts.into_keys().collect();
    let mut paths = Vec::new();
    reader.read_data(&mut |entry| -> Result<(), Failure> {
        paths.push(entry.path.to_string());
        if let EntryKind::File { content, .. } = entry.kind {
            let read = std::io::copy(content, &mut std::io::sink());
            read.map_err(|error| Failure::Visitor(error.to_string()))?;
        }
        Ok(())
    })?;
    Ok((paths, scripts))
}

fn fault(format: PackageFormat, bytes: &[u8], options: OpenOptions<'_>) -> Fault {
    match read(format, bytes, options) {
        Err(Failure::Package(error)) => error.kind(),
        other => panic!("{format:?}: a fault of the package is expected, not {other:?}"),
    }
}

/// Bytes that no compressor makes smaller.
fn noise() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..8000).flat_map(|_| next()).collect()
}

/// A sound package with one script and one large file.
fn sound(format: PackageFormat) -> Vec<u8> {
    match format {
        PackageFormat::Deb => debrepo::Package::new("sample", "1", "all")
            .control("postinst", b"#!/bin/sh\n")
            .file("bin/noise", 0o644, noise())
            .build(),
        PackageFormat::Ipk => {
            opkgrepo::Ipk::new("sample", "1", "all").file("bin/noise", 0o644, noise()).build()
        }
        PackageFormat::Apk => apkrepo::Package::new("sample", "1-r0")
            .control(".post-install", b"#!/bin/sh\n")
            .file("bin/noise", 0o644, noise())
            .build(),
        PackageFormat::Apk3 => adb_package("bin", adb::file("noise", &noise())),
    }
}

fn adb_package(folder: &str, file: V) -> Vec<u8> {
    let root = adb::object([
        (1, V::Object(adb::info("sample", "1-r0"))),
        (2, V::Array(vec![adb::directory(folder, vec![file])])),
        (3, adb::object([(3, adb::text("#!/bin/sh\n"))])),
    ]);
    let metadata = adb::block(adb::ADB, &adb::payload(&root));
    adb::plain(b"pckg", &[metadata, adb::data(1, 1, &noise())])
}

/// The members of a `.deb` or `.ipk` of this version with this member among its data.
fn members(version: &str, member: Member) -> Vec<(String, Vec<u8>)> {
    let control = Member::new("control", EntryType::Regular, "Package: sample\nVersion: 1\n");
    [
        ("debian-binary", format!("{version}\n").into_bytes()),
        ("control.tar.gz", gzip(&tar(&[control], true))),
        ("data.tar.gz", gzip(&tar(&[member], true))),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .to_vec()
}

fn file(path: &str) -> Member {
    Member::new(path, EntryType::Regular, "x")
}

fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 0x10;
    bytes
}

/// A package whose data are as they were, but whose checksum says something else.
fn wrong_checksum(format: PackageFormat) -> Vec<u8> {
    match format {
        PackageFormat::Deb => {
            let package = debrepo::Package::new("sample", "1", "all").file("x", 0o644, "x");
            let bytes = package.compressed(Compression::Gzip).build();
            // gzip ends with a checksum and the size, ar with a line feed where that is odd.
            let padding = usize::from(bytes.ends_with(b"\n"));
            let at = bytes.len() - padding - 8;
            flipped(bytes, at)
        }
        PackageFormat::Ipk => {
            let bytes = sound(format);
            let at = bytes.len() - 8;
            flipped(bytes, at)
        }
        PackageFormat::Apk => {
            let package = apkrepo::Package::new("sample", "1-r0").file("x", 0o644, "x");
            apkrepo::Package { data_hash: Some(hex(&[17; 32])), ..package }.build()
        }
        PackageFormat::Apk3 => {
            let V::Object(mut fields) = adb::file("noise", &noise()) else { unreachable!() };
            fields.insert(5, V::Blob(vec![17; 32]));
            adb_package("bin", V::Object(fields))
        }
    }
}

/// A package with a file outside of the guest.
fn path_out_of_the_tree(format: PackageFormat) -> Vec<u8> {
    match format {
        PackageFormat::Deb => debrepo::ar(&members("2.0", file("../evil"))),
        PackageFormat::Ipk => opkgrepo::outer(&members("2.0", file("../evil"))),
        PackageFormat::Apk => {
            apkrepo::Package::new("sample", "1-r0").raw(file("a/../../b")).build()
        }
        PackageFormat::Apk3 => adb_package("../evil", adb::file("noise", &noise())),
    }
}

/// A package of a version that nobody knows yet, or no longer.
fn other_version(format: PackageFormat) -> Vec<u8> {
    match format {
        PackageFormat::Deb => debrepo::ar(&members("3.0", file("x"))),
        PackageFormat::Ipk => opkgrepo::outer(&members("3.0", file("x"))),
        PackageFormat::Apk => {
            apkrepo::Package::new("sample", "1-r0").control(".INSTALL", b"").build()
        }
        PackageFormat::Apk3 => adb::pack(adb::Packing::Named(7, 0), &sound(format)),
    }
}

#[test]
fn sound_packages_are_read_alike() {
    for format in FORMATS {
        let (paths, scripts) = read(format, &sound(format), usual()).unwrap();
        let in_bin: Vec<&str> =
            paths.iter().map(String::as_str).filter(|path| path.starts_with("/bin")).collect();
        assert_eq!(in_bin, ["/bin", "/bin/noise"], "{format:?}");
        let names = ["postinst", "post-install"];
        assert!(scripts.iter().any(|name| names.contains(&name.as_str())), "{format:?}");
    }
}

#[test]
fn the_same_fault_has_the_same_kind_in_every_format() {
    let half = |format| {
        let bytes = sound(format);
        let at = bytes.len() / 2;
        (bytes, at)
    };
    type Made<'m> = &'m dyn Fn(PackageFormat) -> Vec<u8>;
    let table: [(&str, Made<'_>, Fault); 8] = [
        (
            "cut in its last quarter",
            &|f| {
                let (b, at) = half(f);
                b[..at + at / 2].to_vec()
            },
            Fault::Damaged,
        ),
        (
            "cut in its first half",
            &|f| {
                let (b, at) = half(f);
                b[..at / 2].to_vec()
            },
            Fault::Damaged,
        ),
        (
            "a byte of its data changed",
            &|f| {
                let (b, at) = half(f);
                flipped(b, at)
            },
            Fault::Damaged,
        ),
        ("a wrong checksum", &wrong_checksum, Fault::Damaged),
        ("an error page", &|_| b"<!DOCTYPE html><html></html>\n".to_vec(), Fault::Foreign),
        ("nothing at all", &|_| Vec::new(), Fault::Foreign),
        ("a path out of the tree", &path_out_of_the_tree, Fault::Unsafe),
        ("another version", &other_version, Fault::Unsupported),
    ];
    for (what, made, expected) in table {
        for format in FORMATS {
            assert_eq!(fault(format, &made(format), usual()), expected, "{format:?}: {what}");
        }
    }
}

#[test]
fn what_is_too_large_is_so_in_every_format() {
    let PackageLimits { control, data, tar } = PackageLimits::default();
    for limits in [
        PackageLimits { control: 60, data, tar },
        PackageLimits { control, data: Limits { size: 30_000, ..data }, tar },
        PackageLimits { control, data, tar: TarLimits { file_size: 1000, ..tar } },
        PackageLimits { control, data, tar: TarLimits { entries: 1, ..tar } },
    ] {
        for format in FORMATS {
            let found = fault(format, &sound(format), OpenOptions { limits, ..usual() });
            assert_eq!(found, Fault::TooLarge, "{format:?}: {limits:?}");
        }
    }
}

#[test]
fn another_package_than_the_listed_one_is_forged() {
    let listed = Identity::from_digest(&[17; 32]).unwrap();
    let options = OpenOptions { identity: Some(&listed), ..usual() };
    let bytes = sound(PackageFormat::Apk3);
    for format in [PackageFormat::Apk, PackageFormat::Apk3] {
        assert_eq!(fault(format, &bytes, options), Fault::Forged, "{format:?}");
    }
    let v2 = sound(PackageFormat::Apk);
    let v2 = Apk::open("sample", &v2[..], PackageLimits::default()).unwrap();
    assert_eq!(v2.check_identity(&listed).unwrap_err().kind(), Fault::Forged);
}

#[test]
fn an_error_of_the_visitor_stays_its_own() {
    for format in FORMATS {
        let bytes = sound(format);
        let reader =
            Readers.open(format, "sample", Box::new(Cursor::new(&bytes)), usual()).unwrap();
        let stopped = reader.read_data(&mut |_| Err(Failure::Visitor("full".to_owned())));
        assert!(matches!(stopped, Err(Failure::Visitor(why)) if why == "full"), "{format:?}");
    }
}

/// A package whose member lies in so many folders, or, of apk v3, the folder itself.
fn deep(format: PackageFormat, path: &str) -> Vec<u8> {
    let member = || file("short").pax("path", path);
    match format {
        PackageFormat::Deb => debrepo::ar(&members("2.0", member())),
        PackageFormat::Ipk => opkgrepo::outer(&members("2.0", member())),
        PackageFormat::Apk => apkrepo::Package::new("sample", "1-r0").raw(member()).build(),
        PackageFormat::Apk3 => adb_package(path, adb::file("noise", &noise())),
    }
}

/// What would cost the reader gigabytes, or its stack.
#[test]
fn paths_have_a_length_and_a_depth_in_every_format() {
    let name = "n".repeat(250);
    for format in FORMATS {
        for (path, why) in [
            ("a/".repeat(200), "folders deep"),
            ("a/".repeat(2_040), "folders deep"),
            ("a/".repeat(20_000), "longer than 4095 bytes"),
            ("a/".repeat(400_000), "longer than 4095 bytes"),
            ([name.as_str(); 20].join("/"), "longer than 4095 bytes"),
        ] {
            let bytes = deep(format, &path);
            match read(format, &bytes, usual()) {
                Err(Failure::Package(error)) => {
                    assert_eq!(error.kind(), Fault::Unsafe, "{format:?}: {error}");
                    let error = error.to_string();
                    assert!(error.contains(why), "{format:?}: {error}");
                    assert!(error.len() < 500, "{format:?}: an error of {} bytes", error.len());
                }
                other => panic!("{format:?}: {why}: {other:?}"),
            }
        }
    }
}

/// Small packages of many long paths: each folder on the way is kept, and their sum has a limit.
#[test]
fn the_paths_of_a_package_have_a_limit_together() {
    let folder = |n: usize| format!("{n}/").repeat(120);
    let many: Vec<Member> = (0..3000).map(|n| file("x").pax("path", folder(n) + "f")).collect();
    let data = gzip(&tar(&many, true));
    assert!(data.len() < 400_000, "it must be small: {}", data.len());
    let deb = |data: Vec<u8>| {
        let mut parts = members("2.0", file("x"));
        parts[2].1 = data;
        debrepo::ar(&parts)
    };
    let Err(Failure::Package(error)) = read(PackageFormat::Deb, &deb(data), usual()) else {
        panic!("accepted")
    };
    assert_eq!(error.kind(), Fault::TooLarge, "{error}");
    assert!(error.to_string().contains("paths, owners, links and attributes"), "{error}");
    // Attributes count like paths.
    let value = vec![b'x'; 900_000];
    let attribute = || file("x").pax("SCHILY.xattr.user.x", &value);
    let many: Vec<Member> = (0..40).map(|_| attribute()).collect();
    let Err(Failure::Package(error)) =
        read(PackageFormat::Deb, &deb(gzip(&tar(&many, true))), usual())
    else {
        panic!("accepted")
    };
    assert_eq!(error.kind(), Fault::TooLarge, "{error}");
}
