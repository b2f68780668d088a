//! Which paths of packages come into the guest.

use globset::{GlobSet, GlobSetBuilder};

use super::composed::Recipe;
use super::error::{Problem, RecipeError};
use super::located::Sourced;
use super::scalars::Pattern;
use wifibox_ground::path::GuestPath;

/// Decides which paths of packages come into the guest: those that no `exclude` matches, and those
/// that a `keep` matches. A glob that matches a directory matches all that is below it. Paths are
/// those that packages write, before links of the guest are followed.
#[derive(Debug, Clone)]
pub struct PathFilter {
    exclude: GlobSet,
    keep: GlobSet,
}

impl Recipe {
    /// The filter made of `exclude` and `keep`.
    ///
    /// # Errors
    /// [`RecipeError::Choice`] if the globs together are too large to compile.
    pub fn path_filter(&self) -> Result<PathFilter, RecipeError> {
        Ok(PathFilter { exclude: set(&self.exclude)?, keep: set(&self.keep)? })
    }
}

fn set(patterns: &[Sourced<Pattern>]) -> Result<GlobSet, RecipeError> {
    let bad = |error: globset::Error| RecipeError::choice(Problem::new(error.to_string()));
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(pattern.value.glob().map_err(bad)?);
    }
    builder.build().map_err(bad)
}

impl PathFilter {
    /// Whether `path` comes into the guest.
    pub fn admits(&self, path: &GuestPath) -> bool {
        !matches(&self.exclude, path) || matches(&self.keep, path)
    }

    /// Whether a `keep` matches `path`: then it also stays where nothing seems to need it.
    pub fn keeps(&self, path: &GuestPath) -> bool {
        matches(&self.keep, path)
    }
}

fn matches(set: &GlobSet, path: &GuestPath) -> bool {
    let text = path.to_string();
    let text = text.trim_start_matches('/');
    let mut ends: Vec<usize> = text.match_indices('/').map(|(end, _)| end).collect();
    ends.push(text.len());
    ends.iter().any(|end| text.get(..*end).is_some_and(|prefix| set.is_match(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    fn patterns(globs: &[&str]) -> GlobSet {
        let sourced = |glob: &&str| Sourced {
            value: serde_json::from_value(serde_json::json!(glob)).unwrap(),
            origin: Origin::command_line(),
        };
        set(&globs.iter().map(sourced).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_directory_takes_what_is_below_it_along_and_keep_wins() {
        let filter = PathFilter {
            exclude: patterns(&["usr/share/doc", "lib/*.so", "etc/**/x", "sbin/ip{,6}t*"]),
            keep: patterns(&["usr/share/doc/*/copyright"]),
        };
        let admits = |path: &str| filter.admits(&GuestPath::new(path).unwrap());
        assert!(!admits("usr/share/doc") && !admits("usr/share/doc/a/b"));
        assert!(admits("usr/share/doc/a/copyright") && admits("usr/share/docs"));
        assert!(!admits("lib/a.so") && admits("lib/deep/a.so") && admits("lib"));
        assert!(!admits("sbin/iptables") && !admits("sbin/ip6t") && admits("sbin/ip"));
        assert!(!admits("etc/x") && !admits("etc/a/b/x"));
    }
}
