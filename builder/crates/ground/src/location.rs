//! Where an artefact can be had: an HTTP address, or a file or folder of this machine.
//!
//! Mirrors are locations of folders; [`Location::join`] makes the location of a file below one.

use std::fmt;
use std::path::PathBuf;

use url::Url;

/// The address of a file, or of the folder that a mirror is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `http://` or `https://`.
    Http(Box<Url>),
    /// A path of this machine, written as such or as `file://`.
    File(PathBuf),
}

/// Text that is not a location, or a path that leads out of one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LocationError {
    /// Looks like a URL, but is not one.
    #[error("{text:?} is not a valid address: {why}")]
    BadUrl {
        /// The text that was given.
        text: String,
        /// The URL parser's error.
        why: String,
    },
    /// A URL of a kind that is not fetched.
    #[error("{text:?}: {scheme}:// is not supported; use http://, https://, file:// or a folder")]
    Scheme {
        /// The text that was given.
        text: String,
        /// Its scheme.
        scheme: String,
    },
    /// Nothing was given.
    #[error("an empty address; use http://, https://, file:// or a folder")]
    Empty,
    /// A path below a mirror that is absolute, climbs, or has empty parts.
    #[error(
        "{0:?} is not a path below a mirror: it is absolute, climbs with '..' or has odd parts"
    )]
    Path(String),
}

impl Location {
    /// Reads `http://`, `https://` and `file://` addresses; anything without `://` is a path.
    ///
    /// # Errors
    /// [`LocationError`] for other schemes and for text that is no URL.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let bad = |why: &str| LocationError::BadUrl { text: text.to_owned(), why: why.to_owned() };
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if !text.contains("://") {
            return Ok(Location::File(PathBuf::from(text)));
        }
        let mut url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        url.set_fragment(None);
        match url.scheme() {
            "http" | "https" => Ok(Location::Http(Box::new(url))),
            "file" => url
                .to_file_path()
                .map(Location::File)
                .map_err(|()| bad("it does not name a file of this machine")),
            scheme => {
                Err(LocationError::Scheme { text: text.to_owned(), scheme: scheme.to_owned() })
            }
        }
    }

    /// The location of `path` (relative, parts separated by `/`, not percent-encoded) below this
    /// folder.
    ///
    /// # Errors
    /// [`LocationError::Path`] when `path` could lead out of the folder.
    pub fn join(&self, path: &str) -> Result<Self, LocationError> {
        let bad = || LocationError::Path(path.to_owned());
        let parts: Vec<&str> = path.split('/').collect();
        let odd = |part: &&str| {
            matches!(*part, "" | "." | "..") || part.contains(|c: char| c == '\\' || c.is_control())
        };
        if parts.iter().any(odd) {
            return Err(bad());
        }
        match self {
            Location::File(folder) => {
                let mut joined = folder.clone();
                joined.extend(&parts);
                Ok(Location::File(joined))
            }
            Location::Http(url) => {
                let mut joined = url.clone();
                joined.set_query(None);
                joined.path_segments_mut().map_err(|()| bad())?.pop_if_empty().extend(&parts);
                Ok(Location::Http(joined))
            }
        }
    }

    /// Scheme, host and port of the server that is asked, if one is.
    pub fn server(&self) -> Option<String> {
        match self {
            Location::Http(url) => Some(url.origin().ascii_serialization()),
            Location::File(_) => None,
        }
    }

    /// Whether the network is needed to read it.
    pub fn is_remote(&self) -> bool {
        matches!(self, Location::Http(_))
    }
}

/// Passwords in addresses are not shown.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => path.display().fmt(f),
            Location::Http(url) if url.password().is_some() => {
                let mut shown = url.clone();
                // Setting a password can only fail for addresses without a host.
                let _ = shown.set_password(Some("***"));
                shown.fmt(f)
            }
            Location::Http(url) => url.fmt(f),
        }
    }
}

impl std::str::FromStr for Location {
    type Err = LocationError;
    fn from_str(text: &str) -> Result<Self, LocationError> {
        Location::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str) -> Result<String, LocationError> {
        Ok(Location::parse(base)?.join(path)?.to_string())
    }

    #[test]
    fn the_kinds_of_location() {
        assert_eq!(
            joined("http://m.example/debian", "a/b").as_deref(),
            Ok("http://m.example/debian/a/b")
        );
        assert_eq!(
            joined("http://m.example/debian/", "a+b~1").as_deref(),
            Ok("http://m.example/debian/a+b~1")
        );
        assert_eq!(
            joined("https://m.example", "a b%3a#?").as_deref(),
            Ok("https://m.example/a%20b%253a%23%3F")
        );
        assert_eq!(joined("file:///srv/my%20mirror", "x").as_deref(), Ok("/srv/my mirror/x"));
        assert_eq!(joined("mirror", "x/y").as_deref(), Ok("mirror/x/y"));
    }

    #[test]
    fn servers_are_told_apart_by_scheme_host_and_port() {
        let server = |text: &str| Location::parse(text).expect("a location").server();
        let is_remote = |text: &str| Location::parse(text).expect("a location").is_remote();
        for (text, expected) in [
            ("http://m.example/debian", Some("http://m.example")),
            ("https://user:secret@m.example:8443/x", Some("https://m.example:8443")),
            ("file:///srv/mirror", None),
            ("mirror", None),
        ] {
            assert_eq!(server(text).as_deref(), expected);
            assert_eq!(is_remote(text), expected.is_some(), "{text}");
        }
    }

    #[test]
    fn hostile_and_unknown_ones_are_refused() {
        for path in ["", "/etc/passwd", "a/../b", "a//b", "..", "a\\b", "a\nb"] {
            assert!(
                matches!(joined("http://m.example/", path), Err(LocationError::Path(_))),
                "{path:?}"
            );
            assert!(matches!(joined("/srv", path), Err(LocationError::Path(_))), "{path:?}");
        }
        assert!(matches!(Location::parse("ftp://x/"), Err(LocationError::Scheme { .. })));
        assert!(matches!(Location::parse("http://"), Err(LocationError::BadUrl { .. })));
        assert_eq!(Location::parse(""), Err(LocationError::Empty));
    }

    #[test]
    fn passwords_are_not_shown() {
        let location = Location::parse("http://me:secret@m.example/x").expect("a location");
        assert_eq!(location.to_string(), "http://me:***@m.example/x");
    }
}
