//! Whose Alpine indexes and packages are believed, and every way to be refused.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use tar::EntryType;
use wifibox_formats::PackageLimits;
use wifibox_formats::apk::index::{SIZE_LIMIT, read_signed, read_unsigned_records};
use wifibox_formats::apk::signature::Kind;
use wifibox_formats::apk::{ApkError, ApkIndexError, Fingerprint, Keyring, SignatureError, Trust};
use wifibox_packages::Apk;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Member, Package, Repository, gzip, signatures, tar};

const KINDS: [Kind; 3] = [Kind::Rsa, Kind::Rsa256, Kind::Rsa512];

fn alice() -> SigningKey {
    SigningKey::generate("alice@example.org-1.rsa.pub", 1)
}

fn bob() -> SigningKey {
    SigningKey::generate("bob@example.org-2.rsa.pub", 2)
}

fn packages() -> [Package; 2] {
    let busybox = Package::new("busybox", "1.37.0-r12")
        .info("depend", "so:libc.musl-x86_64.so.1")
        .info("provides", "cmd:sh=1.37.0-r12")
        .info("size", "1000")
        .file("bin/busybox", 0o755, "program");
    [busybox, Package::new("musl", "1.2.5-r9").info("provides", "so:libc.musl-x86_64.so.1=1")]
}

/// Reads an index with the keys `held`, of which those `pinned` are trusted; the number of
/// packages.
fn read(
    index: &[u8],
    held: &[&SigningKey],
    pinned: &[&SigningKey],
) -> Result<usize, ApkIndexError> {
    let mut keyring = Keyring::default();
    held.iter().for_each(|key| keyring.extend(key.keyring()));
    let pinned: Vec<_> = pinned.iter().map(|key| key.fingerprint()).collect();
    let trust = Trust { keyring: &keyring, pinned: &pinned };
    read_signed("APKINDEX.tar.gz", index, &trust).map(|index| {
        assert_eq!(index.signers().len(), 1);
        index.packages.len()
    })
}

