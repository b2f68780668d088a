//! `${name...}`: the operations on a parameter's value.

use super::machine::{Machine, Run, Stop};
use super::pattern::Pattern;
use crate::error::Reason;
use crate::syntax::{Operation, Parameter, Word};

/// The result of an expansion: text, or a word that is still to be expanded.
pub(crate) enum Result<'p> {
    Text(String),
    Word(&'p Word),
}

/// The longest text in which a pattern is tried at every position.
const PATTERN_LIMIT: usize = 1 << 14;

impl Machine<'_> {
    /// The value of a parameter; `None` where it is not set.
    pub(crate) fn value(&mut self, name: &str) -> Run<Option<String>> {
        let value = self.value_of(name)?;
        // A copy of it is made, whether or not all of it is used.
        self.spend(value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn value_of(&self, name: &str) -> Run<Option<String>> {
        let arguments = &self.shell.arguments;
        Ok(match name {
            "@" | "*" => (!arguments.is_empty()).then(|| arguments.join(" ")),
            "#" => Some(arguments.len().to_string()),
            "?" => Some(self.shell.status.to_string()),
            "0" => Some(self.shell.name.clone()),
            "-" => {
                let options = self.shell.options;
                let set = [(options.errexit, 'e'), (options.nounset, 'u'), (options.noglob, 'f')];
                Some(set.iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect())
            }
            // A process's number differs from run to run: it only names temporary files.
            "$" => return self.refuse(Reason::Host("the process's number ($$)".into())),
            "!" => None,
            "RANDOM" | "SECONDS" | "EPOCHSECONDS" | "SRANDOM" | "PPID" | "HOSTNAME" | "UID"
            | "EUID"
                if !self.shell.variables.contains_key(name) =>
            {
                return self.refuse(Reason::Host(format!("the variable {name}")));
            }
            name => match name.parse::<usize>() {
                Ok(number) => arguments.get(number.wrapping_sub(1)).cloned(),
                Err(_) => self.shell.get(name).map(str::to_owned),
            },
        })
    }

    /// A parameter's value, where one has to be set under `set -u`.
    fn needed(&mut self, name: &str) -> Run<String> {
        match self.value(name)? {
            Some(value) => Ok(value),
            None if self.shell.options.nounset && !matches!(name, "@" | "*") => {
                self.write_to(2, &format!("{name}: parameter not set\n"))?;
                Err(Stop::Exit(2))
            }
            None => Ok(String::new()),
        }
    }

    /// The result of `${name...}`.
    pub(crate) fn operate<'p>(&mut self, parameter: &'p Parameter) -> Run<Result<'p>> {
        let Parameter { name, operation } = parameter;
        let missing = |value: &Option<String>, null: bool| match value {
            None => true,
            Some(value) => null && value.is_empty(),
        };
        let text = match operation {
            Operation::Value => self.needed(name)?,
            Operation::Length => match name.as_str() {
                "@" | "*" => self.shell.arguments.len().to_string(),
                name => self.needed(name)?.chars().count().to_string(),
            },
            Operation::Default { null, word } => match self.value(name)? {
                value if missing(&value, *null) => return Ok(Result::Word(word)),
                value => value.unwrap_or_default(),
            },
            Operation::Assign { null, word } => match self.value(name)? {
                value if missing(&value, *null) => {
                    let value = self.text(word)?;
                    self.shell.set(name, value.clone());
                    value
                }
                value => value.unwrap_or_default(),
            },
            Operation::Error { null, word } => match self.value(name)? {
                value if missing(&value, *null) => {
                    let message = self.text(word)?;
                    self.write_to(2, &format!("{name}: {message}\n"))?;
                    return Err(Stop::Exit(2));
                }
                value => value.unwrap_or_default(),
            },
            Operation::Alternative { null, word } => {
                let value = self.value(name)?;
                if missing(&value, *null) {
                    String::new()
                } else {
                    return Ok(Result::Word(word));
                }
            }
            Operation::RemovePrefix { longest, pattern } => {
                let value = self.needed(name)?;
                self.remove(&value, pattern, true, *longest)?
            }
            Operation::RemoveSuffix { longest, pattern } => {
                let value = self.needed(name)?;
                self.remove(&value, pattern, false, *longest)?
            }
            Operation::Substring { offset, length } => {
                let value = self.needed(name)?;
                self.substring(&value, offset, length.as_ref())?
            }
            Operation::Replace { all, anchor, pattern, replacement } => {
                let value = self.needed(name)?;
                let pattern = self.pattern(pattern)?;
                let replacement = self.text(replacement)?;
                self.replace(&value, &pattern, &replacement, *all, *anchor)?
            }
            Operation::Case { upper, all } => {
                let value = self.needed(name)?;
                let change = |c: char| {
                    if *upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
                };
                let changes = |(n, c)| if *all || n == 0 { change(c) } else { c };
                value.chars().enumerate().map(changes).collect()
            }
        };
        Ok(Result::Text(text))
    }

    fn remove(&mut self, value: &str, pattern: &Word, prefix: bool, longest: bool) -> Run<String> {
        let pattern = self.pattern(pattern)?;
        let chars = self.chars(value)?;
        let count = chars.len();
        // Lengths of what is removed, in the order in which they are tried.
        let mut lengths: Vec<usize> = (0..=count).collect();
        if longest {
            lengths.reverse();
        }
        for length in lengths {
            self.spend(pattern.cost(length))?;
            let (removed, rest) = if prefix {
                let (removed, rest) = chars.split_at(length);
                (removed, rest)
            } else {
                let (rest, removed) = chars.split_at(count - length);
                (removed, rest)
            };
            if pattern.matches_chars(removed) {
                return Ok(rest.iter().collect());
            }
        }
        Ok(value.to_owned())
    }

    fn chars(&mut self, value: &str) -> Run<Vec<char>> {
        if value.len() > PATTERN_LIMIT {
            return self.refuse(Reason::Limit("a pattern over a text of more than 16 KiB".into()));
        }
        Ok(value.chars().collect())
    }

    fn substring(&mut self, value: &str, offset: &Word, length: Option<&Word>) -> Run<String> {
        // Each character takes four bytes.
        self.spend(value.len().saturating_mul(4))?;
        let chars: Vec<char> = value.chars().collect();
        let count = i64::try_from(chars.len()).unwrap_or(i64::MAX);
        let from_end = |n: i64| if n < 0 { count.saturating_add(n) } else { n };
        let start = from_end(self.arithmetic(offset)?).clamp(0, count);
        let end = match length {
            None => count,
            Some(length) => match self.arithmetic(length)? {
                n if n < 0 => count.saturating_add(n),
                n => start.saturating_add(n),
            },
        };
        let end = end.clamp(start, count);
        let place = |n: i64| usize::try_from(n).unwrap_or(0);
        Ok(chars.get(place(start)..place(end)).unwrap_or_default().iter().collect())
    }

    fn replace(
        &mut self,
        value: &str,
        pattern: &Pattern,
        replacement: &str,
        all: bool,
        anchor: Option<char>,
    ) -> Run<String> {
        let chars = self.chars(value)?;
        let mut out = String::new();
        let mut at = 0;
        let mut replaced = false;
        while at < chars.len() {
            let tried = !(replaced && !all || anchor == Some('#') && at > 0);
            let mut found = None;
            if tried {
                for end in (at + 1..=chars.len()).rev() {
                    self.spend(pattern.cost(end - at))?;
                    let fits = anchor != Some('%') || end == chars.len();
                    if fits && pattern.matches_chars(&chars[at..end]) {
                        found = Some(end);
                        break;
                    }
                }
            }
            match found {
                Some(end) => {
                    self.spend(replacement.len())?;
                    out.push_str(replacement);
                    at = end;
                    replaced = true;
                }
                None => {
                    out.extend(chars.get(at));
                    at += 1;
                }
            }
        }
        Ok(out)
    }
}
