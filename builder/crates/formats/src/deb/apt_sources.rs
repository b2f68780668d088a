//! The Debian mirrors that this host itself uses, one to an archive: sources.list(5).
//!
//! A build host that runs Debian has usually been given a mirror that works where it stands. What
//! is odd in its configuration is passed over: it is a hint, and signatures are checked anyway.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use wifibox_ground::location::Location;

/// A larger file is no list of sources.
const SIZE_LIMIT: u64 = 1 << 20;

/// The suites of Debian's main archive, without `-updates` and the like.
const SUITES: [&str; 16] = [
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "rc-buggy",
    "stable",
    "oldstable",
    "oldoldstable",
    "testing",
    "unstable",
    "experimental",
    "stretch",
    "jessie",
];

/// The suffixes that the name of a suite may have in the main archive.
const POCKETS: [&str; 5] = ["", "-updates", "-backports", "-proposed-updates", "-backports-sloppy"];

/// The suffixes of the security archive, Debian 11 and newer and older ones.
const SECURITY: [&str; 2] = ["-security", "/updates"];

/// One source, as far as it matters here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Source {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Option<String>,
}

/// The mirror of the archive of `suite` (`trixie`, `trixie-security`) in the apt configuration in `folder`
/// (`/etc/apt`); `None` when there is none, or the folder is no such thing, or the suite is none of Debian's.
///
/// The host may have another release. An entry of the same archive serves, and where there is none one of the
/// main archive, whose mirrors hold all suites but those of the security archive. Files are read in the order of
/// apt: `sources.list`, then those of `sources.list.d` by name.
pub fn debian_mirror(folder: &Path, suite: &str) -> Option<Location> {
    let pocket = pocket(suite)?;
    let sources = sources(folder);
    let of = |pockets: &[&str]| sources.iter().find_map(|source| source.location(pockets));
    match SECURITY.contains(&pocket) {
        true => of(&SECURITY),
        false => of(&[pocket]).or_else(|| of(&POCKETS)),
    }
}

/// The archive that a suite of Debian is in: what stands after the name of the release.
fn pocket(suite: &str) -> Option<&str> {
    let rest = |name: &&str| suite.strip_prefix(*name);
    let known = |rest: &&str| POCKETS.contains(rest) || SECURITY.contains(rest);
    SUITES.iter().filter_map(rest).find(known)
}

/// What the files of the folder say of Debian.
fn sources(folder: &Path) -> Vec<Source> {
    let sources = files(folder).into_iter().filter_map(|file| {
        let text = text(&file)?;
        Some(match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => paragraphs(&text),
            _ => text.lines().filter_map(one_line).collect::<Vec<_>>(),
        })
    });
    sources.flatten().filter(is_debian).collect()
}

