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
