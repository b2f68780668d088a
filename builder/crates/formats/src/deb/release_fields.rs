//! Reads the fields of a Release file: the repository format of the Debian wiki, with fields as in
//! deb-control(5). Says nothing about who wrote them; `release` does.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::release::{Automatic, Listed, Release, ReleaseError};

impl Release {
    /// Reads the fields; says nothing about who wrote them.
    pub(super) fn parse(name: &str, text: &[u8]) -> Result<Self, ReleaseError> {
        let malformed =
            |line: usize, why: String| ReleaseError::Malformed { name: name.to_owned(), line, why };
        let text = std::str::from_utf8(text).map_err(|error| malformed(0, error.to_string()))?;
        let mut fields: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let mut files = BTreeMap::new();
        let mut current = String::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            if line.trim().is_empty() {
                // One paragraph; what comes after an empty line belongs to no Release file.
                current.clear();
            } else if line.starts_with([' ', '\t']) {
                match &*current {
                    "sha256" => {
                        let (path, listed) = listed(line).map_err(|why| malformed(number, why))?;
                        if files.insert(path, listed).is_some_and(|other| other != listed) {
                            let why = "a file is listed twice, and differently".to_owned();
                            return Err(malformed(number, why));
                        }
                    }
                    "" => return Err(malformed(number, "it belongs to no field".to_owned())),
                    _ => {}
                }
            } else {
                let Some((field, value)) = line.split_once(':') else {
                    return Err(malformed(number, "a field 'Name: value' is expected".to_owned()));
                };
                current = field.to_ascii_lowercase();
                let value = (number, value.trim().to_owned());
                if fields.insert(current.clone(), value).is_some() {
                    return Err(malformed(number, format!("the field {field} appears twice")));
                }
            }
        }
        let mut take = |field: &str| fields.remove(&field.to_ascii_lowercase());
        let mut date = |field: &str| {
            take(field)
                .map(|(line, value)| {
                    parse_date(&value)
                        .ok_or_else(|| malformed(line, format!("{value:?} is not a date in UTC")))
                })
                .transpose()
        };
        let (written, valid_until) = (date("Date")?, date("Valid-Until")?);
        let mut text = |field: &str| take(field).map(|(_, value)| value);
        let mut words = |field: &str| -> Vec<String> {
            text(field).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let architectures = words("Architectures");
        let components = words("Components").iter().map(|name| last_part(name)).collect();
        let without_all = words("No-Support-for-Architecture-all");
        let all_is_separate = architectures.iter().any(|name| name == "all")
            && !without_all.iter().any(|name| name == "Packages");
        if files.is_empty() {
            return Err(malformed(0, "it lists no files by SHA256".to_owned()));
        }
        let mut says = |field: &str| text(field).is_some_and(|v| v.eq_ignore_ascii_case("yes"));
        let automatic = match (says("NotAutomatic"), says("ButAutomaticUpgrades")) {
            (false, _) => Automatic::Yes,
            (true, true) => Automatic::UpgradesOnly,
            (true, false) => Automatic::No,
        };
        let acquire_by_hash = says("Acquire-By-Hash");
        Ok(Release {
            suite: text("Suite"),
            codename: text("Codename"),
            version: text("Version"),
            date: written.ok_or_else(|| malformed(0, "the field Date is missing".to_owned()))?,
            valid_until,
            acquire_by_hash,
            architectures,
            all_is_separate,
            components,
            automatic,
            files,
        })
    }
}

/// The name of a component without its prefix, as apt takes it.
fn last_part(component: &str) -> String {
    component.rsplit('/').next().unwrap_or_default().to_owned()
}

/// ` <sha256> <size> <path>`
fn listed(line: &str) -> Result<(String, Listed), String> {
    let mut words = line.split_whitespace();
    let (Some(sha256), Some(size), Some(path), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("a digest, a size and a path are expected".to_owned());
    };
    let sha256 = sha256.parse().map_err(|error| format!("{error}"))?;
    let size = size.parse().map_err(|_| format!("{size:?} is not a size in bytes"))?;
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("the path {path:?} leads out of the suite"));
    }
    Ok((path.to_owned(), Listed { size, sha256 }))
}

