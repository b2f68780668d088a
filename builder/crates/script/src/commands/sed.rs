//! `sed`: the commands s, d, p, q, =, a, i, c and y with addresses; `-n`, `-i`, `-e`, `-E`.

use super::inputs::inputs;
use super::options::parse;
use super::regex::Syntax;
use super::sed_script::{Action, Address, Command, Part, Reader, Substitution};
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
    machine.spend(script.len().saturating_mul(1 + script.matches('[').count()))?;
    let mut reader = Reader::new(&script, syntax);
    let Some(mut commands) = reader.commands() else {
        return machine.unsupported(format!("the script {script:?} of sed"));
    };
    machine.spend(reader.price)?;
    if !in_place {
        let (texts, complete) = inputs(machine, "sed", &parsed.operands, false)?;
        let text: String = texts.into_iter().map(|(_, text)| text).collect();
        let out = edit(machine, &text, &mut commands, quiet)?;
        machine.out(&out)?;
        return Ok(if complete { 0 } else { 2 });
    }
    let mut status = 0;
    for path in &parsed.operands {
        match machine.read_text(path)? {
            Some(text) => {
                let out = edit(machine, &text, &mut commands, quiet)?;
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

impl Address {
    fn fits(&self, machine: &mut Machine<'_>, line: &str, number: usize, last: bool) -> Run<bool> {
        Ok(match self {
            Address::Line(at) => *at == number,
            Address::Last => last,
            Address::Match(expression) => expression.is_in(machine, line)?,
        })
    }
}

impl Command {
    fn selects(
        &mut self,
        machine: &mut Machine<'_>,
        line: &str,
        number: usize,
        last: bool,
    ) -> Run<bool> {
        let selected = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => from.fits(machine, line, number, last)?,
            (Some(_), Some(to)) if self.inside => {
                let ends = match to {
                    Address::Line(at) => number >= *at,
                    to => to.fits(machine, line, number, last)?,
                };
                self.inside = !ends;
                true
            }
            (Some(from), Some(to)) => {
                let begins = from.fits(machine, line, number, last)?;
                self.inside = begins && !matches!(to, Address::Line(at) if *at <= number);
                begins
            }
        };
        Ok(selected != self.negated)
    }
}

fn edit(
    machine: &mut Machine<'_>,
    text: &str,
    commands: &mut [Command],
    quiet: bool,
) -> Run<String> {
    let mut out = String::new();
    let count = text.lines().count();
    for (index, line) in text.lines().enumerate() {
        let (number, is_last) = (index + 1, index + 1 == count);
        let mut line = line.to_owned();
        let (mut deleted, mut quits) = (false, false);
        let mut after = String::new();
        for command in commands.iter_mut() {
            machine.spend(8)?;
            if !command.selects(machine, &line, number, is_last)? {
                continue;
            }
            let before = out.len() + after.len();
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
                    machine.spend(line.len().saturating_mul(1 + pairs.len() / 8))?;
                    let to = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |p| p.1);
                    line = line.chars().map(to).collect();
                }
                Action::Substitute(substitution) => {
                    if let Some(new) = substituted(machine, &line, substitution)? {
                        line = new;
                        if substitution.print {
                            out.push_str(&format!("{line}\n"));
                        }
                    }
                }
            }
            machine.spend(out.len() + after.len() - before)?;
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
            return Ok(out);
        }
    }
    // A last line without a line break stays one.
    if !text.ends_with('\n') && !text.is_empty() && out.ends_with('\n') {
        out.pop();
    }
    Ok(out)
}

/// The line with what was found replaced; `None` where nothing was.
fn substituted(
    machine: &mut Machine<'_>,
    line: &str,
    substitution: &Substitution,
) -> Run<Option<String>> {
    let Substitution { pattern, replacement, number, all, .. } = substitution;
    let most = if *all { usize::MAX } else { *number };
    let found = pattern.all(machine, line, most)?;
    let mut out = String::new();
    let mut done = 0;
    for found in found.iter().skip(number - 1) {
        let Some(whole) = found.get(0) else { continue };
        let before = out.len();
        out.push_str(line.get(done..whole.start()).unwrap_or_default());
        for part in replacement {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(found.get(*group).map_or("", |g| g.as_str())),
            }
        }
        machine.spend(out.len() - before + 8 * replacement.len())?;
        done = whole.end();
    }
    if found.len() < *number {
        return Ok(None);
    }
    out.push_str(line.get(done..).unwrap_or_default());
    machine.spend(out.len())?;
    Ok(Some(out))
}
