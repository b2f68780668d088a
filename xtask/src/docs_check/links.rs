//! Links between documents, and the book's summary.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use super::markdown::Page;

/// Whether `target`, in the page `file`, leads anywhere. Addresses in the web are not looked up.
pub fn check(file: &Path, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let there = if path.is_empty() {
        file.to_owned()
    } else {
        file.parent().unwrap_or(Path::new(".")).join(path)
    };
    if !there.exists() {
        return Err(format!("the link {target} leads nowhere"));
    }
    if !anchor.is_empty() {
        let text = fs::read_to_string(&there).map_err(|error| format!("{target}: {error}"))?;
        if !Page::markdown(&text).anchors.contains(anchor) {
            return Err(format!("the link {target} leads to no heading of {path}"));
        }
    }
    Ok(())
}

/// Whether the summary of the book lists every chapter, and whether their links stay within the book: built, it stands
/// alone, and what leads out of it leads nowhere.
pub fn check_book(folder: &Path, problems: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    let summary = Page::markdown(&fs::read_to_string(folder.join("SUMMARY.md"))?);
    let listed: BTreeSet<String> = summary.links.into_iter().map(|(_, target)| target).collect();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".md") {
            continue;
        }
        if name != "SUMMARY.md" && !listed.contains(&name) {
            problems.push(format!("docs/book/src/{name} is not in SUMMARY.md"));
        }
        let chapter = Page::markdown(&fs::read_to_string(folder.join(&name))?);
        for (number, target) in chapter.links {
            if !target.contains("://") && target.starts_with(['.', '/']) {
                problems
                    .push(format!("docs/book/src/{name}:{number}: {target} leads out of the book"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_and_headings() {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("a.md");
        fs::write(&page, "# One two\n").expect("written");
        fs::write(folder.path().join("SUMMARY.md"), "- [x](b.md)\n").expect("written");
        for fine in ["https://example.org/x", "a.md", "#one-two", "a.md#one-two"] {
            assert_eq!(check(&page, fine), Ok(()), "{fine}");
        }
        for wrong in ["b.md", "#two", "a.md#two"] {
            assert!(check(&page, wrong).is_err(), "{wrong}");
        }
        let mut problems = Vec::new();
        check_book(folder.path(), &mut problems).expect("read");
        assert_eq!(problems, ["docs/book/src/a.md is not in SUMMARY.md"]);
    }
}
