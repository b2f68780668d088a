//! The record that every package index is read into, whatever its ecosystem.
//!
//! Dependencies stay the text that the index has, in the ecosystem's own syntax ([`super::dependency`]
//! reads it), so that a record is small, is stored in the lock file as people know it, and says the
//! same to the solver whether it comes from an index or from the lock.

use serde::{Deserialize, Serialize};

use super::dependency::{self, BadDependency, Provide, Relation};
use super::fault::Fault;
use super::identity::Identity;
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::shown;
use wifibox_ground::version::Scheme;

/// One package of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// Its version, in its ecosystem's order.
    pub version: String,
    /// The architecture it is for, or the ecosystem's word for all of them; empty if not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// Where the file lies, relative to the repository (dpkg, opkg: `Filename`). apk: empty, the file
    /// is `<name>-<version>.apk` beside the index.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The size of the package file in bytes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size: u64,
    /// The space that its files take, in bytes. apk treats packages with 0 as meta-packages that may
    /// come from any repository, tagged or not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub installed_size: u64,
    /// The digest of the package file, where the index has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// apk's identity (`C:`). Records with equal identity are one package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Dependencies: Debian's Pre-Depends and Depends; apk's `D:`, with its `!name` conflicts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub depends: String,
    /// Conflicts and Breaks. Empty for apk, whose conflicts are in `depends`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conflicts: String,
    /// Names that the package provides beside its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provides: String,
    /// Whose files it may overwrite.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replaces: String,
    /// apk: the greater one takes a file that two packages hold and replace in each other.
    #[serde(default, skip_serializing_if = "is_default")]
    pub replaces_priority: u32,
    /// apk: the conditions that together bring this package in by themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub install_if: String,
    /// apk: which provider of an unversioned name is preferred; 0 means none is chosen unasked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub provider_priority: u32,
    /// One line on what it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The licence as the index words it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub license: String,
    /// The source package it was built from; empty when that has its own name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// When it was built, in seconds since 1970; 0 if not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub build_time: u64,
    /// Debian: no system is complete without it (`Essential: yes`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub essential: bool,
    /// Debian: preferred among providers (`Important: yes`, `Protected: yes`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub important: bool,
    /// Debian: how much a system needs it; decides between providers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// Debian: how it behaves on a system of several architectures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub multi_arch: MultiArch,
    /// Debian: how late its index first mentions the name in any field, which is apt's last way to
    /// decide between two providers; 0 if not known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mention: u32,
    /// Why the package manager itself would refuse to install this record, if it would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Debian's `Priority`, in the order in which apt prefers providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Not said; apt puts it first.
    #[default]
    None,
    /// Every system needs it.
    Required,
    /// Every system is expected to have it.
    Important,
    /// Part of a small but useful system.
    Standard,
    /// Everything else.
    Optional,
    /// Like `Optional`; no longer used.
    Extra,
}

/// Debian's `Multi-Arch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MultiArch {
    /// Satisfies dependencies of its own architecture only.
    #[default]
    No,
    /// Can be installed for several architectures at once.
    Same,
    /// Satisfies dependencies of every architecture.
    Foreign,
    /// Satisfies dependencies marked `:any` from every architecture.
    Allowed,
}

/// The most packages of one index: twice as many as the largest of Debian's has.
pub(crate) const INDEX_LIMIT: usize = 150_000;
/// The longest name and version of a package, in bytes: they are parts of file names.
const NAME_LIMIT: usize = 255;

/// Whether one more package may come to those of an index.
///
/// # Errors
/// In words: there are too many, or its name is too long.
pub(crate) fn admit(known: &[Package], package: &Package) -> Result<(), String> {
    if known.len() >= INDEX_LIMIT {
        return Err(format!("the index has more than {INDEX_LIMIT} packages"));
    }
    let Package { name, version, .. } = package;
    match [("name", name), ("version", version)].iter().find(|(_, text)| text.len() > NAME_LIMIT) {
        Some((what, text)) => {
            Err(format!("its {what} has {} bytes, at most {NAME_LIMIT} are expected", text.len()))
        }
        None => Ok(()),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Package {
    /// Its dependencies and, for apk, its conflicts.
    ///
    /// # Errors
    /// [`BadDependency`] for text that the ecosystem's syntax does not allow.
    pub fn depends(&self, scheme: Scheme) -> Result<Vec<Relation<'_>>, BadDependency> {
        dependency::parse_relations(scheme, &self.depends)
    }

    /// Its conflicts, beside the negated entries of [`Package::depends`].
    ///
    /// # Errors
    /// As for [`Package::depends`].
    pub fn conflicts(&self, scheme: Scheme) -> Result<Vec<Relation<'_>>, BadDependency> {
        dependency::parse_relations(scheme, &self.conflicts)
    }

    /// The names that it provides beside its own.
    ///
    /// # Errors
    /// As for [`Package::depends`].
    pub fn provides(&self, scheme: Scheme) -> Result<Vec<Provide<'_>>, BadDependency> {
        dependency::parse_provides(scheme, &self.provides)
    }

    /// The conditions that bring it in by themselves; none when there are none or when one of them
    /// cannot be read (apk then ignores them all).
    pub fn install_if(&self, scheme: Scheme) -> Vec<Relation<'_>> {
        dependency::parse_relations(scheme, &self.install_if).unwrap_or_default()
    }

    /// `name-version`, as apk writes packages.
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// A package index that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The text could not be read at all.
    #[error("cannot read the package index after line {line}: {source}")]
    Read {
        /// The last line that was read, from 1.
        line: u64,
        /// The underlying I/O error.
        source: std::io::Error,
    },
    /// A record does not follow the format.
    #[error("package index, line {line}{}: {what}", in_record(.package))]
    Record {
        /// The line, from 1.
        line: u64,
        /// The package whose record it is, if that was said before.
        package: Option<String>,
        /// The reason, and what was expected.
        what: String,
    },
}

impl IndexError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            IndexError::Read { source, .. } => Fault::of_io(source),
            IndexError::Record { .. } => Fault::Damaged,
        }
    }
}

fn in_record(package: &Option<String>) -> String {
    let name = package.as_ref().map(|name| shown(name.as_bytes()));
    name.map(|name| format!(" (package {name})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_stored_compactly_and_comes_back() {
        let package = Package {
            name: "hostapd".into(),
            version: "2.11-r0".into(),
            depends: "so:libnl-3.so.200 !hostapd-tiny".into(),
            identity: "Q1AAECAwQFBgcICQoLDA0ODxAREhM=".parse().ok(),
            provider_priority: 10,
            ..Package::default()
        };
        let text = serde_json::to_string(&package).expect("JSON");
        insta::assert_snapshot!(text, @r#"{"name":"hostapd","version":"2.11-r0","identity":"Q1AAECAwQFBgcICQoLDA0ODxAREhM=","depends":"so:libnl-3.so.200 !hostapd-tiny","provider_priority":10}"#);
        assert_eq!(serde_json::from_str::<Package>(&text).expect("a package"), package);
    }

    #[test]
    fn errors_name_line_and_package() {
        let error =
            IndexError::Record { line: 7, package: Some("a".into()), what: "no version".into() };
        assert_eq!(error.to_string(), "package index, line 7 (package a): no version");
    }
}
