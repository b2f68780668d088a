//! The licences of everything in a guest: whether it may be passed on, and with which obligations.
//!
//! [`Collector`] takes in what packages say while they are unpacked, `analyse` weighs it, and
//! [`Licences`] is what the folder `licenses/` and the SBOMs are written from. Nothing is guessed: where a
//! package says nothing that a program can read, the licence is a `LicenseRef-` with the text, or
//! `NOASSERTION`, and a note says why.

mod copyright;
mod expression;
mod firmware;
mod listed;
mod names;
mod package;
mod source;
mod summary;
mod terms;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use source::{Distribution, Source};
pub use summary::FORMAT;
pub use terms::{Obligation, Redistribution, Reference, References};

use texts::Texts;
use wifibox_formats::Package;
use wifibox_ground::digest::Sha256;
use wifibox_tree::packages::licences::Collector;
use wifibox_tree::{Kind, Origin, Tree};

/// SPDX's word for "nothing is said about that".
pub(crate) const NOASSERTION: &str = "NOASSERTION";

/// The source of a statement about a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A machine-readable `copyright` file, or the paragraph of one that holds for this file.
    CopyrightFile,
    /// A `copyright` file that only people can read.
    FreeText,
    /// linux-firmware's WHENCE.
    Whence,
    /// The `License` field of the package index.
    PackageIndex,
    /// Nothing.
    Nothing,
}

/// The licence of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLicence {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SPDX expression, or `NOASSERTION`.
    pub licence: String,
    /// The source of `licence`.
    pub basis: Basis,
    /// How many files of it are in the outputs.
    pub files: u64,
    /// Whether it may be passed on.
    pub redistribution: Redistribution,
    /// The obligations of passing it on; none where no file of it is in the outputs.
    pub obligations: Vec<Obligation>,
    /// The sources it was built from, first its source package, then others that went into it.
    pub sources: Vec<Source>,
    /// Its texts, by path below `licenses/`.
    pub texts: Vec<String>,
    /// Remarks, each a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// The licence of a firmware file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareLicence {
    /// Its path in the guest.
    pub path: String,
    /// Its name below `lib/firmware`, without the suffix of a compression.
    pub name: String,
    /// Hash of the file in the guest.
    pub sha256: Sha256,
    /// Its origin: a package's name, or a description.
    pub from: String,
    /// SPDX expression, or `NOASSERTION`.
    pub licence: String,
    /// The source of `licence`.
    pub basis: Basis,
    /// Whether it may be passed on.
    pub redistribution: Redistribution,
    /// The obligations of passing it on.
    pub obligations: Vec<Obligation>,
    /// Its texts, by path below `licenses/`.
    pub texts: Vec<String>,
    /// Remarks, each a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// The licences of a guest.
#[derive(Debug, Clone)]
pub struct Licences {
    /// Of packages, in the order in which they were given.
    pub packages: Vec<PackageLicence>,
    /// Of firmware files, by path.
    pub firmware: Vec<FirmwareLicence>,
    /// Licences that SPDX's list does not have.
    pub references: References,
    /// Licence files that the firmware manifests name.
    pub named: Vec<String>,
    /// Texts by path below `licenses/`.
    pub texts: BTreeMap<String, Vec<u8>>,
}

/// A package, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Packaged<'a> {
    /// Its record.
    pub record: &'a Package,
    /// The distribution that it is from.
    pub distribution: Distribution<'a>,
}

/// The input of `analyse`.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The packages.
    pub packages: &'a [Packaged<'a>],
    /// The licence texts and `copyright` files of the packages.
    pub collected: &'a Collector,
    /// The guest.
    pub tree: &'a Tree,
    /// Packages with content in other outputs than root.img: the kernel's image, the UEFI stub.
    pub elsewhere: &'a [String],
    /// Licence files that the firmware manifests name.
    pub named: &'a [String],
}

/// Weighs all that is in a guest.
///
/// # Errors
/// The content of a firmware file cannot be read back.
pub(crate) fn analyse(subject: &Subject<'_>) -> std::io::Result<Licences> {
    let mut files: BTreeMap<&str, Files> = BTreeMap::new();
    for (path, node) in subject.tree.iter() {
        if let (Kind::File(_) | Kind::Symlink(_), Origin::Package(package)) =
            (&node.kind, &node.origin)
        {
            let files = files.entry(package).or_default();
            files.count += 1;
            files.others |= firmware::firmware_name(path).is_none();
        }
    }
    for package in subject.elsewhere {
        let files = files.entry(package).or_default();
        (files.count, files.others) = (files.count + 1, true);
    }
    let mut work = Work {
        subject,
        files,
        references: References::default(),
        texts: Texts::default(),
        copyrights: BTreeMap::new(),
    };
    let firmware = work.firmware()?;
    let packages =
        subject.packages.iter().map(|package| work.package(*package, &firmware)).collect();
    Ok(Licences {
        packages,
        firmware,
        references: work.references,
        named: subject.named.to_vec(),
        texts: work.texts.into_files(),
    })
}

/// The files of a package that are in the outputs.
#[derive(Debug, Clone, Copy, Default)]
struct Files {
    count: u64,
    /// Whether something else than firmware is among them.
    others: bool,
}

/// The analysis under way.
struct Work<'a> {
    subject: &'a Subject<'a>,
    files: BTreeMap<&'a str, Files>,
    references: References,
    texts: Texts,
    /// Machine-readable `copyright` files by package, where there are any.
    copyrights: BTreeMap<String, Option<copyright::Copyright>>,
}

impl<'a> Work<'a> {
    /// The record of the package with this name.
    fn packaged(&self, name: &str) -> Option<Packaged<'a>> {
        self.subject.packages.iter().find(|package| package.record.name == name).copied()
    }

    /// The scope of a package's licence names: its source, as texts are the source's.
    fn scope(&self, package: Packaged<'_>) -> String {
        let control = self.subject.collected.controls.get(&package.record.name);
        package.distribution.source(package.record, control).name
    }

    /// The machine-readable `copyright` of a package, if it has one.
    fn copyright(&mut self, package: &str) -> Option<&copyright::Copyright> {
        if !self.copyrights.contains_key(package) {
            let text = self.subject.collected.text(&format!("usr/share/doc/{package}/copyright"));
            let parsed =
                text.and_then(|(_, text)| copyright::Copyright::parse(&text).ok().flatten());
            self.copyrights.insert(package.to_owned(), parsed);
        }
        self.copyrights.get(package).and_then(Option::as_ref)
    }

    /// The expression for a short name of copyright-format 1.0 that `package`'s file uses.
    fn debian_expression(&mut self, package: Packaged<'_>, short: &str, own_text: &str) -> String {
        let scope = self.scope(package);
        let copyright = self.copyright(&package.record.name).cloned().unwrap_or_default();
        let references = &mut self.references;
        names::debian(short, &mut |name| {
            let text = copyright.text(name).unwrap_or(own_text);
            let text =
                if text.is_empty() { "The copyright file names this licence only." } else { text };
            references.add(&scope, name, text)
        })
    }
}

/// Whether the package comes from an archive that holds free software only: Debian's `main`.
fn is_free_archive(package: &Package) -> bool {
    ["pool/main/", "pool/updates/main/"].iter().any(|folder| package.path.starts_with(folder))
}
