//! The values of an ADB block: integers, blobs, arrays and objects (apk-tools, `src/adb.h`).
//!
//! A value is a little-endian word: four bits of type, and 28 bits that are either the number itself
//! or an offset into the block. An array or object is a row of words, the first of which counts them
//! all; fields that are not there are null. Many values may point to one place, so what is read is
//! counted: [`Values`] gives out a limited number of bytes. Readers follow a schema of fixed depth.

use std::cell::Cell;

const SPECIAL: u32 = 0x0;
const INT: u32 = 0x1;
const INT_32: u32 = 0x2;
const INT_64: u32 = 0x3;
const BLOB_8: u32 = 0x8;
const BLOB_16: u32 = 0x9;
const BLOB_32: u32 = 0xa;
const ARRAY: u32 = 0xd;
const OBJECT: u32 = 0xe;

/// Each byte of a block may be read this often on average: apk stores equal values once.
const SHARING: u64 = 64;

/// Bytes that may be read beyond that, for small blocks that share a lot.
const SLACK: u64 = 1 << 20;

/// Bytes that each value counts beside its contents: it takes memory even if it is small.
const OVERHEAD: u64 = 16;

/// Size of the block's own header: two version numbers, two reserved bytes, the root value.
const HEADER: usize = 8;

/// A field of an object: its slot, and its name in apk's schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(pub usize, pub &'static str);

/// A value that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValueError {
    /// A version of the format that is not known.
    #[error("its format has version {0}, and only version 0 is known; a newer program is needed")]
    Version(u8),
    /// A value whose bytes are not in the block.
    #[error("the value of {0} lies outside the file's metadata")]
    Outside(&'static str),
    /// A value of another type.
    #[error("the value of {field} has type {found:#x}; {wanted} is expected")]
    Type {
        /// The field's name in apk's schemas.
        field: &'static str,
        /// The type in the value's upper four bits.
        found: u32,
        /// The expected one, in words.
        wanted: &'static str,
    },
    /// Values that are referred to more often than the limit allows.
    #[error("its metadata refers to itself so often that it is larger than allowed")]
    TooMuch,
}

/// The payload of an ADB block.
pub struct Values<'a> {
    bytes: &'a [u8],
    left: Cell<u64>,
}

impl<'a> Values<'a> {
    /// Reads no more than `limit` bytes of values in all, and no more than is plausible.
    pub fn new(bytes: &'a [u8], limit: u64) -> Result<Self, ValueError> {
        match bytes.first() {
            _ if bytes.len() < HEADER => Err(ValueError::Outside("the root")),
            Some(0) => {
                let plausible = (bytes.len() as u64).saturating_mul(SHARING).saturating_add(SLACK);
                Ok(Values { bytes, left: Cell::new(limit.min(plausible)) })
            }
            version => Err(ValueError::Version(version.copied().unwrap_or_default())),
        }
    }

    /// The root object.
    pub fn root(&self) -> Result<List<'_, 'a>, ValueError> {
        let root = Field(0, "the root");
        let word = self.word(4).ok_or(ValueError::Outside(root.1))?;
        self.list(root, word)?.ok_or(ValueError::Outside(root.1))
    }

    /// Whether there is no root object: so apk writes an index of no packages.
    pub fn is_empty(&self) -> bool {
        self.word(4) == Some(0)
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// `length` bytes at `at`, counted.
    fn take(&self, field: Field, at: usize, length: u64) -> Result<&'a [u8], ValueError> {
        let bytes = usize::try_from(length)
            .ok()
            .and_then(|length| self.bytes.get(at..at.checked_add(length)?))
            .ok_or(ValueError::Outside(field.1))?;
        let left = self.left.get().checked_sub(length.saturating_add(OVERHEAD));
        self.left.set(left.ok_or(ValueError::TooMuch)?);
        Ok(bytes)
    }

    fn number(&self, field: Field, at: usize, length: usize) -> Result<u64, ValueError> {
        let bytes = self.take(field, at, length as u64)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn int(&self, field: Field, word: u32) -> Result<Option<u64>, ValueError> {
        let (kind, value) = split(word);
        match kind {
            SPECIAL if value == 0 => Ok(None),
            INT => Ok(Some(value as u64)),
            INT_32 => self.number(field, value, 4).map(Some),
            INT_64 => self.number(field, value, 8).map(Some),
            found => Err(ValueError::Type { field: field.1, found, wanted: "a number" }),
        }
    }

    fn blob(&self, field: Field, word: u32) -> Result<Option<&'a [u8]>, ValueError> {
        let (kind, value) = split(word);
        let width = match kind {
            SPECIAL if value == 0 => return Ok(None),
            BLOB_8 => 1,
            BLOB_16 => 2,
            BLOB_32 => 4,
            found => {
                return Err(ValueError::Type { field: field.1, found, wanted: "bytes" });
            }
        };
        let length = self.number(field, value, width)?;
        self.take(field, value.saturating_add(width), length).map(Some)
    }

    /// apk writes some arrays, an index's packages among them, with the type of objects.
    fn list(&self, field: Field, word: u32) -> Result<Option<List<'_, 'a>>, ValueError> {
        let (kind, value) = split(word);
        match kind {
            SPECIAL if value == 0 => return Ok(None),
            ARRAY | OBJECT => {}
            found => {
                return Err(ValueError::Type {
                    field: field.1,
                    found,
                    wanted: "an object or array",
                });
            }
        }
        let count = self.word(value).filter(|count| *count > 0);
        let count = u64::from(count.ok_or(ValueError::Outside(field.1))?);
        let slots = self.take(field, value, count.saturating_mul(4))?;
        Ok(Some(List { values: self, slots }))
    }
}

fn split(word: u32) -> (u32, usize) {
    (word >> 28, (word & 0x0fff_ffff) as usize)
}

/// An object or an array: slots from 1 on.
#[derive(Clone, Copy)]
pub struct List<'v, 'a> {
    values: &'v Values<'a>,
    slots: &'a [u8],
}

impl<'v, 'a> List<'v, 'a> {
    /// How many slots there are, without the one that counts them.
    pub fn count(&self) -> usize {
        (self.slots.len() / 4).saturating_sub(1)
    }

    /// The slots of an array, in their order, each as a field of this name.
    pub fn items(&self, name: &'static str) -> impl Iterator<Item = Field> + use<> {
        (1..=self.count()).map(move |slot| Field(slot, name))
    }

    fn word(&self, field: Field) -> u32 {
        let slot = self.slots.chunks_exact(4).nth(field.0);
        slot.and_then(|word| word.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
    }

    /// A number; `None` when the field is not there.
    pub fn int(&self, field: Field) -> Result<Option<u64>, ValueError> {
        self.values.int(field, self.word(field))
    }

    /// Bytes; `None` when the field is not there.
    pub fn blob(&self, field: Field) -> Result<Option<&'a [u8]>, ValueError> {
        self.values.blob(field, self.word(field))
    }

    /// An object or an array; `None` when the field is not there.
    pub fn list(&self, field: Field) -> Result<Option<List<'v, 'a>>, ValueError> {
        self.values.list(field, self.word(field))
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
