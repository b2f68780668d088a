//! Words that do not belong (`--words`): names of modules that say no room (`name`), documentation that begins
//! with "What" (`doc`), errors that say "the begin" for "the beginning" (`string`).

use std::collections::BTreeMap;
use std::path::Path;

use super::Problem;
use super::facts::Module;
use super::files::Files;
use super::workspace::Workspace;

/// Names of modules that are no terms of the field.
const NAMES: [&str; 9] =
    ["kin", "lack", "every", "held", "words", "claims", "wishes", "capable", "ranked"];

/// Reports words that do not belong.
pub fn check(files: &Files, problems: &mut Vec<Problem>) {
    for (path, source) in files {
        names(path, &source.facts.module, problems);
        lines(path, &source.text, problems);
    }
}

/// How many of `problems` each package has.
pub fn count(workspace: &Workspace, problems: &[Problem]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for problem in
        problems.iter().filter(|problem| ["name", "doc", "string"].contains(&problem.rule))
    {
        let owner = workspace.owner(&problem.path).map_or("no package", |package| &package.name);
        *counts.entry(owner.to_owned()).or_default() += 1;
    }
    counts
}

fn names(path: &Path, module: &Module, problems: &mut Vec<Problem>) {
    for child in &module.children {
        if NAMES.contains(&child.name.as_str()) {
            let text = format!("`{}` says nothing of what the module is about", child.name);
            problems.push(Problem::new(path, child.line, "name", text));
        }
        child.inline.iter().for_each(|inside| names(path, inside, problems));
    }
}

fn lines(path: &Path, text: &str, problems: &mut Vec<Problem>) {
    let begin = ["the", "begin"].join(" ");
    let mut in_doc = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        if !in_doc && doc.is_some_and(|doc| doc.starts_with(" What ")) {
            let text = "begin with the thing itself, not with \"What\"";
            problems.push(Problem::new(path, number, "doc", text));
        }
        in_doc = doc.is_some();
        let cut = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        if !line.starts_with("//") && line.split(&begin).skip(1).any(cut) {
            problems.push(Problem::new(path, number, "string", format!("\"{begin}ning\"")));
        }
    }
}
