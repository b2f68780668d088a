//! Files inside the program, compressed together: a build script packs them, the program unpacks them when it first
//! needs one. Small texts that resemble each other take a sixth of the room that they take one by one.
//!
//! The form is our own: for each file a line with its length in bytes and its name, then its bytes; all of it in one
//! xz stream.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use liblzma::read::XzDecoder;
use liblzma::stream::{Check, Stream};
use liblzma::write::XzEncoder;

/// The preset of xz: a dictionary of 8 MiB, so that unpacking takes no more memory, and its slowest search.
const PRESET: u32 = 6 | 1 << 31;

/// Packs files of these names. The same files make the same bytes.
///
/// # Errors
/// Those of the encoder; [`io::ErrorKind::InvalidInput`] if a name has more than one line.
pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> io::Result<Vec<u8>> {
    let stream = Stream::new_easy_encoder(PRESET, Check::Crc32)?;
    let mut packed = XzEncoder::new_stream(Vec::new(), stream);
    for (name, bytes) in files {
        if name.contains('\n') {
            let why = format!("{name:?} has more than one line");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        writeln!(packed, "{} {name}", bytes.len())?;
        packed.write_all(bytes)?;
    }
    packed.finish()
}

/// The files that were packed, by name; `None` if these are not the bytes of [`pack`].
pub fn unpack(packed: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut all = Vec::new();
    XzDecoder::new(packed).read_to_end(&mut all).ok()?;
    let mut files = BTreeMap::new();
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (length, name) = std::str::from_utf8(rest.get(..end)?).ok()?.split_once(' ')?;
        let begin = end + 1;
        let next = begin.checked_add(length.parse().ok()?)?;
        files.insert(name.to_owned(), rest.get(begin..next)?.to_vec());
        rest = rest.get(next..)?;
    }
    Some(files)
}

/// The files below `folder` by their path in it, with `/`; for build scripts.
///
/// # Errors
/// What cannot be read, and names that are not UTF-8.
pub fn files_below(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut todo = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = todo.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name =
                name.map_err(|name| io::Error::other(format!("{}: not UTF-8", name.display())))?;
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                todo.push((entry.path(), format!("{path}/")));
            } else {
                files.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_out_as_they_went_in() {
        let files: [(&str, &[u8]); 4] =
            [("a", b""), ("b/with a space", b"1 c\ntext"), ("c", &[0, 255, b'\n']), ("d", b"\n")];
        let packed = pack(files).expect("packed");
        assert_eq!(packed, pack(files).expect("packed"));
        let unpacked = unpack(&packed).expect("unpacked");
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(unpacked, BTreeMap::from(expected));
        assert_eq!(unpack(&[]), None);
        assert_eq!(unpack(&packed[..packed.len() - 9]), None);
        assert!(pack([("two\nlines", &b""[..])]).is_err());
    }

    #[test]
    fn what_came_a_megabyte_before_is_packed_once() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let noise: Vec<u8> = std::iter::repeat_with(&mut noise).take(1 << 20).collect();
        let packed = pack([("one", &*noise), ("other", &*noise)]).expect("packed");
        assert!(packed.len() < noise.len() + noise.len() / 8, "{} bytes", packed.len());
    }

    #[test]
    fn files_are_found_in_all_folders() {
        let found = files_below(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("read");
        assert_eq!(found["src/lib.rs"], include_bytes!("lib.rs"));
        assert_eq!(found["Cargo.toml"], include_bytes!("../Cargo.toml"));
        assert!(!found.contains_key("src"), "{:?}", found.keys());
        assert!(files_below(Path::new("no such folder")).is_err());
    }
}
