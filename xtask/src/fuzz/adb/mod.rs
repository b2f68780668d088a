//! apk v3: indexes, packages and keys.

mod seeds;
mod target;

pub use seeds::all as seeds;
pub use target::Target;

/// Values at which off-by-one errors live: words and types of the format.
pub const WORDS: [u32; 12] = [
    0,
    1,
    2,
    0xffff_ffff,
    0x7fff_ffff,
    0x8000_0000,
    0x3fff_ffff,
    0xc000_0002,
    0xd000_0008,
    0xe000_0008,
    0xa000_0000,
    0x2fff_fffc,
];
