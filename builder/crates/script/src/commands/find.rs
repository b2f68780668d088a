//! `find`: tests on names, kinds and owners; prints, removes, runs commands of the vocabulary.

use super::text::letter;
use crate::eval::{Machine, Run, join};
use crate::files::{Entry, Kind};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    match name {
        "find" => find(machine, words).map(Some),
        "run-parts" => run_parts(machine, words).map(Some),
        _ => Ok(None),
    }
}

/// `run-parts directory`: its programs are those of other packages, and not known here; kernel hooks
/// make the initramfs and entries of boot loaders, as the builder does.
fn run_parts(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let Some(directory) = words.iter().rfind(|word| !word.starts_with('-')).cloned() else {
        return machine.fail(1, "run-parts: missing operand");
    };
    if directory.starts_with("/etc/kernel/") {
        return machine.nothing("the builder makes what hooks of kernels make");
    }
    for name in machine.names_in(&directory)? {
        let path = join(&directory, &name);
        let entry = machine.entry(&path, true)?;
        if entry.is_some_and(|e| matches!(e.kind, Kind::File(_)) && e.meta.mode & 0o111 != 0) {
            return machine.unsupported(format!("the program {path} is run"));
        }
    }
    Ok(0)
}

/// One thing found, and its place.
struct Found {
    path: String,
    depth: usize,
    entry: Entry,
}

fn find(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<String> =
        words.iter().skip_while(|word| matches!(word.as_str(), "-H" | "-P")).cloned().collect();
    if words.first().is_some_and(|word| word == "-L") {
        return machine.unsupported("find -L");
    }
    let starts = |word: &String| word.starts_with('-') || matches!(word.as_str(), "(" | "!");
    let split = words.iter().position(starts).unwrap_or(words.len());
    let (paths, expression) = words.split_at(split);
    let default = [".".to_owned()];
    let paths = if paths.is_empty() { &default } else { paths };
    let limit = |option: &str| -> Option<usize> {
        let at = expression.iter().position(|word| word == option)?;
        expression.get(at + 1)?.parse().ok()
    };
    let most = limit("-maxdepth").unwrap_or(usize::MAX);
    let least = limit("-mindepth").unwrap_or(0);
    let children_first = expression.iter().any(|word| word == "-delete" || word == "-depth");
    let mut status = 0;
    let mut collected: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for path in paths {
        let Some(entry) = machine.entry(path, false)? else {
            status = machine.fail(1, &format!("find: '{path}': No such file or directory"))?;
            continue;
        };
        let mut found = Vec::new();
        let mut todo = vec![Found { path: path.clone(), depth: 0, entry }];
        while let Some(item) = todo.pop() {
            machine.step()?;
            let Found { path, depth, entry } = &item;
            if entry.kind == Kind::Directory && *depth < most {
                let mut names = machine.names_in(path)?;
                names.reverse();
                for name in names {
                    let path = join(path, &name);
                    let entry = machine.entry(&path, false)?;
                    todo.extend(entry.map(|entry| Found { path, depth: depth + 1, entry }));
                }
            }
            found.push(item);
        }
        if children_first {
            found.reverse();
        }
        for item in found.iter().filter(|item| item.depth >= least) {
            matches(machine, item, expression, &mut collected)?;
        }
    }
    for (command, arguments) in collected {
        if let Some((name, first)) = command.split_first() {
            machine.nested(|machine| super::run(machine, name, &[first, &arguments].concat()))?;
        }
    }
    Ok(status)
}

/// Tries the expression on one thing; `-o` is not known.
fn matches(
    machine: &mut Machine<'_>,
    item: &Found,
    expression: &[String],
    collected: &mut Vec<(Vec<String>, Vec<String>)>,
) -> Run<()> {
    let name = item.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    machine.spend_items(expression.len(), expression.iter().map(String::len).sum())?;
    let mut words = expression.iter();
    let (mut negated, mut acted) = (false, false);
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().unwrap_or_default();
        let truth = match word.as_str() {
            "!" | "-not" => {
                negated = !negated;
                continue;
            }
            "-a" | "-and" | "-xdev" | "-mount" | "-depth" => continue,
            "-maxdepth" | "-mindepth" => {
                value();
                continue;
            }
            "-name" => machine.name_fits(&value(), &name)?,
            "-path" | "-wholename" => machine.name_fits(&value(), &item.path)?,
            "-type" => value().split(',').any(|kind| kind == letter(&item.entry.kind)),
            "-empty" => match item.entry.kind {
                Kind::File(size) => size == 0,
                Kind::Directory => machine.names_in(&item.path)?.is_empty(),
                _ => false,
            },
            "-user" => {
                let uid = machine.uid(&value())?;
                uid == Some(item.entry.meta.uid)
            }
            "-group" => {
                let gid = machine.gid(&value())?;
                gid == Some(item.entry.meta.gid)
            }
            "-perm" => {
                let text = value();
                let bits = u16::from_str_radix(text.trim_start_matches(['-', '/']), 8);
                let Ok(bits) = bits else { return machine.unsupported("find -perm with symbols") };
                match text.chars().next() {
                    Some('-') => item.entry.meta.mode & bits == bits,
                    Some('/') => item.entry.meta.mode & bits != 0,
                    _ => item.entry.meta.mode == bits,
                }
            }
            "-print" | "-print0" => {
                let end = if word == "-print" { "\n" } else { "\0" };
                machine.out(&format!("{}{end}", item.path))?;
                acted = true;
                true
            }
            "-delete" => {
                acted = true;
                if let Some(real) = machine.resolve(&item.path, false)? {
                    machine.remove_one(&real)?;
                }
                true
            }
            "-exec" => {
                acted = true;
                let command: Vec<String> = words
                    .by_ref()
                    .take_while(|word| !matches!(word.as_str(), ";" | "+"))
                    .cloned()
                    .collect();
                let together = expression.iter().any(|word| word == "+");
                if together {
                    let command: Vec<String> = command.into_iter().filter(|w| w != "{}").collect();
                    match collected.iter_mut().find(|(known, _)| *known == command) {
                        Some((_, paths)) => paths.push(item.path.clone()),
                        None => collected.push((command, vec![item.path.clone()])),
                    }
                    true
                } else {
                    let places: usize = command.iter().map(|word| word.matches("{}").count()).sum();
                    machine.spend(places.saturating_mul(item.path.len()))?;
                    let command: Vec<String> =
                        command.iter().map(|word| word.replace("{}", &item.path)).collect();
                    let Some((name, arguments)) = command.split_first() else { continue };
                    machine.nested(|machine| super::run(machine, name, arguments))? == 0
                }
            }
            other => return machine.unsupported(format!("find {other}")),
        };
        if truth == std::mem::take(&mut negated) {
            return Ok(());
        }
    }
    if acted { Ok(()) } else { machine.out(&format!("{}\n", item.path)) }
}
