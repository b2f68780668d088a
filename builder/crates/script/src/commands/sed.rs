//! `sed`: the commands s, d, p, q, =, a, i, c and y with addresses; `-n`, `-i`, `-e`, `-E`.

use regex_lite::Regex;

use super::inputs::inputs;
use super::options::parse;
use super::regex::Syntax;
use super::sed_script::{Action, Address, Command, Part, Reader};
use crate::eval::{Machine, Run};

pub(super) fn run(machine: &mut Machine<'_>, words: &[String]) -> Run {
    // `-i` takes its suffix only in the same word.
    let mut in_place = false;
    let mut rest = Vec::new();
    for word in words {
        match word.as_str() {
            "-i" | "--in-place" => in_place = true,
            other if other.starts_with("-i") && !other.starts_with("-i=") && other.len() > 2 => {
                let letters: String = other[1..].chars().filter(|c| *c != 'i').collect();
                if !letters.chars().all(|c| "nrEes".contains(c)) {
                    return machine.unsupported("sed -i with a suffix");
                }
                in_place = true;
                rest.push(format!("-{letters}"));
            }
            other if other.starts_with("--in-place=") => {
                return machine.unsupported("sed -i with a suffix");
            }
            _ => rest.push(word.clone()),
        }
    }
    let long = ["quiet", "silent", "expression=", "regexp-extended", "file=", "follow-symlinks"];
    let mut parsed = parse(machine, &rest, "nrEe:f:isu", &long)?;
    in_place |= parsed.has(&["i"]);
    let extended = parsed.has(&["r", "E", "regexp-extended"]);
    let quiet = parsed.has(&["n", "quiet", "silent"]);
    let mut script: Vec<String> = parsed.values(&["e", "expression"]).map(str::to_owned).collect();
    if parsed.has(&["f", "file"]) {
        return machine.unsupported("sed -f");
    }
    if script.is_empty() {
        if parsed.operands.is_empty() {
            return machine.fail(1, "sed: no script");
        }
        script.push(parsed.operands.remove(0));
    }
    let script = script.join("\n");
    let syntax = if extended { Syntax::Extended } else { Syntax::Basic };
    let Some(mut commands) = Reader::new(&script, syntax).commands() else {
        return machine.unsupported(format!("the script {script:?} of sed"));
    };
    let cost = 1 + script.len() / 8;
    if !in_place {
        let (texts, complete) = inputs(machine, "sed", &parsed.operands, false)?;
        let text: String = texts.into_iter().map(|(_, text)| text).collect();
        machine.spend(text.len().saturating_mul(cost))?;
        let out = edit(&text, &mut commands, quiet);
        machine.out(&out)?;
        return Ok(if complete { 0 } else { 2 });
    }
    let mut status = 0;
    for path in &parsed.operands {
        match machine.read_text(path)? {
            Some(text) => {
                machine.spend(text.len().saturating_mul(cost))?;
                let out = edit(&text, &mut commands, quiet);
                for command in &mut commands {
                    command.inside = false;
                }
                // sed puts a new file in the place of the old one.
                if let Some(real) = machine.resolve(path, true)? {
                    machine.put(&real, out)?;
                }
            }
            None => status = machine.fail(2, &format!("sed: can't read {path}: No such file"))?,
        }
    }
    Ok(status)
}

impl Command {
    fn selects(&mut self, line: &str, number: usize, last: bool) -> bool {
        let fits = |address: &Address| match address {
            Address::Line(at) => *at == number,
            Address::Last => last,
            Address::Match(regex) => regex.is_match(line),
        };
        let selected = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => fits(from),
            (Some(from), Some(to)) => {
                if self.inside {
                    let ends = match to {
                        Address::Line(at) => number >= *at,
                        to => fits(to),
                    };
                    self.inside = !ends;
                    true
                } else if fits(from) {
                    self.inside = !matches!(to, Address::Line(at) if *at <= number);
                    true
                } else {
                    false
                }
            }
        };
        selected != self.negated
    }
}

fn edit(text: &str, commands: &mut [Command], quiet: bool) -> String {
    let mut out = String::new();
    let count = text.lines().count();
    for (index, line) in text.lines().enumerate() {
        let (number, is_last) = (index + 1, index + 1 == count);
        let mut line = line.to_owned();
        let (mut deleted, mut quits) = (false, false);
        let mut after = String::new();
        for command in commands.iter_mut() {
            if !command.selects(&line, number, is_last) {
                continue;
            }
            match &command.action {
                Action::Delete => deleted = true,
                Action::Print => out.push_str(&format!("{line}\n")),
                Action::Quit => quits = true,
                Action::Append(text) => after.push_str(text),
                Action::Insert(text) => out.push_str(text),
                Action::Change(text) => {
                    deleted = true;
                    if command.to.is_none() || !command.inside {
                        out.push_str(text);
                    }
                }
                Action::Translate(pairs) => {
                    let to = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |p| p.1);
                    line = line.chars().map(to).collect();
                }
                Action::Substitute { pattern, replacement, number, all, print } => {
                    if let Some(new) = substituted(&line, pattern, replacement, *number, *all) {
                        line = new;
                        if *print {
                            out.push_str(&format!("{line}\n"));
                        }
                    }
                }
            }
            if deleted || quits {
                break;
            }
        }
        if !deleted && !quiet {
            out.push_str(&line);
            out.push('\n');
        }
        out.push_str(&after);
        if quits {
            return out;
        }
    }
    // A last line without a line break stays one.
    if !text.ends_with('\n') && !text.is_empty() && out.ends_with('\n') {
        out.pop();
    }
    out
}

fn substituted(
    line: &str,
    pattern: &Regex,
    parts: &[Part],
    from: usize,
    all: bool,
) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    let mut changed = false;
    for (index, found) in pattern.captures_iter(line).enumerate() {
        if index + 1 < from {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(line.get(done..whole.start())?);
        for part in parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(found.get(*group).map_or("", |g| g.as_str())),
            }
        }
        done = whole.end();
        changed = true;
        if !all {
            break;
        }
    }
    out.push_str(line.get(done..)?);
    changed.then_some(out)
}
