//! The rules by which a key or a signature of a Release file counts, each met exactly and missed by little; and which of
//! several faults is told.

#![allow(clippy::unwrap_used)]

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, Notation, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData,
};
use pgp::types::{Duration, KeyDetails as _, Password, Tag, Timestamp};
use wifibox_formats::deb::{ReleaseError, SignatureError};
use wifibox_testkit::keys::{Key, Spec, Subkey, clearsign, clearsign_by};

use crate::deb_trust::{at, born, ed25519, made, pins, read_at, refused, text};

const DAY: u32 = 86_400;

fn regular(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).unwrap()
}

fn critical(data: SubpacketData) -> Subpacket {
    Subpacket::critical(data).unwrap()
}

fn created(seconds: u32) -> Subpacket {
    regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(seconds)))
}

fn notation() -> SubpacketData {
    let notation = Notation { readable: true, name: "a@example.org".into(), value: "b".into() };
    SubpacketData::Notation(notation)
}

fn for_signing() -> Subpacket {
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    regular(SubpacketData::KeyFlags(flags))
}

fn config(typ: SignatureType, key: &Key, said: &[Subpacket]) -> SignatureConfig {
    let mut config = SignatureConfig::v4(typ, key.secret().algorithm(), HashAlgorithm::Sha512);
    config.hashed_subpackets = said.to_vec();
    config
}

/// A signature over `text` by the primary key of `key` that says only this.
fn saying(key: &Key, said: &[Subpacket], text: &[u8]) -> Signature {
    config(SignatureType::Text, key, said).sign(key.secret(), &Password::empty(), text).unwrap()
}

/// The text of the suite under such a signature.
fn signed(key: &Key, said: &[Subpacket]) -> String {
    clearsign_by(&text(), |text| vec![saying(key, said, text)])
}

/// What `by` says of the primary key of `key`.
fn of_key(by: &Key, key: &Key, said: &[Subpacket]) -> Signature {
    let config = config(SignatureType::Key, by, said);
    config.sign_key(by.secret(), &Password::empty(), &key.public.primary_key).unwrap()
}

/// Withdraws the names of `key`, in the name of `by`.
fn withdraw(key: &mut Key, by: &Key) {
    let none = Password::empty();
    for user in &mut key.public.details.users {
        let config = config(SignatureType::CertRevocation, by, &[created(made())]);
        let primary = &key.public.primary_key;
        let revocation =
            config.sign_certification(by.secret(), primary, &none, Tag::UserId, &user.id).unwrap();
        user.signatures.push(revocation);
    }
}

fn accepted(signed: &str, key: &Key) {
    let release = read_at(signed, &[key], &[key], 1).unwrap();
    assert_eq!(release.signers(), [key.fingerprint()]);
}

#[test]
fn a_clock_may_be_a_day_behind_and_not_a_second_more() {
    let key = ed25519(1);
    accepted(&signed(&key, &[created(made() + 2 * DAY)]), &key);
    let error = refused(&signed(&key, &[created(made() + 2 * DAY + 1)]), &[&key], &[&key]);
    assert!(matches!(error, SignatureError::NotInForce { .. }), "{error}");
}

#[test]
fn a_signature_ends_at_the_second_that_it_says() {
    let key = ed25519(1);
    let lasting = |seconds| {
        let end = SubpacketData::SignatureExpirationTime(Duration::from_secs(seconds));
        signed(&key, &[created(made()), regular(end)])
    };
    accepted(&lasting(0), &key);
    accepted(&lasting(DAY + 1), &key);
    for seconds in [1, DAY - 1, DAY] {
        let error = refused(&lasting(seconds), &[&key], &[&key]);
        assert!(matches!(error, SignatureError::NotInForce { .. }), "{error}");
    }
}

#[test]
fn a_key_ends_at_the_second_that_it_says() {
    let year = 365 * DAY;
    for (seed, subkey) in [(1, false), (2, true)] {
        let ending = |seconds| {
            let spec = Spec::ed25519(seed, born());
            Key::generate(&match subkey {
                true => Spec { subkey: Subkey::Expiring(seconds), ..spec },
                false => Spec { lifetime: Some(seconds), ..spec },
            })
        };
        let sign = |key: &Key| clearsign(&text(), &[key], made(), HashAlgorithm::Sha512);
        let lasting = ending(year + DAY + 1);
        accepted(&sign(&lasting), &lasting);
        let over = ending(year + DAY);
        let error = refused(&sign(&over), &[&over], &[&over]);
        assert!(matches!(&error, SignatureError::KeyExpired { when, .. } if *when == at(1)));
    }
}

