//! `grep`, `egrep` and `fgrep`.

use super::inputs::inputs;
use super::options::parse;
use super::regex::{Syntax, compile};
use crate::eval::{Machine, Run};

const LONG: [&str; 18] = [
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

pub(super) fn grep(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let mut parsed = parse(machine, words, "qsvicEFGxwlLoe:hHrRm:na", &LONG)?;
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
            Some(regex) => {
                machine.spend(regex.price())?;
                regexes.push(regex);
            }
            None => return machine.unsupported(format!("the expression {pattern:?}")),
        }
    }
    let quiet = parsed.has(&["q", "quiet", "silent"]);
    let silent = parsed.has(&["s", "no-messages"]);
    let (texts, complete) = inputs(machine, "grep", &parsed.operands, silent)?;
    let named = texts.len() > 1 && !parsed.has(&["h", "no-filename"]) || parsed.has(&["H"]);
    let limit =
        parsed.value(&["m", "max-count"]).and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let mut found = false;
    for (path, text) in texts {
        let mut count = 0;
        let mut out = String::new();
        for line in text.lines() {
            let mut matches = false;
            for regex in &regexes {
                matches = matches || regex.is_in(machine, line)?;
            }
            if matches == parsed.has(&["v", "invert-match"]) || count >= limit {
                continue;
            }
            count += 1;
            let prefix = if named { format!("{path}:") } else { String::new() };
            if parsed.has(&["o", "only-matching"]) {
                for regex in &regexes {
                    let found = regex.all(machine, line, usize::MAX)?;
                    let found = found.iter().filter_map(|found| found.get(0));
                    for found in found.filter(|found| !found.is_empty()) {
                        machine.spend(prefix.len())?;
                        out.push_str(&format!("{prefix}{}\n", found.as_str()));
                    }
                }
            } else {
                machine.spend(prefix.len())?;
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
