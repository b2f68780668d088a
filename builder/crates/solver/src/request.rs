//! One entry of a recipe's package list, in the ecosystem's own syntax.

use std::fmt;

use wifibox_formats::dependency::{parse_alternatives, parse_apk};
use wifibox_formats::{BadDependency, Relation};
use wifibox_ground::version::Scheme;

/// A request that was parsed.
///
/// apk: as in world (`name`, `name=1`, `name>1`, `name~1`, `!name`, `name@tag`). Debian and opkg:
/// `name`, `name=version`, `name (>= 1.2)`, `a | b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    scheme: Scheme,
    text: String,
    /// The text that is parsed: `text`, but with `name=version` spelt as a dependency.
    canonical: String,
}

impl Request {
    /// Reads one wish.
    ///
    /// # Errors
    /// [`BadDependency`] says what is wrong with it.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Request, BadDependency> {
        let text = text.trim();
        let mut canonical = text.to_owned();
        if scheme != Scheme::Apk
            && !text.contains(['(', '|'])
            && let Some((name, version)) = text.split_once('=')
        {
            canonical = format!("{} (= {})", name.trim(), version.trim());
        }
        read(scheme, &canonical)?;
        Ok(Request { scheme, text: text.to_owned(), canonical })
    }

    /// The wish as a dependency.
    pub fn relation(&self) -> Option<Relation<'_>> {
        read(self.scheme, &self.canonical).ok()
    }
}

fn read(scheme: Scheme, text: &str) -> Result<Relation<'_>, BadDependency> {
    match scheme {
        Scheme::Apk => {
            if text.contains(|c: char| c.is_ascii_whitespace()) {
                let why = "it has spaces inside; write one entry for each package";
                return Err(BadDependency { text: text.to_owned(), why });
            }
            parse_apk(text, true)
        }
        Scheme::Dpkg | Scheme::Opkg => {
            if text.contains(',') {
                let why = "it has a comma inside; write one entry for each package";
                return Err(BadDependency { text: text.to_owned(), why });
            }
            parse_alternatives(scheme, text)
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_in_their_ecosystems_syntax() {
        let read = |scheme, text: &str| {
            let request = Request::parse(scheme, text).expect(text);
            assert_eq!(request.to_string(), text);
            request.relation().expect(text).to_string()
        };
        assert_eq!(read(Scheme::Apk, "a@edge>=1"), "a@edge>=1");
        assert_eq!(read(Scheme::Apk, "!a"), "!a");
        assert_eq!(read(Scheme::Dpkg, "a=1:2-3"), "a (= 1:2-3)");
        assert_eq!(read(Scheme::Dpkg, "a (>= 1) | b"), "a (>= 1) | b");
        assert_eq!(read(Scheme::Opkg, "a"), "a");
        for (scheme, text) in [
            (Scheme::Apk, "a b"),
            (Scheme::Apk, ""),
            (Scheme::Apk, "a=x"),
            (Scheme::Dpkg, "a, b"),
            (Scheme::Dpkg, "a ="),
            (Scheme::Dpkg, ""),
            (Scheme::Opkg, "a ("),
        ] {
            assert!(Request::parse(scheme, text).is_err(), "{text}");
        }
    }
}