#[test]
fn what_a_signer_calls_critical_must_be_known() {
    let key = ed25519(1);
    let time = SubpacketData::SignatureCreationTime(Timestamp::from_secs(made()));
    accepted(&signed(&key, &[critical(time)]), &key);
    accepted(&signed(&key, &[created(made()), regular(notation())]), &key);
    for unknown in [notation(), SubpacketData::Experimental(101, b"x"[..].into())] {
        let signed = signed(&key, &[created(made()), critical(unknown)]);
        let error = refused(&signed, &[&key], &[&key]);
        assert!(matches!(error, SignatureError::NotInForce { .. }), "{error}");
        assert!(error.to_string().contains("critical part"), "{error}");
    }
}

#[test]
fn a_signature_names_its_key_by_id_or_fingerprint_or_not_at_all() {
    let (key, other) = (ed25519(1), ed25519(2));
    let id = |key: &Key| regular(SubpacketData::IssuerKeyId(key.public.legacy_key_id()));
    let print = |key: &Key| regular(SubpacketData::IssuerFingerprint(key.public.fingerprint()));
    let time = || created(made());
    for said in [vec![time()], vec![time(), id(&key)], vec![time(), print(&key)]] {
        accepted(&signed(&key, &said), &key);
    }
    // Who says that another key made it is told by that name.
    let by_id = refused(&signed(&key, &[time(), id(&other)]), &[&key], &[&key]);
    let by_print = refused(&signed(&key, &[time(), print(&other)]), &[&key], &[&key]);
    let named = other.fingerprint();
    for (error, expected) in [(by_id, &named[24..]), (by_print, &named[..])] {
        let SignatureError::UnknownKey { issuers, .. } = &error else { panic!("{error}") };
        assert_eq!(issuers, &[expected]);
    }
    // One that names nobody is held against every pinned key.
    let error = refused(&signed(&other, &[time()]), &[&key], &[&key]);
    assert!(matches!(error, SignatureError::BadSignature { .. }), "{error}");
}

#[test]
fn a_key_vouches_for_itself_without_a_name_and_nobody_else_can() {
    let other = ed25519(2);
    let mut key = ed25519(1);
    key.public.details.users.clear();
    let said = [created(born()), for_signing()];
    let text = signed(&key, &[created(made())]);
    let error = refused(&text, &[&key], &[&key]);
    assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
    key.public.details.direct_signatures = vec![of_key(&other, &key, &said)];
    let error = refused(&text, &[&key], &[&key]);
    assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
    key.public.details.direct_signatures = vec![of_key(&key, &key, &said)];
    accepted(&text, &key);
}

#[test]
fn a_name_that_was_withdrawn_says_nothing_and_only_its_key_withdraws_it() {
    let other = ed25519(2);
    let mut key = ed25519(1);
    let text = signed(&key, &[created(made())]);
    withdraw(&mut key, &other);
    accepted(&text, &key);
    let own = ed25519(1);
    withdraw(&mut key, &own);
    let error = refused(&text, &[&key], &[&key]);
    assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
}

#[test]
fn of_several_faults_the_gravest_is_told() {
    let by = |key: &Key, hash, text: &[u8]| key.sign(SignatureType::Text, text, made(), hash);
    let changed = |key: &Key| by(key, HashAlgorithm::Sha512, b"something else");
    let [first, bad] = [ed25519(1), ed25519(2)];
    let revoked = Key::generate(&Spec { revoked: true, ..Spec::ed25519(3, born()) });
    let over = Key::generate(&Spec { lifetime: Some(DAY), ..Spec::ed25519(4, born()) });
    let weak = Key::generate(&Spec::rsa(5, born()));
    let unusable = Key::generate(&Spec { may_sign: false, ..Spec::ed25519(6, born()) });
    let keys = [&bad, &revoked, &over, &weak, &unusable];
    let told = |signers: &[&Key]| {
        let signed = clearsign_by(&text(), |text| {
            let sign = |key: &&Key| match key.fingerprint() {
                print if print == bad.fingerprint() || print == first.fingerprint() => changed(key),
                print if print == weak.fingerprint() => by(key, HashAlgorithm::Sha1, text),
                _ => by(key, HashAlgorithm::Sha512, text),
            };
            signers.iter().map(sign).collect()
        });
        match refused(&signed, signers, signers) {
            SignatureError::BadSignature { key, .. }
            | SignatureError::KeyRevoked { key, .. }
            | SignatureError::KeyExpired { key, .. }
            | SignatureError::WeakDigest { key, .. }
            | SignatureError::KeyUnusable { key, .. } => key,
            other => panic!("{other}"),
        }
    };
    let graver = keys.iter().enumerate();
    for (grave, lesser) in graver.flat_map(|(at, key)| keys[at + 1..].iter().map(move |l| (key, l)))
    {
        let expected = pins(&[grave]);
        assert_eq!([told(&[grave, lesser]), told(&[lesser, grave])], [expected[0], expected[0]]);
    }
    // Of two that are equally grave it is the first.
    assert_eq!([told(&[&first, &bad])], *pins(&[&first]));
    assert_eq!([told(&[&bad, &first])], *pins(&[&bad]));
}

