//! Commands on text: cat, grep, cut, head, tail, sort, uniq, wc, tr, tee, xargs.

use super::options::{Parsed, parse};
use super::regex::{Syntax, compile};
use super::{awk, sed};
use crate::error::Reason;
use crate::eval::{Machine, Pattern, Run};
use crate::files::Kind;

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "cat" => cat(machine, words)?,
        "grep" | "egrep" | "fgrep" => grep(machine, name, words)?,
        "sed" => sed::run(machine, words)?,
        "awk" | "gawk" | "mawk" => awk::run(machine, words)?,
        "cut" => cut(machine, words)?,
        "head" | "tail" => ends(machine, name, words)?,
        "sort" => sort(machine, words)?,
        "uniq" => uniq(machine, words)?,
        "wc" => wc(machine, words)?,
        "tr" => tr(machine, words)?,
        "tee" => tee(machine, words)?,
        "xargs" => xargs(machine, words)?,
        "expr" => expr(machine, words)?,
        "seq" => seq(machine, words)?,
        _ => return Ok(None),
    }))
}

/// The text of files, or of standard input where none or `-` is named; `None`, and a message, where
/// one is missing.
pub(super) fn inputs(
    machine: &mut Machine<'_>,
    name: &str,
    paths: &[String],
    quiet: bool,
) -> Run<(Vec<(String, String)>, bool)> {
    let mut texts = Vec::new();
    let mut complete = true;
    if paths.is_empty() {
        texts.push((String::new(), machine.input()?));
    }
    for path in paths {
        if path == "-" || path == "/dev/stdin" {
            texts.push((path.clone(), machine.input()?));
        } else if path == "/dev/null" {
            texts.push((path.clone(), String::new()));
        } else if let Some(text) = machine.read_text(path)? {
            texts.push((path.clone(), text));
        } else {
            complete = false;
            if !quiet {
                machine.write_to(2, &format!("{name}: {path}: No such file or directory\n"))?;
            }
        }
    }
    Ok((texts, complete))
}

fn all(texts: Vec<(String, String)>) -> String {
    texts.into_iter().map(|(_, text)| text).collect()
}

fn cat(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "u", &[])?;
    let (texts, complete) = inputs(machine, "cat", &parsed.operands, false)?;
    machine.out(&all(texts))?;
    Ok(i32::from(!complete))
}

fn grep(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let long = [
        "quiet",
        "silent",
        "no-messages",
        "invert-match",
        "ignore-case",
        "extended-regexp",
        "fixed-strings",
        "line-regexp",
        "word-regexp",
        "count",
        "files-with-matches",
        "regexp=",
        "only-matching",
        "no-filename",
        "recursive",
        "max-count=",
        "basic-regexp",
        "color=",
    ];
    let mut parsed = parse(machine, words, "qsvicEFGxwlLoe:hHrRm:na", &long)?;
    if parsed.has(&["r", "R", "recursive", "n", "L"]) {
        return machine.unsupported("grep with such options");
    }
    let syntax = match name {
        "egrep" => Syntax::Extended,
        "fgrep" => Syntax::Fixed,
        _ if parsed.has(&["E", "extended-regexp"]) => Syntax::Extended,
        _ if parsed.has(&["F", "fixed-strings"]) => Syntax::Fixed,
        _ => Syntax::Basic,
    };
    let mut patterns: Vec<String> = parsed.values(&["e", "regexp"]).map(str::to_owned).collect();
    if patterns.is_empty() {
        if parsed.operands.is_empty() {
            return machine.fail(2, "grep: no pattern");
        }
        patterns.push(parsed.operands.remove(0));
    }
    let surround = match () {
        () if parsed.has(&["x", "line-regexp"]) => ("^", "$"),
        () if parsed.has(&["w", "word-regexp"]) => ("\\b", "\\b"),
        () => ("", ""),
    };
    let mut regexes = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let ignore_case = parsed.has(&["i", "ignore-case"]);
        match compile(pattern, syntax, ignore_case, surround) {
            Some(regex) => regexes.push(regex),
            None => return machine.unsupported(format!("the expression {pattern:?}")),
        }
    }
    let cost: usize = patterns.iter().map(|pattern| 1 + pattern.len() / 8).sum();
    let quiet = parsed.has(&["q", "quiet", "silent"]);
    let silent = parsed.has(&["s", "no-messages"]);
    let (texts, complete) = inputs(machine, "grep", &parsed.operands, silent)?;
    let named = texts.len() > 1 && !parsed.has(&["h", "no-filename"]) || parsed.has(&["H"]);
    let limit =
        parsed.value(&["m", "max-count"]).and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let mut found = false;
    for (path, text) in texts {
        machine.spend(text.len().saturating_mul(cost))?;
        let mut count = 0;
        let mut out = String::new();
        for line in text.lines() {
            let matches = regexes.iter().any(|regex| regex.is_match(line));
            if matches == parsed.has(&["v", "invert-match"]) || count >= limit {
                continue;
            }
            count += 1;
            let prefix = if named { format!("{path}:") } else { String::new() };
            if parsed.has(&["o", "only-matching"]) {
                for regex in &regexes {
                    let found = regex.find_iter(line).filter(|found| !found.is_empty());
                    found.for_each(|found| out.push_str(&format!("{prefix}{}\n", found.as_str())));
                }
            } else {
                out.push_str(&format!("{prefix}{line}\n"));
            }
        }
        found |= count > 0;
        if quiet {
            continue;
        }
        if parsed.has(&["c", "count"]) {
            let prefix = if named { format!("{path}:") } else { String::new() };
            machine.out(&format!("{prefix}{count}\n"))?;
        } else if parsed.has(&["l", "files-with-matches"]) {
            if count > 0 {
                machine.out(&format!("{path}\n"))?;
            }
        } else {
            machine.out(&out)?;
        }
    }
    Ok(match (found, complete) {
        (true, _) if quiet => 0,
        (_, false) => 2,
        (found, true) => i32::from(!found),
    })
}

