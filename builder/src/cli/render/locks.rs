//! What became of locks during other work.

use super::printer::Printer;
use wifibox_resolve::Locked;

/// Says which locks changed, and what is missing from them.
pub(crate) fn say_changes(printer: &Printer, locks: &[Locked]) {
    for Locked { path, change, lock, .. } in locks {
        if change.is_empty() {
            continue;
        }
        let count = |list: &[String], what: &str| match list.len() {
            0 => None,
            number => Some(format!("{number} {what}")),
        };
        let counts = [
            count(&change.added, "added"),
            count(&change.removed, "removed"),
            count(&change.changed, "changed"),
        ];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        printer.status("Locked", &format!("{}: {}", path.display(), counts.join(", ")));
        if !lock.missing.is_empty() {
            printer.status(
                "Missing",
                &format!("{}: guests that need them cannot be built", lock.missing.join(", ")),
            );
        }
    }
}
