//! One installed package, packed again: apk v2.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use tar::EntryType;
use wifibox_testkit::apkkeys::sha1;
use wifibox_testkit::apkrepo::{Member, Package};

use super::Failure;
use super::installed::{Entry, Installed};

/// `.PKGINFO`'s name of a field of the database; a list has a line for each of its words.
const FIELDS: [(char, &str, bool); 13] = [
    ('T', "pkgdesc", false),
    ('U', "url", false),
    ('L', "license", false),
    ('o', "origin", false),
    ('m', "maintainer", false),
    ('t', "builddate", false),
    ('I', "size", false),
    ('k', "provider_priority", false),
    ('q', "replaces_priority", false),
    ('D', "depend", true),
    ('p', "provides", true),
    ('r', "replaces", true),
    ('i', "install_if", false),
];

/// The longest path that the old header of a tar archive has room for.
const SHORT: usize = 100;

/// Packs it, and names the files that are not as they were. `originals` has the contents of those that are known
/// as they were.
///
/// # Errors
/// A file is missing.
pub fn pack(
    root: &Path,
    installed: &Installed,
    originals: &BTreeMap<String, Vec<u8>>,
) -> Result<(Package, Vec<String>), Failure> {
    let mut package = Package::new(installed.name(), installed.version());
    package.architecture = installed.field('A').to_owned();
    for (letter, key, is_list) in FIELDS {
        for (_, value) in installed.fields.iter().filter(|(known, _)| *known == letter) {
            let words: Vec<&str> = match is_list {
                true => value.split_ascii_whitespace().collect(),
                false => vec![value],
            };
            for word in words {
                package = package.info(key, word);
            }
        }
    }
    for pattern in &installed.triggers {
        package = package.info("triggers", pattern);
    }
    for (name, text) in &installed.scripts {
        package = package.control(&format!(".{name}"), text);
    }
    let mut changed = Vec::new();
    for entry in &installed.entries {
        let (member, as_packed) = member(root, entry, originals)?;
        if !as_packed {
            changed.push(entry.path.clone());
        }
        package = package.raw(member);
    }
    Ok((package, changed))
}

fn member(
    root: &Path,
    entry: &Entry,
    originals: &BTreeMap<String, Vec<u8>>,
) -> Result<(Member, bool), Failure> {
    let path = root.join(&entry.path);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let short = entry.path.as_bytes();
    let short = short.get(..SHORT).unwrap_or(short);
    let mut as_packed = true;
    let mut check = |bytes: &[u8]| as_packed = entry.checksum.as_deref() == Some(&checksum(bytes));
    let member = if entry.is_directory {
        Member::new(short, EntryType::Directory, b"")
    } else if fs::symlink_metadata(&path).map_err(failed)?.is_symlink() {
        let target = fs::read_link(&path).map_err(failed)?;
        check(target.as_os_str().as_bytes());
        Member::new(short, EntryType::Symlink, b"").to(target.as_os_str().as_bytes())
    } else {
        let content = match originals.get(&entry.path) {
            Some(content) => content.clone(),
            None => fs::read(&path).map_err(failed)?,
        };
        check(&content);
        Member::new(short, EntryType::Regular, content)
    };
    let mut member = Member { mode: entry.mode, ..member }.checked();
    if short.len() < entry.path.len() {
        member = member.pax("path", &entry.path);
    }
    Ok((member, as_packed))
}

/// A checksum as the database has it.
pub fn checksum(bytes: &[u8]) -> String {
    format!("Q1{}", base64::engine::general_purpose::STANDARD.encode(sha1(bytes)))
}
