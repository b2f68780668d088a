//! apk's signing keys: PEM files, fingerprints, key packages.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use proptest::prelude::*;
use wifibox_formats::apk::index::read_signed;
use wifibox_formats::apk::signature::Kind;
use wifibox_formats::apk::{Fingerprint, KeyError, Keyring, Trust};
use wifibox_formats::keys_of_package;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{OpenPackage as _, PackageFormat, PackageReader, PublicKey as _};
use wifibox_packages::Readers;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Package, Repository};

fn opened(package: Vec<u8>) -> Box<dyn PackageReader> {
    let input = Box::new(Cursor::new(package));
    Readers.open(PackageFormat::Apk, "alpine-keys", input, OpenOptions::default()).unwrap()
}

fn alice() -> SigningKey {
    SigningKey::generate("alice@example.org-1.rsa.pub", 1)
}

fn bob() -> SigningKey {
    SigningKey::generate("bob@example.org-2.rsa.pub", 2)
}

#[test]
fn keys_are_read_and_named_by_their_fingerprints() {
    let key = alice();
    let keyring = key.keyring();
    let public = keyring.keys().next().unwrap();
    assert_eq!(
        (public.name(), public.fingerprint(), public.bits()),
        (&*key.name, key.fingerprint(), 2048)
    );
    assert_eq!(Keyring::parse_pem(&key.name, key.pkcs1_pem().as_bytes()), Ok(keyring.clone()));
    let windows = key.pem().replace('\n', "\r\n");
    assert_eq!(Keyring::parse_pem(&key.name, windows.as_bytes()), Ok(keyring.clone()));
    let weak = SigningKey::with_bits("old.rsa.pub", 3, 1024);
    assert_eq!(weak.keyring().named("old.rsa.pub").next().unwrap().bits(), 1024);
    let index = Repository::new([]).signed(Kind::Rsa, &weak).index();
    let (keyring, pinned) = (weak.keyring(), [weak.fingerprint()]);
    assert!(read_signed("x", &index, &Trust { keyring: &keyring, pinned: &pinned }).is_ok());
    let weaker = SigningKey::with_bits("x", 4, 1016).pem();
    let error = Keyring::parse_pem("x", weaker.as_bytes()).unwrap_err();
    assert_eq!(error, KeyError::Size { name: "x".into(), bits: 1016 });
    let text = key.fingerprint().to_string();
    assert_eq!(text.to_ascii_uppercase().parse(), Ok(key.fingerprint()));
    assert!(text[1..].parse::<Fingerprint>().unwrap_err().to_string().contains("openssl pkey"));
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";
    let error = Keyring::parse_pem("ed", ed25519.as_bytes()).unwrap_err();
    assert_eq!(error, KeyError::NotRsa { name: "ed".into() });
    for bad in [
        "",
        "nothing",
        &key.pem()[..100],
        &key.pem().replace("PUBLIC", "PRIVATE"),
        &key.pem().replace("MII", "MIJ"),
    ] {
        let error = Keyring::parse_pem("k", bad.as_bytes()).unwrap_err();
        assert!(matches!(error, KeyError::NotAKey { .. }), "{bad}: {error}");
    }
}

#[test]
fn keys_come_in_a_package() {
    let (a, b) = (alice(), bob());
    let path = |folder: &str, key: &SigningKey| format!("{folder}/{}", key.name);
    let package = Package::new("alpine-keys", "2.5-r0")
        .file(&path("etc/apk/keys", &a), 0o644, a.pem())
        .file(&path("usr/share/apk/keys", &b), 0o644, b.pem())
        .symlink(&path("usr/share/apk/keys/x86_64", &b), &format!("../{}", b.name))
        .file("etc/apk/keys/README", 0o644, "no key")
        .file("etc/elsewhere.rsa.pub", 0o644, "no key");
    let read = |package: &Package| keys_of_package("alpine-keys", opened(package.build()));
    let keyring = read(&package).unwrap();
    let found: Vec<_> =
        keyring.keys().map(|key| (key.name().to_owned(), key.fingerprint())).collect();
    assert_eq!(found, [(a.name.clone(), a.fingerprint()), (b.name.clone(), b.fingerprint())]);
    assert_eq!(keyring.pinned(&[b.fingerprint()]), b.keyring());
    let damaged = package.clone().file("etc/apk/keys/x.rsa.pub", 0o644, &a.pem()[..200]);
    assert!(read(&damaged).unwrap_err().to_string().contains("x.rsa.pub is not a public key"));
    let none = read(&Package::new("alpine-keys", "1")).unwrap_err();
    assert!(none.to_string().contains("holds no key"), "{none}");
}

#[test]
fn a_key_package_holds_no_more_than_a_keyring_may() {
    let read = |package: Package| keys_of_package("alpine-keys", opened(package.build()));
    let pem = alice().pem();
    let with = |package: Package, number: usize| {
        package.file(&format!("etc/apk/keys/{number}.rsa.pub"), 0o644, pem.as_str())
    };
    let many = (0..4096).fold(Package::new("alpine-keys", "1"), with);
    assert_eq!(read(many.clone()).unwrap().keys().len(), 4096);
    let error = read(with(many, 4096)).unwrap_err();
    assert!(error.to_string().contains("it holds more than 4096 keys"), "{error}");
    // What is cut off at the limit would be a key.
    let padded = |size: usize| {
        let text = format!("{pem}{}", "\n".repeat(size - pem.len()));
        read(Package::new("alpine-keys", "1").file("etc/apk/keys/a.rsa.pub", 0o644, text))
    };
    assert_eq!(padded(64 << 10).unwrap().keys().len(), 1);
    let error = padded((64 << 10) + 1).unwrap_err();
    assert!(error.to_string().contains("it is too large"), "{error}");
}

proptest! {
    #[test]
    fn changed_keys_are_read_or_refused(
        at in any::<prop::sample::Index>(), put in prop::collection::vec(any::<u8>(), 0..3), bytes in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        let mut pem = alice().pem().into_bytes();
        let at = at.index(pem.len());
        pem.splice(at..at + 1, put);
        let _ = (Keyring::parse_pem("x", &pem), Keyring::parse_pem("x", &bytes));
    }
}
