//! `cargo xtask docs-check`: what the documents say can be typed, and where they point is something.
//!
//! Every command line of `wifibox-build` and `cargo xtask` in README.md and its like, docs/, the man pages and
//! examples/ is parsed by the program's own definition of its arguments; the names of recipes in it must exist;
//! scripts of ci/ must be there. Links must lead to a file, and to a heading in it. What is written as code and
//! begins with one of the repository's folders must be a path. Every chapter of the book is in its summary. Recipes
//! in examples/ compose, and files for hosts there are sound.
//!
//! A page may speak of a command or option that is about to come: `<!-- docs-check: pending NAME -->`.
//! It holds only as long as there is none of that name.

mod commands;
mod examples;
mod links;
mod markdown;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use commands::{Checker, Outcome};
use markdown::Page;

/// Check the documents.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The folder of the sources.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
}

/// Counts of the things checked, and the problems.
#[derive(Debug, Default)]
struct Findings {
    pages: usize,
    commands: usize,
    links: usize,
    examples: examples::Count,
    pending: Vec<String>,
    problems: Vec<String>,
}

/// Runs the chore; prints what is wrong.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let findings = check(&arguments.root)?;
    let Findings { pages, commands, links, examples, pending, problems } = &findings;
    for line in pending {
        print(&format!("pending: {line}"));
    }
    print(&format!(
        "{pages} pages: {commands} command lines and {links} links were checked; examples: {} guests compose, {} files \
         for hosts were linted",
        examples.guests, examples.host_files
    ));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

#[expect(clippy::print_stdout, reason = "a chore prints")]
fn print(text: &str) {
    println!("{text}");
}

/// Pages outside of the folders that are read as a whole.
const PAGES: [&str; 8] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
    "ci/kernel-notes.md",
    "ci/release-notes.md",
    "overlays/README.md",
];

/// Folders that are read as a whole.
const FOLDERS: [&str; 3] = ["docs", "examples", ".github/ISSUE_TEMPLATE"];

fn check(root: &Path) -> Result<Findings, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = PAGES.iter().map(|page| root.join(page)).collect();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let checker = Checker::new(root)?;
    let mut findings = Findings::default();
    for file in &files {
        let text = fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
        let page = match file.extension().and_then(|extension| extension.to_str()) {
            Some("md") => Page::markdown(&text),
            Some("sh") => Page::script(&text),
            Some("yml") if shown.starts_with("examples/") => Page::script(&text),
            Some("yml") => Page::form(&text),
            _ => Page::man(&text),
        };
        findings.pages += 1;
        for (number, line) in &page.commands {
            for outcome in checker.line(line, &page.pending) {
                findings.commands += 1;
                match outcome {
                    Outcome::Fine => {}
                    Outcome::Pending(what) => {
                        findings.pending.push(format!("{shown}:{number}: {what}"))
                    }
                    Outcome::Wrong(why) => {
                        findings.problems.push(format!("{shown}:{number}: {why}"))
                    }
                }
            }
        }
        for (number, path) in &page.paths {
            let beside = file.parent().is_some_and(|folder| folder.join(path).exists());
            if !beside && !root.join(path).exists() && !page.pending.contains(path) {
                findings.problems.push(format!("{shown}:{number}: there is no {path}"));
            }
        }
        for (number, target) in &page.links {
            findings.links += 1;
            if let Err(why) = links::check(file, target) {
                findings.problems.push(format!("{shown}:{number}: {why}"));
            }
        }
    }
    findings.examples = examples::check(root, &root.join("examples"), &mut findings.problems)?;
    links::check_book(&root.join("docs/book/src"), &mut findings.problems)?;
    Ok(findings)
}

/// Every page below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            collect(&path, files)?;
        } else if matches!(extension, Some("md" | "1" | "5" | "sh" | "yml")) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wifibox-recipe(5) has every key that recipes may have, the book every one of a project.
    #[test]
    fn every_key_of_recipes_is_described() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (kind, schema) in wifibox_recipe::schemas() {
            let page =
                if kind == "project" { "book/src/project.md" } else { "man/wifibox-recipe.5" };
            let text = fs::read_to_string(root.join("docs").join(page)).expect("read");
            let words: Vec<&str> =
                text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            let keys = schema["properties"].as_object().expect("an object");
            for key in keys.keys().filter(|_| kind != "release") {
                assert!(words.contains(&key.as_str()), "{kind}: {key} is not in {page}");
            }
        }
    }

    #[test]
    fn the_documents_hold() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let findings = check(&root).expect("read");
        assert!(findings.problems.is_empty(), "{}", findings.problems.join("\n"));
        assert!(findings.commands > 50 && findings.links > 10, "{findings:?}");
        assert!(findings.examples.guests > 0 && findings.examples.host_files > 0, "{findings:?}");
    }
}
