//! How two outputs differ.

use std::fmt::Write as _;

use super::table::{grouped, signed};
use wifibox_report::diff::{Change, Difference, Names};

/// How many files are shown without `--files`.
const FILES_SHOWN: usize = 20;

/// The differences for people: nothing at all where there are none.
pub fn text(difference: &Difference, all_files: bool) -> String {
    let mut text = String::new();
    changes(&mut text, "configuration", &difference.configuration);
    names(&mut text, "packages", &difference.packages, usize::MAX);
    changes(&mut text, "packages built anew", &difference.rebuilt);
    changes(&mut text, "licences", &difference.licences);
    names(&mut text, "modules", &difference.modules, usize::MAX);
    names(&mut text, "firmware that modules ask for", &difference.firmware, usize::MAX);
    let shown = if all_files { usize::MAX } else { FILES_SHOWN };
    names(&mut text, "files in root.img", &difference.files, shown);
    let outputs = &difference.outputs;
    let changed: Vec<&str> = outputs.changed.iter().map(|change| change.name.as_str()).collect();
    if !outputs.is_empty() {
        let _ = writeln!(text, "output files:");
        let gone = outputs.removed.iter().map(|(name, _)| format!("-{name}"));
        let come = outputs.added.iter().map(|(name, _)| format!("+{name}"));
        for name in gone.chain(come) {
            let _ = writeln!(text, "  {name}");
        }
        for name in changed {
            let _ = writeln!(text, "  ~{name}");
        }
    }
    if !difference.sizes.is_empty() {
        let _ = writeln!(text, "sizes in bytes:");
        for size in &difference.sizes {
            let (old, new) = (grouped(size.old), grouped(size.new));
            let by = signed(size.old, size.new);
            let _ = writeln!(text, "  {:<20} {old:>13} -> {new:>13} {by:>14}", size.name);
        }
    }
    text
}

fn changes(text: &mut String, title: &str, changes: &[Change]) {
    if !changes.is_empty() {
        let _ = writeln!(text, "{title}:");
        for Change { name, old, new } in changes {
            change(text, name, old, new);
        }
    }
}

fn names(text: &mut String, title: &str, names: &Names, shown: usize) {
    if names.is_empty() {
        return;
    }
    let (removed, added, changed) = (names.removed.len(), names.added.len(), names.changed.len());
    let _ = writeln!(text, "{title}: {removed} removed, {added} added, {changed} changed");
    for (name, value) in names.removed.iter().take(shown) {
        let _ = writeln!(text, "  -{name} ({value})");
    }
    for (name, value) in names.added.iter().take(shown) {
        let _ = writeln!(text, "  +{name} ({value})");
    }
    for Change { name, old, new } in names.changed.iter().take(shown) {
        change(text, &format!("~{name}"), old, new);
    }
    if removed.max(added).max(changed) > shown {
        let _ = writeln!(text, "  ... (--files shows all)");
    }
}

/// On one line where that is short enough.
fn change(text: &mut String, name: &str, old: &str, new: &str) {
    if name.len() + old.len() + new.len() < 90 {
        let _ = writeln!(text, "  {name}: {old} -> {new}");
    } else {
        let _ = writeln!(text, "  {name}:\n    - {old}\n    + {new}");
    }
}
