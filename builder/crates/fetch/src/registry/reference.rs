//! The address of an artifact: `oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]`.

use std::fmt;
use std::str::FromStr;

use wifibox_ground::digest::Sha256;

/// What such an address begins with.
const SCHEME: &str = "oci://";
/// The tag that is meant where none is named.
const DEFAULT_TAG: &str = "latest";

/// The address of an artifact in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry: a host, with its port where that is not the usual one.
    pub host: String,
    /// The repository.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest is named.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Sha256>,
}

/// Text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no address of a guest in a registry: {why}; expected oci://HOST/REPOSITORY:TAG"
)]
pub struct ReferenceError {
    text: String,
    why: &'static str,
}

impl Reference {
    /// Whether this text wants to be such an address.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The host without its port.
    pub(super) fn host_name(&self) -> &str {
        let address = self.host.find(']').map(|end| end + 1);
        let end = address.or_else(|| self.host.find(':'));
        end.and_then(|end| self.host.get(..end)).unwrap_or(&self.host)
    }

    /// Whether the registry is on this machine.
    pub(super) fn is_local(&self) -> bool {
        ["localhost", "127.0.0.1", "[::1]"].contains(&self.host_name())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bad = |why| ReferenceError { text: text.to_owned(), why };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| bad("it does not begin with oci://"))?;
        let (host, rest) = rest.split_once('/').ok_or_else(|| bad("it names no repository"))?;
        if !is_host(host) {
            return Err(bad("the host is none, or its port"));
        }
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                let hex = digest.strip_prefix("sha256:");
                let parsed = hex.and_then(|hex| hex.parse().ok());
                (
                    rest,
                    Some(
                        parsed
                            .ok_or_else(|| bad("behind @, sha256: and 64 digits are expected"))?,
                    ),
                )
            }
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !is_repository(repository) {
            return Err(bad(
                "the repository has other characters than small letters, digits and single . _ - / between them",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad(
                "the tag has other characters than letters, digits, . _ -, or over 128",
            ));
        }
        let tag = tag.or(if digest.is_none() { Some(DEFAULT_TAG) } else { None });
        Ok(Reference {
            host: host.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

fn is_host(host: &str) -> bool {
    let name_of = |host: &str| match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, rest)) => inside.parse::<std::net::Ipv6Addr>().ok().map(|_| rest.to_owned()),
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            let parts = name.split('.').all(|part| !part.is_empty() && part.bytes().all(plain));
            parts.then(|| port.to_owned())
        }
    };
    match name_of(host) {
        Some(port) if port.is_empty() => true,
        Some(port) => port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
        None => false,
    }
}

/// The specification's form: parts of small letters and digits, which `.`, `_`, `__` or any number of `-` may join.
pub(super) fn is_repository(name: &str) -> bool {
    let part = |part: &str| {
        let ends = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = part.as_bytes();
        let known = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(b);
        let odd = ["..", "._", "_.", ".-", "-.", "_-", "-_", "___"];
        ends(bytes.first())
            && ends(bytes.last())
            && bytes.iter().all(known)
            && !odd.iter().any(|odd| part.contains(odd))
    };
    name.len() <= 255 && name.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b".-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let hex = "ab".repeat(32);
        for (text, host, repository, tag) in [
            ("oci://r.example/a/b-c:v1", "r.example", "a/b-c", Some("v1")),
            ("oci://r.example/a", "r.example", "a", Some("latest")),
            ("oci://localhost:5000/a__b:x", "localhost:5000", "a__b", Some("x")),
            ("oci://[::1]:5000/a:x", "[::1]:5000", "a", Some("x")),
            (&format!("oci://r/a@sha256:{hex}"), "r", "a", None),
            (&format!("oci://r/a:t@sha256:{hex}"), "r", "a", Some("t")),
        ] {
            let read: Reference = text.parse().expect(text);
            let found = (read.host.as_str(), read.repository.as_str(), read.tag.as_deref());
            assert_eq!(found, (host, repository, tag), "{text}");
            assert_eq!(read.to_string().parse(), Ok(read));
        }
        assert!("oci://localhost:5000/a".parse::<Reference>().expect("ok").is_local());
        assert!("oci://[::1]/a".parse::<Reference>().expect("ok").is_local());
        assert!(!"oci://localhost.example/a".parse::<Reference>().expect("ok").is_local());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("oci://r/{}", "a".repeat(256));
        for text in [
            "r/a:t",
            "oci://r",
            "oci:///a",
            "oci://r:x/a",
            "oci://r:99999/a",
            "oci://u:p@r/a",
            "oci://r..x/a",
            "oci://[::1/a",
            "oci://[x]/a",
            "oci://r/",
            "oci://r/A",
            "oci://r/a//b",
            "oci://r/../a",
            "oci://r/a..b",
            "oci://r/a?x=y",
            "oci://r/a:",
            "oci://r/a:.x",
            "oci://r/a:x/y",
            "oci://r/a@sha256:12",
            "oci://r/a@md5:12",
            &long,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