impl Source {
    /// Where the suites of one of these archives are, if it has one.
    fn location(&self, pockets: &[&str]) -> Option<Location> {
        let has = |suite: &String| pocket(suite).is_some_and(|pocket| pockets.contains(&pocket));
        if !self.suites.iter().any(has) {
            return None;
        }
        self.uris.iter().find_map(|uri| {
            // Only apt writes file:/srv.
            let uri = match uri.strip_prefix("file:/") {
                Some(path) if !path.starts_with('/') => format!("file:///{path}"),
                _ => uri.clone(),
            };
            let schemes = ["http://", "https://", "file://"];
            let known = schemes.iter().any(|scheme| uri.starts_with(scheme));
            if known { Location::parse(&uri).ok() } else { None }
        })
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = fs::read_dir(folder.join("sources.list.d"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            matches!(path.extension().and_then(|e| e.to_str()), Some("list" | "sources"))
        })
        .collect();
    parts.sort();
    parts.insert(0, folder.join("sources.list"));
    parts
}

fn text(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(SIZE_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `deb [ option=value ... ] uri suite component ...`
fn one_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let mut rest = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let mut signed_by = None;
    if let Some(bracketed) = rest.strip_prefix('[') {
        let (options, after) = bracketed.split_once(']')?;
        rest = after;
        signed_by = options
            .split_whitespace()
            .filter_map(|option| option.split_once('='))
            .find(|(key, _)| key.eq_ignore_ascii_case("signed-by"))
            .map(|(_, value)| value.to_owned());
    }
    let mut words = rest.split_whitespace().map(str::to_owned);
    let (uri, suite) = (words.next()?, words.next()?);
    Some(Source { uris: vec![uri], suites: vec![suite], components: words.collect(), signed_by })
}

/// The deb822 form: paragraphs of fields.
fn paragraphs(text: &str) -> Vec<Source> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut found = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines.chain([""]) {
        if line.trim().is_empty() {
            found.extend(source(&std::mem::take(&mut fields)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((field, value)) = line.split_once(':') {
            fields.push((field.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

fn source(fields: &[(String, String)]) -> Option<Source> {
    let get = |name: &str| fields.iter().find(|(f, _)| f == name).map(|(_, value)| value.as_str());
    let words = |name: &str| -> Vec<String> {
        get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let no = ["no", "false", "without", "off", "disable"];
    if get("enabled").is_some_and(|value| no.contains(&value.to_ascii_lowercase().as_str()))
        || !words("types").iter().any(|kind| kind == "deb")
    {
        return None;
    }
    Some(Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: get("signed-by").map(str::to_owned),
    })
}

/// Third parties also write `bookworm main`; they sign with other keys.
fn is_debian(source: &Source) -> bool {
    let debian_key = source.signed_by.as_ref().is_none_or(|path| {
        Path::new(path).file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name.starts_with("debian-archive") || name.starts_with("debian-keyring")
        })
    });
    let foreign = |uri: &String| uri.contains("raspbian");
    debian_key
        && source.suites.iter().any(|suite| pocket(suite).is_some())
        && source.components.iter().any(|component| component == "main")
        && !source.uris.iter().any(foreign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mirror(files: &[(&str, &str)]) -> Option<String> {
        mirror_of("trixie", files)
    }

    fn mirror_of(suite: &str, files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("sources.list.d")).expect("made");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        debian_mirror(folder.path(), suite).map(|location| location.to_string())
    }

    #[test]
    fn the_old_form_is_read() {
        let list = "# deb http://commented.example/debian trixie main\n\
            deb-src http://source.example/debian trixie main\n\
            deb cdrom:[Debian]/ trixie main\n\
            deb http://sec.example/debian-security trixie-security main\n\
            deb http://vendor.example/apt trixie stable\n\
            deb [arch=amd64 signed-by=/usr/share/keyrings/vendor.gpg] http://v.example/ trixie main\n\
            deb [ arch=amd64 ] http://good.example/debian trixie main contrib # mine\n\
            deb http://later.example/debian trixie main\n";
        assert_eq!(
            mirror(&[("sources.list", list)]).as_deref(),
            Some("http://good.example/debian")
        );
        let local = "deb file:/srv/debian stable main\n";
        assert_eq!(mirror(&[("sources.list", local)]).as_deref(), Some("/srv/debian"));
    }

    #[test]
    fn the_new_form_is_read() {
        let vendor =
            "Types: deb\nURIs: https://vendor.example/\nSuites: nodistro\nComponents: main\n";
        let debian = "Types: deb\n# comment\nURIs: http://off.example/debian\nSuites: trixie\n\
            Components: main\nEnabled: no\n\nTypes: deb deb-src\nURIs:\n mirror+file:/etc/m\n  \
            http://on.example/debian\nSuites: trixie trixie-updates\nComponents: main\n\
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
        let files = [
            ("sources.list.d/a.sources", vendor),
            ("sources.list.d/b.sources", debian),
            ("sources.list.d/c.list", "deb http://c.example/debian sid main"),
            ("sources.list.d/0.list.disabled", "deb http://0.example/debian sid main"),
        ];
        assert_eq!(mirror(&files).as_deref(), Some("http://on.example/debian"));
    }

    #[test]
    fn other_systems_have_none() {
        assert_eq!(debian_mirror(Path::new("/nonexistent"), "trixie"), None);
        assert_eq!(mirror(&[("sources.list", "deb http://x.example/ubuntu noble main")]), None);
        let embedded = "Types: deb\nURIs: http://x.example/\nSuites: sid\nComponents: main\n\
            Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xx\n";
        assert_eq!(mirror(&[("sources.list.d/x.sources", embedded)]), None);
    }

    #[test]
    fn each_archive_has_the_entry_of_its_own() {
        let list = "deb http://main.example/debian bookworm main\n\
            deb http://sec.example/debian-security bookworm-security main\n\
            deb http://later.example/debian bookworm-backports main\n";
        let of = |suite: &str, list: &str| mirror_of(suite, &[("sources.list", list)]);
        for (suite, expected) in [
            ("trixie", "http://main.example/debian"),
            ("trixie-updates", "http://main.example/debian"),
            ("trixie-security", "http://sec.example/debian-security"),
            ("trixie-backports", "http://later.example/debian"),
        ] {
            assert_eq!(of(suite, list).as_deref(), Some(expected), "{suite}");
        }
        // Debian 10 and older.
        let old = "deb http://old.example/debian-security buster/updates main\n";
        assert_eq!(
            of("trixie-security", old).as_deref(),
            Some("http://old.example/debian-security")
        );
        assert_eq!(of("trixie", old), None);
        let main = "deb http://main.example/debian bookworm main\n";
        assert_eq!(of("trixie-security", main), None);
        assert_eq!(of("noble", list), None, "no suite of Debian's");
    }

    proptest! {
        #[test]
        fn any_text_is_passed_over(text in "[deb:\\[\\]= /#\nURIsTypes-]{0,200}") {
            let _ = paragraphs(&text);
            let _ = text.lines().filter_map(one_line).count();
        }
    }
}
