//! Every decoder against every encoder.
#![allow(clippy::unwrap_used)] // A fault of a test ends it.

use crate::Codec;
use crate::decode::*;

const ALL: [(Codec, Format); 6] = [
    (Codec::XZ, Format::Xz),
    (Codec::Xz { x86: false }, Format::Xz),
    (Codec::ZSTD, Format::Zstd),
    (Codec::GZIP, Format::Zlib),
    (Codec::Lz4, Format::Lz4),
    (Codec::Lzo, Format::Lzo),
];

/// Bytes that no codec can shrink, from a fixed linear congruential generator.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn compress(codec: Codec, block: &[u8], block_size: u32) -> Vec<u8> {
    codec.encoder(block_size).unwrap().compress(block).unwrap()
}

#[test]
fn every_codec_round_trips_whatever_it_did_before() {
    let text = b"the quick brown fox ".repeat(6000);
    for (codec, format) in ALL {
        let mut encoder = codec.encoder(131_072).expect("set up");
        for block in [&text[..], &noise(131_072), &[0; 4096], b"a", &noise(1 << 20)] {
            let packed = encoder.compress(block).expect("compressed");
            assert_eq!(packed, compress(codec, block, 131_072));
            assert_eq!(format.decompress(&packed).expect("read back"), block, "{codec:?}");
            let mut out = vec![7; 10];
            encoder.decompress(&packed, &mut out, block.len()).expect("read back");
            assert_eq!(out, block);
        }
        let packed = compress(codec, &text, 131_072);
        assert!(packed.len() < text.len() / 20, "{codec:?} shrinks text");
    }
}

#[test]
fn damage_and_bombs_are_errors() {
    for (codec, format) in ALL {
        let packed = compress(codec, &vec![7; 100_000], 131_072);
        let cut = packed.get(..packed.len() / 2).expect("half");
        assert!(format.decompress(cut).is_err(), "{codec:?} cut short");
        let bomb = compress(codec, &vec![0; MAX_BLOCK + 1], 1 << 20);
        assert!(format.decompress(&bomb).is_err(), "{codec:?} too large");
    }
}
