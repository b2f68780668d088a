//! Commands on text: cat, head, tail, sort, uniq, wc, tee.

use super::inputs::{all, inputs};
use super::options::parse;
use super::{awk, grep, sed};
use crate::eval::{Machine, Run};
use crate::files::Kind;

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "cat" => cat(machine, words)?,
        "grep" | "egrep" | "fgrep" => grep::grep(machine, name, words)?,
        "sed" => sed::run(machine, words)?,
        "awk" | "gawk" | "mawk" => awk::run(machine, words)?,
        "head" | "tail" => ends(machine, name, words)?,
        "sort" => sort(machine, words)?,
        "uniq" => uniq(machine, words)?,
        "wc" => wc(machine, words)?,
        "tee" => tee(machine, words)?,
        _ => return Ok(None),
    }))
}

fn cat(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "u", &[])?;
    let (texts, complete) = inputs(machine, "cat", &parsed.operands, false)?;
    machine.out(&all(texts))?;
    Ok(i32::from(!complete))
}

fn ends(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    // `head -1` is `head -n 1`.
    let words: Vec<String> = words
        .iter()
        .map(|word| match word.strip_prefix('-') {
            Some(count) if count.parse::<usize>().is_ok() => format!("-n{count}"),
            _ => word.clone(),
        })
        .collect();
    let parsed = parse(machine, &words, "n:c:q", &["lines=", "bytes=", "quiet"])?;
    if parsed.has(&["c", "bytes"]) {
        return machine.unsupported(format!("{name} of bytes"));
    }
    let count = parsed.value(&["n", "lines"]).unwrap_or("10").to_owned();
    let Ok(number) = count.trim_start_matches(['+', '-']).parse::<usize>() else {
        return machine.unsupported(format!("{name} -n {count}"));
    };
    let (texts, complete) = inputs(machine, name, &parsed.operands, false)?;
    let text = all(texts);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let chosen = match (name, count.chars().next()) {
        ("head", Some('-')) => &lines[..lines.len().saturating_sub(number)],
        ("head", _) => &lines[..number.min(lines.len())],
        (_, Some('+')) => &lines[number.saturating_sub(1).min(lines.len())..],
        _ => &lines[lines.len().saturating_sub(number)..],
    };
    machine.out(&chosen.concat())?;
    Ok(i32::from(!complete))
}

fn sort(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(
        machine,
        words,
        "urno:Vk:t:f",
        &["unique", "reverse", "numeric-sort", "version-sort"],
    )?;
    if parsed.has(&["o", "k", "t", "f"]) {
        return machine.unsupported("sort with keys");
    }
    let (texts, complete) = inputs(machine, "sort", &parsed.operands, false)?;
    let text = all(texts);
    // Each line is compared with others about as often as their number has bits.
    machine.spend(text.len().saturating_mul(4))?;
    let mut lines: Vec<&str> = text.lines().collect();
    let number = |line: &str| {
        let line = line.trim_start();
        let end = line.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(line.len());
        line[..end].parse::<i64>().unwrap_or(0)
    };
    lines.sort_unstable();
    if parsed.has(&["n", "numeric-sort"]) {
        lines.sort_by_key(|line| number(line));
    }
    if parsed.has(&["V", "version-sort"]) {
        lines.sort_by(|a, b| super::version::compare(a, b));
    }
    if parsed.has(&["r", "reverse"]) {
        lines.reverse();
    }
    if parsed.has(&["u", "unique"]) {
        lines.dedup();
    }
    machine.out(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    Ok(i32::from(!complete))
}

fn uniq(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "ud", &["unique", "repeated"])?;
    let (texts, complete) = inputs(machine, "uniq", &parsed.operands, false)?;
    let text = all(texts);
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut count = 1;
        while lines.next_if_eq(&line).is_some() {
            count += 1;
        }
        let wanted = if parsed.has(&["u", "unique"]) {
            count == 1
        } else {
            !parsed.has(&["d", "repeated"]) || count > 1
        };
        if wanted {
            out.push_str(line);
            out.push('\n');
        }
    }
    machine.out(&out)?;
    Ok(i32::from(!complete))
}

fn wc(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "lwc", &["lines", "words", "bytes"])?;
    let (texts, complete) = inputs(machine, "wc", &parsed.operands, false)?;
    let [(path, text)] = texts.as_slice() else {
        return machine.unsupported("wc of several files");
    };
    let count = match () {
        () if parsed.has(&["l", "lines"]) => text.matches('\n').count(),
        () if parsed.has(&["w", "words"]) => text.split_whitespace().count(),
        () if parsed.has(&["c", "bytes"]) => text.len(),
        () => return machine.unsupported("wc without an option"),
    };
    let name = if path.is_empty() { String::new() } else { format!(" {path}") };
    machine.out(&format!("{count}{name}\n"))?;
    Ok(i32::from(!complete))
}

fn tee(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "a", &["append"])?;
    let text = machine.input()?;
    let mut status = 0;
    for path in &parsed.operands {
        match machine.resolve(path, true)? {
            _ if path == "/dev/null" => {}
            Some(real) if real.starts_with("/dev/") => {
                return machine.unsupported("tee to a device");
            }
            Some(real) if parsed.has(&["a", "append"]) => machine.append(&real, &text)?,
            Some(real) => machine.put(&real, text.clone())?,
            None => status = machine.fail(1, &format!("tee: {path}: No such directory"))?,
        }
    }
    machine.out(&text)?;
    Ok(status)
}

/// The letter of `find -type`.
pub(super) fn letter(kind: &Kind) -> &'static str {
    match kind {
        Kind::File(_) => "f",
        Kind::Directory => "d",
        Kind::Link(_) => "l",
        Kind::Special => "?",
    }
}