/// `Sat, 12 Sep 2026 07:55:41 UTC`: the form of RFC 5322, always in UTC.
fn parse_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // The day of the week adds nothing.
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, month, year, time, "UTC" | "GMT" | "Z" | "+0000"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let clock: Vec<i8> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hour, minute, second] = clock[..] else { return None };
    let month = i8::try_from(month).ok()?.checked_add(1)?;
    let date = jiff::civil::Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wifibox_ground::digest::Sha256;

    fn parse(text: &str) -> Result<Release, ReleaseError> {
        Release::parse("R", text.as_bytes())
    }

    fn text() -> String {
        let digest = Sha256::of(b"x");
        format!(
            "Suite: stable\r\nCodename: trixie\r\nDate: Sat, 12 Sep 2026 07:55:41 UTC\r\n\
             Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC\r\nAcquire-By-Hash: yes\r\n\
             Architectures: all amd64\r\nComponents: main non-free\r\nMD5Sum:\r\n 00 1 a\r\n\
             SHA256:\r\n {digest} 12 main/binary-amd64/Packages\r\n {digest}   7 main/x.xz\r\n"
        )
    }

    #[test]
    fn the_fields_are_read() {
        let release = parse(&text()).expect("a Release file");
        assert_eq!(release.codename.as_deref(), Some("trixie"));
        assert_eq!(release.date.to_string(), "2026-09-12T07:55:41Z");
        assert_eq!(
            release.valid_until.map(|t| t.to_string()).as_deref(),
            Some("2026-09-19T07:55:41Z")
        );
        assert!(release.acquire_by_hash);
        assert_eq!(release.architectures, ["all", "amd64"]);
        assert_eq!(release.components, ["main", "non-free"]);
        assert_eq!(release.files.len(), 2);
        assert_eq!(release.files["main/x.xz"].size, 7);
    }

    #[test]
    fn the_security_archive_and_backports_are_understood() {
        let security = text().replace("main non-free", "updates/main updates/non-free");
        let security = parse(&security).expect("a Release file");
        assert_eq!(security.components, ["main", "non-free"]);
        assert_eq!(security.automatic.priority(), 500);
        for (fields, priority) in [
            ("NotAutomatic: yes\r\nButAutomaticUpgrades: yes\r\n", 100),
            ("NotAutomatic: yes\r\n", 1),
            ("NotAutomatic: no\r\nButAutomaticUpgrades: yes\r\n", 500),
        ] {
            let release = parse(&format!("{fields}{}", text())).expect("a Release file");
            assert_eq!(release.automatic.priority(), priority, "{fields}");
        }
    }

    #[test]
    fn what_is_odd_is_refused() {
        let good = text();
        for (from, to, why) in [
            ("Date: Sat, 12 Sep", "Date: Sat, 31 Feb", "not a date"),
            ("07:55:41 UTC", "07:55:41 CET", "not a date"),
            ("Date:", "Datum:", "missing"),
            ("main/x.xz", "../x.xz", "leads out"),
            ("main/x.xz", "/x.xz", "leads out"),
            ("main/x.xz", "main/binary-amd64/Packages", "twice, and differently"),
            ("   7 main", "   -7 main", "not a size"),
            ("Codename", "suite", "appears twice"),
            ("SHA256:", "SHA512:", "no files"),
            ("Suite: stable", "Suite stable", "is expected"),
            ("Suite: stable", " Suite: stable", "belongs to no field"),
        ] {
            let error = parse(&good.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains(why), "{to}: {error}");
        }
    }

    proptest! {
        #[test]
        fn changed_texts_never_panic(at in 0usize..400, bytes in proptest::collection::vec(any::<u8>(), 0..8)) {
            let mut text = text().into_bytes();
            let at = at.min(text.len());
            text.splice(at..at, bytes);
            let _ = Release::parse("R", &text);
        }

        #[test]
        fn any_date_is_read_or_refused(text in "[A-Za-z,: 0-9]{0,40}") {
            let _ = parse_date(&text);
        }
    }
}
