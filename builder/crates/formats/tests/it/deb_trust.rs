//! Who is believed: signatures, keys and dates of Release files, as archives really sign them.

#![allow(clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SignatureType;
use proptest::prelude::*;
use wifibox_formats::deb::release::{Freshness, Trust, read_detached, read_inrelease};
use wifibox_formats::deb::{Fingerprint, Keyring, Release, ReleaseError, SignatureError};
use wifibox_formats::{PublicKey as _, Verified};
use wifibox_testkit::debrepo::Suite;
use wifibox_testkit::keys::{Key, Spec, Subkey, clearsign, detached};

const DAY: i64 = 24 * 60 * 60;

fn date() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn at(days: i64) -> Timestamp {
    date().checked_add(SignedDuration::from_secs(days * DAY)).unwrap()
}

/// The time of the suite, as OpenPGP counts it.
pub(crate) fn made() -> u32 {
    u32::try_from(date().as_second()).unwrap()
}

/// When keys were made: a year before.
pub(crate) fn born() -> u32 {
    made() - 365 * 86_400
}

pub(crate) fn ed25519(seed: u64) -> Key {
    Key::generate(&Spec::ed25519(seed, born()))
}

pub(crate) fn text() -> String {
    Suite::new(date(), []).release(&format!(" {} 1 main/binary-amd64/Packages\n", "0".repeat(64)))
}

fn keyring(keys: &[&Key]) -> Keyring {
    let bytes: Vec<u8> = keys.iter().flat_map(|key| key.certificate()).collect();
    Keyring::parse("keyring", &bytes).unwrap()
}

pub(crate) fn pins(keys: &[&Key]) -> Vec<Fingerprint> {
    keys.iter().map(|key| key.fingerprint().parse().unwrap()).collect()
}

/// Reads `signed` with the keys of `ring`, those of `pinned` trusted, `days` after its date.
pub(crate) fn read_at(
    signed: &str,
    ring: &[&Key],
    pinned: &[&Key],
    days: i64,
) -> Result<Verified<Release>, ReleaseError> {
    let (keyring, pinned) = (keyring(ring), pins(pinned));
    let trust =
        Trust { keyring: &keyring, pinned: &pinned, now: at(days), freshness: Freshness::Required };
    read_inrelease("InRelease", signed.as_bytes(), &trust)
}

