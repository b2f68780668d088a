//! A file to fetch: its locations, and how it is recognised.

use std::fmt;

use super::location::{Location, LocationError};
use crate::digest::Sha256;

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Its name in progress and errors (`busybox 1:1.37.0-6 (amd64)`).
    pub name: String,
    /// Its name in folders of downloaded files (`--distdir`): no directories.
    pub file_name: String,
    /// Its path below its mirrors.
    pub path: String,
    /// Its locations, in the order in which they are tried.
    pub locations: Vec<Location>,
    /// How it is recognised.
    pub identity: Identity,
}

/// Size and digest that are known before a file is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its SHA-256.
    pub sha256: Option<Sha256>,
}

/// Size and digest of the file that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The size in bytes, as far as it was read or announced.
    pub size: u64,
    /// The SHA-256, where all of it was read.
    pub sha256: Option<Sha256>,
}

impl Artefact {
    /// The artefact at `path` below each of `mirrors`, of which nothing more is known.
    ///
    /// # Errors
    /// [`LocationError::Path`] when `path` leads out of the mirrors.
    pub fn on_mirrors(
        name: impl Into<String>,
        mirrors: &[Location],
        path: &str,
    ) -> Result<Self, LocationError> {
        let locations = mirrors.iter().map(|m| m.join(path)).collect::<Result<_, _>>()?;
        let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let (name, path) = (name.into(), path.to_owned());
        Ok(Artefact { name, file_name, path, locations, identity: Identity::default() })
    }

    /// The same, recognised by size and digest.
    #[must_use]
    pub fn expecting(mut self, size: Option<u64>, sha256: Sha256) -> Self {
        self.identity = Identity { size, sha256: Some(sha256) };
        self
    }
}

impl Identity {
    /// Whether `found` is what was expected. What is not known is not compared.
    pub fn accepts(&self, found: &Found) -> bool {
        self.size.is_none_or(|size| size == found.size)
            && self.sha256.is_none_or(|sha256| found.sha256 == Some(sha256))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.size, self.sha256) {
            (Some(size), Some(sha256)) => write!(f, "{size} bytes, SHA-256 {sha256}"),
            (Some(size), None) => write!(f, "{size} bytes"),
            (None, Some(sha256)) => write!(f, "SHA-256 {sha256}"),
            (None, None) => f.write_str("anything"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size)?;
        self.sha256.map_or(Ok(()), |sha256| write!(f, ", SHA-256 {sha256}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_an_artefact_must_be_found_and_the_rest_may_be_anything() {
        let (right, wrong) = (Sha256::of(b"right"), Sha256::of(b"wrong"));
        let accepts = |size, sha256, found| Identity { size, sha256 }.accepts(&found);
        let found = |size, sha256| Found { size, sha256 };
        let full = found(5, Some(right));
        for (size, sha256, expected) in [
            (None, None, true),
            (Some(5), None, true),
            (Some(6), None, false),
            (None, Some(right), true),
            (None, Some(wrong), false),
            (Some(5), Some(right), true),
            (Some(5), Some(wrong), false),
            (Some(6), Some(right), false),
        ] {
            assert_eq!(accepts(size, sha256, full), expected, "{size:?} {sha256:?}");
        }
        // What was not read to its end is not recognised.
        assert!(!accepts(Some(5), Some(right), found(5, None)));
        assert!(accepts(Some(5), None, found(5, None)));
    }

    #[test]
    fn what_was_expected_and_what_was_found_are_told_alike() {
        let digest = Sha256::of(b"");
        let expected = |size, sha256| Identity { size, sha256 }.to_string();
        assert_eq!(expected(None, None), "anything");
        assert_eq!(expected(None, Some(digest)), format!("SHA-256 {digest}"));
        for sha256 in [None, Some(digest)] {
            let found = Found { size: 7, sha256 }.to_string();
            assert_eq!(expected(Some(7), sha256), found);
            assert!(found.starts_with("7 bytes"), "{found}");
        }
    }
}
