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

/// One of the seeds, damaged in one to eight places.
pub fn mutant(seeds: &[Vec<u8>], words: Words, random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds.get(random.below(seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        let length = 1 + random.below(16);
        let end = (at + length).min(bytes.len());
        match random.below(8) {
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
                let other = seeds.get(random.below(seeds.len())).map_or(&[][..], Vec::as_slice);
                let from = random.below(other.len());
                let part = other.get(from..(from + 4 * length).min(other.len()));
                bytes.splice(at..end, part.unwrap_or_default().iter().copied());
            }
            5 | 6 => put_word(&mut bytes, (at, end), words, random),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
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
