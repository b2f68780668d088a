//! Reads Debian's `Packages` (Debian repository format; fields as in Policy 5.3 and `deb-control(5)`).
//!
//! Only what choosing, fetching and reporting packages needs is kept.

use std::collections::HashMap;
use std::io::BufRead;

use super::deb822::{Reader, Record};
use super::package::{IndexError, MultiArch, Package, Priority, admit};
use wifibox_ground::path::shown;

/// The fields whose names apt's cache notes, in the order in which it reads them.
const MENTIONING: [&str; 9] = [
    "Pre-Depends",
    "Depends",
    "Conflicts",
    "Breaks",
    "Recommends",
    "Suggests",
    "Replaces",
    "Enhances",
    "Provides",
];

/// Reads every record of a `Packages` file.
///
/// # Errors
/// [`IndexError`] names the line and the package.
pub fn parse(input: impl BufRead) -> Result<Vec<Package>, IndexError> {
    parse_after(&mut Mentions::default(), input)
}

/// The same for one of several files, which are read in apt's order: `mentions` are those of all that were
/// read before.
///
/// # Errors
/// [`IndexError`] names the line and the package.
pub fn parse_after(
    mentions: &mut Mentions,
    input: impl BufRead,
) -> Result<Vec<Package>, IndexError> {
    let mut reader = Reader::new(input);
    let mut packages = Vec::new();
    while let Some(record) = reader.next_record()? {
        let package = package(&record, mentions)?;
        admit(&packages, &package).map_err(|what| record.error(what))?;
        packages.push(package);
    }
    Ok(packages)
}

/// Which names were mentioned, and how many others before each.
#[derive(Debug, Default)]
pub struct Mentions(HashMap<Box<str>, u32>);

impl Mentions {
    /// Notes a name; the place of its first mention.
    fn add(&mut self, name: &str) -> u32 {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.0.insert(name.into(), count);
        count
    }

    /// Notes every name of a dependency field. `name:any` is another name to apt.
    fn add_all(&mut self, field: &str) {
        for target in field.split([',', '|']) {
            let end = |c: char| c.is_ascii_whitespace() || c == '(';
            let name = target.trim_start().split(end).next().unwrap_or_default();
            if !name.is_empty() && !name.ends_with(":any") {
                self.add(name);
            }
        }
    }
}

/// Joins two dependency fields into one.
pub(super) fn join(first: &str, second: &str) -> String {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second.to_owned(),
        (_, true) => first.to_owned(),
        _ => format!("{first}, {second}"),
    }
}

/// The first line of a folded value.
pub(super) fn first_line(value: &str) -> String {
    value.lines().next().unwrap_or_default().trim().to_owned()
}

/// A whole number, as the value of field `name`.
pub(super) fn number(record: &Record<'_>, name: &str, value: &str) -> Result<u64, IndexError> {
    value.parse().map_err(|_| {
        let value = shown(value.as_bytes());
        record.error(format!("{} is {value:?}; a whole number is expected", shown(name.as_bytes())))
    })
}

fn package(record: &Record<'_>, mentions: &mut Mentions) -> Result<Package, IndexError> {
    let mut package = Package::default();
    let mut mentioned = [""; MENTIONING.len()];
    for (name, value) in record.fields() {
        if let Some(at) = MENTIONING.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            if let Some(slot) = mentioned.get_mut(at) {
                *slot = value;
            }
            continue;
        }
        match name.to_ascii_lowercase().as_str() {
            "package" => package.name = value.to_owned(),
            "version" => package.version = value.to_owned(),
            "architecture" => package.architecture = value.to_owned(),
            "filename" => package.path = value.to_owned(),
            "size" => package.size = number(record, name, value)?,
            "installed-size" => {
                package.installed_size = number(record, name, value)?.saturating_mul(1024);
            }
            "sha256" => {
                let digest = value.parse().map_err(|e| record.error(format!("SHA256: {e}")))?;
                package.sha256 = Some(digest);
            }
            "source" => {
                let source = value.split_ascii_whitespace().next().unwrap_or_default();
                package.origin = source.to_owned();
            }
            "description" => package.description = first_line(value),
            "essential" => package.essential = value == "yes",
            "important" | "protected" => package.important |= value == "yes",
            "priority" => package.priority = priority(value),
            "multi-arch" => package.multi_arch = multi_arch(value),
            _ => {}
        }
    }
    if package.name.is_empty() {
        return Err(record.error("the record has no field Package"));
    }
    if package.version.is_empty() {
        return Err(record.error("the record has no field Version"));
    }
    package.mention = mentions.add(&package.name);
    mentioned.iter().for_each(|field| mentions.add_all(field));
    let [pre_depends, depends, conflicts, breaks, _, _, replaces, _, provides] = mentioned;
    package.depends = join(pre_depends, depends);
    package.conflicts = join(conflicts, breaks);
    package.replaces = replaces.to_owned();
    package.provides = provides.to_owned();
    Ok(package)
}

