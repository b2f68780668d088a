//! The facts about packages and files that the bills list.

use std::io;

use super::PackageUrl;
use crate::licences::Distribution;
use wifibox_formats::Package;
use wifibox_ground::digest::{Sha256, hex};
use wifibox_ground::digests::Digests;
use wifibox_ground::output::OutputFolder;
use wifibox_tree::{Kind, Origin, Tree};

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
pub(crate) fn file_facts(tree: &Tree) -> io::Result<Vec<FileFacts>> {
    let mut facts = Vec::new();
    for (path, node) in tree.iter() {
        let Kind::File(content) = &node.kind else { continue };
        let path = String::from_utf8_lossy(path.as_bytes()).into_owned();
        let package = match &node.origin {
            Origin::Package(package) => Some(package.clone()),
            _ => None,
        };
        facts.push(facts_of(path, package, content.digests()?, content.len()));
    }
    Ok(facts)
}

/// Those of `names` that were written into `folder`.
pub(crate) fn output_facts(folder: &OutputFolder, names: &[&str]) -> Vec<FileFacts> {
    let written = |name: &&str| {
        let (size, digests) = folder.digests(name)?;
        Some(facts_of((*name).to_owned(), None, digests, size))
    };
    names.iter().filter_map(written).collect()
}

fn facts_of(path: String, package: Option<String>, digests: Digests, size: u64) -> FileFacts {
    FileFacts { path, size, sha1: hex(&digests.sha1), sha256: digests.sha256, package }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digests_are_those_of_other_programs() {
        // printf abc | sha1sum; printf abc | sha256sum
        let (digests, size) = Digests::of_reader(&b"abc"[..]).expect("readable");
        let facts = facts_of("a".into(), None, digests, size);
        assert_eq!(facts.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(facts.sha256, Sha256::of(b"abc"));
        assert_eq!(facts.size, 3);
    }
}
