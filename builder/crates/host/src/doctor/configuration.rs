//! Mistakes in files that the host's programs read: what the linters say of them.

use super::capture::Capture;
use super::finding::{Finding, Severity};
use crate::lint::{Kind, Level, lint};

/// The first mistake of each file, and how many more there are.
pub(super) fn examine(
    capture: &Capture,
    files: &[(&str, Kind, Severity)],
    list: &mut Vec<Finding>,
) {
    for (path, kind, severity) in files {
        let Some(text) = capture.file(path) else { continue };
        let problems = lint(*kind, text.as_bytes());
        let mut errors = problems.iter().filter(|problem| problem.level == Level::Error);
        let Some(first) = errors.next() else { continue };
        let more = match errors.count() {
            0 => String::new(),
            more => format!(" (and {more} more; 'wifibox-build lint {path}' says them)"),
        };
        let what = format!("{path} has a mistake: {first}{more}.");
        let line = text.lines().nth(first.line.saturating_sub(1)).unwrap_or_default();
        let editor = if path.starts_with("/etc/xen") { "vi" } else { "ee" };
        list.push(
            Finding::new(*severity, "configuration", what)
                .because(line)
                .cure([format!("{editor} {path}")]),
        );
    }
}
