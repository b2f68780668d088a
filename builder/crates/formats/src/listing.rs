//! Lists of package files where there is no signed index: what a FreeBSD port writes down of its distfiles (`distinfo`, the
//! form of `sha256sum --tag`), and a folder as GitHub's API lists it (REST, "Get repository content": an array of
//! objects). They say which files there are, some of them with size and hash; nobody signed them.

use std::collections::BTreeMap;

use serde::Deserialize;

use wifibox_ground::digest::Sha256;

/// The most files of a list.
const COUNT_LIMIT: usize = 100_000;

/// The longest name of a file, in bytes.
const NAME_LIMIT: usize = 255;

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The files, by name, without their folders.
    pub files: BTreeMap<String, Listed>,
    /// When it was made, in seconds since 1970.
    pub date: Option<u32>,
}

/// What a list says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
}

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// A line of a distinfo.
    #[error("{name}, line {line}: {why}")]
    Line {
        /// The list.
        name: String,
        /// The number of the line.
        line: usize,
        /// The reason.
        why: String,
    },
    /// The objects of a folder.
    #[error("{name} is no folder as GitHub's API lists it: {why}")]
    Json {
        /// The list.
        name: String,
        /// The reason.
        why: String,
    },
}

#[derive(Deserialize)]
struct Object {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    size: Option<u64>,
}

impl Listing {
    /// Reads a list of either kind.
    ///
    /// # Errors
    /// [`ListingError`].
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, ListingError> {
        match bytes.trim_ascii_start().first() {
            Some(b'[') => Listing::of_objects(name, bytes),
            _ => Listing::of_lines(name, bytes),
        }
    }

    fn of_objects(name: &str, bytes: &[u8]) -> Result<Self, ListingError> {
        let bad = |why: String| ListingError::Json { name: name.to_owned(), why };
        let objects: Vec<Object> =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        let mut listing = Listing::default();
        for object in objects.into_iter().filter(|object| object.kind == "file") {
            let listed = listing.add(&object.name).map_err(bad)?;
            listed.size = object.size;
        }
        Ok(listing)
    }

    fn of_lines(name: &str, bytes: &[u8]) -> Result<Self, ListingError> {
        let mut listing = Listing::default();
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let bad = |why: String| ListingError::Line { name: name.to_owned(), line: at + 1, why };
            let line = std::str::from_utf8(line).map_err(|error| bad(error.to_string()))?.trim();
            if line.is_empty() {
                continue;
            }
            let words = "'SHA256 (FILE) = HASH', 'SIZE (FILE) = BYTES' or 'TIMESTAMP = SECONDS' is expected";
            let (what, value) = line.rsplit_once(" = ").ok_or_else(|| bad(words.to_owned()))?;
            let number =
                || value.parse::<u64>().map_err(|_| bad(format!("{value:?} is no number")));
            if what == "TIMESTAMP" {
                listing.date = Some(u32::try_from(number()?).unwrap_or(u32::MAX));
                continue;
            }
            let file = what.strip_suffix(')').and_then(|what| what.split_once(" ("));
            let (what, path) = file.ok_or_else(|| bad(words.to_owned()))?;
            let file = path.rsplit('/').next().unwrap_or_default();
            match what {
                "SHA256" => {
                    let sha256 = value.parse().map_err(|error| bad(format!("{error}")))?;
                    listing.add(file).map_err(bad)?.sha256 = Some(sha256);
                }
                "SIZE" => {
                    let size = number()?;
                    listing.add(file).map_err(bad)?.size = Some(size);
                }
                // Hashes of other kinds.
                _ => {}
            }
        }
        Ok(listing)
    }

    fn add(&mut self, file: &str) -> Result<&mut Listed, String> {
        let odd = |c: char| c == '/' || c == '\\' || c.is_control();
        if file.is_empty() || file.starts_with('.') || file.len() > NAME_LIMIT || file.contains(odd)
        {
            return Err(format!("{file:?} is no name of a file"));
        }
        if self.files.len() >= COUNT_LIMIT {
            return Err(format!("more than {COUNT_LIMIT} files"));
        }
        Ok(self.files.entry(file.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distinfo_gives_size_and_hash() {
        let sha256 = Sha256::of(b"x");
        let text = format!(
            "TIMESTAMP = 1775399824\nSHA256 (set/a-1-r0.apk) = {sha256}\nSIZE (set/a-1-r0.apk) = 7\nMD5 (b) = 1\n"
        );
        let listing = Listing::parse("distinfo", text.as_bytes()).expect("a list");
        assert_eq!(listing.date, Some(1_775_399_824));
        let expected = Listed { size: Some(7), sha256: Some(sha256) };
        assert_eq!(listing.files, BTreeMap::from([("a-1-r0.apk".to_owned(), expected)]));
        for (bad, why) in [
            ("SHA256 (a) = 12", "line 1"),
            ("SHA256 (..) = ", "is expected"),
            (&*format!("\nSHA256 (.a) = {sha256}"), "line 2: \".a\" is no name"),
            ("SIZE (a) = x", "no number"),
            ("<html>", "is expected"),
        ] {
            let error = Listing::parse("distinfo", bad.as_bytes()).expect_err(bad).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_folder_of_github_gives_sizes() {
        let text = r#"[{"name":"a-1-r0.apk","type":"file","size":7,"sha":"0123"},{"name":"d","type":"dir","size":0}]"#;
        let listing = Listing::parse("packages", text.as_bytes()).expect("a list");
        let expected = Listed { size: Some(7), sha256: None };
        assert_eq!(listing.files, BTreeMap::from([("a-1-r0.apk".to_owned(), expected)]));
        for bad in [r#"[{"name":"a/b","type":"file"}]"#, r#"[{"message":"rate limit"}]"#, "[1"] {
            let error = Listing::parse("packages", bad.as_bytes()).expect_err(bad);
            assert!(error.to_string().starts_with("packages is no folder"), "{error}");
        }
    }
}
