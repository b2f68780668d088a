//! Blocks of a container: how many, how large, and read in part.

use wifibox_testkit::adbwriter::{ADB, DATA, SIG, block, plain};

use super::*;
use crate::fault::Fault;

/// Metadata of no value, and what follows.
fn opened(more: &[Vec<u8>], limits: &AdbLimits) -> Result<Container<'static>, AdbError> {
    let file = plain(b"pckg", &[&[block(ADB, &[0; 8])], more].concat());
    Container::open("x.apk", io::Cursor::new(file), Schema::PACKAGE, limits)
}

#[test]
fn what_is_not_read_of_a_block_is_passed_over() {
    let data = |text: &[u8]| block(DATA, text);
    let blocks = [data(b"one"), data(b"two, and more"), data(b"three")];
    let mut container = opened(&blocks, &AdbLimits::default()).expect("opened");
    assert_eq!(container.next_data().expect("sound"), Some(3));
    assert_eq!(container.next_data().expect("sound"), Some(13));
    let mut begin = [0; 3];
    container.read_exact(&mut begin).expect("read");
    assert_eq!(&begin, b"two");
    assert_eq!(container.next_data().expect("sound"), Some(5));
    let mut text = String::new();
    container.read_to_string(&mut text).expect("read");
    assert_eq!(text, "three");
    assert_eq!(container.next_data().expect("sound"), None);
}

#[test]
fn metadata_and_signatures_may_reach_their_limits() {
    let limits = AdbLimits { metadata: 8, signatures: 2, ..AdbLimits::default() };
    let signature = |size: u64| block(SIG, &vec![0; usize::try_from(size).expect("small")]);
    let full = [signature(SIGNATURE_LIMIT), signature(SIGNATURE_LIMIT)];
    let container = opened(&full, &limits).expect("opened");
    assert_eq!(container.signatures().len(), 2);
    let refused = |more: &[Vec<u8>], limits: &AdbLimits| {
        let error = opened(more, limits).err().expect("refused");
        assert!(matches!(error, AdbError::TooLarge { .. }), "{error}");
    };
    refused(&[signature(1), signature(1), signature(1)], &limits);
    refused(&[signature(SIGNATURE_LIMIT + 1)], &limits);
    refused(&[], &AdbLimits { metadata: 7, ..limits });
}

#[test]
fn a_cut_file_and_another_file_are_told_apart() {
    let error = |bytes: &'static [u8]| {
        let limits = AdbLimits::default();
        Container::open("x.apk", bytes, Schema::PACKAGE, &limits).err().expect("refused")
    };
    for cut in [&b"A"[..], b"ADB", b"ADBc", b"ADBc\x01", b"ADB.pc", b"ADB.pckg\x0c\0"] {
        let error = error(cut);
        assert_eq!(error.kind(), Fault::Damaged, "{error}");
        assert!(error.to_string().contains("the file is cut off"), "{error}");
    }
    for foreign in [&b""[..], b"AD?", b"PK", b"\x1f\x8b\x08\x00", b"<htm"] {
        let error = error(foreign);
        assert_eq!(error.kind(), Fault::Foreign, "{error}");
    }
}

#[test]
fn a_schema_is_shown_as_it_is_written() {
    assert_eq!(format!("{:?}", Schema::INSTALLED), "\"idb\\x00\"");
    assert_eq!(Schema::INSTALLED.to_string(), "a database of installed packages");
}
