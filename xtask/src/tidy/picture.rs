//! The picture of the crates in docs/ARCHITECTURE.md, compared with Cargo's own graph (`picture`).
//!
//! It is the Mermaid block that has a comment `%% crates`. After the comment each line has arrows: `a --> b & c` says
//! that the package `a` uses `b` and `c` of the same workspace, not only in tests or to be built. A package without
//! arrows stands alone in a line. `--write` replaces what follows the comment: a line for each package, users first.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use super::Problem;
use super::workspace::Workspace;

/// The page, from the root of the workspace.
const PAGE: &str = "docs/ARCHITECTURE.md";
const MARK: &str = "%% crates";
const NO_PICTURE: &str =
    "there is no picture of the crates: a block ```mermaid with the line `%% crates`";

/// An arrow from the first package to the second, or a package without arrows.
type Part<'a> = (&'a str, Option<&'a str>);

/// Reports the arrows that the picture lacks, and those that Cargo does not know.
pub fn check(workspace: &Workspace, problems: &mut Vec<Problem>) -> Result<(), Box<dyn Error>> {
    let page = read(&workspace.root)?;
    let mut problem =
        |line, text| problems.push(Problem::new(Path::new(PAGE), line, "picture", text));
    let Some(lines) = block(&page) else {
        problem(1, NO_PICTURE.to_owned());
        return Ok(());
    };
    let graph = graph(workspace);
    let mut wanted = graph.clone();
    for (at, line) in page.lines().enumerate().skip(lines.start).take(lines.len()) {
        for part in parts(line) {
            if !wanted.remove(&part) {
                let twice = graph.contains(&part);
                let why =
                    if twice { "it is there twice" } else { "Cargo's graph does not have it" };
                problem(at + 1, format!("remove `{}`: {why}", shown(part)));
            }
        }
    }
    for part in wanted {
        let text = format!("add the line `{}`, or run `cargo xtask tidy --write`", shown(part));
        problem(lines.start, text);
    }
    Ok(())
}

/// Draws the picture anew.
pub fn write(workspace: &Workspace) -> Result<(), Box<dyn Error>> {
    let page = read(&workspace.root)?;
    let Some(lines) = block(&page) else { return Err(format!("{PAGE}: {NO_PICTURE}").into()) };
    let mut new = String::new();
    for line in page.lines().take(lines.start) {
        new += &format!("{line}\n");
    }
    for line in drawn(&graph(workspace)) {
        new += &format!("    {line}\n");
    }
    for line in page.lines().skip(lines.end) {
        new += &format!("{line}\n");
    }
    if new != page {
        fs::write(workspace.root.join(PAGE), new)
            .map_err(|error| format!("cannot write {PAGE}: {error}"))?;
    }
    Ok(())
}

fn read(root: &Path) -> Result<String, String> {
    fs::read_to_string(root.join(PAGE)).map_err(|error| format!("cannot read {PAGE}: {error}"))
}

/// The lines between the picture's comment and the end of its block, counted from 0.
fn block(page: &str) -> Option<std::ops::Range<usize>> {
    let (mut inside, mut start) = (false, None);
    for (at, line) in page.lines().enumerate() {
        let line = line.trim();
        match start {
            Some(start) if line == "```" => return Some(start..at),
            None if inside && line.starts_with(MARK) => start = Some(at + 1),
            None if line.starts_with("```") => inside = line == "```mermaid",
            _ => {}
        }
    }
    None
}

/// Cargo's graph.
fn graph(workspace: &Workspace) -> BTreeSet<Part<'_>> {
    let mut graph = BTreeSet::new();
    for package in &workspace.packages {
        graph.extend(workspace.used_by(package).map(|used| (package.name.as_str(), Some(used))));
    }
    for package in &workspace.packages {
        let name = package.name.as_str();
        if !graph.iter().any(|(user, used)| *user == name || *used == Some(name)) {
            graph.insert((name, None));
        }
    }
    graph
}

/// The arrows of a line of the picture.
fn parts(line: &str) -> Vec<Part<'_>> {
    let line = line.split("%%").next().unwrap_or_default();
    let nodes: Vec<Vec<&str>> =
        line.split("-->").map(|names| names.split('&').map(str::trim).collect()).collect();
    if let [names] = nodes.as_slice() {
        return names.iter().filter(|name| !name.is_empty()).map(|name| (*name, None)).collect();
    }
    let mut parts = Vec::new();
    for (users, used) in nodes.iter().zip(nodes.iter().skip(1)) {
        parts.extend(users.iter().flat_map(|a| used.iter().map(|b| (*a, Some(*b)))));
    }
    parts
}

fn shown((user, used): Part) -> String {
    used.map_or(user.to_owned(), |used| format!("{user} --> {used}"))
}

/// The lines of the picture: those that stand highest first.
fn drawn(graph: &BTreeSet<Part>) -> Vec<String> {
    let heights = heights(graph);
    let height = |name: &str| std::cmp::Reverse(heights.get(name).copied().unwrap_or(0));
    let mut graph: Vec<&Part> = graph.iter().collect();
    graph.sort_by_key(|(user, used)| (height(user), *user, used.map(height), *used));
    let mut lines: Vec<String> = Vec::new();
    for of_one in graph.chunk_by(|(a, _), (b, _)| a == b) {
        let used: Vec<&str> = of_one.iter().filter_map(|(_, used)| *used).collect();
        let arrow = if used.is_empty() { "" } else { " --> " };
        lines.extend(of_one.first().map(|(user, _)| format!("{user}{arrow}{}", used.join(" & "))));
    }
    lines
}

/// How many packages stand on each other below each one.
fn heights<'a>(graph: &BTreeSet<Part<'a>>) -> BTreeMap<&'a str, usize> {
    let mut heights: BTreeMap<&str, usize> = BTreeMap::new();
    // Cargo knows no cycles: no way is longer than the number of arrows.
    for _ in graph {
        for (user, used) in graph {
            let below = used.map_or(0, |used| heights.get(used).copied().unwrap_or(0) + 1);
            let height = heights.entry(*user).or_default();
            *height = (*height).max(below);
        }
    }
    heights
}
