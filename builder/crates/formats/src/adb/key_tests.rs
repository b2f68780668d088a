//! Which files are accepted as keys, and which are refused.

use super::*;

/// The example key of RFC 6979, A.2.5.
const EXAMPLE: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n\
    Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
    -----END PUBLIC KEY-----\n";

#[test]
fn what_is_no_keyring_is_refused() {
    let refused = |bytes: &[u8]| Keyring::parse("k", bytes).expect_err("refused").to_string();
    assert!(refused(b"").contains("no public key"));
    assert!(refused(b"hello").contains("no public key"));
    assert!(refused(b"-----BEGIN PUBLIC KEY-----\n").contains("cannot be used"));
    let private = EXAMPLE.replace("PUBLIC", "PRIVATE");
    assert!(refused(private.as_bytes()).contains("not a PUBLIC KEY"));
    assert!(refused(&vec![b'x'; SIZE_LIMIT + 1]).contains("too large"));
    // One bit of the point, and of the curve's name.
    let off = EXAMPLE.replace("AEYP7U", "AEYP7V");
    assert!(refused(off.as_bytes()).contains("not on the curve"));
    let curve = EXAMPLE.replace("BAQcDQg", "BAQYDQg").replace("MBAQc", "MBAQY");
    assert!(refused(curve.replace("0DAQc", "0DAQY").as_bytes()).contains("curve other than"));
}

#[test]
fn a_file_may_hold_several_keys_and_text() {
    let twice = format!("My key:\r\n{}and again\n{EXAMPLE}", EXAMPLE.replace('\n', "\r\n"));
    let keyring = Keyring::parse("k", twice.as_bytes()).expect("a keyring");
    assert_eq!(keyring.keys().count(), 1, "it is one key");
    let full = format!("{EXAMPLE}{}", "\n".repeat(SIZE_LIMIT - EXAMPLE.len()));
    assert_eq!(Keyring::parse("k", full.as_bytes()).ok().map(|found| found.keys().len()), Some(1));
}

#[test]
fn an_id_is_shown_in_hexadecimal_digits() {
    let id = KeyId([0x0a; 16]);
    assert_eq!(id.to_string(), "0a".repeat(16));
    assert_eq!(format!("{id:?}"), id.to_string());
}
