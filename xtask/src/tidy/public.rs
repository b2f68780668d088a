//! What is public and need not be (`public`): a function, constant or type alias of a library that no other crate
//! names is `pub(crate)`, so that the compiler sees what is dead. Types are left alone: they stand in the signatures of
//! what others call, often without being named there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Problem;
use super::files::Files;
use super::workspace::Workspace;

/// Reports what only its own library names.
pub fn check(workspace: &Workspace, files: &Files, problems: &mut Vec<Problem>) {
    // Which libraries name a word; none for a program, test or example.
    let mut users: BTreeMap<&str, BTreeSet<Option<&Path>>> = BTreeMap::new();
    for (path, source) in files {
        let library = workspace.library_of(path);
        for word in words(&source.text) {
            users.entry(word).or_default().insert(library);
        }
    }
    for (path, source) in files {
        let Some(own) = workspace.library_of(path) else { continue };
        for (number, line) in (1..).zip(source.text.lines()) {
            let Some(name) = public(line) else { continue };
            let only_own = |users: &BTreeSet<_>| users.iter().all(|user| *user == Some(own));
            if users.get(name).is_some_and(only_own) {
                let text = format!("no other crate names `{name}`: `pub(crate)` is enough");
                problems.push(Problem::new(path, number, "public", text));
            }
        }
    }
}

/// The name of the public function, constant or alias that a line begins.
fn public(line: &str) -> Option<&str> {
    let mut words = line.trim_start().strip_prefix("pub ")?.split(' ').peekable();
    let mut kind = words.next()?;
    // `pub const fn`, `pub async fn`, `pub unsafe fn`.
    while matches!(kind, "const" | "async" | "unsafe") && words.peek() == Some(&"fn") {
        kind = words.next()?;
    }
    let name = words.next().filter(|_| matches!(kind, "fn" | "const" | "static" | "type"))?;
    name.split(|c: char| !is_word(c)).next().filter(|name| !name.is_empty())
}

/// The words of a file, with those of its comments: an intra-doc link is a use.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
