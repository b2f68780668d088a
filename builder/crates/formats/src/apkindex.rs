//! Reads Alpine's `APKINDEX`, the text inside `APKINDEX.tar.gz` (`apk-v2(5)`).
//!
//! Records of `X:value` lines, separated by empty lines. As apk does, this keeps a record with an
//! unknown upper-case field or an unreadable dependency but marks it as not installable, ignores
//! unknown lower-case fields, and adds up repeated dependency fields.

use std::io::BufRead;

use super::dependency::parse_relations;
use super::package::{IndexError, Package, admit};
use wifibox_ground::path::shown;
use wifibox_ground::version::Scheme;

/// The longest line that is accepted, in bytes. The longest in Alpine are some 60 kB.
const LINE_LIMIT: u64 = 4 << 20;

/// Reads every record of an `APKINDEX`.
///
/// # Errors
/// [`IndexError`] names the line and the package.
pub fn parse(mut input: impl BufRead) -> Result<Vec<Package>, IndexError> {
    let mut packages = Vec::new();
    let mut package: Option<Package> = None;
    let mut buffer = Vec::new();
    let mut line = 0;
    loop {
        buffer.clear();
        let read = std::io::Read::take(&mut input, LINE_LIMIT).read_until(b'\n', &mut buffer);
        let count = read.map_err(|source| IndexError::Read { line, source })?;
        line += 1;
        let named = package.as_ref().map(|p| p.name.clone()).filter(|name| !name.is_empty());
        let bad = |what: String| IndexError::Record { line, package: named.clone(), what };
        let text = std::str::from_utf8(&buffer).map_err(|_| bad("the line is not UTF-8".into()))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() {
            field(package.get_or_insert_default(), text).map_err(bad)?;
            continue;
        }
        if let Some(package) = package.take() {
            let package = finish(package).map_err(&bad)?;
            admit(&packages, &package).map_err(bad)?;
            packages.push(package);
        }
        if count == 0 {
            return Ok(packages);
        }
    }
}

fn field(package: &mut Package, line: &str) -> Result<(), String> {
    let mut characters = line.chars();
    let (Some(name), Some(':')) = (characters.next(), characters.next()) else {
        return Err(format!(
            "{:?} is no field; a letter, a colon and a value are expected",
            shown(line.as_bytes())
        ));
    };
    let value = characters.as_str();
    match name {
        'P' => package.name = value.to_owned(),
        'V' => package.version = value.to_owned(),
        'A' => package.architecture = value.to_owned(),
        'T' => package.description = value.to_owned(),
        'L' => package.license = value.to_owned(),
        'o' => package.origin = value.to_owned(),
        'S' => package.size = number(name, value)?,
        'I' => package.installed_size = number(name, value)?,
        't' => package.build_time = number(name, value)?,
        'k' => package.provider_priority = number(name, value)?.try_into().unwrap_or(u32::MAX),
        'q' => package.replaces_priority = number(name, value)?.try_into().unwrap_or(u32::MAX),
        'C' => package.identity = Some(value.parse().map_err(|error| format!("C: {error}"))?),
        'D' => add(&mut package.depends, value),
        'p' => add(&mut package.provides, value),
        'i' => add(&mut package.install_if, value),
        'r' => add(&mut package.replaces, value),
        'F' | 'M' | 'R' | 'Z' | 'U' => {}
        _ if name.is_ascii_lowercase() => {}
        _ => refuse(package, format!("its index record has the unknown field {name}:")),
    }
    Ok(())
}

fn number(name: char, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| {
        format!("{name}: is {:?}; a whole number is expected", shown(value.as_bytes()))
    })
}

fn add(list: &mut String, value: &str) {
    if !list.is_empty() && !value.is_empty() {
        list.push(' ');
    }
    list.push_str(value);
}

fn refuse(package: &mut Package, why: String) {
    package.refused.get_or_insert(why);
}

fn finish(package: Package) -> Result<Package, String> {
    if package.name.is_empty() {
        return Err("the record has no name (P:)".to_owned());
    }
    if package.version.is_empty() {
        return Err("the record has no version (V:)".to_owned());
    }
    Ok(judged(package))
}

/// Marks a package that apk would not install as it cannot read the dependencies.
pub(super) fn judged(mut package: Package) -> Package {
    if let Err(error) = parse_relations(Scheme::Apk, &package.depends) {
        refuse(&mut package, error.to_string());
    }
    package
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let text = "C:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\nP:busybox\nV:1.37.0-r12\nA:x86_64\nS:500\nI:1000\nT:tools\nU:x\n\
            L:GPL-2.0-only\no:busybox\nm:x\nt:1700000000\nc:abc\nD:so:libc.musl-x86_64.so.1\np:/bin/sh cmd:sh=1\np:x\nk:100\n\
            i:a b\nr:c\nq:1\nz:later\n\nP:next\nV:1";
        let all = parse(text.as_bytes()).expect("packages");
        let [busybox, next] = all.as_slice() else { panic!("two packages") };
        assert_eq!(busybox.provides, "/bin/sh cmd:sh=1 x");
        assert_eq!(
            (busybox.size, busybox.installed_size, busybox.build_time),
            (500, 1000, 1_700_000_000)
        );
        assert_eq!((busybox.provider_priority, busybox.install_if.as_str()), (100, "a b"));
        assert_eq!((busybox.replaces.as_str(), busybox.replaces_priority), ("c", 1));
        assert!(busybox.identity.is_some() && busybox.refused.is_none());
        assert_eq!(next.full_name(), "next-1");
    }

    #[test]
    fn what_apk_would_not_install_is_marked() {
        let all = parse(&b"P:a\nV:1\nX:new\n\nP:b\nV:1\nD:c@tag\n"[..]).expect("packages");
        assert_eq!(all[0].refused.as_deref(), Some("its index record has the unknown field X:"));
        assert!(all[1].refused.as_deref().is_some_and(|why| why.contains("c@tag")));
    }

    #[test]
    fn errors_name_line_and_record() {
        for (text, expected) in [
            ("P:a\nnonsense\n", "line 2 (package a): \"nonsense\" is no field"),
            ("P:a\n\n", "line 2 (package a): the record has no version"),
            ("V:1\n", "line 2: the record has no name"),
            ("P:a\nS:many\n", "S: is \"many\""),
            ("P:a\nC:Q1x\n", "is not a package identity"),
        ] {
            let error = parse(text.as_bytes()).expect_err("an error").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let _ = parse(&bytes[..]);
        }
    }
}
