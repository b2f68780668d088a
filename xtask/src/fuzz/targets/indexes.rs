//! Indexes of packages, and what is in their fields.

use std::cmp::Ordering;
use std::io::Read as _;

use wifibox_formats::dependency::{parse_apk, parse_provides, parse_relations};
use wifibox_formats::listing::Listing;
use wifibox_formats::opkg::{self, feeds};
use wifibox_formats::{Package, apk, apkindex, deb, dpkg_index, opkg_index};
use wifibox_ground::version::Scheme;
use wifibox_testkit::keys::{self, Key, Spec};
use wifibox_testkit::opkgrepo::{Ipk, Signer};
use wifibox_testkit::rawtar::{Member, gzip, tar};
use wifibox_testkit::{apkrepo, debrepo, opkgrepo};

use ::tar::EntryType;

use super::Run;

/// When the signed files were made, and when they are read: 2023-11-14.
const NOW: u32 = 1_700_000_000;

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(NOW.into()).unwrap_or_default()
}

/// Debian's `Packages`.
pub fn packages() -> Vec<Vec<u8>> {
    let more = "Package: tool\nSource: tools (1.2)\nVersion: 1:1.2-3~rc1+b1\nArchitecture: amd64\n\
        Pre-Depends: libc6 (>= 2.36)\nDepends: a (<< 2) | b, c:any, d [amd64] <!nocheck>\n\
        Recommends: e\nConflicts: f (= 1)\nBreaks: g (>> 3~)\nReplaces: g\nProvides: h (= 1), i\n\
        Multi-Arch: foreign\nEssential: yes\nProtected: yes\nPriority: important\n\
        Filename: pool/main/t/tool.deb\nSize: 1234\nInstalled-Size: 99\nMD5sum: 0123\n\
        SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
        Description: a tool\n for tests,\n .\n of several lines\n\n";
    vec![more.into(), more.replace("Package: tool", "#\nPackage: other").repeat(3).into()]
}

/// Reads every field that names other packages; whether there is a package.
fn relations(packages: &[Package], scheme: Scheme) -> bool {
    for package in packages {
        assert!(package.name.len() <= 255 && package.version.len() <= 255);
        let _ = (package.depends(scheme), package.conflicts(scheme), package.provides(scheme));
        let _ = (package.install_if(scheme), package.full_name());
    }
    !packages.is_empty()
}

pub fn dpkg(bytes: &[u8]) -> bool {
    dpkg_index::parse(bytes).is_ok_and(|packages| relations(&packages, Scheme::Dpkg))
}

/// OpenWrt's `Packages`.
pub fn feed() -> Vec<Vec<u8>> {
    let package = Ipk::new("tool", "1.2-r3", "x86_64")
        .field("Depends", "libc, libubox20240329 (>= 1), kernel (=6.6.1~0123-r1)")
        .field("Provides", "other")
        .field("Conflicts", "third")
        .field("Alternatives", "200:/bin/x:/usr/bin/tool")
        .field("ABIVersion", "1");
    vec![opkgrepo::index(&[package, Ipk::new("b", "1", "all")]).into()]
}

pub fn opkg(bytes: &[u8]) -> bool {
    opkg_index::parse(bytes).is_ok_and(|packages| relations(&packages, Scheme::Opkg))
}

/// Alpine's `APKINDEX`: its text.
pub fn records() -> Vec<Vec<u8>> {
    let package = apkrepo::Package::new("tool", "1.2_rc1-r3")
        .info("size", "4096")
        .info("pkgdesc", "a tool")
        .info("license", "BSD-2-Clause")
        .info("origin", "tools")
        .info("builddate", "1700000000")
        .info("depend", "so:libc.musl-x86_64.so.1 !b c>=1 d~2 e@edge")
        .info("provides", "cmd:tool=1.2 so:x.so.1=1")
        .info("install_if", "a b=1")
        .info("provider_priority", "10");
    let other = apkrepo::Package::new("b", "1");
    vec![(package.record() + "\n" + &other.record() + "\n").into()]
}

