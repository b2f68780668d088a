//! Commands on columns, characters and words: cut, tr, xargs, expr, seq.

use super::inputs::{all, inputs};
use super::options::{Parsed, parse};
use super::regex::{Syntax, compile};
use crate::error::Reason;
use crate::eval::{Machine, Run};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "cut" => cut(machine, words)?,
        "tr" => tr(machine, words)?,
        "xargs" => xargs(machine, words)?,
        "expr" => expr(machine, words)?,
        "seq" => seq(machine, words)?,
        _ => return Ok(None),
    }))
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
    let text = all(texts);
    machine.spend(text.len().saturating_mul(1 + wanted.len() / 8))?;
    let mut out = String::new();
    for line in text.lines() {
        let before = out.len();
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
        machine.spend(out.len() - before)?;
    }
    machine.out(&out)?;
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
    let characters: usize = sets.iter().map(Vec::len).sum();
    machine.spend(text.len().saturating_mul(1 + characters / 8))?;
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
    let ends_item = |c: char| c.is_whitespace() || c == '\0';
    machine.spend_items(text.matches(ends_item).count(), text.len())?;
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
    let place = parsed.value(&["I"]);
    if place.is_some_and(str::is_empty) {
        return machine.unsupported("xargs -I with nothing");
    }
    let at_once = match place {
        Some(_) => 1,
        None => parsed.value(&["n"]).and_then(|n| n.parse().ok()).unwrap_or(usize::MAX).max(1),
    };
    let chunks: Vec<&[String]> = match items.as_slice() {
        [] if place.is_some() || parsed.has(&["r", "no-run-if-empty"]) => Vec::new(),
        [] => vec![&[]],
        items => items.chunks(at_once).collect(),
    };
    let mut status = 0;
    for chunk in chunks {
        machine.step()?;
        machine.spend_items(arguments.len(), arguments.iter().map(String::len).sum())?;
        let run: Vec<String> = match (place, chunk) {
            (Some(place), [item]) => {
                let places: usize = arguments.iter().map(|word| word.matches(place).count()).sum();
                machine.spend(places.saturating_mul(item.len()))?;
                arguments.iter().map(|word| word.replace(place, item)).collect()
            }
            _ => [arguments, chunk].concat(),
        };
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
                Some(regex) => match regex.first(machine, left)? {
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