/// A list of ranges: `1`, `2-`, `-3`, `4-5`.
fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    text.split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let first = if first.is_empty() { 1 } else { first.parse().ok()? };
            let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
            (first > 0).then_some((first, last))
        })
        .collect()
}

fn cut(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long =
        ["delimiter=", "fields=", "characters=", "bytes=", "only-delimited", "output-delimiter="];
    let parsed = parse(machine, words, "d:f:c:b:s", &long)?;
    let fields = parsed.value(&["f", "fields"]);
    let list = fields.or_else(|| parsed.value(&["c", "characters", "b", "bytes"]));
    let Some(wanted) = list.and_then(ranges) else {
        return machine.unsupported("cut with this list");
    };
    let is_fields = fields.is_some();
    let delimiter = parsed.value(&["d", "delimiter"]).unwrap_or("\t").to_owned();
    let glue = parsed.value(&["output-delimiter"]).unwrap_or(&delimiter).to_owned();
    let selected = |n: usize| wanted.iter().any(|(first, last)| (*first..=*last).contains(&n));
    let (texts, complete) = inputs(machine, "cut", &parsed.operands, false)?;
    let mut out = String::new();
    for line in all(texts).lines() {
        if !is_fields {
            let chars = line.chars().enumerate().filter(|(n, _)| selected(n + 1));
            out.extend(chars.map(|(_, c)| c));
        } else if !line.contains(&delimiter) {
            if parsed.has(&["s", "only-delimited"]) {
                continue;
            }
            out.push_str(line);
        } else {
            let parts = line.split(delimiter.as_str()).enumerate();
            let parts: Vec<&str> = parts.filter(|(n, _)| selected(n + 1)).map(|(_, p)| p).collect();
            out.push_str(&parts.join(&glue));
        }
        out.push('\n');
    }
    machine.out(&out)?;
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

/// The characters of a set of `tr`.
fn set(text: &str) -> Option<Vec<char>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(class) = rest.strip_prefix("[:") {
            let (name, after) = class.split_once(":]")?;
            for (first, last) in crate::eval::class(name)? {
                out.extend(first..=last);
            }
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let c = match c {
            '\\' => {
                let next = rest.chars().next()?;
                rest = &rest[next.len_utf8()..];
                match next {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    '\\' => '\\',
                    other if other.is_ascii_digit() => return None,
                    other => other,
                }
            }
            c => c,
        };
        let mut after = rest.chars();
        match (after.next(), after.next()) {
            (Some('-'), Some(last)) if last >= c && last.is_ascii() => {
                out.extend(c..=last);
                rest = &rest[1 + last.len_utf8()..];
            }
            _ => out.push(c),
        }
    }
    Some(out)
}

fn tr(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "dscC", &["delete", "squeeze-repeats", "complement"])?;
    let sets: Option<Vec<Vec<char>>> = parsed.operands.iter().map(|text| set(text)).collect();
    let Some(sets) = sets.filter(|sets| (1..=2).contains(&sets.len())) else {
        return machine.unsupported("tr with these sets");
    };
    let from = sets.first().cloned().unwrap_or_default();
    let to = sets.get(1);
    let complement = parsed.has(&["c", "C", "complement"]);
    let inside = |set: &[char], c: char| set.contains(&c);
    let text = machine.input()?;
    machine.spend(text.len())?;
    let mut out = String::new();
    let mut last = None;
    for c in text.chars() {
        let selected = inside(&from, c) != complement;
        if selected && parsed.has(&["d", "delete"]) {
            continue;
        }
        let new = match to {
            Some(to) if selected && !parsed.has(&["d", "delete"]) => {
                let place = if complement {
                    usize::MAX
                } else {
                    from.iter().position(|f| *f == c).unwrap_or(0)
                };
                to.get(place).or(to.last()).copied().unwrap_or(c)
            }
            _ => c,
        };
        let squeezed = parsed.has(&["s", "squeeze-repeats"])
            && match to {
                Some(to) => inside(to, new),
                None => selected,
            };
        if squeezed && last == Some(new) {
            continue;
        }
        out.push(new);
        last = Some(new);
    }
    machine.out(&out)?;
    Ok(0)
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

