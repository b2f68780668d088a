//! `sed`: the commands s, d, p, q, =, a, i, c and y with addresses; `-n`, `-i`, `-e`, `-E`.

use regex_lite::Regex;

use super::options::parse;
use super::regex::{Syntax, compile};
use super::text::inputs;
use crate::eval::{Machine, Run};

enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

enum Action {
    Substitute { pattern: Regex, replacement: Vec<Part>, number: usize, all: bool, print: bool },
    Delete,
    Print,
    Quit,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<(char, char)>),
}

/// A piece of a replacement.
enum Part {
    Text(String),
    Group(usize),
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    /// Whether the lines between `from` and `to` are under way.
    inside: bool,
    action: Action,
}

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
    let Some(mut commands) = (Reader { chars: script.chars().collect(), at: 0, syntax }).commands()
    else {
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
                // sed puts a new file in the place of the old one, and of a link.
                if let Some(real) = machine.resolve(path, true)? {
                    machine.put(&real, out)?;
                }
            }
            None => status = machine.fail(2, &format!("sed: can't read {path}: No such file"))?,
        }
    }
    Ok(status)
}

/// Reads a script; `None` where it uses what is not known here.
struct Reader {
    chars: Vec<char>,
    at: usize,
    syntax: Syntax,
}

impl Reader {
    fn commands(&mut self) -> Option<Vec<Command>> {
        let mut commands = Vec::new();
        loop {
            while self.peek().is_some_and(|c| c.is_whitespace() || c == ';') {
                self.at += 1;
            }
            match self.peek() {
                None => return Some(commands),
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                Some(_) => commands.push(self.command()?),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
    }

    fn address(&mut self) -> Option<Option<Address>> {
        Some(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some(c) if c.is_ascii_digit() => {
                let mut digits = String::new();
                while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                    digits.push(c);
                    self.at += 1;
                }
                Some(Address::Line(digits.parse().ok()?))
            }
            Some('/') => {
                self.at += 1;
                let text = self.until('/')?;
                let ignore = self.peek() == Some('I') && self.next().is_some();
                Some(Address::Match(compile(&text, self.syntax, ignore, ("", ""))?))
            }
            Some('\\') => {
                self.at += 1;
                let end = self.next()?;
                let text = self.until(end)?;
                Some(Address::Match(compile(&text, self.syntax, false, ("", ""))?))
            }
            _ => None,
        })
    }

    /// Text up to a delimiter, which stands for itself behind a backslash.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        let mut in_set = false;
        loop {
            match self.next()? {
                c if c == end && !in_set => return Some(text),
                '\\' => match self.next()? {
                    c if c == end && c != '|' => text.push(c),
                    c if c == end => text.extend(['\\', c]),
                    c => text.extend(['\\', c]),
                },
                c => {
                    match c {
                        '[' if !in_set && end != '[' => {
                            // A set that never closes is none, and the delimiter may be in one.
                            in_set =
                                self.chars[self.at..].contains(&']') && self.set_closes_before(end);
                        }
                        ']' => in_set = false,
                        _ => {}
                    }
                    text.push(c);
                }
            }
        }
    }

    fn set_closes_before(&self, _end: char) -> bool {
        let rest = &self.chars[self.at..];
        let close = rest.iter().skip(1).position(|c| *c == ']');
        let line = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        close.is_some_and(|close| close + 1 < line)
    }

    fn command(&mut self) -> Option<Command> {
        let from = self.address()?;
        let mut to = None;
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.blanks();
            to = self.address()?;
            to.as_ref()?;
        }
        self.blanks();
        let mut negated = false;
        while self.peek() == Some('!') {
            negated = true;
            self.at += 1;
            self.blanks();
        }
        let action = match self.next()? {
            's' => self.substitute()?,
            'd' => Action::Delete,
            'p' => Action::Print,
            'q' => Action::Quit,
            'a' => Action::Append(self.text()),
            'i' => Action::Insert(self.text()),
            'c' => Action::Change(self.text()),
            'y' => {
                let end = self.next()?;
                let (from, to) = (self.until(end)?, self.until(end)?);
                if from.chars().count() != to.chars().count() || from.contains('\\') {
                    return None;
                }
                Action::Translate(from.chars().zip(to.chars()).collect())
            }
            _ => return None,
        };
        self.blanks();
        matches!(self.peek(), None | Some(';' | '\n' | '#')).then_some(Command {
            from,
            to,
            negated,
            inside: false,
            action,
        })
    }

    /// The text of a, i and c: the rest of the line, lines joined by backslashes.
    fn text(&mut self) -> String {
        self.blanks();
        if self.peek() == Some('\\') {
            self.at += 1;
            self.blanks();
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\n' => break,
                '\\' => {
                    self.at += 1;
                    text.extend(self.next());
                }
                c => {
                    self.at += 1;
                    text.push(c);
                }
            }
        }
        text.push('\n');
        text
    }

    fn substitute(&mut self) -> Option<Action> {
        let end = self.next()?;
        let text = self.until(end)?;
        let mut replacement = Vec::new();
        let mut literal = String::new();
        loop {
            match self.next()? {
                c if c == end => break,
                '&' => {
                    replacement.push(Part::Text(std::mem::take(&mut literal)));
                    replacement.push(Part::Group(0));
                }
                '\\' => match self.next()? {
                    c @ '0'..='9' => {
                        replacement.push(Part::Text(std::mem::take(&mut literal)));
                        replacement.push(Part::Group(usize::try_from(c.to_digit(10)?).ok()?));
                    }
                    'n' => literal.push('\n'),
                    't' => literal.push('\t'),
                    'L' | 'U' | 'l' | 'u' | 'E' => return None,
                    c => literal.push(c),
                },
                c => literal.push(c),
            }
        }
        replacement.push(Part::Text(literal));
        let (mut all, mut print, mut ignore, mut number) = (false, false, false, 1);
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !matches!(c, ';' | '#')) {
            match c {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => ignore = true,
                '1'..='9' => number = usize::try_from(c.to_digit(10)?).ok()?,
                _ => return None,
            }
            self.at += 1;
        }
        // An empty expression is the last one that was used.
        if text.is_empty() {
            return None;
        }
        let pattern = compile(&text, self.syntax, ignore, ("", ""))?;
        Some(Action::Substitute { pattern, replacement, number, all, print })
    }
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
