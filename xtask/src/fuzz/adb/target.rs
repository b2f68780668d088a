//! Runs one input of the fuzzer through everything that reads ADB files, as a build would.
//!
//! Shared by the plain mode of `cargo xtask fuzz` and the libFuzzer program in `xtask/fuzz`.

use std::io::{self, Read};

use wifibox_formats::PublicKey as _;
use wifibox_formats::adb::{AdbError, AdbLimits, Fingerprint, Index, Keyring};
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_packages::Apk3;

/// The example key of RFC 6979, A.2.5.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n\
    Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n\
    -----END PUBLIC KEY-----\n";

/// Keys and limits, made once.
pub struct Target {
    keyring: Keyring,
    pinned: Vec<Fingerprint>,
    limits: AdbLimits,
}

impl Target {
    /// With the limits that a build has.
    ///
    /// # Panics
    /// When its key is not taken for one.
    pub fn new() -> Self {
        let keyring = Keyring::parse("RFC 6979", KEY.as_bytes()).unwrap_or_default();
        assert_eq!(keyring.keys().count(), 1, "the key can be read");
        let pinned = keyring.keys().map(|key| key.fingerprint()).collect();
        Target { keyring, pinned, limits: AdbLimits::default() }
    }

    /// Takes `bytes` for a file, for metadata, and for keys; whether any of it can be read.
    ///
    /// # Panics
    /// When something was accepted that must not be.
    pub fn run(&self, bytes: &[u8]) -> bool {
        let mut any = self.index(bytes) | self.package(bytes);
        for schema in [b"indx", b"pckg"] {
            let size = u32::try_from(bytes.len() + 4).unwrap_or(4).to_le_bytes();
            let padding = [0; 8];
            let padding = padding.get(..(8 - (bytes.len() + 4) % 8) % 8).unwrap_or_default();
            let file = [&b"ADB."[..], schema, &size, bytes, padding].concat();
            any |= if schema == b"indx" { self.index(&file) } else { self.package(&file) };
        }
        any | Keyring::parse("keys", bytes).is_ok()
    }

    fn index(&self, bytes: &[u8]) -> bool {
        let read = Index::read("fuzz.adb", bytes, &self.limits, &self.keyring, &self.pinned);
        assert!(read.is_err(), "nobody can have signed this");
        let Ok(index) = Index::read_unverified("fuzz.adb", bytes, &self.limits) else {
            return false;
        };
        for package in index.packages() {
            let name = format!("{} {}", package.path, package.full_name());
            assert!(!name.contains("../") && !name.starts_with('/'), "{name} leads elsewhere");
            let depends = package.depends(wifibox_ground::version::Scheme::Apk);
            assert!(depends.is_ok(), "{:?} was written by us", package.depends);
        }
        true
    }

    fn package(&self, bytes: &[u8]) -> bool {
        let Ok(package) = Apk3::open("fuzz.apk", bytes, self.limits) else { return false };
        let _ = package.signature_state(&self.keyring, &self.pinned);
        let mut total = 0u64;
        let read = package.read_data(&mut |entry: Entry<'_>| -> Result<(), AdbError> {
            assert!(!entry.path.is_root() && entry.mode <= 0o7777);
            if let EntryKind::File { size, content } = entry.kind {
                // Every third file is left unread, or half read.
                let part = [size, size / 2, 0][entry.path.as_bytes().len() % 3];
                if let Ok(read) = io::copy(&mut content.take(part), &mut io::sink()) {
                    assert!(read <= size);
                    total = total.saturating_add(read);
                }
            }
            Ok(())
        });
        if read.is_ok() {
            assert!(total <= self.limits.unpacked.size);
        }
        read.is_ok()
    }
}
