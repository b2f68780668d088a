//! `cargo xtask tidy`: the rules of the house that the compiler does not know.
//!
//! | rule | |
//! | --- | --- |
//! | `cycle` | The modules of a crate use each other in one direction (`cycles.rs` says it exactly). |
//! | `picture` | The picture of the crates in docs/ARCHITECTURE.md is Cargo's own graph; `--write` draws it. |
//! | `lines` | A Rust file has at most 400 lines. |
//! | `function` | A function has at most 100 lines, in tests too. |
//! | `head` | A Rust file begins with a `//!` comment, a shell script with a comment. |
//! | `public` | A function or constant that no other crate names is not public (`public.rs`). |
//! | `syntax`, `module` | A Rust file can be parsed, and a module that is declared has a file. |
//! | `name`, `doc`, `string` | With `--words`: words that do not belong (`vocabulary.rs`). |
//!
//! Nothing is listed by hand: packages and targets come from `cargo metadata`, modules from the sources.

mod cycles;
mod facts;
mod files;
mod items;
mod modules;
mod picture;
mod public;
mod reader;
#[cfg(test)]
mod tests;
mod tokens;
mod vocabulary;
mod workspace;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use modules::Modules;
use workspace::Workspace;

/// Check the sources against the rules of the house.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The folder of the sources.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Draw the picture of the crates in docs/ARCHITECTURE.md first.
    #[arg(long)]
    write: bool,
    /// Look for words that do not belong, too.
    #[arg(long)]
    words: bool,
}

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    path: PathBuf,
    line: usize,
    rule: &'static str,
    text: String,
    /// Lines that say more.
    details: Vec<String>,
}

impl Problem {
    fn new(path: &Path, line: usize, rule: &'static str, text: impl Into<String>) -> Self {
        Problem { path: path.to_owned(), line, rule, text: text.into(), details: Vec::new() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path.display(), self.line, self.rule, self.text)?;
        self.details.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Runs the chore; prints what is wrong.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::load(&arguments.root)?;
    if arguments.write {
        picture::write(&workspace)?;
    }
    let (files, problems) = check(&workspace, arguments.words)?;
    for problem in &problems {
        print(&problem.to_string());
    }
    for (package, count) in vocabulary::count(&workspace, &problems) {
        print(&format!("{package}: {count} words that do not belong"));
    }
    if problems.is_empty() {
        print(&format!("{} packages, {files} Rust files: tidy", workspace.packages.len()));
        return Ok(());
    }
    Err(summary(&problems).into())
}

/// How many problems there are, and of which rules.
fn summary(problems: &[Problem]) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in problems {
        *rules.entry(problem.rule).or_default() += 1;
    }
    let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    let noun = if problems.len() == 1 { "problem" } else { "problems" };
    format!("{} {noun} ({})", problems.len(), rules.join(", "))
}

#[expect(clippy::print_stdout, reason = "a chore prints")]
fn print(text: &str) {
    println!("{text}");
}

/// The number of Rust files, and all problems in order.
fn check(workspace: &Workspace, with_words: bool) -> Result<(usize, Vec<Problem>), Box<dyn Error>> {
    let mut problems = Vec::new();
    let files = files::read(&workspace.root, &mut problems)?;
    for target in workspace.packages.iter().flat_map(|package| &package.targets) {
        let file = target.src_path.strip_prefix(&workspace.root)?;
        if let Some(modules) = Modules::of(&target.name.replace('-', "_"), file, &files) {
            cycles::check(&modules, &mut problems);
            problems.extend(modules.lost.iter().map(|(file, line, name)| {
                Problem::new(file, *line, "module", format!("`{name}` has no file"))
            }));
        }
    }
    picture::check(workspace, &mut problems)?;
    public::check(workspace, &files, &mut problems);
    if with_words {
        vocabulary::check(&files, &mut problems);
    }
    problems.sort();
    problems.dedup();
    Ok((files.len(), problems))
}
