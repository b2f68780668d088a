//! The header and the blocks of an ADB file (apk-tools, `src/adb.h`).
//!
//! An unpacked file is `ADB.`, the schema, and blocks that are padded to eight bytes: one ADB block with
//! the metadata, SIG blocks, and DATA blocks with the bytes of files. The metadata and the signatures
//! are held in memory, DATA blocks stream past.

use std::fmt;
use std::io::{self, BufReader, Read};

use super::error::AdbError;
use super::limits::AdbLimits;
use super::packing::{read_exactly, unpacked};
use super::value::{ValueError, Values};
use crate::within::read_within;
use wifibox_ground::codec::fill;

/// The contents of an ADB file, by the four bytes after its magic number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Schema(pub [u8; 4]);

impl Schema {
    /// A package index.
    pub const INDEX: Schema = Schema(*b"indx");
    /// A package.
    pub const PACKAGE: Schema = Schema(*b"pckg");
    /// apk's database of installed packages.
    pub(crate) const INSTALLED: Schema = Schema(*b"idb\0");
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Schema::INDEX => f.write_str("a package index"),
            Schema::PACKAGE => f.write_str("a package"),
            Schema::INSTALLED => f.write_str("a database of installed packages"),
            Schema(bytes) => write!(f, "of the unknown schema \"{}\"", bytes.escape_ascii()),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// No signature has more bytes: RSA with 16384 bits needs 2066.
const SIGNATURE_LIMIT: u64 = 4096;

const ALIGNMENT: u64 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Adb,
    Signature,
    Data,
}

struct Block {
    kind: Kind,
    length: u64,
    padding: u64,
}

/// An ADB file that is being read, up to its first DATA block at first.
pub struct Container<'r> {
    file: String,
    input: BufReader<Box<dyn Read + 'r>>,
    schema: Schema,
    payload: Vec<u8>,
    signatures: Vec<Vec<u8>>,
    /// A DATA block whose header was read and that was not given out yet.
    waiting: Option<Block>,
    /// Bytes still to be read of the DATA block that was given out, and of its padding.
    left: u64,
    padding: u64,
}

impl<'r> Container<'r> {
    /// Reads a file, `file` in errors, that must hold `wanted`, up to the end of its signatures.
    pub fn open(
        file: &str,
        input: impl Read + 'r,
        wanted: Schema,
        limits: &AdbLimits,
    ) -> Result<Self, AdbError> {
        let read = |source| AdbError::Read { file: file.to_owned(), source };
        let mut input = unpacked(file, input, limits.unpacked)?;
        let mut header = [0; 8];
        read_exactly(&mut input, &mut header).map_err(read)?;
        let [b'A', b'D', b'B', b'.', schema @ ..] = header else {
            return Err(AdbError::format(file, "what was unpacked does not begin with \"ADB.\""));
        };
        let schema = Schema(schema);
        if schema != wanted {
            return Err(AdbError::foreign(file, format!("it is {schema}; {wanted} is expected")));
        }
        let mut container = Container {
            file: file.to_owned(),
            input: BufReader::new(input),
            schema,
            payload: Vec::new(),
            signatures: Vec::new(),
            waiting: None,
            left: 0,
            padding: 0,
        };
        match container.header()? {
            Some(Block { kind: Kind::Adb, length, padding }) => {
                container.payload = container.held("metadata", length, limits.metadata)?;
                container.pad(padding)?;
            }
            _ => return Err(AdbError::format(file, "its first block is not metadata")),
        }
        // A file of another version is not told to be damaged, whatever its signatures look like.
        if let Err(error @ ValueError::Version(_)) = Values::new(&container.payload, 0) {
            return Err(AdbError::unsupported(file, error.to_string()));
        }
        loop {
            match container.header()? {
                Some(Block { kind: Kind::Signature, length, padding }) => {
                    if container.signatures.len() >= limits.signatures {
                        let why = format!("it has more than {} signatures", limits.signatures);
                        return Err(AdbError::too_large(file, "signatures", why));
                    }
                    let signature = container.held("signature", length, SIGNATURE_LIMIT)?;
                    container.signatures.push(signature);
                    container.pad(padding)?;
                }
                Some(Block { kind: Kind::Adb, .. }) => {
                    return Err(AdbError::format(file, "it has metadata twice"));
                }
                data => {
                    container.waiting = data;
                    return Ok(container);
                }
            }
        }
    }

