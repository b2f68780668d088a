//! A lock never goes back in silence: an index older than the one that the lock was made of may be an old one that
//! somebody keeps serving, with packages whose holes are known.

use std::path::Path;

use jiff::Timestamp;

use crate::Error;
use crate::lock::LockedIndex;

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
