//! Keys, signatures, and lists of hashes.

use wifibox_formats::opkg::usign;
use wifibox_formats::{apk, deb};
use wifibox_ground::sums::Sums;
use wifibox_report::signature::PublicKey;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::keys::{HashAlgorithm, Key, Spec, Subkey, clearsign, detached};
use wifibox_testkit::minisign::Minisign;
use wifibox_testkit::opkgrepo::Signer;

use super::Run;

/// When the keys were made: 2023-11-14.
const NOW: u32 = 1_700_000_000;

/// Certificates of OpenPGP, binary and armored; a signed text, and a signature alone.
pub fn openpgp_seeds() -> Vec<Vec<u8>> {
    let of = |subkey| Key::generate(&Spec { subkey, ..Spec::ed25519(1, NOW) });
    let keys = [Subkey::None, Subkey::Signing, Subkey::Revoked, Subkey::Expiring(99)].map(of);
    let mut seeds: Vec<Vec<u8>> = keys.iter().map(Key::certificate).collect();
    seeds.extend(keys.iter().map(|key| key.armored().into_bytes()));
    seeds.push(Key::generate(&Spec::rsa(2, NOW)).certificate());
    seeds.push(keys.iter().flat_map(Key::certificate).collect());
    let [key, ..] = &keys;
    let text =
        "Suite: stable\nCodename: trixie\nDate: Tue, 14 Nov 2023 22:13:20 UTC\n- \nSHA256:\n";
    seeds.push(clearsign(text, &[key], NOW, HashAlgorithm::Sha512).into_bytes());
    seeds.push(detached(b"", &[key], NOW));
    seeds
}

/// Takes bytes for a keyring, for `InRelease` and for `Release.gpg`.
pub fn openpgp() -> Run {
    let key = Key::generate(&Spec::ed25519(1, NOW));
    let keyring = deb::Keyring::parse("fuzz", &key.certificate()).unwrap_or_default();
    let pinned: Vec<_> = key.fingerprint().parse().into_iter().collect();
    Box::new(move |bytes| {
        let now = jiff::Timestamp::from_second(NOW.into()).unwrap_or_default();
        let freshness = deb::release::Freshness::Required;
        let trust = deb::release::Trust { keyring: &keyring, pinned: &pinned, now, freshness };
        let mut any = deb::release::read_inrelease("fuzz", bytes, &trust).is_ok();
        // Signed by the key, but no Release file.
        let detached = deb::release::read_detached("fuzz", b"", bytes, &trust);
        any |= matches!(detached, Err(deb::ReleaseError::Malformed { .. }));
        let Ok(found) = deb::Keyring::parse("fuzz", bytes) else { return any };
        let trust = deb::release::Trust { keyring: &found, ..trust };
        let text = clearsign("Suite: a\n", &[&key], NOW, HashAlgorithm::Sha512);
        let read = deb::release::read_inrelease("fuzz", text.as_bytes(), &trust);
        assert!(read.is_err(), "it has no date");
        true
    })
}

pub fn apk_seeds() -> Vec<Vec<u8>> {
    let key = SigningKey::with_bits("fuzz", 1, 1024);
    let both = key.pem() + &key.pkcs1_pem();
    vec![key.pem().into(), key.pkcs1_pem().into(), both.into()]
}

pub fn apk(bytes: &[u8]) -> bool {
    let read = apk::Keyring::parse_pem("fuzz", bytes);
    assert!(read.as_ref().map_or(true, |keys| !keys.is_empty()));
    read.is_ok()
}

pub fn usign_seeds() -> Vec<Vec<u8>> {
    let signer = Signer::new(1);
    vec![signer.public_key().into(), signer.public_line().into(), signer.sign(b"").into()]
}

pub fn usign(bytes: &[u8]) -> bool {
    let (key, signature) = (usign::PublicKey::parse(bytes), usign::Signature::parse(bytes));
    if let (Ok(key), Ok(signature)) = (&key, &signature) {
        assert!(!key.made(signature, b"message"), "a key signs nothing");
    }
    key.is_ok() || signature.is_ok()
}

/// Keys of minisign, and signatures over nothing.
pub fn minisign_seeds() -> Vec<Vec<u8>> {
    let key = Minisign::new(1);
    let file = format!("untrusted comment: minisign public key\n{}\n", key.public());
    let comment = "timestamp:1700000000\tfile:SHA256SUMS";
    let signed = key.sign(b"", "signature from minisign secret key", comment);
    vec![key.public().into(), file.into(), signed.into(), key.sign(b"", comment, comment).into()]
}

/// A signature that holds has the bytes of one that the key made, but for the comment that nobody signed.
pub fn minisign() -> Run {
    let key = Minisign::new(1);
    let public = PublicKey::parse(&key.public());
    let whole = minisign_seeds();
    Box::new(move |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut any = PublicKey::parse(&text).is_ok();
        if let Ok(public) = &public
            && public.verify(b"", bytes).is_ok()
        {
            assert!(whole.iter().any(|made| made == bytes), "{text:?} was not made by the key");
            any = true;
        }
        any
    })
}

pub fn sums_seeds() -> Vec<Vec<u8>> {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let names = ["root.img", "host/bhyve/wifibox.config", "manifest.json"];
    vec![names.map(|name| format!("{hash}  {name}\n")).concat().into()]
}

pub fn sums(bytes: &[u8]) -> bool {
    let Ok(sums) = Sums::parse(bytes) else { return false };
    for path in sums.hashes.keys() {
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path:?}");
    }
    true
}
