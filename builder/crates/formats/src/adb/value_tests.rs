//! Bounds, types and sharing of ADB values.

use proptest::prelude::*;

use super::*;

const F: Field = Field(1, "field");

/// A block: its header with this root, then these words.
fn block(root: u32, words: &[u32]) -> Vec<u8> {
    let all = [0, root].into_iter().chain(words.iter().copied());
    all.flat_map(u32::to_le_bytes).collect()
}

fn with_field<T>(
    word: u32,
    more: &[u32],
    read: impl FnOnce(&List<'_, '_>) -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    // The object has two slots and stands at offset 8, what is behind it at 16.
    let words = [&[2, word], more].concat();
    let bytes = block(OBJECT << 28 | 8, &words);
    let values = Values::new(&bytes, u64::MAX)?;
    read(&values.root()?)
}

#[test]
fn numbers_of_all_widths_are_read() {
    let int = |word, more: &[u32]| with_field(word, more, |list| list.int(F));
    assert_eq!(int(0, &[]), Ok(None));
    assert_eq!(int(INT << 28 | 0x0fff_ffff, &[]), Ok(Some(0x0fff_ffff)));
    assert_eq!(int(INT_32 << 28 | 16, &[0xfedc_ba98]), Ok(Some(0xfedc_ba98)));
    assert_eq!(int(INT_64 << 28 | 16, &[1, 0x8000_0000]), Ok(Some(0x8000_0000_0000_0001)));
    assert_eq!(int(INT_64 << 28 | 16, &[1]), Err(ValueError::Outside("field")));
    assert_eq!(int(INT_32 << 28 | 0x0fff_ffff, &[]), Err(ValueError::Outside("field")));
    for word in [1, 2, BLOB_8 << 28, OBJECT << 28 | 8, 0xf000_0001, 0x4000_0000] {
        assert!(matches!(int(word, &[]), Err(ValueError::Type { .. })), "{word:#x}");
    }
}

#[test]
fn blobs_of_all_widths_are_read() {
    let blob =
        |word, more: &[u32]| with_field(word, more, |list| Ok(list.blob(F)?.map(<[u8]>::to_vec)));
    assert_eq!(blob(0, &[]), Ok(None));
    assert_eq!(blob(BLOB_8 << 28 | 16, &[0x6362_6103]), Ok(Some(b"abc".to_vec())));
    assert_eq!(blob(BLOB_16 << 28 | 16, &[0x6261_0002]), Ok(Some(b"ab".to_vec())));
    assert_eq!(blob(BLOB_32 << 28 | 16, &[4, 0x6463_6261]), Ok(Some(b"abcd".to_vec())));
    assert_eq!(blob(BLOB_8 << 28 | 16, &[0]), Ok(Some(Vec::new())));
    assert_eq!(blob(BLOB_8 << 28 | 16, &[4]), Err(ValueError::Outside("field")));
    assert_eq!(blob(BLOB_32 << 28 | 16, &[u32::MAX]), Err(ValueError::Outside("field")));
    assert_eq!(blob(BLOB_16 << 28 | 19, &[0]), Err(ValueError::Outside("field")));
    for word in [1, 2, INT << 28, OBJECT << 28 | 8] {
        assert!(matches!(blob(word, &[]), Err(ValueError::Type { .. })), "{word:#x}");
    }
}

#[test]
fn rows_lie_inside_the_block() {
    let words = [1];
    let list = |word| with_field(word, &words, |list| Ok(list.list(F)?.map(|list| list.count())));
    assert_eq!(list(0), Ok(None));
    assert_eq!(list(ARRAY << 28 | 16), Ok(Some(0)));
    assert_eq!(list(OBJECT << 28 | 16), Ok(Some(0)));
    for word in [1, 2, INT << 28 | 16, BLOB_8 << 28 | 16] {
        assert!(matches!(list(word), Err(ValueError::Type { .. })), "{word:#x}");
    }
    assert_eq!(list(ARRAY << 28 | 20), Err(ValueError::Outside("field")));
    let empty = with_field(ARRAY << 28 | 16, &[0], |list| Ok(list.list(F)?.is_some()));
    assert_eq!(empty, Err(ValueError::Outside("field")), "a row counts itself");
    let long = with_field(ARRAY << 28 | 16, &[u32::MAX], |list| Ok(list.list(F)?.is_some()));
    assert_eq!(long, Err(ValueError::Outside("field")));
}

#[test]
fn headers_are_checked() {
    assert_eq!(Values::new(&[0; 7], 1).err(), Some(ValueError::Outside("the root")));
    assert_eq!(Values::new(&[3; 8], 1).err(), Some(ValueError::Version(3)));
    let no_root = block(0, &[]);
    let values = Values::new(&no_root, 100).expect("values");
    assert_eq!(values.root().err(), Some(ValueError::Outside("the root")));
}

#[test]
fn what_refers_to_itself_again_and_again_is_refused() {
    // An array of 10000 references to itself: each look costs its whole length.
    let words: Vec<u32> = std::iter::once(10_001).chain([ARRAY << 28 | 8; 10_000]).collect();
    let bytes = block(OBJECT << 28 | 8, &words);
    let values = Values::new(&bytes, u64::MAX).expect("values");
    let root = values.root().expect("the root");
    let mut looks = 0;
    let error = std::iter::repeat_with(|| root.items("item")).flatten().find_map(|item| {
        looks += 1;
        root.list(item).err()
    });
    assert_eq!(error, Some(ValueError::TooMuch));
    assert!(looks < 200, "{looks} looks at 40 kB were allowed");
}

#[test]
fn small_blocks_may_share_a_lot() {
    let looks = with_field(BLOB_8 << 28 | 16, &[0x6362_6103], |list| {
        (0..1000).map(|_| list.blob(F)).collect::<Result<Vec<_>, _>>().map(|looks| looks.len())
    });
    assert_eq!(looks, Ok(1000));
}

proptest! {
    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(
        prop_oneof![0u32..16, any::<u32>(), (0u32..16, 0u32..80).prop_map(|(t, v)| t << 28 | v)], 0..20,
    )) {
        let bytes: Vec<u8> = std::iter::once(0).chain(words).flat_map(u32::to_le_bytes).collect();
        let Ok(values) = Values::new(&bytes, 1000) else { return Ok(()) };
        let Ok(root) = values.root() else { return Ok(()) };
        for item in root.items("item") {
            let _ = (root.int(item), root.blob(item), root.list(item));
        }
    }
}
