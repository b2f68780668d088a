//! Paths in an image: bytes, relative to its root, without `.`, `..` or empty parts.

use std::cmp::Ordering;
use std::fmt;

/// The longest name that Linux takes, in bytes.
const NAME_LIMIT: usize = 255;

/// Bytes that are not a path in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is no path in an image: {problem}")]
pub struct BadPath {
    /// The bytes, as text.
    pub path: String,
    /// Why they are not one.
    pub problem: &'static str,
}

/// A path in an image, from its root on: `usr/bin/env`; the root itself is empty.
///
/// It holds neither `..`, `.`, an empty part nor a NUL byte. The order is by component, so that a directory
/// comes directly before what it holds (`a`, `a/b`, `a-b`). It is displayed with a slash in front.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ImagePath(Vec<u8>);

impl ImagePath {
    /// The path that `bytes` spell: `/usr/bin`, `./usr/bin` and `usr//bin/` are the same.
    ///
    /// # Errors
    /// [`BadPath`] for `..`, a NUL byte or a name of more than 255 bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, BadPath> {
        let bytes = bytes.as_ref();
        let bad = |problem| {
            let path = String::from_utf8_lossy(bytes).escape_debug().to_string();
            Err(BadPath { path, problem })
        };
        if bytes.contains(&0) {
            return bad("it holds a NUL byte");
        }
        let mut out = Vec::with_capacity(bytes.len());
        for part in bytes.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return bad("it leads out with '..'"),
                _ if part.len() > NAME_LIMIT => return bad("a name is longer than 255 bytes"),
                _ => {
                    if !out.is_empty() {
                        out.push(b'/');
                    }
                    out.extend_from_slice(part);
                }
            }
        }
        Ok(ImagePath(out))
    }

    /// The bytes, without a slash in front or behind.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last part; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The directory that holds this path; `None` for the root.
    pub(crate) fn parent(&self) -> Option<ImagePath> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        Some(ImagePath(self.0.get(..cut).unwrap_or_default().to_vec()))
    }

    /// How many parts it has.
    pub(crate) fn depth(&self) -> usize {
        self.0.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).count()
    }
}

impl PartialOrd for ImagePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ImagePath {
    fn cmp(&self, other: &Self) -> Ordering {
        // By bytes with `/` before all others (no path holds a 0) is by component.
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        self.0.iter().map(rank).cmp(other.0.iter().map(rank))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0).escape_debug())
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("a path")
    }

    #[test]
    fn spellings_of_one_path_are_one_path() {
        for text in ["usr/bin", "/usr/bin", "./usr/bin", "usr//bin/", "usr/./bin"] {
            assert_eq!(path(text), path("usr/bin"));
        }
        assert!(path("./").is_root() && path("/").is_root() && path("").is_root());
        assert_eq!(path("usr/bin").to_string(), "/usr/bin");
    }

    #[test]
    fn hostile_paths_are_refused() {
        for (bytes, problem) in [
            (&b"a/../b"[..], "'..'"),
            (b"..", "'..'"),
            (b"a\0b", "NUL"),
            (&[b'n'; 256], "longer than 255"),
        ] {
            let error = ImagePath::new(bytes).expect_err("refused");
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert!(ImagePath::new([b'n'; 255]).is_ok());
    }

    #[test]
    fn order_is_by_component() {
        let mut paths =
            [path("a-b"), path("a/b"), path("a"), path(""), path("a/b/c"), path("a/b.")];
        paths.sort();
        let expected = [path(""), path("a"), path("a/b"), path("a/b/c"), path("a/b."), path("a-b")];
        assert_eq!(paths, expected);
    }

    #[test]
    fn parent_name_and_depth() {
        assert_eq!(path("a/b/c").parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), Some(path("")));
        assert_eq!(path("").parent(), None);
        assert_eq!((path("a/b").name(), path("").name()), (&b"b"[..], &b""[..]));
        assert_eq!((path("a/b").depth(), path("").depth()), (2, 0));
    }
}