fn xargs(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let end = words.iter().position(|word| !word.starts_with('-')).unwrap_or(words.len());
    let mut end = end;
    while end > 0 && matches!(words.get(end - 1).map(String::as_str), Some("-n" | "-I" | "-L")) {
        end = (end + 1).min(words.len());
        if words.get(end).is_none_or(|word| !word.starts_with('-')) {
            break;
        }
    }
    let parsed: Parsed = parse(machine, &words[..end], "r0tn:I:", &["no-run-if-empty", "null"])?;
    let text = machine.input()?;
    if text.contains(['\'', '"', '\\']) && !parsed.has(&["0", "null"]) {
        return machine.unsupported("xargs with quoted names");
    }
    let items: Vec<String> = if parsed.has(&["0", "null"]) {
        text.split('\0').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    } else if parsed.has(&["I"]) {
        text.lines().filter(|item| !item.is_empty()).map(str::to_owned).collect()
    } else {
        text.split_whitespace().map(str::to_owned).collect()
    };
    let command = &words[end..];
    let (name, arguments) = match command.split_first() {
        Some((name, arguments)) => (name.as_str(), arguments),
        None => ("echo", command),
    };
    let mut runs: Vec<Vec<String>> = Vec::new();
    if let Some(place) = parsed.value(&["I"]) {
        let fill = |item: &String| arguments.iter().map(|word| word.replace(place, item)).collect();
        runs.extend(items.iter().map(fill));
    } else if items.is_empty() && parsed.has(&["r", "no-run-if-empty"]) {
    } else {
        let at_once = parsed.value(&["n"]).and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
        let chunks: Vec<&[String]> = match items.as_slice() {
            [] => vec![&[]],
            items => items.chunks(at_once.max(1)).collect(),
        };
        runs.extend(chunks.iter().map(|chunk| [arguments, *chunk].concat()));
    }
    let mut status = 0;
    for run in runs {
        machine.step()?;
        let name = name.to_owned();
        if machine.nested(|machine| super::run(machine, &name, &run))? != 0 {
            status = 123;
        }
    }
    Ok(status)
}

/// `expr` with one operator, and `:` with a literal beginning.
fn expr(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let result = match words {
        [left, operator, right] => match operator.as_str() {
            "+" | "-" | "*" | "/" | "%" | "<" | "<=" | ">" | ">=" => {
                machine.calculate(&format!("({left}) {operator} ({right})"))?.to_string()
            }
            "=" => i64::from(left == right).to_string(),
            "!=" => i64::from(left != right).to_string(),
            ":" => match compile(right, Syntax::Basic, false, ("^", "")) {
                Some(regex) => match regex.captures(left) {
                    Some(found) if found.len() > 1 => {
                        found.get(1).map_or("", |part| part.as_str()).to_owned()
                    }
                    Some(found) => {
                        found.get(0).map_or(0, |all| all.as_str().chars().count()).to_string()
                    }
                    None if right.contains("\\(") => String::new(),
                    None => "0".to_owned(),
                },
                None => return machine.unsupported(format!("the expression {right:?}")),
            },
            _ => return machine.unsupported("expr of this form"),
        },
        _ => return machine.unsupported("expr of this form"),
    };
    machine.out(&format!("{result}\n"))?;
    Ok(i32::from(result.is_empty() || result == "0"))
}

fn seq(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let numbers: Result<Vec<i64>, _> = words.iter().map(|word| word.parse()).collect();
    let (first, last) = match numbers.as_deref() {
        Ok([last]) => (1, *last),
        Ok([first, last]) => (*first, *last),
        _ => return machine.unsupported("seq of this form"),
    };
    if last.saturating_sub(first) > 10_000 {
        return machine.refuse(Reason::Limit("more than 10000 numbers".into()));
    }
    machine.out(&(first..=last).map(|n| format!("{n}\n")).collect::<String>())?;
    Ok(0)
}

/// Whether a name matches a pattern, for `find`.
pub(super) fn name_matches(pattern: &str, name: &str) -> bool {
    Pattern::of_text(pattern).matches(name)
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
