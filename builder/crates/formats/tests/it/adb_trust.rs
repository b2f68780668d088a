//! Trust in apk v3: what is accepted, what is refused, and what is said about it.

use std::io::Cursor;

use sha2::Digest as _;
use wifibox_formats::Verified;
use wifibox_formats::adb::{
    AdbError, AdbLimits, Fingerprint, Index, IndexReadError, Keyring, SignatureError,
    SignatureState,
};
use wifibox_packages::Apk3;
use wifibox_testkit::adbkeys::Signer;
use wifibox_testkit::adbwriter::{
    ADB, PACKINGS, Packing, SIG, V, block, index, info, long_block, pack, payload, plain,
};

const INDEX: &[u8; 4] = b"indx";

fn feed() -> Vec<u8> {
    let mut hostapd = info("hostapd", "2.11-r0");
    hostapd.insert(3, V::Blob((0..32).collect()));
    payload(&index(vec![V::Object(hostapd)]))
}

fn signed_by(signers: &[&Signer]) -> Vec<u8> {
    let mut blocks = vec![block(ADB, &feed())];
    blocks.extend(signers.iter().map(|signer| signer.sign(INDEX, &feed())));
    plain(INDEX, &blocks)
}

fn read(
    bytes: &[u8],
    keyring: &Keyring,
    pinned: &[Fingerprint],
) -> Result<Verified<Index>, IndexReadError> {
    Index::read("packages.adb", Cursor::new(bytes), &AdbLimits::default(), keyring, pinned)
}

fn trust(bytes: &[u8], signer: &Signer) -> Result<Verified<Index>, IndexReadError> {
    read(bytes, &signer.keyring(), &[signer.fingerprint()])
}

fn refusal(result: Result<Verified<Index>, IndexReadError>) -> SignatureError {
    match result {
        Err(IndexReadError::Signature(error)) => error,
        other => panic!("a refused signature is expected, not {other:?}"),
    }
}

#[test]
fn good_signatures_of_both_kinds_are_accepted_in_every_packing() {
    for signer in [Signer::ec(1), Signer::rsa(1, 2048)] {
        let keyring = signer.keyring();
        assert_eq!(keyring.keys().next().expect("a key").id(), signer.key_id());
        for packing in PACKINGS {
            let index = trust(&pack(packing, &signed_by(&[&signer])), &signer).expect("trusted");
            assert_eq!(index.signers(), [signer.fingerprint().to_string()]);
            assert_eq!(index.packages().next().expect("a package").full_name(), "hostapd-2.11-r0");
        }
    }
}

#[test]
fn an_index_may_be_empty_but_not_unsigned() {
    let signer = Signer::ec(1);
    // As `apk mkndx` writes it.
    let nothing = payload(&V::Null);
    let blocks = [block(ADB, &nothing), signer.sign(INDEX, &nothing)];
    let index = trust(&plain(INDEX, &blocks), &signer).expect("trusted");
    assert_eq!(index.packages().count(), 0);
    assert!(trust(&plain(INDEX, &blocks), &Signer::ec(2)).is_err());
    assert!(trust(&plain(INDEX, &blocks[..1]), &signer).is_err());
    let wrong = payload(&V::Int(1));
    let blocks = [block(ADB, &wrong), signer.sign(INDEX, &wrong)];
    assert!(matches!(trust(&plain(INDEX, &blocks), &signer), Err(IndexReadError::Adb(_))));
    let no_package = plain(b"pckg", &[block(ADB, &nothing)]);
    assert!(Apk3::open("a", Cursor::new(no_package), AdbLimits::default()).is_err());
}

