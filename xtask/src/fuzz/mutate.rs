//! Damages inputs at random, from a fixed seed.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// Begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }
}

/// Values of a format that damage is made of.
#[derive(Clone, Copy)]
pub enum Words {
    /// Words of 32 bits, at multiples of four.
    Numbers(&'static [u32]),
    /// Pieces of text, anywhere.
    Texts(&'static [&'static str]),
}

/// No input is longer than this many bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// A piece that is repeated grows to so many bytes at most.
const REPEATED: usize = 64 << 10;
/// Numbers at which fields of 8, 16, 32 and 64 bits end, and small ones.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// One of the seeds, damaged in one to eight places.
pub fn mutant(seeds: &[Vec<u8>], words: Words, random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds.get(random.below(seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=random.below(8) {
        damage(&mut bytes, seeds, words, random);
        bytes.truncate(SIZE_LIMIT);
    }
    bytes
}

/// Does one thing to the bytes.
fn damage(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: Words, random: &mut Random) {
    let at = random.below(bytes.len());
    let length = 1 + random.below(16);
    let end = (at + length).min(bytes.len());
    let other =
        |random: &mut Random| seeds.get(random.below(seeds.len())).map_or(&[][..], Vec::as_slice);
    match random.below(16) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let again = bytes.get(at..end).unwrap_or_default().to_vec();
            bytes.splice(at..at, again);
        }
        3 => {
            let noise: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
            bytes.splice(at..end, noise);
        }
        4 => {
            let other = other(random);
            let from = random.below(other.len());
            let part = other.get(from..(from + 4 * length).min(other.len()));
            bytes.splice(at..end, part.unwrap_or_default().iter().copied());
        }
        5 => {
            let other = other(random);
            let rest = other.get(random.below(other.len())..).unwrap_or_default();
            bytes.truncate(at);
            bytes.extend_from_slice(rest);
        }
        6 => repeat(bytes, at, random),
        7 | 8 => put_edge(bytes, at, random),
        9 => put_digits(bytes, at, random),
        10..=13 => put_word(bytes, (at, end), words, random),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Puts a word at a place: a number over what is there, a text before it or in its stead.
fn put_word(bytes: &mut Vec<u8>, (at, end): (usize, usize), words: Words, random: &mut Random) {
    match words {
        Words::Numbers(numbers) => {
            let at = at & !3;
            let number = numbers.get(random.below(numbers.len())).copied().unwrap_or(0);
            let number = number.wrapping_add(random.below(3) as u32);
            if let Some(place) = bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&number.to_le_bytes());
            }
        }
        Words::Texts(texts) => {
            let text = texts.get(random.below(texts.len())).copied().unwrap_or_default();
            let end = if random.below(2) == 0 { at } else { end };
            bytes.splice(at..end, text.bytes());
        }
    }
}

/// Repeats a piece of up to a block of tar many times.
fn repeat(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let length = [1, 2, 8, 100, 512, 1024].get(random.below(6)).copied().unwrap_or(1);
    let end = (at + length).min(bytes.len());
    let piece = bytes.get(at..end).unwrap_or_default().to_vec();
    let times = random.below(REPEATED / length.max(1)).min(1 << random.below(17));
    bytes.splice(end..end, piece.repeat(times));
}

/// Writes an edge over what is there, as a field of one to eight bytes in either order.
fn put_edge(bytes: &mut [u8], at: usize, random: &mut Random) {
    let edge = EDGES.get(random.below(EDGES.len())).copied().unwrap_or(0);
    let edge = edge.wrapping_add(random.below(3) as u64).wrapping_sub(1);
    let width = 1 << random.below(4);
    let at = if random.below(2) == 0 { at } else { at & !(width - 1) };
    let (little, big) = (edge.to_le_bytes(), edge.to_be_bytes());
    let field = if random.below(4) > 0 { little.get(..width) } else { big.get(8 - width..) };
    if let (Some(place), Some(field)) = (bytes.get_mut(at..at + width), field) {
        place.copy_from_slice(field);
    }
}

/// Puts an edge in digits in the stead of the digits that come next.
fn put_digits(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(from) = bytes.iter().skip(at).position(digit).map(|skipped| at + skipped) else {
        return;
    };
    let count = bytes.iter().skip(from).take_while(|byte| digit(byte)).count();
    let edge = EDGES.get(random.below(EDGES.len())).copied().unwrap_or(0);
    let text = match random.below(4) {
        0 => format!("{edge:o}"),
        1 => format!("-{edge}"),
        2 => format!("{edge}0"),
        _ => edge.to_string(),
    };
    // Where fields have a width, it often stays as it was. Formatting knows widths of 16 bits only.
    let text = match random.below(2) {
        0 => text,
        _ => "0".repeat(count.saturating_sub(text.len())) + &text,
    };
    bytes.splice(from..from + count, text.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_length_can_be_damaged() {
        for seed in 0..16 {
            let mut bytes = vec![b'7'; 1 << 17];
            put_digits(&mut bytes, 0, &mut Random::new(seed));
            assert!(!bytes.is_empty());
        }
    }
}