/// As a text, within an index of its own, and as an index.
pub fn apk(bytes: &[u8]) -> bool {
    let text = apkindex::parse(bytes);
    let index = tar(&[Member::new("APKINDEX", EntryType::Regular, bytes)], true);
    let within = read_index(&gzip(&index));
    if let Ok(packages) = &text {
        assert_eq!(within.as_ref(), Some(packages), "the same text has the same packages");
        relations(packages, Scheme::Apk);
    }
    let whole = [bytes.to_vec(), gzip(bytes)].iter().any(|bytes| read_index(bytes).is_some());
    text.is_ok() || whole
}

/// The packages of an index that nobody signed.
fn read_index(bytes: &[u8]) -> Option<Vec<Package>> {
    let none = apk::signature::Trust { keyring: &apk::Keyring::default(), pinned: &[] };
    assert!(apk::index::read_signed("fuzz", bytes, &none).is_err(), "nobody has signed it");
    Some(apk::index::read_unsigned_records("fuzz", bytes).ok()?.unverified_packages)
}

/// Lists of files that nobody signed, of both kinds.
pub fn lists() -> Vec<Vec<u8>> {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let lines = format!("TIMESTAMP = 1775399824\nSHA256 (set/a-1-r0.apk) = {hash}\n");
    let objects = r#"[{"name":"a-1-r0.apk","type":"file","size":7,"sha":"0123"}]"#;
    vec![(lines + "SIZE (set/a-1-r0.apk) = 7\n").into(), objects.into()]
}

pub fn list(bytes: &[u8]) -> bool {
    let listing = Listing::parse("fuzz", bytes);
    for name in listing.iter().flat_map(|listing| listing.files.keys()) {
        assert!(!name.contains('/') && !name.starts_with('.'), "{name} is no name of a file");
    }
    listing.is_ok()
}

/// `Release` of Debian: its text.
pub fn releases() -> Vec<Vec<u8>> {
    let mut suite = debrepo::Suite::new(now(), []);
    suite.valid_until = Some(now());
    suite.fields = "NotAutomatic: yes\nButAutomaticUpgrades: yes\nDescription: x\n y\n".into();
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let file = |name: &str| format!(" {hash} 1234 main/binary-amd64/{name}\n");
    vec![suite.release(&(file("Packages") + &file("Packages.xz"))).into()]
}

/// Signs it with a key that is trusted, in both forms: what follows the check of the signature is reached so.
pub fn release() -> Run {
    let key = Key::generate(&Spec::ed25519(7, NOW));
    let keyring = deb::Keyring::parse("fuzz", &key.certificate()).unwrap_or_default();
    let pinned: Vec<_> = key.fingerprint().parse().into_iter().collect();
    assert_eq!(pinned.len(), 1, "the key has a fingerprint");
    Box::new(move |bytes| {
        let freshness = deb::release::Freshness::WaivedAllowingReplayOfOldPackages;
        let trust =
            deb::release::Trust { keyring: &keyring, pinned: &pinned, now: now(), freshness };
        let signatures = keys::detached(bytes, &[&key], NOW);
        let detached = deb::release::read_detached("fuzz", bytes, &signatures, &trust);
        let text = String::from_utf8_lossy(bytes);
        let signed = keys::clearsign(&text, &[&key], NOW, keys::HashAlgorithm::Sha512);
        let clear = deb::release::read_inrelease("fuzz", signed.as_bytes(), &trust);
        let other = deb::release::Trust { pinned: &[], ..trust };
        assert!(deb::release::read_inrelease("fuzz", signed.as_bytes(), &other).is_err());
        detached.is_ok() || clear.is_ok()
    })
}

/// OpenWrt's `sha256sums`.
pub fn sums() -> Vec<Vec<u8>> {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = format!("{hash} *profiles.json\n{hash} *packages/kernel_6.6.ipk\r\n{hash}  a b\n");
    vec![text.clone().into(), gzip(text.as_bytes())]
}

