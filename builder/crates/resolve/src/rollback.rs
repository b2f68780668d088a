//! A lock never goes back in silence: an index older than the one that the lock was made of may be an old one that
//! somebody keeps serving, with packages whose holes are known.

use std::path::Path;

use jiff::Timestamp;

use crate::lock::{LockedIndex, LockedPackage};
use crate::{Error, Source};
use wifibox_formats::Package;

/// Compares the indexes of a lock with those that are offered now. Indexes without a date are not compared.
///
/// # Errors
/// [`Error::Rollback`] for the first one that is older.
pub fn check(path: &Path, old: &[LockedIndex], new: &[LockedIndex]) -> Result<(), Error> {
    for index in new.iter().filter(|index| index.date > 0) {
        let same = |known: &&LockedIndex| {
            known.repository == index.repository && known.suite == index.suite
        };
        let Some(known) = old.iter().find(same).filter(|known| known.date > index.date) else {
            continue;
        };
        return Err(Error::Rollback {
            path: path.to_owned(),
            index: format!("{} of {}", index.suite, index.repository),
            offered: day(index.date),
            locked: day(known.date),
        });
    }
    Ok(())
}

/// Compares the packages of sets that nobody signed, whose lists need not have a date.
///
/// # Errors
/// [`Error::OlderPackage`] for the first one that is older than the lock's.
pub(crate) fn check_pinned(
    path: &Path,
    source: &Source,
    old: &[LockedPackage],
    new: &[LockedPackage],
) -> Result<(), Error> {
    for repository in source.repositories.iter().filter(|known| !known.lists.is_empty()) {
        let own = |locked: &&LockedPackage| locked.repository == repository.name;
        for LockedPackage { package, .. } in new.iter().filter(own) {
            let mut before = old.iter().filter(own).map(|locked| &locked.package);
            let older = |known: &&Package| {
                let order = source.scheme().compare(&package.version, &known.version);
                known.name == package.name && order.is_some_and(|order| order.is_lt())
            };
            if let Some(known) = before.find(older) {
                return Err(Error::OlderPackage {
                    path: path.to_owned(),
                    repository: repository.name.clone(),
                    offered: package.full_name(),
                    locked: known.full_name(),
                });
            }
        }
    }
    Ok(())
}

fn day(seconds: u32) -> String {
    Timestamp::from_second(seconds.into()).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_ground::digest::Sha256;

    fn index(suite: &str, date: u32) -> LockedIndex {
        LockedIndex {
            repository: "debian".into(),
            suite: suite.into(),
            sha256: Sha256::of(suite.as_bytes()),
            date,
            version: None,
            priority: None,
        }
    }

    #[test]
    fn only_an_older_index_of_the_same_suite_is_refused() {
        let old = [index("trixie", 100), index("trixie-updates", 200)];
        for new in [100, 101] {
            check(Path::new("l"), &old, &[index("trixie", new)]).expect("not older");
        }
        check(Path::new("l"), &old, &[index("other", 1)]).expect("another suite");
        check(Path::new("l"), &old, &[index("trixie", 0)]).expect("no date");
        let error = check(Path::new("l"), &old, &[index("trixie-updates", 199)]);
        let error = error.expect_err("older").to_string();
        assert!(error.contains("trixie-updates of debian"), "{error}");
        assert!(error.contains("1970-01-01T00:03:19Z"), "{error}");
        assert!(error.contains("1970-01-01T00:03:20Z"), "{error}");
    }
}
