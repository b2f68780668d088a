//! What the bills need to know of packages and files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Digest as _;

use super::PackageUrl;
use crate::digest::{Hasher, Sha256, hex};
use crate::repo::Package;
use crate::report::licences::Distribution;
use crate::tree::{Kind, Origin, Tree};

/// A package.
#[derive(Debug, Clone)]
pub struct PackageFacts<'a> {
    /// Its record.
    pub record: &'a Package,
    /// Where it comes from.
    pub distribution: Distribution<'a>,
    /// Its package URL.
    pub url: PackageUrl,
    /// Where it can be fetched, if the recipe says it.
    pub download: Option<String>,
}

/// A file of the guest's root, or of the output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Path, relative to the root or to the output folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-1 in hexadecimal digits: SPDX 2.3 wants it of every file (8.4). Nothing is trusted by it.
    pub sha1: String,
    /// SHA-256.
    pub sha256: Sha256,
    /// The package that it came from, if it came from one.
    pub package: Option<String>,
}

/// The regular files of `tree`, by path.
///
/// # Errors
/// A content cannot be read back.
pub fn file_facts(tree: &Tree) -> io::Result<Vec<FileFacts>> {
    let mut facts = Vec::new();
    for (path, node) in tree.iter() {
        let Kind::File(content) = &node.kind else { continue };
        let path = String::from_utf8_lossy(path.as_bytes()).into_owned();
        let package = match &node.origin {
            Origin::Package(package) => Some(package.clone()),
            _ => None,
        };
        facts.push(hash(path, package, &mut content.open())?);
    }
    Ok(facts)
}

/// Those of `names` that are in `folder`.
///
/// # Errors
/// One cannot be read.
pub fn output_facts(folder: &Path, names: &[&str]) -> io::Result<Vec<FileFacts>> {
    let mut facts = Vec::new();
    for name in names {
        match File::open(folder.join(name)) {
            Ok(mut file) => facts.push(hash((*name).to_owned(), None, &mut file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(facts)
}

fn hash(path: String, package: Option<String>, reader: &mut dyn Read) -> io::Result<FileFacts> {
    let (mut sha1, mut sha256, mut size) = (sha1::Sha1::new(), Hasher::default(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        sha1.update(bytes);
        sha256.update(bytes);
        size += length as u64;
    }
    Ok(FileFacts { path, size, sha1: hex(&sha1.finalize()), sha256: sha256.finish(), package })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digests_are_those_of_other_programs() {
        // printf abc | sha1sum; printf abc | sha256sum
        let facts = hash("a".into(), None, &mut &b"abc"[..]).expect("readable");
        assert_eq!(facts.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(facts.sha256, Sha256::of(b"abc"));
        assert_eq!(facts.size, 3);
    }
}
