//! The differences that are explained.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{Glob, GlobMatcher};

use super::Failure;

/// Lines `PACKAGE PATTERN`: patterns of packages and of paths.
#[derive(Default)]
pub struct Allowed(Vec<Line>);

struct Line {
    text: String,
    package: GlobMatcher,
    path: GlobMatcher,
    matched: AtomicBool,
}

impl Allowed {
    /// Reads a file of them.
    ///
    /// # Errors
    /// A line is not in this form.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parse = |line: &str| {
            let (package, path) = line.split_once(' ').ok_or_else(|| format!("no path: {line}"))?;
            let glob = |text: &str| Ok::<_, globset::Error>(Glob::new(text)?.compile_matcher());
            let (package, path) = (glob(package)?, glob(path.trim())?);
            let (text, matched) = (line.to_owned(), AtomicBool::new(false));
            Ok::<_, Failure>(Line { text, package, path, matched })
        };
        lines.map(parse).collect::<Result<_, _>>().map(Allowed)
    }

    /// Whether this difference of this package is explained.
    pub fn allows(&self, package: &str, difference: &str) -> bool {
        let path = difference.split(": ").next().unwrap_or_default();
        let found =
            self.0.iter().find(|line| line.package.is_match(package) && line.path.is_match(path));
        if let Some(line) = found {
            line.matched.store(true, Ordering::Relaxed);
        }
        found.is_some()
    }

    /// The lines that explained nothing.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let unused = self.0.iter().filter(|line| !line.matched.load(Ordering::Relaxed));
        unused.map(|line| line.text.as_str())
    }
}
