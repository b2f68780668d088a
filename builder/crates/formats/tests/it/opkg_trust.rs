//! Who is believed: usign keys and signatures of OpenWrt's feeds, good, foreign, wrong and damaged.

#![allow(clippy::unwrap_used)]

use std::fs;

use proptest::prelude::*;
use wifibox_formats::PublicKey as _;
use wifibox_formats::opkg::feeds::{Build, FEEDS, Packing, Target, plans};
use wifibox_formats::opkg::usign::{Malformed, PublicKey, SIZE_LIMIT, Signature};
use wifibox_formats::opkg::{FeedError, Fingerprint, Keyring, SignatureError, Trust};
use wifibox_formats::opkg::{kernel, read_signed, read_sums};
use wifibox_formats::{Package, Verified};
use wifibox_ground::codec::Compression;
use wifibox_ground::digest::Sha256;
use wifibox_ground::version::Scheme;
use wifibox_testkit::debrepo::pack;
use wifibox_testkit::opkgrepo::{Ipk, Release, Signer, index};

fn text() -> String {
    let hostapd =
        Ipk::new("hostapd", "2023-09-08-1", "x86_64").field("Depends", "libc, libnl-tiny1");
    index(&[hostapd, Ipk::new("libnl-tiny1", "2023-07-27-1", "x86_64").field("ABIVersion", "1")])
}

fn keyring(keys: &[&Signer]) -> Keyring {
    let mut keyring = Keyring::default();
    for key in keys {
        keyring.add(&key.id(), key.public_key().as_bytes()).unwrap();
    }
    keyring
}

fn pins(keys: &[&Signer]) -> Vec<Fingerprint> {
    keys.iter().map(|key| key.fingerprint().parse().unwrap()).collect()
}

/// Reads an index with the keys of `ring`, those of `pinned` trusted.
fn read(
    packages: &[u8],
    signature: Option<&str>,
    ring: &[&Signer],
    pinned: &[&Signer],
) -> Result<Verified<Vec<Package>>, FeedError> {
    let (keyring, pinned) = (keyring(ring), pins(pinned));
    let trust = Trust { keyring: &keyring, pinned: &pinned };
    read_signed("Packages", packages, signature.map(str::as_bytes), &trust)
}

