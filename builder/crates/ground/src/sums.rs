//! `SHA256SUMS`: the hashes of the files of an output or a release.

use std::collections::BTreeMap;

use crate::digest::Sha256;

/// The file of hashes.
pub const SUMS: &str = "SHA256SUMS";
/// Signatures over [`SUMS`] may lie beside it: they cannot be listed in it.
pub const SIGNATURES: [&str; 2] = ["SHA256SUMS.minisig", "SHA256SUMS.asc"];
/// The largest list of hashes that is read, in bytes.
pub const SUMS_LIMIT: u64 = 16 << 20;

/// The list of hashes of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// The file as it is: what a signature is over.
    pub bytes: Vec<u8>,
    /// Hashes by path.
    pub hashes: BTreeMap<String, Sha256>,
}

impl Sums {
    /// Reads the lines of `sha256sum`: a hash, two blanks, a relative path.
    ///
    /// # Errors
    /// The line that is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut hashes = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let bad = |why: &str| format!("line {}: {why}: {line:?}", number + 1);
            let (hash, path) =
                line.split_once("  ").ok_or_else(|| bad("no hash, two blanks and a path"))?;
            let hash = hash.parse().map_err(|_| bad("no SHA-256"))?;
            let inside = !path.is_empty()
                && !path.contains('\\')
                && path.split('/').all(|part| !["", ".", ".."].contains(&part));
            if !inside {
                return Err(bad("a path that leads out of the folder"));
            }
            if hashes.insert(path.to_owned(), hash).is_some() {
                return Err(bad("a path that appears twice"));
            }
        }
        if hashes.is_empty() {
            return Err("it lists no file".to_owned());
        }
        Ok(Sums { bytes: bytes.to_vec(), hashes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_of_files_within_are_read() {
        let hash = Sha256::of(b"x");
        let read = |text: &str| Sums::parse(text.as_bytes());
        let good = format!("{hash}  a\n{hash}  b/c.d\n");
        let sums = read(&good).expect("sums");
        assert_eq!(sums.bytes, good.as_bytes());
        assert_eq!(sums.hashes, [("a", hash), ("b/c.d", hash)].map(|(n, h)| (n.into(), h)).into());
        for (text, why) in [
            (String::new(), "it lists no file"),
            (format!("{hash} a\n"), "line 1: no hash, two blanks and a path"),
            (format!("{hash}  a\n{hash}0  b\n"), "line 2: no SHA-256"),
            (format!("{hash}  a\n{hash}  a\n"), "line 2: a path that appears twice"),
        ] {
            let error = read(&text).expect_err(why);
            assert!(error.contains(why), "{error}");
        }
        for path in ["", "/a", "a/", "a//b", ".", "./a", "..", "../a", "a/../b", "a\\b"] {
            let error = read(&format!("{hash}  {path}\n")).expect_err(path);
            assert!(error.contains("a path that leads out of the folder"), "{error}");
        }
        assert!(Sums::parse(b"\xff").is_err());
    }
}