/// As a list of hashes and as an index, signed.
pub fn opkg_sums() -> Run {
    let signer = Signer::new(7);
    let mut keyring = opkg::Keyring::default();
    let added = keyring.add("fuzz", signer.public_key().as_bytes());
    assert!(added.is_ok(), "the key can be read");
    let pinned: Vec<_> = signer.fingerprint().parse().into_iter().collect();
    Box::new(move |bytes| {
        let trust = opkg::Trust { keyring: &keyring, pinned: &pinned };
        let mut text = Vec::new();
        let mut unpacked = flate2::read::MultiGzDecoder::new(bytes);
        let packed = bytes.starts_with(&[0x1f, 0x8b]) && unpacked.read_to_end(&mut text).is_ok();
        let signature = signer.sign(if packed { &text } else { bytes });
        let signature = Some(signature.as_bytes());
        assert!(opkg::read_sums("fuzz", bytes, None, &trust).is_err(), "it is not signed");
        let sums = opkg::read_sums("fuzz", bytes, signature, &trust).is_ok();
        sums | opkg::read_signed("fuzz", bytes, signature, &trust).is_ok()
    })
}

/// OpenWrt's `profiles.json`.
pub fn profiles() -> Vec<Vec<u8>> {
    let kernel = ("6.6.1".into(), "1".into(), "0123456789abcdef0123456789abcdef".into());
    vec![opkgrepo::profiles("24.10.0", "x86/64", "x86_64", &kernel)]
}

pub fn profile(bytes: &[u8]) -> bool {
    feeds::Target::parse("fuzz", bytes).is_ok()
}

pub fn dependencies() -> Vec<Vec<u8>> {
    let lines = [
        "a (>= 1:2.0~rc1-3), b:any | c (<< 2), d [amd64 !i386] <!nocheck>, e (= ${binary:Version})",
        "so:libc.musl-x86_64.so.1 !b c>=1 d~2.1 e@edge /bin/sh cmd:x=1.2-r0",
        "libc, libubox20240329 (>= 1), kernel (=6.6.1~0123456789abcdef0123456789abcdef-r1)",
    ];
    lines.map(|line| line.as_bytes().to_vec()).to_vec()
}

/// Of each ecosystem: a relation that was read is written so that it is read again.
pub fn dependency(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut any = false;
    for scheme in Scheme::ALL {
        for relation in parse_relations(scheme, &text).into_iter().flatten() {
            assert!(!relation.alternatives.is_empty() && !relation.to_string().is_empty());
            any = true;
        }
        any |= parse_provides(scheme, &text).is_ok();
    }
    any | parse_apk(&text, true).is_ok() | parse_apk(&text, false).is_ok()
}

/// Two versions, one to a line.
pub fn versions() -> Vec<Vec<u8>> {
    let pairs = [
        "1.2.3-r4\n1.2.3_rc1_p2-r4",
        "1:2.0~rc1+b1-3\n2.0-3.1~deb13u1",
        "2024.01.01~0123abcd-r1\n2023",
        "1.2a_alpha1_git20240101~abcdef-r0\n1.2b",
    ];
    pairs.map(|pair| pair.as_bytes().to_vec()).to_vec()
}

/// What is before has the other after it; nothing is before itself.
pub fn version(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut any = false;
    let (a, b) = text.split_once('\n').unwrap_or((&text, &text));
    for scheme in Scheme::ALL {
        let order = scheme.compare(a, b);
        assert_eq!(order.map(Ordering::reverse), scheme.compare(b, a), "{a:?} {b:?}");
        let same = scheme.compare(a, a);
        assert!(same.is_none_or(Ordering::is_eq), "{a:?} is not itself");
        if scheme.is_valid(a) && scheme.is_valid(b) {
            assert!(order.is_some(), "{scheme:?}: {a:?} {b:?}");
        }
        any |= order.is_some();
    }
    any
}