#[test]
fn a_release_is_refused_from_the_second_after_its_last() {
    use jiff::SignedDuration;
    use wifibox_testkit::debrepo::Suite;
    let key = ed25519(1);
    let files = format!(" {} 1 x\n", "0".repeat(64));
    let read = |suite: Suite| {
        let signed = clearsign(&suite.release(&files), &[&key], made(), HashAlgorithm::Sha512);
        read_at(&signed, &[&key], &[&key], 1)
    };
    let second = SignedDuration::from_secs(1);
    let until = |time| Suite { valid_until: Some(time), ..Suite::new(at(0), []) };
    read(until(at(1))).unwrap();
    let error = read(until(at(1) - second)).unwrap_err();
    assert!(matches!(error, ReleaseError::Outdated { .. }), "{error}");
    // A day ahead is the clock's fault; more is the archive's.
    read(Suite::new(at(2), [])).unwrap();
    let error = read(Suite::new(at(2) + second, [])).unwrap_err();
    assert!(matches!(error, ReleaseError::FromTheFuture { .. }), "{error}");
}

#[test]
fn a_keyring_has_limits_and_may_reach_them() {
    use wifibox_formats::deb::{Keyring, KeyringError};
    let too_large = |bytes: &[u8]| matches!(Keyring::parse("k", bytes), Err(KeyringError::TooLarge { name }) if name == "k");
    let bytes = vec![0; (16 << 20) + 1];
    assert_eq!([too_large(&bytes[1..]), too_large(&bytes)], [false, true]);
    let key = ed25519(1);
    let keys = key.certificate().repeat(4097);
    let most = &keys[..keys.len() / 4097 * 4096];
    assert_eq!([too_large(most), too_large(&keys)], [false, true]);
    assert_eq!(Keyring::parse("k", most).unwrap().keys().len(), 1);
}

#[test]
fn what_one_copy_of_a_key_withdraws_is_withdrawn_in_all() {
    let whole = ed25519(1);
    let mut withdrawn = ed25519(1);
    withdraw(&mut withdrawn, &whole);
    let text = signed(&whole, &[created(made())]);
    for ring in [[&whole, &withdrawn], [&withdrawn, &whole]] {
        let error = refused(&text, &ring, &[&whole]);
        assert!(matches!(error, SignatureError::KeyUnusable { .. }), "{error}");
    }
    let with = |subkey| Key::generate(&Spec { subkey, ..Spec::ed25519(2, born()) });
    let (whole, revoked) = (with(Subkey::Signing), with(Subkey::Revoked));
    let signed = clearsign(&self::text(), &[&whole], made(), HashAlgorithm::Sha512);
    accepted(&signed, &whole);
    for ring in [[&whole, &revoked], [&revoked, &whole]] {
        let error = refused(&signed, &ring, &[&whole]);
        assert!(matches!(error, SignatureError::KeyRevoked { .. }), "{error}");
    }
}

#[test]
fn a_release_is_read_up_to_its_largest_size() {
    use wifibox_formats::deb::Keyring;
    use wifibox_formats::deb::release::{
        Freshness, SIZE_LIMIT, Trust, read_detached, read_inrelease,
    };
    let pinned = pins(&[&ed25519(1)]);
    let freshness = Freshness::Required;
    let trust = Trust { keyring: &Keyring::default(), pinned: &pinned, now: at(1), freshness };
    let largest = usize::try_from(SIZE_LIMIT).unwrap();
    assert_eq!(largest, 32 << 20);
    let bytes = vec![b'\n'; largest + 1];
    for (length, refused) in [(largest, false), (largest + 1, true)] {
        let bytes = &bytes[..length];
        for error in [
            read_inrelease("InRelease", bytes, &trust),
            read_detached("Release", bytes, b"", &trust),
            read_detached("Release", b"", bytes, &trust),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.to_string().contains("is larger than"), refused, "{error}");
        }
    }
}