    /// Its schema: package index or package.
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// The contents of its ADB block: what is signed and hashed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The contents of its SIG blocks.
    pub fn signatures(&self) -> &[Vec<u8>] {
        &self.signatures
    }

    /// Goes to the next DATA block and says how many bytes it has; `None` at the end of the file. The
    /// bytes are then read from the container.
    pub fn next_data(&mut self) -> Result<Option<u64>, AdbError> {
        let file = self.file.clone();
        // What was not read of the block before.
        io::copy(&mut *self, &mut io::sink())
            .map_err(|source| AdbError::Read { file: file.clone(), source })?;
        let padding = std::mem::take(&mut self.padding);
        self.pad(padding)?;
        let next = match self.waiting.take() {
            Some(block) => Some(block),
            None => self.header()?,
        };
        match next {
            None => Ok(None),
            Some(Block { kind: Kind::Data, length, padding }) => {
                (self.left, self.padding) = (length, padding);
                Ok(Some(length))
            }
            Some(_) => {
                Err(AdbError::format(&file, "it has metadata or a signature after its data"))
            }
        }
    }

    /// Reads the header of a block; `None` at the end of the file.
    fn header(&mut self) -> Result<Option<Block>, AdbError> {
        let mut word = [0; 4];
        let (first, rest) = word.split_at_mut(1);
        let cut = |source| AdbError::Read { file: self.file.clone(), source };
        let got = fill(&mut self.input, first).map_err(cut)?;
        if got == 0 {
            return Ok(None);
        }
        read_exactly(&mut self.input, rest).map_err(cut)?;
        let word = u32::from_le_bytes(word);
        let (mut kind, mut size, mut header) = (word >> 30, u64::from(word & 0x3fff_ffff), 4);
        if kind == 3 {
            let mut long = [0; 12];
            read_exactly(&mut self.input, &mut long).map_err(cut)?;
            let [r0, r1, r2, r3, long @ ..] = long;
            if [r0, r1, r2, r3] != [0; 4] {
                let why = "a block's header has unknown flags";
                return Err(AdbError::format(&self.file, why));
            }
            (kind, size, header) = (word & 0x3fff_ffff, u64::from_le_bytes(long), 16);
        }
        let kind = match kind {
            0 => Kind::Adb,
            1 => Kind::Signature,
            2 => Kind::Data,
            other => {
                let why = format!("it has a block of the unknown type {other}");
                return Err(AdbError::format(&self.file, why));
            }
        };
        let Some(length) = size.checked_sub(header) else {
            return Err(AdbError::format(&self.file, "a block is smaller than its own header"));
        };
        let padding = (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;
        Ok(Some(Block { kind, length, padding }))
    }

    /// The contents of a block, which must not have more than `limit` bytes.
    fn held(&mut self, what: &str, length: u64, limit: u64) -> Result<Vec<u8>, AdbError> {
        if length > limit {
            let why = format!("it has {length} bytes, more than the {limit} allowed");
            return Err(AdbError::too_large(&self.file, what, why));
        }
        let mut bytes = Vec::new();
        self.left = length;
        let read = self.read_to_end(&mut bytes);
        read.map_err(|source| AdbError::Read { file: self.file.clone(), source })?;
        Ok(bytes)
    }

    /// Passes over the zeros after a block.
    fn pad(&mut self, padding: u64) -> Result<(), AdbError> {
        let mut zeros = Vec::new();
        self.left = padding;
        let read = self.read_to_end(&mut zeros);
        read.map_err(|source| AdbError::Read { file: self.file.clone(), source })?;
        if zeros.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        Err(AdbError::format(&self.file, "there is something between its blocks"))
    }
}

/// The bytes of the current block: all of them, or an error.
impl Read for Container<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        read_within(&mut self.input, &mut self.left, buf, "the file")
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