fn refused(
    packages: &[u8],
    signature: Option<&str>,
    ring: &[&Signer],
    pinned: &[&Signer],
) -> SignatureError {
    match read(packages, signature, ring, pinned) {
        Err(FeedError::Signature(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_signature_is_believed_whatever_the_index_is_packed_in() {
    let (ours, other) = (Signer::new(1), Signer::new(2));
    let signature = ours.sign(text().as_bytes());
    for compression in [Compression::None, Compression::Gzip] {
        let packed = pack(compression, text().as_bytes());
        let packages = read(&packed, Some(&signature), &[&other, &ours], &[&ours]).unwrap();
        assert_eq!(packages.len(), 2);
        assert_eq!(packages[0].depends, "libc, libnl-tiny1");
        assert_eq!(packages.signers(), [ours.fingerprint()]);
    }
    // A feed without packages is one line feed.
    let empty = read(b"\n", Some(&ours.sign(b"\n")), &[&ours], &[&ours]).unwrap();
    assert!(empty.is_empty());
}

#[test]
fn no_signature_is_told_apart() {
    let ours = Signer::new(1);
    let error = refused(text().as_bytes(), None, &[&ours], &[&ours]);
    assert!(matches!(error, SignatureError::Unsigned { .. }), "{error}");
    assert!(error.to_string().contains("Packages.sig"), "{error}");
}

#[test]
fn unknown_and_absent_keys_are_named() {
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let signature = theirs.sign(text().as_bytes());
    // In the keyring, but not pinned.
    let error = refused(text().as_bytes(), Some(&signature), &[&ours, &theirs], &[&ours]);
    let message = error.to_string();
    assert!(matches!(error, SignatureError::UnknownKey { .. }), "{message}");
    assert!(message.contains(&theirs.id()) && message.contains(&ours.fingerprint()), "{message}");
    // Pinned, but not in the keyring.
    let error = refused(text().as_bytes(), Some(&signature), &[&ours], &[&theirs]);
    assert!(matches!(error, SignatureError::NoPinnedKey { .. }), "{error}");
    let error = refused(text().as_bytes(), Some(&signature), &[&theirs], &[]);
    assert!(matches!(error, SignatureError::NoPinnedKey { .. }), "{error}");
}

#[test]
fn a_key_that_takes_the_id_of_another_is_not_believed() {
    let ours = Signer::new(1);
    let forger = Signer::new(2).called(ours.id);
    let signature = forger.sign(text().as_bytes());
    let error = refused(text().as_bytes(), Some(&signature), &[&ours], &[&ours]);
    assert!(
        matches!(&error, SignatureError::BadSignature { key, .. }
        if key.to_string() == ours.fingerprint()),
        "{error}"
    );
    // Even when the forger's key is in the keyring under the same id: pins are of keys, not of ids.
    let error = refused(text().as_bytes(), Some(&signature), &[&forger, &ours], &[&ours]);
    assert!(matches!(error, SignatureError::BadSignature { .. }), "{error}");
    // Two pinned keys of one id: each is tried.
    assert!(
        read(text().as_bytes(), Some(&signature), &[&ours, &forger], &[&ours, &forger]).is_ok()
    );
}

#[test]
fn every_change_of_the_index_is_noticed() {
    let ours = Signer::new(1);
    let (text, signature) = (text(), ours.sign(text().as_bytes()));
    let cut = &text[..text.len() - 1];
    for changed in
        [text.replace("x86_64", "x86_65"), format!("{text}\n"), cut.into(), String::new()]
    {
        let error = refused(changed.as_bytes(), Some(&signature), &[&ours], &[&ours]);
        assert!(matches!(error, SignatureError::BadSignature { .. }), "{error}");
    }
    let packed = pack(Compression::Gzip, text.as_bytes());
    for cut in [3, 11, packed.len() / 2, packed.len() - 1] {
        let error = read(&packed[..cut], Some(&signature), &[&ours], &[&ours]).unwrap_err();
        assert!(matches!(error, FeedError::Unpack { .. }), "{error}");
    }
}

#[test]
fn damaged_and_cut_signatures_are_told_apart() {
    let ours = Signer::new(1);
    let (text, good) = (text(), ours.sign(text().as_bytes()));
    let line = good.lines().nth(1).unwrap().to_owned();
    let comment = "untrusted comment: x";
    let malformed =
        |signature: &str| match refused(text.as_bytes(), Some(signature), &[&ours], &[&ours]) {
            SignatureError::Malformed { why, .. } => why,
            other => panic!("{other}"),
        };
    assert_eq!(malformed(""), Malformed::Empty);
    assert_eq!(malformed("<html>404</html>"), Malformed::NoComment);
    assert_eq!(malformed(comment), Malformed::NoData);
    assert_eq!(malformed(&format!("{comment}\n\n")), Malformed::NoData);
    assert_eq!(malformed(&format!("{good}more\n")), Malformed::TrailingData);
    let filled = |size| format!("{good}{}", "\n".repeat(size - good.len()));
    read(text.as_bytes(), Some(&filled(SIZE_LIMIT)), &[&ours], &[&ours]).unwrap();
    assert_eq!(malformed(&filled(SIZE_LIMIT + 1)), Malformed::TooLarge);
    assert!(matches!(malformed(&format!("{comment}\n{}", &line[..41])), Malformed::NotBase64(_)));
    let cut = malformed(&format!("{comment}\n{}", &line[..40]));
    assert_eq!(cut, Malformed::Length { what: "signature", found: 30, wanted: 74 });
    let key = malformed(&ours.public_key());
    assert_eq!(key, Malformed::Length { what: "signature", found: 42, wanted: 74 });
    let other = line.replacen("RW", "Rm", 1);
    assert!(matches!(malformed(&format!("{comment}\n{other}\n")), Malformed::Algorithm(_)));
    // One digit of the signature itself changed.
    let at = good.len() - 20;
    let digit = if &good[at..=at] == "A" { "B" } else { "A" };
    let damaged = format!("{}{digit}{}", &good[..at], &good[at + 1..]);
    let error = refused(text.as_bytes(), Some(&damaged), &[&ours], &[&ours]);
    assert!(matches!(error, SignatureError::BadSignature { .. }), "{error}");
    // What transport does to text is no damage.
    for same in [good.trim_end().to_owned(), good.replace('\n', "\r\n")] {
        read(text.as_bytes(), Some(&same), &[&ours], &[&ours]).unwrap();
    }
}

#[test]
fn keys_are_read_from_files_and_lines_and_pinned_by_their_digest() {
    let ours = Signer::new(1);
    let key = PublicKey::parse(ours.public_key().as_bytes()).unwrap();
    assert_eq!(PublicKey::parse(ours.public_line().as_bytes()), Ok(key.clone()));
    assert_eq!((key.id().to_string(), format!("{:?}", key.id())), (ours.id(), ours.id()));
    assert_eq!(PublicKey::parse(b" \n"), Err(Malformed::Empty));
    let filled = |size| format!("{}{}", ours.public_line(), " ".repeat(size)).into_bytes();
    assert_eq!(PublicKey::parse(&filled(SIZE_LIMIT)[..SIZE_LIMIT]), Ok(key.clone()));
    assert_eq!(PublicKey::parse(&filled(SIZE_LIMIT)[..=SIZE_LIMIT]), Err(Malformed::TooLarge));
    assert_eq!(key.fingerprint().to_string(), ours.fingerprint());
    for short in [&ours.id(), "", "d9783d2fd06b2ff9"] {
        assert!(short.parse::<Fingerprint>().is_err());
    }
    let error = Keyring::default().add("key.pub", b"untrusted comment: x\nAAAA\n").unwrap_err();
    assert!(error.to_string().starts_with("key.pub is not a public key of OpenWrt"), "{error}");
    let mut twice = keyring(&[&ours, &ours]);
    twice.add("again", ours.public_line().as_bytes()).unwrap();
    assert_eq!(twice.keys().len(), 1);
}

#[test]
fn signed_text_that_is_no_index_is_refused() {
    let ours = Signer::new(1);
    let bad = "Package: a\nVersion: 1\nSize: big\n";
    let error = read(bad.as_bytes(), Some(&ours.sign(bad.as_bytes())), &[&ours], &[&ours]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("Packages: package index, line 1 (package a)"), "{error}");
}

#[test]
fn a_release_is_read_from_a_mirror() {
    let (folder, ours) = (tempfile::tempdir().unwrap(), Signer::new(7));
    let mut release = Release::new();
    let depends = format!("kernel (={})", release.kernel_version());
    release = release
        .with(
            "kmods",
            [Ipk::new("kmod-mac80211", "5.15.137-1", "x86_64").field("Depends", &depends)],
        )
        .with("base", [Ipk::new("hostapd", "1", "x86_64"), Ipk::new("iw", "1", "x86_64")]);
    release.unlisted.push(Ipk::new("libc", "1.2.4-4", "x86_64"));
    release.publish(folder.path(), &ours);
    let build = Build {
        release: "23.05.2".into(),
        folder: "releases/23.05.2".into(),
        packing: Packing::Opkg,
        target: "x86/64".into(),
        architecture: "x86_64".into(),
    };
    let (ring, pinned) = (keyring(&[&ours]), pins(&[&ours]));
    let trust = Trust { keyring: &ring, pinned: &pinned };
    let target = folder.path().join(build.target_folder());
    let file = |name: &str| fs::read(target.join(name)).unwrap();
    let sums = read_sums("sha256sums", &file("sha256sums"), Some(&file("sha256sums.sig")), &trust)
        .unwrap();
    assert_eq!(sums["profiles.json"], Sha256::of(&file("profiles.json")));
    assert!(sums.contains_key("packages/libc_1.2.4-4_x86_64.ipk"));
    let profiles = Target::parse("profiles.json", &file("profiles.json")).unwrap();
    profiles.check("profiles.json", &build).unwrap();
    let mut kernels = vec![("the kernel image".to_owned(), profiles.kernel.clone().unwrap())];
    let mut names = Vec::new();
    for plan in plans(&build, profiles.kernel.as_ref(), &FEEDS, &[]).unwrap() {
        let read = |name: &str| fs::read(folder.path().join(&plan.folder).join(name)).unwrap();
        let index = read_signed(
            &plan.index.name,
            &read("Packages.gz"),
            Some(&read("Packages.sig")),
            &trust,
        )
        .unwrap();
        if let Some(kernel) = kernel::of_feed(&plan.feed, Scheme::Opkg, &index).unwrap() {
            kernels.push((format!("feed {}", plan.feed), kernel));
        }
        names.extend(index.iter().map(|package| package.name.clone()));
    }
    assert_eq!(names, ["kmod-mac80211", "hostapd", "iw"]);
    assert_eq!(kernel::agree(&kernels), Ok(profiles.kernel));
    let bad = format!("{}\nnonsense\n", String::from_utf8(file("sha256sums")).unwrap());
    let error =
        read_sums("sha256sums", bad.as_bytes(), Some(ours.sign(bad.as_bytes()).as_bytes()), &trust);
    assert!(matches!(error, Err(FeedError::Sums { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0usize..160,
    ) {
        let ours = Signer::new(1);
        let _ = Signature::parse(&bytes);
        let _ = PublicKey::parse(&bytes);
        let good = ours.sign(b"text").into_bytes();
        let at = at.min(good.len());
        let damaged = [&good[..at], &bytes[..], &good[at..]].concat();
        let ring = keyring(&[&ours]);
        let pinned = pins(&[&ours]);
        let trust = Trust { keyring: &ring, pinned: &pinned };
        for (index, signature) in [(&b"other"[..], &damaged[..]), (&bytes[..], &good[..])] {
            if index != b"text" {
                prop_assert!(read_signed("Packages", index, Some(signature), &trust).is_err());
            }
        }
    }
}
