//! Paths inside the guest: bytes, relative to its root, without `.`, `..` or empty parts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path inside the guest, relative to its root (`usr/bin/busybox`; the root itself is empty).
///
/// It cannot hold `..`, `.`, an empty component or a NUL byte, so it can never lead out of the
/// guest. Names are bytes, as on Linux. The order is by component, so that a directory sorts
/// directly before what it holds (`a`, `a/b`, `a-b`).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct GuestPath(Vec<u8>);

/// Why some bytes are not a [`GuestPath`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// The path climbs with `..`.
    #[error("path {0:?} climbs out with '..'")]
    Climbs(String),
    /// The path holds a NUL byte.
    #[error("path {0:?} holds a NUL byte")]
    Nul(String),
    /// The path is absolute where a relative one is required.
    #[error("path {0:?} is absolute; a path relative to the guest's root is expected")]
    Absolute(String),
    /// A component is longer than the 255 bytes that Linux file systems allow.
    #[error("path {0:?} has a name longer than 255 bytes")]
    NameTooLong(String),
    /// It is longer than what Linux takes as a path.
    #[error("path {0:?} is longer than {PATH_LIMIT} bytes")]
    TooLong(String),
    /// It leads through more folders than any system has.
    #[error("path {0:?} is more than {DEPTH_LIMIT} folders deep")]
    TooDeep(String),
}

/// The longest path, in bytes: `PATH_MAX` of Linux without the NUL byte at its end.
pub const PATH_LIMIT: usize = 4095;
/// The most components of a path. Whoever works on paths may go down them one by one.
pub(crate) const DEPTH_LIMIT: usize = 128;
/// So much of a name or text is shown in errors, in bytes.
const SHOWN: usize = 160;

/// Bytes of a name as errors show them: of a long one the beginning, and how long it is.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(begin) if bytes.len() > SHOWN => {
            format!("{}... ({} bytes)", String::from_utf8_lossy(begin), bytes.len())
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

impl GuestPath {
    /// The guest's root.
    pub fn root() -> Self {
        GuestPath(Vec::new())
    }

    /// Reads a path as archives write it: `./usr/bin/x`, `usr/bin/` and `usr/bin` are the same kind
    /// of thing; an absolute path is refused.
    ///
    /// # Errors
    /// [`PathError`] for `..`, a leading `/`, a NUL byte, and what is too long or too deep.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.first() == Some(&b'/') {
            return Err(PathError::Absolute(shown(bytes)));
        }
        Self::normalized(bytes)
    }

    /// Reads a path as people write it in recipes: a leading `/` means the guest's root.
    ///
    /// # Errors
    /// [`PathError`] for `..`, a NUL byte, and what is too long or too deep.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self, PathError> {
        Self::normalized(path.as_ref())
    }

    fn normalized(bytes: &[u8]) -> Result<Self, PathError> {
        GuestPath::root().with(bytes)
    }

    fn with(&self, bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.contains(&0) {
            return Err(PathError::Nul(shown(bytes)));
        }
        // Slashes and dots that count for nothing may make it longer.
        if bytes.len() > 2 * PATH_LIMIT {
            return Err(PathError::TooLong(shown(bytes)));
        }
        let mut out = Vec::with_capacity(self.0.len() + 1 + bytes.len());
        out.extend_from_slice(&self.0);
        let mut depth = self.components().count();
        for part in bytes.split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(PathError::Climbs(shown(bytes))),
                _ if part.len() > 255 => return Err(PathError::NameTooLong(shown(bytes))),
                _ => {
                    depth += 1;
                    if !out.is_empty() {
                        out.push(b'/');
                    }
                    out.extend_from_slice(part);
                }
            }
        }
        if out.len() > PATH_LIMIT {
            return Err(PathError::TooLong(shown(bytes)));
        }
        if depth > DEPTH_LIMIT {
            return Err(PathError::TooDeep(shown(bytes)));
        }
        Ok(GuestPath(out))
    }

    /// The bytes, without a leading or trailing `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as UTF-8, if it is that.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether this is the guest's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<GuestPath> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(GuestPath(self.0[..cut].to_vec()))
    }

    /// The components, from the root down.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }

    /// This path with `relative` below it.
    ///
    /// # Errors
    /// [`PathError`] as for [`GuestPath::new`].
    pub fn join(&self, relative: impl AsRef<[u8]>) -> Result<GuestPath, PathError> {
        self.with(relative.as_ref())
    }

    /// Whether this path is `other` or lies below it.
    pub fn starts_with(&self, other: &GuestPath) -> bool {
        other.is_root()
            || self.0 == other.0
            || (self.0.starts_with(&other.0) && self.0.get(other.0.len()) == Some(&b'/'))
    }
}

