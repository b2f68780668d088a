//! A lock in use, and how it differs from the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;

use crate::Source;
use crate::lock::{Lock, LockedPackage};

/// How a lock differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockChange {
    /// `name version` of packages that came in.
    pub added: Vec<String>,
    /// `name version` of packages that went.
    pub removed: Vec<String>,
    /// `name old -> new`.
    pub changed: Vec<String>,
    /// `old -> new` of the point release.
    pub release: Option<String>,
    /// What was pinned that nobody signed: repository, file, size, hash.
    pub pinned: Vec<String>,
}

impl LockChange {
    pub(crate) fn between(old: &[LockedPackage], new: &[LockedPackage]) -> Self {
        let versions = |list: &[LockedPackage]| {
            let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for LockedPackage { package, .. } in list {
                by_name.entry(package.name.clone()).or_default().insert(package.version.clone());
            }
            by_name
        };
        let (old, new) = (versions(old), versions(new));
        let text = |versions: &BTreeSet<String>| {
            versions.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let mut change = LockChange::default();
        for (name, versions) in &new {
            match old.get(name) {
                None => change.added.push(format!("{name} {}", text(versions))),
                Some(before) if before != versions => {
                    change.changed.push(format!("{name} {} -> {}", text(before), text(versions)));
                }
                Some(_) => {}
            }
        }
        let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
        change.removed.extend(gone.map(|(name, versions)| format!("{name} {}", text(versions))));
        change
    }

    /// The same, with the point releases before and now, where both are known.
    pub(crate) fn of_release(self, before: Option<&str>, now: Option<&str>) -> Self {
        let other = before.zip(now).filter(|(before, now)| before != now);
        LockChange { release: other.map(|(before, now)| format!("{before} -> {now}")), ..self }
    }

    /// The same, with what was pinned that nobody signed.
    pub(crate) fn pinning(self, pinned: Vec<String>) -> Self {
        LockChange { pinned, ..self }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let packages = [&self.added, &self.removed, &self.changed, &self.pinned];
        packages.iter().all(|list| list.is_empty()) && self.release.is_none()
    }

    /// One line to each change: `+` added, `-` removed, `~` another version, `!` a new pin.
    pub fn lines(&self) -> Vec<String> {
        let mark = |mark: &str, list: &[String]| -> Vec<String> {
            list.iter().map(|item| format!("  {mark} {item}")).collect()
        };
        let release: Vec<String> =
            self.release.iter().map(|change| format!("  ~ release {change}")).collect();
        let packages =
            [mark("+", &self.added), mark("-", &self.removed), mark("~", &self.changed)].concat();
        [release, packages, mark("!", &self.pinned)].concat()
    }
}

/// A lock, its file, and how this run changed it.
#[derive(Debug, Clone, serde::Serialize, JsonSchema)]
pub struct Locked {
    /// The release of a base that is locked, and the guest's requests.
    #[serde(skip)]
    pub source: Source,
    /// The lock.
    #[serde(skip)]
    pub lock: Lock,
    /// The file.
    pub path: PathBuf,
    /// How the file changed.
    #[serde(skip)]
    pub change: LockChange,
}
