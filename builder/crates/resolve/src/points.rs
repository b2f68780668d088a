//! Which point release of a series is meant: that of the lock, or at an upgrade the newest one that the mirrors prove.
//!
//! No list of a mirror that names its releases is signed. What is signed is each release's own list of files, and the
//! number is in one of these files: so the next numbers are asked for, and one counts if its list proves it. A mirror can
//! keep a release to itself that way, as it can any update; it cannot make one up.

use super::source::Source;
use super::{Context, Error, LockChoice, index};
use crate::lock::Target;
use wifibox_ground::progress::Stage;
use wifibox_recipe::{Catalog, Recipe, Selection};

/// How many numbers in a row may be missing: 23.05.1 never was.
const GAP: u32 = 2;

/// The selection with the point release of its series that the lock is of, if it leaves that open and there is a lock.
#[must_use]
pub fn as_locked(catalog: &Catalog, selection: Selection, lock: &LockChoice) -> Selection {
    let point = catalog.series(&selection).and_then(|(series, architecture)| {
        let target = Target {
            base: selection.base.clone(),
            release: series.to_owned(),
            architecture: architecture.to_owned(),
        };
        let usual = || lock.folder.join(target.default_path());
        let found = Target::of_lock(&lock.file.clone().unwrap_or_else(usual))?;
        let same = found.base == target.base && found.architecture == target.architecture;
        (same && is_of(series, &found.release)).then_some(found.release)
    });
    Selection { point, ..selection }
}

/// The selection with the newest point release of its series: not older than that of the lock or of the recipe.
///
/// # Errors
/// [`Error`]: a mirror has something under the name of a release that is not it.
pub(crate) fn newest(
    catalog: &Catalog,
    selection: &Selection,
    compose: impl Fn(&Selection) -> Result<Recipe, Error>,
    context: &Context<'_>,
) -> Result<Selection, Error> {
    let of = |point: Option<String>| Selection { point, ..selection.clone() };
    let Some((series, _)) = catalog.series(selection) else { return Ok(selection.clone()) };
    let own = compose(&of(None))?.release.value;
    let known = selection.point.iter().chain([&own]);
    let Some(mut last) = known.filter_map(|point| number(series, point)).max() else {
        return Ok(selection.clone());
    };
    let what = format!("for newer releases of {} {series}", selection.base);
    context.work.progress.stage(&Stage::new("Looking", &what));
    let store = context.access.store()?;
    let fetcher = context.access.fetcher(&store, &context.work);
    let mut next = last.saturating_add(1);
    while next - last <= GAP {
        context.work.check()?;
        let candidate = of(Some(format!("{series}.{next}")));
        let Some(source) = Source::all(&compose(&candidate)?).into_iter().next() else { break };
        if index::has_release(&source, context, &fetcher)? {
            last = next;
        }
        next = next.saturating_add(1);
    }
    Ok(of(Some(format!("{series}.{last}"))))
}

/// Whether `point` is a point release of `series`.
pub(crate) fn is_of(series: &str, point: &str) -> bool {
    number(series, point).is_some()
}

/// The last part of a point release's number.
fn number(series: &str, point: &str) -> Option<u32> {
    point.strip_prefix(series)?.strip_prefix('.')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_release_has_the_number_of_its_series() {
        assert_eq!(number("25.12", "25.12.6"), Some(6));
        for other in ["25.12", "25.121", "24.10.6", "25.12.0-rc1", "25.12.1.2"] {
            assert_eq!(number("25.12", other), None, "{other}");
        }
    }
}
