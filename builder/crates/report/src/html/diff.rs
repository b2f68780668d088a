//! How two outputs differ, as a page.

use std::fmt::Write as _;

use super::page::{Page, escape, facts, size};
use super::table::{Cell, folded, table};
use crate::diff::{Change, Difference, Names, SizeChange};

/// Rows of a table that are shown without being asked for.
const SHOWN: usize = 40;

/// The page; `old` and `new` name the outputs.
#[must_use]
pub fn diff(old: &str, new: &str, difference: &Difference) -> String {
    let lead = if difference.is_empty() {
        "They are the same.".to_owned()
    } else {
        format!("What is in {new} and not in {old} is called added; what is gone, removed.")
    };
    let mut page = Page::new(&format!("{old} and {new}"), &lead);
    let count = |names: &Names| match (names.added.len(), names.removed.len(), names.changed.len())
    {
        (0, 0, 0) => String::new(),
        (added, removed, changed) => format!("+{added} \u{2212}{removed} ~{changed}"),
    };
    page.add(&facts(&[
        ("packages", count(&difference.packages)),
        ("modules", count(&difference.modules)),
        ("firmware", count(&difference.firmware)),
        ("files in root.img", count(&difference.files)),
        ("output files", count(&difference.outputs)),
    ]));
    let mut part = |id: &str, title: &str, html: String| {
        if !html.is_empty() {
            page.part(id, title, &html);
        }
    };
    part("sizes", "Sizes", sizes(&difference.sizes));
    part("configuration", "Configuration", changes(&difference.configuration));
    part("packages", "Packages", names(&difference.packages, "package"));
    part("rebuilt", "Packages built anew", changes(&difference.rebuilt));
    part("licences", "Licences", changes(&difference.licences));
    part("modules", "Kernel modules", names(&difference.modules, "module"));
    part("firmware", "Firmware that modules ask for", names(&difference.firmware, "name"));
    part("files", "Files in root.img", names(&difference.files, "file"));
    part("outputs", "Output files", names(&difference.outputs, "file"));
    page.finish()
}

fn changes(list: &[Change]) -> String {
    let row = |change: &Change| {
        vec![Cell::text(&change.name), Cell::path(&change.old), Cell::path(&change.new)]
    };
    let rows: Vec<Vec<Cell>> = list.iter().map(row).collect();
    table(&["name", "old", "new"], &rows)
}

fn names(names: &Names, what: &str) -> String {
    let row = |kind: &str, name: &str, old: &str, new: &str| {
        vec![Cell::text(kind), Cell::path(name), Cell::path(old), Cell::path(new)]
    };
    let removed = names.removed.iter().map(|(name, value)| row("removed", name, value, ""));
    let added = names.added.iter().map(|(name, value)| row("added", name, "", value));
    let changed = names.changed.iter().map(|c| row("changed", &c.name, &c.old, &c.new));
    let rows: Vec<Vec<Cell>> = removed.chain(added).chain(changed).collect();
    let html = table(&["", what, "old", "new"], &rows);
    if rows.len() > SHOWN { folded(&format!("{} rows", rows.len()), &html) } else { html }
}

/// Two bars for each thing, as long as it is large.
fn sizes(list: &[SizeChange]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let most = list.iter().map(|change| change.old.max(change.new)).max().unwrap_or(1).max(1);
    #[allow(clippy::cast_precision_loss)] // lengths of a picture
    let length = |bytes: u64| bytes as f64 / most as f64 * 560.0;
    let height = list.len() * 34 + 6;
    let mut svg = format!(
        "<figure><svg viewBox=\"0 0 1000 {height}\" role=\"img\" aria-label=\"Sizes, old and new\">\n"
    );
    for (at, change) in list.iter().enumerate() {
        let y = at * 34 + 4;
        let _ = writeln!(
            svg,
            "<g><title>{name}: {old} and {new}</title><text x=\"200\" y=\"{text}\" font-size=\"13\" \
             text-anchor=\"end\" fill=\"currentColor\">{name}</text>\n\
             <rect x=\"210\" y=\"{y}\" width=\"{a:.1}\" height=\"11\" fill=\"#8a94a3\"/>\n\
             <rect x=\"210\" y=\"{second}\" width=\"{b:.1}\" height=\"11\" fill=\"#3b6ea8\"/>\n\
             <text x=\"{after:.1}\" y=\"{text}\" font-size=\"12\" fill=\"currentColor\">{old} \u{2192} {new}</text></g>",
            name = escape(&change.name),
            old = size(change.old),
            new = size(change.new),
            text = y + 16,
            second = y + 12,
            a = length(change.old),
            b = length(change.new),
            after = 218.0 + length(change.old.max(change.new)),
        );
    }
    svg += "</svg><figcaption>Grey is old, blue is new.</figcaption></figure>\n";
    let row = |change: &SizeChange| {
        vec![
            Cell::text(&change.name),
            Cell::Size(change.old),
            Cell::Size(change.new),
            Cell::Change(change.old, change.new),
        ]
    };
    let rows: Vec<Vec<Cell>> = list.iter().map(row).collect();
    svg + &table(&["name", "old", "new", "change"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_there_and_nothing_else() {
        let mut difference = Difference::default();
        assert!(diff("a", "b", &difference).contains("They are the same."));
        difference.packages.added.push(("lib<x>".to_owned(), "1.0".to_owned()));
        let change = SizeChange { name: "root.img".to_owned(), old: 2048, new: 1024 };
        difference.sizes.push(change);
        let page = diff("a", "b", &difference);
        for words in ["lib&lt;x&gt;", "+1 \u{2212}0 ~0", "2.0 KiB \u{2192} 1.0 KiB", "id=\"sizes\""]
        {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("id=\"modules\""));
    }
}
