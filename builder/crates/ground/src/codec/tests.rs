//! Every compression: whole, cut, damaged, too large.

use std::io::{self, Read, Write};

use proptest::prelude::*;

use super::*;

fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            out.write_all(bytes).expect("packed");
            out.finish().expect("packed")
        }
        Compression::Xz => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 6);
            out.write_all(bytes).expect("packed");
            out.finish().expect("packed")
        }
        Compression::Zstd => zstd::encode_all(bytes, 3).expect("packed"),
    }
}

fn unpack(compression: Compression, bytes: &[u8], limits: Limits) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    compression.reader(bytes, limits)?.read_to_end(&mut out)?;
    Ok(out)
}

const ALL: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd];

#[test]
fn what_was_packed_comes_out_and_several_parts_are_one() {
    for compression in ALL {
        let name = format!("x{}", compression.suffix());
        assert_eq!(Compression::of_name(&name), compression);
        let twice = [pack(compression, b"hello "), pack(compression, b"world")].concat();
        let out = unpack(compression, &twice, Limits::default()).expect("unpacked");
        assert_eq!(out, b"hello world");
    }
}

#[test]
fn cuts_and_damage_are_errors() {
    let text: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
    for compression in &ALL[1..] {
        let packed = pack(*compression, &text);
        for cut in [1, 10, packed.len() / 2, packed.len() - 1] {
            assert!(unpack(*compression, &packed[..cut], Limits::default()).is_err());
        }
        assert!(unpack(*compression, b"not packed at all", Limits::default()).is_err());
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 64 << 20];
    for compression in ALL {
        let packed = pack(compression, &zeros);
        let small = Limits { size: 1 << 20, ratio: u64::MAX };
        let error = unpack(compression, &packed, small).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{compression:?}");
        if compression != Compression::None {
            let error = unpack(compression, &packed, Limits { size: u64::MAX, ratio: 100 });
            let error = error.expect_err("too good a ratio");
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{compression:?}");
        }
    }
}

#[test]
fn raw_deflate_ends_where_it_says() {
    let text: Vec<u8> = (0..20_000u32).flat_map(u32::to_le_bytes).collect();
    let level = flate2::Compression::best();
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), level);
    packer.write_all(&text).expect("packed");
    let mut packed = packer.finish().expect("packed");
    let unpack = |bytes: &[u8], limits| {
        let mut out = Vec::new();
        raw_deflate(bytes, limits).read_to_end(&mut out).map(|_| out)
    };
    assert_eq!(unpack(&packed, Limits::default()).expect("unpacked"), text);
    let small = Limits { size: 1000, ratio: u64::MAX };
    let error = unpack(&packed, small).expect_err("too large");
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    for cut in [0, 1, packed.len() / 2, packed.len() - 1] {
        let error = unpack(&packed[..cut], Limits::default()).expect_err("cut off");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
    }
    packed.push(0);
    let error = unpack(&packed, Limits::default()).expect_err("too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn content_and_name_tell_the_compression() {
    let bytes: Vec<u8> = (0..50_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
    for kind in ALL {
        let packed = pack(kind, &bytes);
        assert_eq!(Compression::of_content(&packed), kind);
        assert_eq!(read_unpacked(packed.as_slice(), 1 << 20).expect("unpacked"), bytes);
        let name = format!("a.ko{}", kind.suffix());
        assert_eq!(Compression::split_name(name.as_bytes()), (&b"a.ko"[..], kind));
    }
}

#[test]
fn a_file_in_memory_has_a_limit() {
    let bytes = vec![7; 100_000];
    for kind in ALL {
        let packed = pack(kind, &bytes);
        let error = read_unpacked(packed.as_slice(), 99_999).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{kind}");
        if kind != Compression::None {
            let cut = &packed[..packed.len() - 3];
            assert!(read_unpacked(cut, 1 << 20).is_err(), "{kind} cut short");
        }
    }
    assert!(read_unpacked(&b""[..], 10).expect("empty").is_empty());
    assert_eq!(read_unpacked(&b"abc"[..], 3).expect("short"), b"abc");
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..60) {
        let small = Limits { size: 1 << 16, ratio: 100 };
        for compression in ALL {
            let _ = unpack(compression, &bytes, small);
            let mut packed = pack(compression, b"some text, some text, some text");
            let at = at.min(packed.len());
            packed.splice(at..at, bytes.iter().copied().take(4));
            let _ = unpack(compression, &packed, small);
        }
    }
}
