//! The order in which kmod's hash tables are walked: some of depmod's output comes in it.
//!
//! kmod's shared/hash.c picks a bucket by Paul Hsieh's SuperFastHash (with 16-bit little-endian
//! reads, as on the machines that depmod usually runs on) and keeps each bucket sorted by key.

/// Buckets of depmod's table of symbols.
pub(super) const SYMBOL_BUCKETS: u32 = 2048;
/// Buckets of depmod's table of modules.
pub(super) const MODULE_BUCKETS: u32 = 512;

/// The bucket of `key` in a table of `buckets`, a power of two.
pub(super) fn bucket(key: &str, buckets: u32) -> u32 {
    superfast(key.as_bytes()) & buckets.wrapping_sub(1)
}

fn superfast(key: &[u8]) -> u32 {
    // C's `char` is signed on x86; for ASCII keys that makes no difference.
    let byte = |value: u8| i32::from(value.cast_signed()).cast_unsigned();
    let pair = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]));
    let mut hash = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let (words, rest) = key.as_chunks::<4>();
    for [a, b, c, d] in words {
        hash = hash.wrapping_add(pair(*a, *b));
        let mixed = (pair(*c, *d) << 11) ^ hash;
        hash = (hash << 16) ^ mixed;
        hash = hash.wrapping_add(hash >> 11);
    }
    match *rest {
        [a, b, c] => {
            hash = hash.wrapping_add(pair(a, b));
            hash ^= hash << 16;
            hash ^= byte(c) << 18;
            hash = hash.wrapping_add(hash >> 11);
        }
        [a, b] => {
            hash = hash.wrapping_add(pair(a, b));
            hash ^= hash << 11;
            hash = hash.wrapping_add(hash >> 17);
        }
        [a] => {
            hash = hash.wrapping_add(byte(a));
            hash ^= hash << 10;
            hash = hash.wrapping_add(hash >> 1);
        }
        _ => {}
    }
    hash ^= hash << 3;
    hash = hash.wrapping_add(hash >> 5);
    hash ^= hash << 4;
    hash = hash.wrapping_add(hash >> 17);
    hash ^= hash << 25;
    hash.wrapping_add(hash >> 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_kmod() {
        // Checked through the order of a whole distribution kernel's modules.symbols.
        for (key, expected) in [
            ("a", 1922),
            ("ab", 836),
            ("abc", 394),
            ("abcd", 219),
            ("printk", 977),
            ("ieee80211_alloc_hw_nm", 953),
        ] {
            assert_eq!(bucket(key, SYMBOL_BUCKETS), expected, "{key}");
            assert_eq!(bucket(key, MODULE_BUCKETS), expected % MODULE_BUCKETS, "{key}");
        }
        assert_eq!(bucket("", SYMBOL_BUCKETS), 0);
    }
}