#[test]
fn both_digests_of_the_payload_and_long_blocks_are_accepted() {
    let signer = Signer::ec(1);
    for digest in [3, 4] {
        let signature = signer.signature(INDEX, digest, &feed());
        let blocks = [long_block(ADB, &feed()), long_block(SIG, &signature)];
        trust(&plain(INDEX, &blocks), &signer).expect("trusted");
    }
    // SHA-1, and SHA-256 cut to 160 bits.
    for digest in [2, 5] {
        let signature = signer.signature(INDEX, digest, &feed());
        let bytes = plain(INDEX, &[block(ADB, &feed()), block(SIG, &signature)]);
        let error = refusal(trust(&bytes, &signer));
        assert!(matches!(error, SignatureError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains(&format!("digest of type {digest}")), "{error}");
    }
}

#[test]
fn one_good_signature_is_enough() {
    let (old, new, rsa) = (Signer::ec(1), Signer::ec(2), Signer::rsa(3, 2048));
    let bytes = signed_by(&[&old, &rsa, &new]);
    for signer in [&old, &new, &rsa] {
        let index = trust(&bytes, signer).expect("trusted");
        assert_eq!(index.signers(), [signer.fingerprint().to_string()]);
    }
    let mut keyring = old.keyring();
    keyring.extend(new.keyring());
    keyring.extend(old.keyring());
    assert_eq!(keyring.keys().count(), 2);
    let both = read(&bytes, &keyring, &[new.fingerprint(), old.fingerprint()]).expect("trusted");
    assert_eq!(both.signers().len(), 2);
    // A bad signature by one pinned key does not take anything from a good one by another.
    let blocks =
        [block(ADB, &feed()), old.sign(INDEX, b"something else"), new.sign(INDEX, &feed())];
    let index = read(&plain(INDEX, &blocks), &keyring, &[old.fingerprint(), new.fingerprint()]);
    assert_eq!(index.expect("trusted").signers(), [new.fingerprint().to_string()]);
}

#[test]
fn refusals_are_told_apart() {
    let (signer, other) = (Signer::ec(1), Signer::rsa(2, 2048));
    let error = refusal(trust(&signed_by(&[]), &signer));
    assert!(matches!(error, SignatureError::Unsigned { .. }), "{error}");

    let error = refusal(trust(&signed_by(&[&other]), &signer));
    assert!(error.to_string().contains(&other.key_id().to_string()), "{error}");
    assert!(matches!(error, SignatureError::UnknownKey { .. }), "{error}");

    let mut both = signer.keyring();
    both.extend(other.keyring());
    let error = refusal(read(&signed_by(&[&other]), &both, &[signer.fingerprint()]));
    let SignatureError::NotPinned { keys, wanted, .. } = &error else { panic!("{error}") };
    assert_eq!((&keys[..], &wanted[..]), (&[other.fingerprint()][..], &[signer.fingerprint()][..]));

    let error = refusal(read(&signed_by(&[&other]), &other.keyring(), &[signer.fingerprint()]));
    assert!(matches!(error, SignatureError::NoPinnedKey { .. }), "{error}");

    for signer in [&signer, &other] {
        let blocks = [block(ADB, &feed()), signer.sign(INDEX, b"something else")];
        let error = refusal(trust(&plain(INDEX, &blocks), signer));
        assert!(matches!(error, SignatureError::Bad { .. }), "{error}");
        // Signed as a package, used as an index.
        let blocks = [block(ADB, &feed()), signer.sign(b"pckg", &feed())];
        let error = refusal(trust(&plain(INDEX, &blocks), signer));
        assert!(matches!(error, SignatureError::Bad { .. }), "{error}");
    }

    // A signature by one key under the id of another.
    let mut stolen = Signer::ec(9).signature(INDEX, 4, &feed());
    stolen[2..18].copy_from_slice(&signer.id);
    let blocks = [block(ADB, &feed()), block(SIG, &stolen)];
    let error = refusal(trust(&plain(INDEX, &blocks), &signer));
    assert!(matches!(error, SignatureError::Bad { .. }), "{error}");

    for (signature, why) in [(&[0; 17][..], "cut off"), (&[1; 90], "version 1"), (b"", "cut off")] {
        let blocks = [block(ADB, &feed()), block(SIG, signature)];
        let error = refusal(trust(&plain(INDEX, &blocks), &signer));
        assert!(matches!(error, SignatureError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn no_byte_can_be_changed() {
    for signer in [Signer::ec(1), Signer::rsa(1, 2048)] {
        let good = signed_by(&[&signer]);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            assert!(trust(&bytes, &signer).is_err(), "byte {at} was changed");
        }
    }
}

#[test]
fn no_cut_is_accepted_and_nothing_may_follow() {
    let signer = Signer::ec(1);
    for packing in PACKINGS {
        let good = pack(packing, &signed_by(&[&signer]));
        for cut in 0..good.len() {
            assert!(trust(&good[..cut], &signer).is_err(), "{packing:?} cut at {cut}");
        }
        for tail in [&b"\0"[..], b"more of it", b"\0\0\0\0\0\0\0\0"] {
            let longer = [&good, tail].concat();
            assert!(trust(&longer, &signer).is_err(), "{packing:?} and {tail:?}");
        }
    }
}

#[test]
fn packages_need_no_signature_but_say_what_they_have() {
    let signer = Signer::ec(1);
    let (root, data) = wifibox_testkit::adbwriter::sample_package();
    let payload = payload(&root);
    let state = |signatures: Vec<Vec<u8>>, keyring: &Keyring, pinned: &[Fingerprint]| {
        let blocks = [vec![block(ADB, &payload)], signatures, data.clone()].concat();
        let bytes = plain(b"pckg", &blocks);
        let package = Apk3::open("sample.apk", Cursor::new(bytes), AdbLimits::default());
        package.expect("a package").signature_state(keyring, pinned)
    };
    let (keyring, pinned) = (signer.keyring(), [signer.fingerprint()]);
    assert_eq!(state(vec![], &keyring, &pinned), SignatureState::Unsigned);
    let good = signer.sign(b"pckg", &payload);
    assert_eq!(
        state(vec![good.clone()], &keyring, &pinned),
        SignatureState::Good { signers: pinned.to_vec() }
    );
    assert_eq!(
        state(vec![good.clone()], &keyring, &[]),
        SignatureState::NotPinned { keys: pinned.to_vec() }
    );
    let unknown = SignatureState::UnknownKey { ids: vec![signer.key_id()] };
    assert_eq!(state(vec![good], &Keyring::default(), &pinned), unknown);
    let bad = SignatureState::Bad { keys: pinned.to_vec() };
    assert_eq!(state(vec![signer.sign(b"pckg", b"other")], &keyring, &pinned), bad);
}

/// OpenWrt signs its index only: a package is trusted by the hash that the index has of it.
#[test]
fn trap_8_unsigned_packages_are_trusted_by_the_signed_index() {
    let signer = Signer::ec(1);
    let (root, data) = wifibox_testkit::adbwriter::sample_package();
    let package =
        |payload: &[u8]| plain(b"pckg", &[vec![block(ADB, payload)], data.clone()].concat());
    let mut listed = info("sample", "1.2-r3");
    listed.insert(3, V::Blob(sha2::Sha256::digest(payload(&root)).to_vec()));
    let feed = payload(&index(vec![V::Object(listed)]));
    let blocks = [block(ADB, &feed), signer.sign(INDEX, &feed)];
    let index = trust(&plain(INDEX, &blocks), &signer).expect("trusted");
    let record = index.packages().next().expect("a package");
    let expected = record.identity.as_ref().expect("a hash");
    let open = |bytes: Vec<u8>| {
        Apk3::open_expected("sample.apk", Cursor::new(bytes), AdbLimits::default(), expected)
    };
    let good = open(package(&payload(&root))).expect("the package of the index");
    assert_eq!(
        good.signature_state(&signer.keyring(), &[signer.fingerprint()]),
        SignatureState::Unsigned
    );
    // One that is signed well, but is not the one of the index, is refused.
    let mut other = info("sample", "1.2-r3");
    other.insert(4, wifibox_testkit::adbwriter::text("something else"));
    let other = payload(&wifibox_testkit::adbwriter::object([(1, V::Object(other))]));
    let signed = [block(ADB, &other), signer.sign(b"pckg", &other)];
    let error = open(plain(b"pckg", &signed)).err().expect("refused");
    assert!(matches!(error, AdbError::WrongPackage { .. }), "{error}");
}

#[test]
fn weak_keys_are_refused() {
    let weak = Signer::rsa(1, 1024);
    let error = Keyring::parse("weak.pem", weak.pem.as_bytes()).expect_err("refused");
    assert!(error.to_string().contains("RSA key of 1024 bits"), "{error}");
}

#[test]
fn what_is_no_index_is_told() {
    let signer = Signer::ec(1);
    let format = |bytes: &[u8]| match trust(bytes, &signer) {
        Err(IndexReadError::Adb(
            AdbError::Format { why, .. }
            | AdbError::Foreign { why, .. }
            | AdbError::Unsupported { why, .. },
        )) => why,
        other => panic!("an unknown format is expected, not {other:?}"),
    };
    assert!(format(b"\x1f\x8b\x08\x00aaaaaaaa").contains("apk v2"));
    assert!(format(b"<!DOCTYPE html>").contains("does not begin"));
    assert!(format(b"ADBc\x07\x00abc").contains("unknown algorithm 7"));
    assert!(format(&pack(Packing::Deflate, b"<html></html>")).contains("\"ADB.\""));
    let package = plain(b"pckg", &[block(ADB, &feed())]);
    assert!(format(&package).contains("it is a package; a package index is expected"));
    assert!(format(&plain(INDEX, &[block(SIG, b"")])).contains("not metadata"));
    assert!(format(&plain(INDEX, &[block(ADB, &feed()), block(ADB, &feed())])).contains("twice"));
    let newer = [&[1], &feed()[1..]].concat();
    assert!(format(&plain(INDEX, &[block(ADB, &newer)])).contains("version 1"));
    let data = [block(ADB, &feed()), block(2, b"12345678")];
    assert!(format(&plain(INDEX, &data)).contains("data blocks"));
}