fn priority(value: &str) -> Priority {
    match value.to_ascii_lowercase().as_str() {
        "required" => Priority::Required,
        "important" => Priority::Important,
        "standard" => Priority::Standard,
        "optional" => Priority::Optional,
        "extra" => Priority::Extra,
        _ => Priority::None,
    }
}

fn multi_arch(value: &str) -> MultiArch {
    match value.to_ascii_lowercase().as_str() {
        "same" => MultiArch::Same,
        "foreign" => MultiArch::Foreign,
        "allowed" => MultiArch::Allowed,
        _ => MultiArch::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let text = "Package: iw\nSource: iw-src (1.2)\nVersion: 1:6.9-1\nInstalled-Size: 300\nArchitecture: amd64\n\
            Pre-Depends: init-system\nDepends: libc6 (>= 2.38),\n libnl-3-200\nBreaks: b\nConflicts: a\nReplaces: r\n\
            Provides: wext (= 1)\nPriority: Optional\nEssential: yes\nMulti-Arch: foreign\n\
            Description: tool\n for wireless\nFilename: pool/i/iw.deb\nSize: 10\n";
        let all = parse(text.as_bytes()).expect("packages");
        let [iw] = all.as_slice() else { panic!("one package") };
        assert_eq!(
            (iw.name.as_str(), iw.version.as_str(), iw.origin.as_str()),
            ("iw", "1:6.9-1", "iw-src")
        );
        assert_eq!(iw.depends, "init-system, libc6 (>= 2.38),\n libnl-3-200");
        assert_eq!(iw.conflicts, "a, b");
        assert_eq!((iw.size, iw.installed_size), (10, 307_200));
        assert_eq!(
            (iw.priority, iw.multi_arch, iw.essential),
            (Priority::Optional, MultiArch::Foreign, true)
        );
        assert_eq!(iw.description, "tool");
    }

    #[test]
    fn mentions_are_counted_over_all_fields() {
        let text = "Package: a\nVersion: 1\nSuggests: c\nDepends: b:any\n\nPackage: b\nVersion: 1\n\nPackage: c\nVersion: 1\n";
        let all = parse(text.as_bytes()).expect("packages");
        let mentions: Vec<u32> = all.iter().map(|p| p.mention).collect();
        assert_eq!(mentions, [1, 3, 2], "c is mentioned before b's own record");
    }

    #[test]
    fn mentions_go_on_in_the_next_index() {
        let mut mentions = Mentions::default();
        let mut read = |text: &str| -> Vec<u32> {
            let all = parse_after(&mut mentions, text.as_bytes()).expect("packages");
            all.iter().map(|package| package.mention).collect()
        };
        assert_eq!(read("Package: a\nVersion: 1\nDepends: b\n"), [1]);
        assert_eq!(read("Package: c\nVersion: 1\n\nPackage: b\nVersion: 1\n"), [3, 2]);
    }

    #[test]
    fn errors_name_the_record() {
        for (text, expected) in [
            ("Package: a\n", "line 1 (package a): the record has no field Version"),
            ("\nVersion: 1\n", "line 2: the record has no field Package"),
            ("Package: a\nVersion: 1\nSize: big\n", "(package a): Size is \"big\""),
            ("Package: a\nVersion: 1\nSHA256: 00\n", "SHA256: \"00\" is not a SHA-256"),
        ] {
            let error = parse(text.as_bytes()).expect_err("an error").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
