//! `cargo xtask docs-check`: what the documents say can be typed, and where they point is something.
//!
//! Every command line of `wifibox-build` and `cargo xtask` in README.md, docs/ and the man pages is parsed
//! by the program's own definition of its arguments; the names of recipes in it must exist; scripts of ci/
//! must be there. Links must lead to a file, and to a heading in it. Every chapter of the book is in its
//! summary.
//!
//! A page may speak of a command or option that is about to come: `<!-- docs-check: pending NAME -->`.
//! It holds only as long as there is none of that name.

mod commands;
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

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    pages: usize,
    commands: usize,
    links: usize,
    pending: Vec<String>,
    problems: Vec<String>,
}

/// Runs the chore; prints what is wrong.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let findings = check(&arguments.root)?;
    let Findings { pages, commands, links, pending, problems } = &findings;
    for line in pending {
        print(&format!("pending: {line}"));
    }
    print(&format!("{pages} pages: {commands} command lines and {links} links were checked"));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

#[expect(clippy::print_stdout, reason = "a chore prints")]
fn print(text: &str) {
    println!("{text}");
}

fn check(root: &Path) -> Result<Findings, Box<dyn Error>> {
    let mut files = vec![root.join("README.md"), root.join("overlays/README.md")];
    files.push(root.join("ci/release-notes.md"));
    collect(&root.join("docs"), &mut files)?;
    files.sort();
    let checker = Checker::new(root)?;
    let mut findings = Findings::default();
    for file in &files {
        let text = fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
        let page = match file.extension().and_then(|extension| extension.to_str()) {
            Some("md") => Page::markdown(&text),
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
        for (number, target) in &page.links {
            findings.links += 1;
            if let Err(why) = links::check(file, target) {
                findings.problems.push(format!("{shown}:{number}: {why}"));
            }
        }
    }
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
        } else if matches!(extension, Some("md" | "1" | "5")) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wifibox-recipe(5) has every key that recipes may have.
    #[test]
    fn every_key_of_recipes_is_described() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = fs::read_to_string(root.join("docs/man/wifibox-recipe.5")).expect("read");
        let words: Vec<&str> =
            page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for (kind, schema) in wifibox_recipe::schemas() {
            let keys = schema["properties"].as_object().expect("an object");
            for key in keys.keys().filter(|_| kind != "release") {
                assert!(words.contains(&key.as_str()), "{kind}: {key} is not in wifibox-recipe.5");
            }
        }
    }

    #[test]
    fn the_documents_hold() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let findings = check(&root).expect("read");
        assert!(findings.problems.is_empty(), "{}", findings.problems.join("\n"));
        assert!(findings.commands > 50 && findings.links > 10, "{findings:?}");
    }
}
