//! The compression of an ADB file (apk-tools, `src/adb_comp.c`).
//!
//! `ADB.` begins a plain file, `ADBd` one of raw deflate, `ADBc` names algorithm and level in two bytes.

use std::io::{self, Read};

use super::error::AdbError;
use wifibox_ground::codec::{self, Compression, Limits, fill};

/// A reader of the plain form, which begins with `ADB.`.
pub fn unpacked<'r>(
    file: &str,
    mut input: impl Read + 'r,
    limits: Limits,
) -> Result<Box<dyn Read + 'r>, AdbError> {
    let read = |source| AdbError::Read { file: file.to_owned(), source };
    let mut magic = [0; 4];
    match fill(&mut input, &mut magic).map_err(read)? {
        4 => {}
        // An empty file, or the beginning of something else.
        got if got == 0 || !magic.get(..got).is_some_and(|begin| b"ADB.".starts_with(begin)) => {
            return Err(AdbError::foreign(file, "it does not begin with \"ADB\""));
        }
        _ => return Err(read(cut_off())),
    }
    let algorithm = match &magic {
        b"ADB." => {
            let whole = io::Cursor::new(magic).chain(input);
            return Compression::None.reader(whole, limits).map_err(read);
        }
        b"ADBd" => 1,
        b"ADBc" => {
            let mut algorithm_and_level = [0; 2];
            read_exactly(&mut input, &mut algorithm_and_level).map_err(read)?;
            algorithm_and_level[0]
        }
        [0x1f, 0x8b, ..] => {
            let why = "it is compressed by gzip, as apk v2 files are";
            return Err(AdbError::foreign(file, why));
        }
        _ => return Err(AdbError::foreign(file, "it does not begin with \"ADB\"")),
    };
    match algorithm {
        0 => Compression::None.reader(input, limits).map_err(read),
        1 => Ok(codec::raw_deflate(input, limits)),
        2 => Compression::Zstd.reader(input, limits).map_err(read),
        other => {
            let why = format!("it is compressed by the unknown algorithm {other}");
            Err(AdbError::unsupported(file, why))
        }
    }
}

/// The error for a file that ends too early.
pub(crate) fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file is cut off")
}

/// Fills `buf`, and says it plainly when there is too little.
pub fn read_exactly(input: &mut impl Read, buf: &mut [u8]) -> io::Result<()> {
    input.read_exact(buf).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => cut_off(),
        _ => error,
    })
}