fn refused(index: &[u8], held: &[&SigningKey], pinned: &[&SigningKey]) -> SignatureError {
    match read(index, held, pinned) {
        Err(ApkIndexError::Signature(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_index_is_believed_when_a_pinned_key_signed_it() {
    for kind in KINDS {
        let (key, other) = (alice(), bob());
        let index = Repository::new(packages()).signed(kind, &key).index();
        let mut keyring = key.keyring();
        keyring.extend(other.keyring());
        let pinned = [other.fingerprint(), key.fingerprint()];
        let trust = Trust { keyring: &keyring, pinned: &pinned };
        let read = read_signed("APKINDEX.tar.gz", &index, &trust).unwrap();
        assert_eq!(read.signers(), [key.fingerprint().to_string()]);
        assert_eq!(read.description, "v0.1");
        let [busybox, musl] = read.packages.as_slice() else { panic!("two packages") };
        assert_eq!(
            (busybox.full_name(), busybox.installed_size),
            ("busybox-1.37.0-r12".into(), 1000)
        );
        assert_eq!(musl.provides, "so:libc.musl-x86_64.so.1=1");
    }
}

#[test]
fn other_keys_are_told_apart() {
    let (a, b) = (alice(), bob());
    let index = Repository::new(packages()).signed(Kind::Rsa, &a).index();
    let error = refused(&index, &[&b], &[&b]);
    assert!(matches!(&error, SignatureError::UnknownKey { keys, known, .. }
        if *keys == [a.name.clone()] && *known == [b.name.clone()]));
    let text = error.to_string();
    assert!(text.contains(&a.name) && text.contains(&b.fingerprint().to_string()), "{text}");
    assert!(text.contains(&format!("the keyring has {}", b.name)), "{text}");
    let text = refused(&index, &[], &[&b]).to_string();
    assert!(text.contains("the keyring has none of them"), "{text}");
    // The key is there, but nobody said that it is trusted.
    let error = refused(&index, &[&a, &b], &[&b]);
    assert!(matches!(&error, SignatureError::NotPinned { key, fingerprints, pinned, .. }
        if *key == a.name && *fingerprints == [a.fingerprint()] && *pinned == [b.fingerprint()]));
    assert!(error.to_string().contains(&a.fingerprint().to_string()), "{error}");
    let error = refused(&index, &[&a], &[]);
    assert!(error.to_string().contains("no key is trusted"), "{error}");
    // Another key under the name of the pinned one, and the pinned one under another name.
    let forger = b.renamed(&a.name);
    let forged = Repository::new(packages()).signed(Kind::Rsa, &forger).index();
    assert!(matches!(refused(&forged, &[&a], &[&a]), SignatureError::BadSignature { .. }));
    assert!(matches!(refused(&forged, &[&forger], &[&a]), SignatureError::NotPinned { .. }));
    let elsewhere = a.renamed("elsewhere.rsa.pub");
    assert!(matches!(refused(&index, &[&elsewhere], &[&a]), SignatureError::UnknownKey { .. }));
    // Of two keys of one name, the pinned one counts.
    assert_eq!(read(&index, &[&forger, &a], &[&a]).unwrap(), 2);
}

#[test]
fn unsigned_indexes_and_unknown_ways_to_sign_are_refused() {
    let key = alice();
    let repository = Repository::new(packages());
    let error = refused(&repository.index(), &[&key], &[&key]);
    assert!(matches!(error, SignatureError::Unsigned { .. }));
    let signed = repository.unsigned_index();
    let name = format!(".SIGN.DSA.{}", key.name);
    let dsa = Member::new(name, EntryType::Regular, key.sign(Kind::Rsa, &signed));
    let index = [gzip(&tar(std::slice::from_ref(&dsa), false)), signed.clone()].concat();
    let error = refused(&index, &[&key], &[&key]);
    assert!(
        matches!(&error, SignatureError::UnknownKind { keys, .. } if *keys == [key.name.clone()])
    );
    // Beside a good one it does no harm; nor does a signature that is too large to be one.
    let good = Member::new(
        key.signature_file(Kind::Rsa),
        EntryType::Regular,
        key.sign(Kind::Rsa, &signed),
    );
    let huge = Member::new(key.signature_file(Kind::Rsa), EntryType::Regular, vec![0; 65537]);
    let index = [gzip(&tar(&[dsa, huge, good], false)), signed].concat();
    assert_eq!(read(&index, &[&key], &[&key]).unwrap(), 2);
    // A digest other than the one that the name says.
    let signed = repository.unsigned_index();
    let wrong = Member::new(
        key.signature_file(Kind::Rsa),
        EntryType::Regular,
        key.sign(Kind::Rsa256, &signed),
    );
    let index = [gzip(&tar(&[wrong], false)), signed].concat();
    assert!(matches!(refused(&index, &[&key], &[&key]), SignatureError::BadSignature { .. }));
}

#[test]
fn the_first_signature_by_a_pinned_key_decides() {
    let (a, b) = (alice(), bob());
    let signed = Repository::new(packages()).unsigned_index();
    let good = |key: &SigningKey, kind| {
        Member::new(key.signature_file(kind), EntryType::Regular, key.sign(kind, &signed))
    };
    let bad = |key: &SigningKey| {
        Member::new(key.signature_file(Kind::Rsa), EntryType::Regular, key.sign(Kind::Rsa, b"else"))
    };
    let index = |files: &[Member]| [gzip(&tar(files, false)), signed.clone()].concat();
    let both = [&a, &b];
    assert_eq!(
        read(&index(&[good(&a, Kind::Rsa), good(&b, Kind::Rsa256)]), &both, &[&b]).unwrap(),
        2
    );
    // A bad one by a key that is not pinned, or after a good one, is not looked at, as in apk.
    assert_eq!(read(&index(&[bad(&a), good(&b, Kind::Rsa)]), &both, &[&b]).unwrap(), 2);
    assert_eq!(read(&index(&[good(&a, Kind::Rsa), bad(&b)]), &both, &both).unwrap(), 2);
    let error = refused(&index(&[bad(&a), good(&b, Kind::Rsa)]), &both, &both);
    assert!(matches!(&error, SignatureError::BadSignature { key, fingerprint, .. }
        if *key == a.name && *fingerprint == a.fingerprint()));
    // Signatures may be in members of their own.
    let apart = |key| signatures(&[(Kind::Rsa512, key)], &signed);
    let index = [apart(a.clone()), apart(b.clone()), signed.clone()].concat();
    assert_eq!(read(&index, &[&b], &[&b]).unwrap(), 2);
}

#[test]
fn a_changed_index_is_refused() {
    let key = alice();
    let repository = Repository::new(packages()).signed(Kind::Rsa, &key);
    let other = Repository::new(packages().into_iter().take(1)).unsigned_index();
    let sign = signatures(&repository.signers, &repository.unsigned_index());
    assert!(matches!(
        refused(&[&sign[..], &other].concat(), &[&key], &[&key]),
        SignatureError::BadSignature { .. }
    ));
    // The signature covers all that follows, whatever it is.
    for more in [&b"x"[..], &[0; 512], &gzip(b"")] {
        let index = [repository.index(), more.to_vec()].concat();
        assert!(matches!(refused(&index, &[&key], &[&key]), SignatureError::BadSignature { .. }));
    }
    // Signed by a pinned key, and still not an index.
    for (content, expected) in [
        (tar(&[Member::new(".PKGINFO", EntryType::Regular, "")], true), "it is a package"),
        (tar(&[Member::new("other", EntryType::Regular, "")], true), "holds no file APKINDEX"),
        (tar(&[Member::new("APKINDEX", EntryType::Regular, "nonsense\n")], true), "is no field"),
        (
            tar(&vec![Member::new("APKINDEX", EntryType::Regular, ""); 2], true),
            "two files APKINDEX",
        ),
        (tar(&[Member::new("APKINDEX", EntryType::Directory, "")], true), "no place here"),
        ([tar(&[], true), b"more".to_vec()].concat(), "follows the end"),
    ] {
        let content = gzip(&content);
        let index = [signatures(&repository.signers, &content), content].concat();
        let error = read(&index, &[&key], &[&key]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_not_an_index_is_told_apart() {
    let key = alice();
    let index = Repository::new(packages()).signed(Kind::Rsa, &key).index();
    for magic in [b"ADB.", b"ADBd", b"ADBc"] {
        let adb = [&magic[..], b"indx and more"].concat();
        assert!(matches!(read(&adb, &[&key], &[&key]), Err(ApkIndexError::Version3 { .. })));
        assert!(matches!(read_unsigned_records("x", &adb), Err(ApkIndexError::Version3 { .. })));
    }
    for (bytes, expected) in [
        (&b""[..], "it is empty"),
        (b"<html>not found</html>", "error page"),
        (&[&b"\x1f\x8b"[..], &vec![0; SIZE_LIMIT as usize]].concat(), "has more than"),
    ] {
        let error = read(bytes, &[&key], &[&key]).unwrap_err();
        assert!(matches!(error, ApkIndexError::NotAnIndex { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // The largest one that is looked into.
    let full = [&b"\x1f\x8b"[..], &vec![0; SIZE_LIMIT as usize - 2]].concat();
    let error = read(&full, &[&key], &[&key]).unwrap_err();
    assert!(matches!(error, ApkIndexError::Damaged { .. }), "{error}");
    let front = signatures(&[(Kind::Rsa, key.clone())], b"").len();
    for cut in (1..index.len()).step_by(7).chain([front, front + 1, index.len() - 1]) {
        let error = read(&index[..cut], &[&key], &[&key]).unwrap_err();
        let empty = matches!(error, ApkIndexError::NotAnIndex { .. }) && cut < 2;
        assert!(empty || matches!(error, ApkIndexError::Damaged { .. }), "{cut}: {error}");
    }
    let bomb = [signatures(&[(Kind::Rsa, key.clone())], b""), gzip(&vec![0; 129 << 20])].concat();
    let error = read(&bomb, &[&key], &[&key]).unwrap_err();
    assert!(error.to_string().contains("more than 134217728 bytes"), "{error}");
    // Members that are put one after the other have the limit together.
    let records = gzip(&tar(&[Member::new("APKINDEX", EntryType::Regular, "")], false));
    let error = read_unsigned_records("x", &[records, bomb].concat()).unwrap_err();
    assert!(error.to_string().contains("more than 134217728 bytes"), "{error}");
    let file = Member::new(".SIGN.RSA.x", EntryType::Regular, "");
    for (count, why) in [(64, "nothing follows"), (65, "more than 64 signatures")] {
        let files = gzip(&tar(&vec![file.clone(); count], false));
        let error = read(&files, &[&key], &[&key]).unwrap_err();
        assert!(error.to_string().contains(why), "{count}: {error}");
    }
    let many: Vec<u8> =
        (0..18).flat_map(|_| signatures(&[(Kind::Rsa, key.clone())], b"")).collect();
    let error = read(&many, &[&key], &[&key]).unwrap_err();
    assert!(error.to_string().contains("more than 16 signature members"), "{error}");
}

#[test]
fn records_can_be_read_before_keys_are_known() {
    let index = Repository::new(packages()).signed(Kind::Rsa, &alice()).index();
    let read = read_unsigned_records("APKINDEX.tar.gz", &index).unwrap();
    assert_eq!(read.unverified_packages.len(), 2);
    assert_eq!(read.claimed_keys, [alice().name]);
}

#[test]
fn a_package_is_believed_when_a_pinned_key_signed_it() {
    let key = alice();
    let pinned = [key.fingerprint()];
    let keyring = key.keyring();
    let trust = Trust { keyring: &keyring, pinned: &pinned };
    let open = |bytes: &[u8]| -> Result<Fingerprint, ApkError> {
        Apk::open("busybox", bytes, PackageLimits::default())?.check_signature(&trust)
    };
    let [package, other] = packages();
    for kind in KINDS {
        let package = package.clone().signed(kind, &key);
        assert_eq!(open(&package.build()).unwrap(), key.fingerprint());
        // The same signature over other control files.
        let mut parts = package.parts();
        parts.control = other.parts().control;
        let error = open(&parts.join()).unwrap_err();
        assert!(matches!(error, ApkError::Signature(SignatureError::BadSignature { .. })));
    }
    let error = open(&package.build()).unwrap_err();
    assert!(matches!(error, ApkError::Signature(SignatureError::Unsigned { .. })));
    let error = open(&package.signed(Kind::Rsa, &bob()).build()).unwrap_err();
    assert!(matches!(error, ApkError::Signature(SignatureError::UnknownKey { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_changed_index_is_never_believed_and_never_panics(
        at in any::<prop::sample::Index>(), cut in 0usize..4, put in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let key = alice();
        let index = Repository::new(packages()).signed(Kind::Rsa256, &key).index();
        let mut changed = index.clone();
        let at = at.index(changed.len());
        let end = (at + cut).min(changed.len());
        changed.splice(at..end, put);
        let _ = read_unsigned_records("x", &changed);
        // What is believed is what was signed: only the front can be spelt in another way.
        if read(&changed, &[&key], &[&key]).is_ok() {
            let signed = Repository::new(packages()).unsigned_index();
            prop_assert!(changed.ends_with(&signed));
        }
    }

    #[test]
    fn any_bytes_are_an_index_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = read(&bytes, &[], &[]);
        let _ = read_unsigned_records("x", &gzip(&bytes));
    }
}