pub(crate) fn refused(signed: &str, ring: &[&Key], pinned: &[&Key]) -> SignatureError {
    match read_at(signed, ring, pinned, 1) {
        Err(ReleaseError::Signature(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn sign(keys: &[&Key]) -> String {
    clearsign(&text(), keys, made(), HashAlgorithm::Sha512)
}

#[test]
fn keys_of_all_usual_kinds_are_believed() {
    let specs = [
        Spec::ed25519(1, born()),
        Spec::rsa(2, born()),
        Spec { subkey: Subkey::Signing, ..Spec::rsa(3, born()) },
        // The primary key only certifies; its subkey signs.
        Spec { subkey: Subkey::Signing, may_sign: false, ..Spec::ed25519(4, born()) },
        Spec { lifetime: Some(3 * 365 * 86_400), ..Spec::ed25519(5, born()) },
    ];
    for spec in specs {
        let key = Key::generate(&spec);
        let release = read_at(&sign(&[&key]), &[&key], &[&key], 1).unwrap();
        assert_eq!(release.codename.as_deref(), Some("trixie"), "seed {}", spec.seed);
        assert_eq!(release.signers(), [key.fingerprint()]);
    }
}

#[test]
fn one_pinned_key_among_several_signatures_is_enough() {
    let (ours, theirs, other) = (ed25519(1), Key::generate(&Spec::rsa(2, born())), ed25519(3));
    let signed = sign(&[&theirs, &ours, &other]);
    let all = [&ours, &theirs, &other];
    for pinned in all {
        let release = read_at(&signed, &all, &[pinned], 1).unwrap();
        assert_eq!(release.signers(), [pinned.fingerprint()]);
        read_at(&signed, &[pinned], &[pinned], 1).unwrap();
    }
    assert_eq!(read_at(&signed, &all, &all, 1).unwrap().signers().len(), 3);
}

#[test]
fn unknown_and_absent_keys_are_named() {
    let (ours, theirs) = (ed25519(1), ed25519(2));
    let signed = sign(&[&theirs]);
    // In the keyring, but not pinned.
    let error = refused(&signed, &[&ours, &theirs], &[&ours]);
    let SignatureError::UnknownKey { issuers, wanted, .. } = &error else { panic!("{error}") };
    assert_eq!((issuers, wanted), (&vec![theirs.fingerprint()], &pins(&[&ours])));
    assert!(error.to_string().contains(&theirs.fingerprint()), "{error}");
    // Pinned, but not in the keyring.
    let error = refused(&signed, &[&ours], &[&theirs]);
    assert!(
        matches!(&error, SignatureError::NoPinnedKey { wanted, .. } if *wanted == pins(&[&theirs]))
    );
    let error = refused(&signed, &[&ours, &theirs], &[]);
    assert!(matches!(error, SignatureError::NoPinnedKey { .. }));
}

#[test]
fn every_change_of_the_text_is_noticed() {
    let key = ed25519(1);
    let signed = sign(&[&key]);
    let changes = [
        ("13.0", "13.1"),
        (&"0".repeat(64), &"1".repeat(64)),
        ("Origin: Test", "Origin: Test\nOrigin2: x"),
        ("Components: main\n", ""),
    ];
    for (from, to) in changes {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(changed, signed);
        let error = refused(&changed, &[&key], &[&key]);
        assert!(matches!(error, SignatureError::BadSignature { .. }), "{error}");
    }
    // What the form allows to change in transit is no change.
    for same in [signed.replace('\n', "\r\n"), signed.replace("13.0\n", "13.0 \t\n")] {
        assert_eq!(read_at(&same, &[&key], &[&key], 1).unwrap().version.as_deref(), Some("13.0"));
    }
}

#[test]
fn only_signed_text_is_ever_read() {
    let key = ed25519(1);
    let signed = sign(&[&key]);
    let forged = "Suite: stable\nCodename: evil\n\n";
    for around in [
        format!("{forged}{signed}"),
        format!("{signed}{forged}"),
        signed.replacen("Hash: SHA512\n", "Hash: SHA512\nCodename: evil\n", 1),
        text(),
        String::new(),
        "<html>Please log in</html>".to_owned(),
        signed.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned(),
        signed.replace("PGP SIGNATURE", "PGP MESSAGE"),
    ] {
        let error = refused(&around, &[&key], &[&key]);
        assert!(matches!(error, SignatureError::NotSigned { .. }), "{error}");
    }
}

#[test]
fn escaped_dashes_are_part_of_the_text() {
    let key = ed25519(1);
    let text = format!("- a: b\n{}", text());
    let signed = clearsign(&text, &[&key], made(), HashAlgorithm::Sha256);
    assert!(signed.contains("\n- - a: b\n"), "{signed}");
    read_at(&signed, &[&key], &[&key], 1).unwrap();
}

#[test]
fn keys_whose_time_is_over_are_refused() {
    let year = 365 * 86_400;
    let key = Key::generate(&Spec { lifetime: Some(year + 86_400), ..Spec::ed25519(1, born()) });
    let signed = sign(&[&key]);
    read_at(&signed, &[&key], &[&key], 0).unwrap();
    let error = read_at(&signed, &[&key], &[&key], 2).unwrap_err();
    let ReleaseError::Signature(SignatureError::KeyExpired { when, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(when, at(1));

    let expiring = Subkey::Expiring(year + 86_400);
    let key = Key::generate(&Spec { subkey: expiring, ..Spec::ed25519(2, born()) });
    let error = read_at(&sign(&[&key]), &[&key], &[&key], 2).unwrap_err();
    assert!(matches!(error, ReleaseError::Signature(SignatureError::KeyExpired { .. })), "{error}");

    // A second, valid signature makes up for it.
    let good = ed25519(3);
    read_at(&sign(&[&key, &good]), &[&key, &good], &[&key, &good], 2).unwrap();
}

#[test]
fn keys_that_were_withdrawn_are_refused() {
    for spec in [
        Spec { revoked: true, ..Spec::ed25519(1, born()) },
        Spec { revoked: true, subkey: Subkey::Signing, ..Spec::ed25519(1, born()) },
        Spec { subkey: Subkey::Revoked, ..Spec::ed25519(1, born()) },
    ] {
        let key = Key::generate(&spec);
        let error = refused(&sign(&[&key]), &[&key], &[&key]);
        assert!(matches!(error, SignatureError::KeyRevoked { .. }), "{error}");
    }
    // Also when only one of two copies of the key says so.
    let (valid, revoked) =
        (ed25519(1), Key::generate(&Spec { revoked: true, ..Spec::ed25519(1, born()) }));
    for ring in [[&valid, &revoked], [&revoked, &valid]] {
        let error = refused(&sign(&[&valid]), &ring, &[&valid]);
        assert!(matches!(error, SignatureError::KeyRevoked { .. }), "{error}");
    }
}

#[test]
fn keys_that_are_not_for_signing_are_refused() {
    for spec in [
        Spec { may_sign: false, ..Spec::ed25519(1, born()) },
        Spec { subkey: Subkey::NotForSigning, ..Spec::ed25519(2, born()) },
        Spec { subkey: Subkey::WithoutBackSignature, ..Spec::ed25519(3, born()) },
        Spec { subkey: Subkey::BoundToAnother, ..Spec::ed25519(5, born()) },
        Spec { hash: HashAlgorithm::Sha1, ..Spec::rsa(4, born()) },
    ] {
        let key = Key::generate(&spec);
        let error = refused(&sign(&[&key]), &[&key], &[&key]);
        assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
    }
}

#[test]
fn a_subkey_of_someone_else_is_not_ours() {
    let theirs = Key::generate(&Spec { subkey: Subkey::Signing, ..Spec::ed25519(1, born()) });
    let mut ours = ed25519(2);
    ours.public.public_subkeys = theirs.public.public_subkeys.clone();
    let error = refused(&sign(&[&theirs]), &[&ours], &[&ours]);
    assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
}

#[test]
fn digests_that_can_be_forged_are_refused() {
    let key = Key::generate(&Spec::rsa(1, born()));
    for hash in [HashAlgorithm::Sha1, HashAlgorithm::Md5, HashAlgorithm::Ripemd160] {
        let signed = clearsign(&text(), &[&key], made(), hash);
        let error = refused(&signed, &[&key], &[&key]);
        assert!(matches!(error, SignatureError::WeakDigest { .. }), "{error}");
    }
}

#[test]
fn signatures_from_the_future_are_refused() {
    let key = ed25519(1);
    let later = made() + 3 * 86_400;
    let error =
        refused(&clearsign(&text(), &[&key], later, HashAlgorithm::Sha512), &[&key], &[&key]);
    assert!(matches!(error, SignatureError::NotInForce { .. }), "{error}");
}

#[test]
fn dates_are_checked() {
    let key = ed25519(1);
    let suite = Suite { valid_until: Some(at(7)), ..Suite::new(date(), []) };
    let files = format!(" {} 1 x\n", "0".repeat(64));
    let signed = clearsign(&suite.release(&files), &[&key], made(), HashAlgorithm::Sha512);
    read_at(&signed, &[&key], &[&key], 7).unwrap();
    let error = read_at(&signed, &[&key], &[&key], 8).unwrap_err();
    assert!(matches!(error, ReleaseError::Outdated { until, .. } if until == at(7)), "{error}");
    let (keyring, pinned) = (keyring(&[&key]), pins(&[&key]));
    let freshness = Freshness::WaivedAllowingReplayOfOldPackages;
    let trust = Trust { keyring: &keyring, pinned: &pinned, now: at(8), freshness };
    read_inrelease("InRelease", signed.as_bytes(), &trust).unwrap();

    let suite = Suite::new(at(5), []);
    let signed = clearsign(&suite.release(&files), &[&key], made(), HashAlgorithm::Sha512);
    let error = read_at(&signed, &[&key], &[&key], 1).unwrap_err();
    assert!(matches!(error, ReleaseError::FromTheFuture { .. }), "{error}");
}

#[test]
fn detached_signatures_are_the_same() {
    let (key, other) = (ed25519(1), Key::generate(&Spec::rsa(2, born())));
    let (keyring, pinned) = (keyring(&[&key]), pins(&[&key]));
    let freshness = Freshness::Required;
    let trust = Trust { keyring: &keyring, pinned: &pinned, now: at(1), freshness };
    let text = text();
    let binary = detached(text.as_bytes(), &[&other, &key], made());
    let release = read_detached("Release", text.as_bytes(), &binary, &trust).unwrap();
    assert_eq!(release.signers(), [key.fingerprint()]);
    let changed = text.replace("13.0", "13.1");
    let error = read_detached("Release", changed.as_bytes(), &binary, &trust).unwrap_err();
    assert!(matches!(error, ReleaseError::Signature(SignatureError::BadSignature { .. })));
    // The armored form, and a signature over lines instead of bytes.
    let lines = key.sign(SignatureType::Text, text.as_bytes(), made(), HashAlgorithm::Sha512);
    let armored = pgp::composed::DetachedSignature::new(lines)
        .to_armored_string(pgp::composed::ArmorOptions::default())
        .unwrap();
    read_detached("Release", text.as_bytes(), armored.as_bytes(), &trust).unwrap();
    for none in [&b""[..], b"no signature", &key.certificate()] {
        assert!(read_detached("Release", text.as_bytes(), none, &trust).is_err());
    }
}

#[test]
fn keyrings_come_in_several_forms() {
    let (one, two) = (ed25519(1), ed25519(2));
    let armored = format!("Some text\n{}\n{}", one.armored(), two.armored());
    let parsed = Keyring::parse("k", armored.as_bytes()).unwrap();
    let listed = |keyring: &Keyring| -> Vec<(Fingerprint, Vec<String>)> {
        keyring.keys().map(|key| (key.fingerprint(), key.user_ids().collect())).collect()
    };
    let names = listed(&parsed);
    let name = |seed: u64| vec![format!("Key {seed}")];
    let pins = pins(&[&one, &two]);
    assert_eq!(names, [(pins[0], name(1)), (pins[1], name(2))]);
    let binary = listed(&keyring(&[&one, &two]));
    assert_eq!(binary, names);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_inrelease_files_never_panic_and_are_never_misread(
        at in any::<prop::sample::Index>(),
        cut in 0usize..4,
        bytes in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let key = ed25519(1);
        let signed = sign(&[&key]);
        let right = read_at(&signed, &[&key], &[&key], 1).unwrap();
        let mut changed = signed.into_bytes();
        let at = at.index(changed.len());
        changed.splice(at..(at + cut).min(changed.len()), bytes);
        let (keyring, pinned) = (keyring(&[&key]), pins(&[&key]));
        let freshness = Freshness::Required;
        let now = date();
        let trust = Trust { keyring: &keyring, pinned: &pinned, now, freshness };
        if let Ok(read) = read_inrelease("InRelease", &changed, &trust) {
            prop_assert_eq!(read, right);
        }
    }

    #[test]
    fn changed_keyrings_never_panic(
        at in any::<prop::sample::Index>(),
        cut in 0usize..4,
        bytes in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let key = Key::generate(&Spec { subkey: Subkey::Signing, ..Spec::ed25519(1, born()) });
        let signed = sign(&[&key]);
        let mut changed = key.certificate();
        let at = at.index(changed.len());
        changed.splice(at..(at + cut).min(changed.len()), bytes);
        if let Ok(keyring) = Keyring::parse("k", &changed) {
            let pinned = pins(&[&key]);
            let freshness = Freshness::Required;
            let trust = Trust { keyring: &keyring, pinned: &pinned, now: date(), freshness };
            let _ = read_inrelease("InRelease", signed.as_bytes(), &trust);
        }
    }
}

/// The reader of the armor panics when it is asked again after an error.
#[test]
fn armor_that_breaks_within_is_refused_or_read() {
    let key = ed25519(61);
    let signed = sign(&[&key]);
    let begins = signed.find("-----BEGIN PGP SIGNATURE").unwrap();
    let letters = |text: &str| -> Vec<usize> {
        text.match_indices(|c: char| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect()
    };
    for at in letters(&signed).into_iter().filter(|at| *at > begins + 30).step_by(7) {
        let broken = format!("{}{}{}", &signed[..at], "iW".repeat(3000), &signed[at..]);
        refused(&broken, &[&key], &[&key]);
    }
    let armored = key.armored();
    // Both in the middle and at the end: its parsers want to go on behind what they could not read.
    let bad_end = armored.replace("END PGP PUBLIC", "END PGP OTHER");
    let begins = armored.find("\n\n").unwrap();
    for text in [&armored, &bad_end] {
        for at in letters(text).into_iter().filter(|at| *at > begins).step_by(7) {
            for more in ["iW".repeat(9000), "=".to_owned(), "\0".to_owned()] {
                let broken = format!("{}{more}{}", &text[..at], &text[at..]);
                let read = Keyring::parse("k", broken.as_bytes());
                assert!(read.is_err() || at > text.len() / 2, "{broken}");
            }
        }
    }
}