impl PartialOrd for GuestPath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GuestPath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // By bytes with `/` before all others (no path holds a 0) is by component. A tree compares
        // paths millions of times, most of them with long common beginnings.
        const STEP: usize = 16;
        let (own, others) = (self.0.as_chunks::<STEP>().0, other.0.as_chunks::<STEP>().0);
        let alike = own.iter().zip(others).take_while(|(own, others)| own == others);
        let same = alike.count() * STEP;
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        let (own, others) = (self.0.get(same..), other.0.get(same..));
        let (own, others) = (own.unwrap_or_default(), others.unwrap_or_default());
        match own.iter().zip(others).position(|(own, others)| own != others) {
            Some(at) => own.get(at).map(rank).cmp(&others.get(at).map(rank)),
            None => own.len().cmp(&others.len()),
        }
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0).escape_debug())
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for GuestPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for GuestPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        GuestPath::new(text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for GuestPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GuestPath".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A path relative to the guest's root, without '..'"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text).expect("a valid path")
    }

    #[test]
    fn archive_spellings_are_one_path() {
        for text in ["usr/bin", "./usr/bin", "usr//bin/", "usr/./bin"] {
            assert_eq!(GuestPath::from_archive(text.as_bytes()), Ok(path("usr/bin")));
        }
        assert!(GuestPath::from_archive(b"./").is_ok_and(|p| p.is_root()));
    }

    #[test]
    fn hostile_paths_are_refused() {
        assert!(matches!(GuestPath::from_archive(b"/etc/passwd"), Err(PathError::Absolute(_))));
        assert!(matches!(GuestPath::from_archive(b"a/../../b"), Err(PathError::Climbs(_))));
        assert!(matches!(GuestPath::from_archive(b"a\0b"), Err(PathError::Nul(_))));
        assert!(matches!(GuestPath::new("a".repeat(256)), Err(PathError::NameTooLong(_))));
    }

    #[test]
    fn length_and_depth_have_limits_and_errors_are_short() {
        let name = "n".repeat(255);
        let longest = [name.as_str(); 16].join("/");
        assert_eq!(longest.len(), PATH_LIMIT);
        let longest = path(&longest);
        assert_eq!(longest.join("x"), Err(PathError::TooLong("x".to_owned())));
        assert!(GuestPath::new("a/".repeat(DEPTH_LIMIT)).is_ok());
        for depth in [DEPTH_LIMIT + 1, 20_000, 1_000_000] {
            let error = GuestPath::new("a/".repeat(depth)).expect_err("too deep").to_string();
            assert!(error.len() < 300 && error.contains(" bytes)"), "{error}");
        }
        let deepest = path(&"a/".repeat(DEPTH_LIMIT));
        assert!(matches!(deepest.join("b"), Err(PathError::TooDeep(_))));
        assert_eq!(path(&"/".repeat(5000)), GuestPath::root());
    }

    #[test]
    fn a_path_is_written_as_it_was_read() {
        let read = path("usr/b\u{7}n");
        assert_eq!((read.as_bytes(), read.as_str()), (&b"usr/b\x07n"[..], Some("usr/b\u{7}n")));
        assert_eq!([read.to_string(), format!("{read:?}")], ["/usr/b\\u{7}n"; 2]);
        assert_eq!(GuestPath::from_archive(b"\xff").map(|path| path.as_str().is_none()), Ok(true));
        let json = serde_json::to_string(&read).expect("written");
        assert_eq!(serde_json::from_str::<GuestPath>(&json).expect("read"), read);
        serde_json::from_str::<GuestPath>("\"a/../b\"").expect_err("it climbs");
        let schema = schemars::schema_for!(GuestPath);
        assert_eq!(schema.get("type"), Some(&"string".into()));
    }

    #[test]
    fn what_lies_below_a_path_begins_with_all_of_it() {
        for (one, other, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a", true),
            ("a", "", true),
            ("ab", "a", false),
            ("a", "a/b", false),
        ] {
            assert_eq!(path(one).starts_with(&path(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn slashes_that_count_for_nothing_have_a_limit() {
        let slashes = "/".repeat(2 * PATH_LIMIT);
        assert_eq!(GuestPath::new(&slashes), Ok(GuestPath::root()));
        assert!(matches!(GuestPath::new(slashes + "/"), Err(PathError::TooLong(_))));
    }

    #[test]
    fn names_are_shown_whole_up_to_their_limit() {
        let name = "n".repeat(SHOWN);
        assert_eq!(shown(name.as_bytes()), name);
        assert_eq!(
            shown(format!("{name}x").as_bytes()),
            format!("{name}... ({} bytes)", SHOWN + 1)
        );
    }

    #[test]
    fn order_is_by_component() {
        let mut paths = [path("a-b"), path("a/b"), path("a"), path("")];
        paths.sort();
        assert_eq!(paths, [path(""), path("a"), path("a/b"), path("a-b")]);
    }

    proptest! {
        #[test]
        fn any_two_paths_have_the_order_of_their_components(
            a in "[ab/ -]{0,20}(/long-directory-name/and-another)?[ab/ -]{0,3}",
            b in "[ab/ -]{0,20}(/long-directory-name/and-another)?[ab/ -]{0,3}",
            common in "[ab/]{0,40}",
        ) {
            let (a, b) = (path(&format!("{common}{a}")), path(&format!("{common}{b}")));
            prop_assert_eq!(a.cmp(&b), a.components().cmp(b.components()));
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
        }
    }

    #[test]
    fn what_is_joined_is_read_like_any_path() {
        let joined = path("a").join("/b//./c/").expect("a path");
        assert_eq!(joined, path("a/b/c"));
        assert_eq!(path("").join("b").expect("a path"), path("b"));
        assert_eq!(path("a").join("").expect("a path"), path("a"));
        assert!(matches!(path("a").join("b/../c"), Err(PathError::Climbs(_))));
    }

    #[test]
    fn parent_name_and_prefix() {
        assert_eq!(path("a/b/c").parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), Some(path("")));
        assert_eq!(path("").parent(), None);
        assert_eq!(path("a/b").name(), b"b");
        assert!(path("a/b").starts_with(&path("a")) && !path("ab").starts_with(&path("a")));
    }
}
